// The public conv and pool functions: Keras's options turned into explicit pads.
#include <glia/ops.h>

#include <algorithm>

#include <map>

#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"

namespace glia::ops {
using namespace ir;

namespace {

size_t spatial_of(const char* op, const Value& x) {
  GLIA_CHECK(x.rank() >= 3 && x.rank() <= 5,
             "{}: expected an input of rank 3, 4 or 5 (batch, spatial axes, channels). "
             "Received shape {}.",
             op, to_string(x.shape()));
  return static_cast<size_t>(x.rank()) - 2;
}

// One entry per axis.
Ints per_axis(const char* op, const char* what, const std::vector<int64_t>& given, size_t spatial) {
  if (given.size() == 1) return Ints(spatial, given[0]);
  GLIA_CHECK(given.size() == spatial, "{}: {} needs one entry, or one per spatial axis ({}). Received {}.", op, what,
             spatial, to_string(AttrValue(given)));
  return given;
}

bool is_same(const char* op, const std::string& padding) {
  std::string p = padding;
  std::transform(p.begin(), p.end(), p.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  GLIA_CHECK(p == "same" || p == "valid", "{}: unknown padding \"{}\". Expected \"valid\" or \"same\".", op, padding);
  return p == "same";
}

// Channels last inside; `first` tells whether results go back to channels first.
bool channels_first(const char* op, const std::string& data_format) {
  GLIA_CHECK(data_format == "channels_last" || data_format == "channels_first",
             "{}: unknown data_format \"{}\". Expected \"channels_last\" or \"channels_first\".", op, data_format);
  return data_format == "channels_first";
}
Value move_channels(const Value& x, bool to_last) {
  std::vector<int64_t> axes{0};
  const int64_t rank = x.rank();
  if (!to_last) axes.push_back(rank - 1);
  for (int64_t i = 1; i + 1 < rank; ++i) axes.push_back(to_last ? i + 1 : i);
  if (to_last) axes.push_back(1);
  return transpose(x, axes);
}

Ints pads_of(const char* op, const std::string& padding, const Pads& pads, const Shape& x, const Ints& window,
             const Ints& strides) {
  Ints r;
  if (!pads.empty()) {
    GLIA_CHECK(pads.size() == window.size(), "{}: pads needs one pair per spatial axis ({}). Received {}.", op,
               window.size(), pads.size());
    for (auto [before, after] : pads) r.insert(r.end(), {before, after});
    return r;
  }
  const bool same = is_same(op, padding);
  for (size_t i = 0; i < window.size(); ++i) {
    const int64_t n = x[1 + i], out = (n + strides[i] - 1) / std::max<int64_t>(1, strides[i]);
    const int64_t total = same ? std::max<int64_t>(0, (out - 1) * strides[i] + window[i] - n) : 0;
    r.insert(r.end(), {total / 2, total - total / 2});
  }
  return r;
}

Ints dilated(const Shape& kernel, const Ints& dilation) {
  Ints r;
  for (size_t i = 0; i < dilation.size(); ++i) r.push_back((kernel[i] - 1) * dilation[i] + 1);
  return r;
}

Value conv_like(const char* op, const Value& input, const Value& kernel, const ConvOptions& o) {
  const size_t spatial = spatial_of(op, input);
  GLIA_CHECK(kernel.rank() == input.rank(),
             "{}: expected a kernel of the input's rank. Received input {} and kernel {}.", op,
             to_string(input.shape()), to_string(kernel.shape()));
  const DType t = result_type(input.dtype(), kernel.dtype());
  const bool first = channels_first(op, o.data_format);
  const Value x = cast(first ? move_channels(input, true) : input, t), w = cast(kernel, t);
  const Ints strides = per_axis(op, "strides", o.strides, spatial);
  const Ints dilation = per_axis(op, "dilation_rate", o.dilation_rate, spatial);
  const Ints pads = pads_of(op, o.padding, o.pads, x.shape(), dilated(w.shape(), dilation), strides);
  const Value y = emit_conv({{"strides", strides}, {"pads", pads}, {"dilation", dilation}}, x, w);
  return first ? move_channels(y, false) : y;
}

// Before: cells of the uncropped result that are cut off; length: of the result. Rules of Keras's
// backend_utils.py (_convert_conv_transpose_padding_args_from_keras_to_jax, _get_output_shape_given_tf_padding).
struct Transposed {
  int64_t before, length;
};
Transposed transposed(int64_t n, int64_t kernel, int64_t stride, bool same, const int64_t* output_padding) {
  if (!same) return {0, (n - 1) * stride + (output_padding ? kernel + *output_padding : std::max(kernel, stride))};
  const int64_t length = output_padding ? (n - 1) * stride + kernel % 2 + *output_padding : n * stride;
  const int64_t cut = output_padding ? kernel - kernel % 2 - *output_padding : kernel - stride;
  return {std::max<int64_t>(0, cut) / 2, length};
}

Value pool_like(const char* op, bool max, const Value& input, const std::vector<int64_t>& pool_size,
                const PoolOptions& o) {
  const size_t spatial = spatial_of(op, input);
  const bool first = channels_first(op, o.data_format);
  const Value x = first ? move_channels(input, true) : input;
  const Ints window = per_axis(op, "pool_size", pool_size, spatial);
  const Ints strides = o.strides.empty() ? window : per_axis(op, "strides", o.strides, spatial);
  const Ints pads = pads_of(op, o.padding, o.pads, x.shape(), window, strides);
  const Attrs attrs{{"window", window}, {"strides", strides}, {"pads", pads}};
  const Value y = max ? emit_max_pool(attrs, x) : emit_avg_pool(attrs, x);
  return first ? move_channels(y, false) : y;
}

// Max pooling of one axis after the other, each by windows of the lengths that occur, as Keras does: of equal cells the gradient
// goes to the same one.
Value adaptive_max_along(const char* op, const Value& x, std::size_t i, std::size_t spatial, int64_t size) {
  const int64_t axis = static_cast<int64_t>(i) + 1, n = x.dim(static_cast<int>(axis));
  if (size == n) return x;
  auto pooled = [&](int64_t length, int64_t stride) {
    Ints window(spatial, 1), strides(spatial, 1);
    window[i] = length, strides[i] = stride;
    return pool_like(op, true, x, window, {.strides = strides});
  };
  if (n % size == 0) return pooled(n / size, n / size);
  std::map<int64_t, Value> by_length;
  Values cells;
  for (int64_t j = 0; j < size; ++j) {
    const int64_t start = j * n / size, length = ((j + 1) * n + size - 1) / size - start;
    if (!by_length.count(length)) by_length[length] = pooled(length, 1);
    cells.push_back(slice_axis(by_length[length], axis, start, start + 1));
  }
  return concatenate(cells, axis);
}

// Averages: axes that divide evenly are pooled at once, the others piece by piece.
Value adaptive_like(const char* op, bool max, const Value& input, const std::vector<int64_t>& output_size,
                    const std::string& data_format) {
  const size_t spatial = spatial_of(op, input);
  const bool first = channels_first(op, data_format);
  const Ints size = per_axis(op, "output_size", output_size, spatial);
  Value x = first ? move_channels(input, true) : input;
  Ints window(spatial, 1);
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t axis = static_cast<int64_t>(i) + 1, n = x.dim(static_cast<int>(axis));
    GLIA_CHECK(size[i] >= 1 && size[i] <= n,
               "{}: output_size must be between 1 and the input's extent. Received {} for "
               "an input {}.",
               op, to_string(AttrValue(size)), to_string(input.shape()));
    if (max) {
      x = adaptive_max_along(op, x, i, spatial, size[i]);
      continue;
    }
    if (n % size[i] == 0) {
      window[i] = n / size[i];
      continue;
    }
    Values cells;
    for (int64_t j = 0; j < size[i]; ++j) {
      const Value piece = slice_axis(x, axis, j * n / size[i], ((j + 1) * n + size[i] - 1) / size[i]);
      cells.push_back(mean(piece, {axis}, true));
    }
    x = concatenate(cells, axis);
  }
  if (window != Ints(spatial, 1)) x = pool_like(op, false, x, window, {});
  return first ? move_channels(x, false) : x;
}

}  // namespace

Value conv(const Value& x, const Value& kernel, const ConvOptions& options) {
  return conv_like("conv", x, kernel, options);
}

Value depthwise_conv(const Value& x, const Value& kernel, const ConvOptions& options) {
  const size_t spatial = spatial_of("depthwise_conv", x);
  const int64_t channels = options.data_format == "channels_first" ? x.dim(1) : x.dim(-1);
  GLIA_CHECK(
      kernel.rank() == x.rank() && kernel.dim(-2) == channels,
      "depthwise_conv: expected a kernel (spatial axes, {} channels, multiplier). Received input {} and kernel {}.",
      channels, to_string(x.shape()), to_string(kernel.shape()));
  Shape grouped = kernel.shape();
  grouped[spatial + 1] *= grouped[spatial];
  grouped[spatial] = 1;
  return conv_like("depthwise_conv", x, reshape(kernel, grouped), options);
}

Value separable_conv(const Value& x, const Value& depthwise_kernel, const Value& pointwise_kernel,
                     const ConvOptions& options) {
  const Value y = depthwise_conv(x, depthwise_kernel, options);
  return conv_like("separable_conv", y, pointwise_kernel, {.data_format = options.data_format});
}

Value conv_transpose(const Value& input, const Value& kernel, const ConvTransposeOptions& o) {
  const char* op = "conv_transpose";
  const size_t spatial = spatial_of(op, input);
  const bool first = channels_first(op, o.data_format), same = is_same(op, o.padding);
  const DType t = result_type(input.dtype(), kernel.dtype());
  const Value x = cast(first ? move_channels(input, true) : input, t), w = cast(kernel, t);
  GLIA_CHECK(
      w.rank() == x.rank() && w.dim(-1) == x.dim(-1),
      "conv_transpose: expected a kernel (spatial axes, filters, {} channels). Received input {} and kernel {}.",
      x.dim(-1), to_string(input.shape()), to_string(kernel.shape()));
  const Ints strides = per_axis(op, "strides", o.strides, spatial);
  const Ints dilation = per_axis(op, "dilation_rate", o.dilation_rate, spatial),
             window = dilated(w.shape(), dilation);
  const Ints extra = o.output_padding.empty() ? Ints{} : per_axis(op, "output_padding", o.output_padding, spatial);
  Ints pads;
  Shape out{x.dim(0)};
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t n = x.dim(static_cast<int>(1 + i));
    const Transposed d = transposed(n, window[i], strides[i], same, extra.empty() ? nullptr : &extra[i]);
    out.push_back(d.length);
    pads.insert(pads.end(), {d.before, (n - 1) * strides[i] + window[i] - d.length - d.before});
  }
  out.push_back(w.dim(-2));
  const Value y = emit_conv_backprop_input({{"strides", strides}, {"pads", pads}, {"dilation", dilation}}, x, w, out);
  return first ? move_channels(y, false) : y;
}

Value max_pool(const Value& x, std::vector<int64_t> pool_size, const PoolOptions& options) {
  return pool_like("max_pool", true, x, pool_size, options);
}
Value average_pool(const Value& x, std::vector<int64_t> pool_size, const PoolOptions& options) {
  return pool_like("average_pool", false, x, pool_size, options);
}
Value adaptive_max_pool(const Value& x, std::vector<int64_t> output_size, const std::string& data_format) {
  return adaptive_like("adaptive_max_pool", true, x, output_size, data_format);
}
Value adaptive_average_pool(const Value& x, std::vector<int64_t> output_size, const std::string& data_format) {
  return adaptive_like("adaptive_average_pool", false, x, output_size, data_format);
}

}  // namespace glia::ops
