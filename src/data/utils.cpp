#include <glia/utils.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/naming.h"
#include "base/philox.h"
#include "tensor/convert.h"

namespace glia::utils {

Tensor to_categorical(const Tensor& x, const ToCategoricalOptions& o) {
  GLIA_CHECK(x.defined(), "to_categorical: x is empty.");
  Shape shape = x.shape();
  if (shape.size() > 1 && shape.back() == 1) shape.pop_back();
  int64_t classes = o.num_classes;
  if (classes == 0) {
    GLIA_CHECK(x.size() > 0, "to_categorical: num_classes cannot be found from no ids. Give num_classes.");
    for (int64_t i = 0; i < x.size(); ++i) classes = std::max(classes, static_cast<int64_t>(x.item(i)) + 1);
    classes = std::max<int64_t>(classes, 1);
  }
  shape.push_back(classes);
  Tensor out = Tensor::zeros(shape, o.dtype);
  for (int64_t i = 0; i < x.size(); ++i) {
    auto id = static_cast<int64_t>(x.item(i));
    GLIA_CHECK(id >= 0 && id < classes, "to_categorical: the id {} at position {} is outside 0 to {} (num_classes is {}).",
               id, i, classes - 1, classes);
    out.set_item(i * classes + id, 1);
  }
  return out;
}

Tensor pad_sequences(const std::vector<Tensor>& sequences, const PadSequencesOptions& o) {
  for (auto& [name, value] : {std::pair("padding", o.padding), std::pair("truncating", o.truncating)}) {
    GLIA_CHECK(value == "pre" || value == "post", "pad_sequences: {} must be \"pre\" or \"post\". Received \"{}\".", name,
               value);
  }
  GLIA_CHECK(o.maxlen >= 0, "pad_sequences: maxlen must be 0 (the longest) or more. Received {}.", o.maxlen);
  Shape sample;
  bool known = false;
  int64_t longest = 0;
  for (const Tensor& s : sequences) {
    GLIA_CHECK(s.rank() >= 1, "pad_sequences: every sequence needs a time axis. Received a scalar.");
    longest = std::max(longest, s.dim(0));
    if (!known && s.dim(0) > 0) known = true, sample.assign(s.shape().begin() + 1, s.shape().end());
  }
  int64_t maxlen = o.maxlen > 0 ? o.maxlen : longest, width = num_elements(sample);
  Shape shape = {static_cast<int64_t>(sequences.size()), maxlen};
  shape.insert(shape.end(), sample.begin(), sample.end());
  Tensor out = Tensor::full(shape, o.value, o.dtype);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Tensor& s = sequences[i];
    int64_t length = s.dim(0), kept = std::min(length, maxlen);
    if (kept == 0) continue;
    GLIA_CHECK(Shape(s.shape().begin() + 1, s.shape().end()) == sample,
               "pad_sequences: sequence {} has shape {} but the first one has steps of shape {}.", i,
               to_string(s.shape()), to_string(sample));
    int64_t from = o.truncating == "pre" ? length - kept : 0;
    int64_t to = o.padding == "pre" ? maxlen - kept : 0;
    char* row = static_cast<char*>(out.raw()) + (static_cast<int64_t>(i) * maxlen + to) * width *
                                                    static_cast<int64_t>(dtype_size(o.dtype));
    convert_elements(o.dtype, row, s.dtype(), s.slice(from, from + kept).raw(), kept * width);
  }
  return out;
}

Tensor pad_sequences(const std::vector<std::vector<int64_t>>& sequences, const PadSequencesOptions& options) {
  std::vector<Tensor> tensors;
  for (const auto& s : sequences) tensors.push_back(Tensor::from_vector<int64_t>({static_cast<int64_t>(s.size())}, s));
  return pad_sequences(tensors, options);
}

Tensor normalize(const Tensor& x, const NormalizeOptions& o) {
  int rank = x.rank(), axis = o.axis < 0 ? o.axis + rank : o.axis;
  GLIA_CHECK(x.defined() && axis >= 0 && axis < rank, "normalize: axis {} does not exist in shape {}.", o.axis,
             to_string(x.shape()));
  GLIA_CHECK(o.order >= 1, "normalize: order must be at least 1. Received {}.", o.order);
  Tensor out(x.shape(), is_float(x.dtype()) ? x.dtype() : DType::f32);
  int64_t n = x.dim(axis), inner = 1;
  for (int d = axis + 1; d < rank; ++d) inner *= x.dim(d);
  int64_t outer = n * inner > 0 ? x.size() / (n * inner) : 0;
  for (int64_t a = 0; a < outer; ++a) {
    for (int64_t b = 0; b < inner; ++b) {
      int64_t base = a * n * inner + b;
      double norm = 0;
      for (int64_t i = 0; i < n; ++i) {
        double v = std::abs(x.item(base + i * inner));
        norm = std::isinf(o.order) ? std::max(norm, v) : norm + (o.order == 2 ? v * v : std::pow(v, o.order));
      }
      if (!std::isinf(o.order)) norm = o.order == 2 ? std::sqrt(norm) : std::pow(norm, 1 / o.order);
      if (norm == 0) norm = 1;
      for (int64_t i = 0; i < n; ++i) out.set_item(base + i * inner, x.item(base + i * inner) / norm);
    }
  }
  return rank == 1 ? out.reshape({1, n}) : out;
}

