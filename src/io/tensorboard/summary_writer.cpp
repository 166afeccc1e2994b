// The messages inside event files. Fields by number, from tensorflow/core/framework/{summary,tensor,graph}.proto,
// tensorflow/core/util/event.proto and tensorboard/plugins/hparams/plugin_data.proto.
#include <glia/saving.h>
#include <glia/tensorboard.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/image/codec.h"
#include "io/tensorboard/event_file.h"
#include "io/tensorboard/graph_def.h"
#include "io/tensorboard/wire.h"

namespace glia::tensorboard {
namespace {

using io::Message;
enum TensorType { kFloat = 1, kDouble = 2, kString = 7 };

Message shape_of(const Shape& shape) {
  Message m;
  for (int64_t d : shape) {
    Message dim;
    dim.integer(1, d);
    m.message(2, dim);
  }
  return m;
}
Message tensor(TensorType type, const Shape& shape) {
  Message m;
  m.integer(1, type);
  m.message(2, shape_of(shape));
  return m;
}
template <class T>
Message numbers(TensorType type, const Shape& shape, const std::vector<T>& values) {
  Message m = tensor(type, shape);
  m.text(4, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  return m;
}
Message texts(const Shape& shape, const std::vector<std::string>& values) {
  Message m = tensor(kString, shape);
  for (auto& s : values) m.text(8, s);
  return m;
}

enum DataClass { kScalar = 1, kTensor = 2, kBlobs = 3 };
struct Plugin {
  const char* name;
  DataClass data_class;
  std::string content;
};

Message histogram_buckets(const Tensor& t, int64_t buckets) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(t.size()));
  for (int64_t i = 0; i < t.size(); ++i)
    if (double v = t.item(i); std::isfinite(v)) values.push_back(v);
  if (values.empty()) return numbers<double>(kDouble, {0, 3}, {});
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  double a = *low, b = *high, n = static_cast<double>(values.size());
  if (a == b) return numbers<double>(kDouble, {1, 3}, {a - 0.5, a + 0.5, n});
  std::vector<double> out;
  double width = (b - a) / static_cast<double>(buckets);
  std::vector<double> counts(static_cast<std::size_t>(buckets), 0);
  for (double v : values)
    ++counts[static_cast<std::size_t>(
        std::clamp<double>(std::floor((v - a) / width), 0, static_cast<double>(buckets - 1)))];
  for (int64_t i = 0; i < buckets; ++i) {
    out.push_back(a + width * static_cast<double>(i));
    out.push_back(i + 1 == buckets ? b : a + width * static_cast<double>(i + 1));
    out.push_back(counts[static_cast<std::size_t>(i)]);
  }
  return numbers(kDouble, {buckets, 3}, out);
}

Tensor as_bytes(const Tensor& image) {
  if (image.dtype() == DType::u8) return image;
  Tensor r(image.shape(), DType::u8);
  for (int64_t i = 0; i < r.size(); ++i) {
    double v = image.item(i);
    r.data<uint8_t>()[i] = static_cast<uint8_t>(std::isnan(v) ? 0 : std::lround(std::clamp(v, 0.0, 1.0) * 255));
  }
  return r;
}

}  // namespace

struct SummaryWriter::Impl {
  io::EventFile file;
  explicit Impl(const std::string& folder) : file(folder) {}

  void add(const std::string& tag, const Message& tensor, const Plugin& plugin, int64_t step) {
    Message data, metadata, value, summary, event;
    data.text(1, plugin.name);
    if (!plugin.content.empty()) data.text(2, plugin.content);
    metadata.message(1, data);
    metadata.integer(4, plugin.data_class);
    value.text(1, tag);
    value.message(8, tensor);
    value.message(9, metadata);
    summary.message(1, value);
    event.real(1, io::wall_time());
    event.integer(2, step);
    event.message(5, summary);
    file.add(event.bytes());
  }
};

SummaryWriter::SummaryWriter(const std::string& logdir) : impl_(std::make_unique<Impl>(logdir)) {}
SummaryWriter::~SummaryWriter() = default;
SummaryWriter::SummaryWriter(SummaryWriter&&) noexcept = default;
const std::string& SummaryWriter::path() const { return impl_->file.path(); }
void SummaryWriter::flush() { impl_->file.flush(); }

void SummaryWriter::scalar(const std::string& tag, double value, int64_t step) {
  impl_->add(tag, numbers<float>(kFloat, {}, {static_cast<float>(value)}), {"scalars", kScalar, ""}, step);
}

void SummaryWriter::histogram(const std::string& tag, const Tensor& values, int64_t step, int64_t buckets) {
  GLIA_CHECK(values.defined(), "SummaryWriter: histogram '{}': the tensor is undefined.", tag);
  GLIA_CHECK(buckets >= 1 && buckets <= 1'000'000,
             "SummaryWriter: histogram '{}': buckets must lie in 1..1000000. Received {}.", tag, buckets);
  impl_->add(tag, histogram_buckets(values, buckets), {"histograms", kTensor, ""}, step);
}

void SummaryWriter::image(const std::string& tag, const Tensor& images, int64_t step, int64_t max_outputs) {
  GLIA_CHECK(images.defined() && (images.rank() == 3 || images.rank() == 4),
             "SummaryWriter: image '{}': expected shape (height, width, channels) or (n, height, width, channels). "
             "Received {}.",
             tag, images.defined() ? to_string(images.shape()) : "an undefined tensor");
  Shape one(images.shape().end() - 3, images.shape().end());
  GLIA_CHECK(one[2] == 1 || one[2] == 3 || one[2] == 4,
             "SummaryWriter: image '{}': 1, 3 or 4 channels are possible. Received shape {}.", tag,
             to_string(images.shape()));
  GLIA_CHECK(num_elements(one) > 0, "SummaryWriter: image '{}': the image is empty. Received shape {}.", tag,
             to_string(images.shape()));
  int64_t count = images.rank() == 3 ? 1 : std::min(max_outputs, images.dim(0));
  std::vector<std::string> parts{std::to_string(one[1]), std::to_string(one[0])};
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(io::encode_png(as_bytes(images.rank() == 3 ? images : images.slice(i, i + 1).reshape(one))));
  impl_->add(tag, texts({static_cast<int64_t>(parts.size())}, parts), {"images", kBlobs, ""}, step);
}

void SummaryWriter::text(const std::string& tag, std::string_view markdown, int64_t step) {
  impl_->add(tag, texts({}, {std::string(markdown)}), {"text", kTensor, ""}, step);
}

void SummaryWriter::graph(const Model& model) {
  Message event;
  event.real(1, io::wall_time());
  event.text(4, io::graph_def(model));
  impl_->file.add(event.bytes());
  std::string json;
  try {
    json = models::to_json(model);
  } catch (const Error&) {  // layers that Keras's JSON cannot say
    return;
  }
  impl_->add("keras", texts({}, {json}), {"graph_keras_model", kBlobs, "1"}, 0);
}

void SummaryWriter::hparams(const std::map<std::string, HParam>& values) {
  Message start, data, nothing = tensor(kFloat, {0});
  std::string group;
  for (auto& [name, v] : values) {
    Message value, entry;
    if (const bool* b = std::get_if<bool>(&v))
      value.integer(4, *b);
    else if (const double* d = std::get_if<double>(&v))
      value.real(2, *d);
    else
      value.text(3, std::get<std::string>(v));
    entry.text(1, name);
    entry.message(2, value);
    start.message(1, entry);
    group += entry.bytes();
  }
  start.text(4, fmt::format("{:08x}", io::crc32c(group)));  // runs of equal values are one group
  start.real(5, io::wall_time());
  data.integer(1, 0);
  data.message(3, start);
  impl_->add("_hparams_/session_start_info", nothing, {"hparams", kTensor, data.bytes()}, 0);
}

void SummaryWriter::end_session(bool success) {
  Message end, data;
  end.integer(1, success ? 1 : 2);
  end.real(2, io::wall_time());
  data.integer(1, 0);
  data.message(4, end);
  impl_->add("_hparams_/session_end_info", tensor(kFloat, {0}), {"hparams", kTensor, data.bytes()}, 0);
}

}  // namespace glia::tensorboard