// Elements of one side; -1 when it was not given.
static int64_t resolve_size(const std::optional<SplitSize>& size, const char* name, int64_t total) {
  if (!size) return -1;
  if (const auto* fraction = std::get_if<double>(&*size)) {
    GLIA_CHECK(*fraction > 0 && *fraction < 1, "split_dataset: {} as a fraction must lie between 0 and 1. Received {}.", name,
               *fraction);
    return std::llrint(*fraction * static_cast<double>(total));  // half to even, as Python's round
  }
  int64_t count = std::get<int64_t>(*size);
  GLIA_CHECK(count > 0 && count < total, "split_dataset: {} must be a number of elements between 1 and {}. Received {}.", name,
             total - 1, count);
  return count;
}

std::pair<Dataset, Dataset> split_dataset(const Dataset& dataset, const SplitOptions& o) {
  GLIA_CHECK(o.left_size || o.right_size, "split_dataset: give left_size or right_size.");
  int64_t total = dataset.cardinality();
  GLIA_CHECK(total >= 0, "split_dataset: the dataset's number of elements is {}. Use take() and skip() instead.",
             total == Dataset::kInfinite ? "infinite" : "not known");
  int64_t left = resolve_size(o.left_size, "left_size", total), right = resolve_size(o.right_size, "right_size", total);
  if (left < 0) left = total - right;
  if (right < 0) right = total - left;
  GLIA_CHECK(left + right <= total, "split_dataset: left_size ({}) and right_size ({}) together exceed the {} elements.", left,
             right, total);
  Dataset all = o.shuffle ? dataset.shuffle({.seed = o.seed, .reshuffle_each_iteration = false}) : dataset;
  return {all.take(left), all.skip(total - right)};
}

static void check_timeseries(const Tensor& data, const TimeseriesOptions& o) {
  const char* fn = "timeseries_dataset_from_array";
  GLIA_CHECK(data.rank() >= 1, "{}: data needs a time axis. Received shape {}.", fn, to_string(data.shape()));
  int64_t n = data.dim(0);
  GLIA_CHECK(o.sequence_length >= 1, "{}: sequence_length must be given and at least 1. Received {}.", fn, o.sequence_length);
  GLIA_CHECK(o.sampling_rate > 0 && o.sampling_rate < n, "{}: sampling_rate must lie between 1 and {}. Received {}.", fn,
             n - 1, o.sampling_rate);
  GLIA_CHECK(o.sequence_stride > 0 && o.sequence_stride < n, "{}: sequence_stride must lie between 1 and {}. Received {}.",
             fn, n - 1, o.sequence_stride);
  GLIA_CHECK(o.batch_size >= 0, "{}: batch_size must be 0 (not batched) or more. Received {}.", fn, o.batch_size);
  int64_t start = o.start_index.value_or(0);
  GLIA_CHECK(start >= 0 && start < n, "{}: start_index must lie between 0 and {}. Received {}.", fn, n - 1, start);
  if (o.end_index) {
    GLIA_CHECK(*o.end_index > start && *o.end_index < n, "{}: end_index must lie between start_index + 1 = {} and {}. "
               "Received {}.", fn, start + 1, n - 1, *o.end_index);
  }
}

Dataset timeseries_dataset_from_array(const Tensor& data, const Tensor& targets, const TimeseriesOptions& o) {
  check_timeseries(data, o);
  int64_t start = o.start_index.value_or(0), end = o.end_index.value_or(data.dim(0));
  int64_t windows = end - start - (o.sequence_length - 1) * o.sampling_rate;
  if (targets.defined()) windows = std::min(windows, targets.dim(0) - start);
  int64_t count = windows <= 0 ? 0 : (windows + o.sequence_stride - 1) / o.sequence_stride;
  int64_t per_element = std::max<int64_t>(o.batch_size, 1), elements = (count + per_element - 1) / per_element;
  auto open = [=](uint64_t epoch) -> Dataset::Next {
    std::vector<int64_t> starts(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < starts.size(); ++i) starts[i] = start + static_cast<int64_t>(i) * o.sequence_stride;
    PhiloxStream rng(o.seed, epoch);
    for (std::size_t i = starts.size(); o.shuffle && i > 1; --i) std::swap(starts[i - 1], starts[rng.below(i)]);
    return [=, at = std::size_t{0}](Batch& out) mutable {
      if (at >= starts.size()) return false;
      std::size_t stop = std::min(at + static_cast<std::size_t>(per_element), starts.size());
      std::vector<int64_t> rows, first(starts.begin() + static_cast<std::ptrdiff_t>(at),
                                       starts.begin() + static_cast<std::ptrdiff_t>(stop));
      for (int64_t s : first) {
        for (int64_t t = 0; t < o.sequence_length; ++t) rows.push_back(s + t * o.sampling_rate);
      }
      Shape step(data.shape().begin() + 1, data.shape().end()), shape;
      if (o.batch_size > 0) shape.push_back(static_cast<int64_t>(first.size()));
      shape.push_back(o.sequence_length);
      shape.insert(shape.end(), step.begin(), step.end());
      out = {{data.take(rows).reshape(shape)}, {}, {}};
      if (targets.defined()) {
        Tensor y = targets.take(first);
        out.y.push_back(o.batch_size > 0 ? y : y.reshape(Shape(y.shape().begin() + 1, y.shape().end())));
      }
      at = stop;
      return true;
    };
  };
  return Dataset::from_generator(open, elements);
}

std::string to_snake_case(std::string_view name) { return glia::to_snake_case(std::string(name)); }

}  // namespace glia::utils
