#include "models.h"

#include <glia/layers.h>
#include <glia/ops.h>

#include <memory>

#include "base/error.h"

namespace glia::bench {
namespace {

namespace L = layers;

// ---- multiply-adds of one example ----------------------------------------------------------------------------------

double lstm_macs(double steps, double inputs, double units) { return steps * (inputs + units) * 4 * units; }

struct Macs {  // of the residual networks, walked in the order in which they are built
  double total = 0, size, channels = 3;
  explicit Macs(double s) : size(s) {}
  double conv(double filters, double kernel, double stride, double in_channels, double in_size) {
    const double out = in_size / stride;
    total += out * out * filters * kernel * kernel * in_channels;
    return out;
  }
};

double resnet20_macs() {
  Macs m(32);
  m.conv(16, 3, 1, 3, 32);
  double size = 32, channels = 16;
  for (double filters : {16.0, 32.0, 64.0})
    for (int block = 0; block < 3; ++block) {
      const double stride = filters > 16 && block == 0 ? 2 : 1;
      if (stride == 2) m.conv(filters, 1, 2, channels, size);
      size = m.conv(filters, 3, stride, channels, size);
      m.conv(filters, 3, 1, filters, size);
      channels = filters;
    }
  return m.total + 64 * 10;
}

constexpr int kResnet50Blocks[] = {3, 4, 6, 3};

double resnet50_macs() {
  Macs m(224);
  m.conv(64, 7, 2, 3, 224);
  double size = 56, channels = 64;
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < kResnet50Blocks[stage]; ++block) {
      const double filters = 64 << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      m.conv(filters, 1, 1, channels, size);
      if (block == 0) m.conv(4 * filters, 1, stride, channels, size);
      size = m.conv(filters, 3, stride, filters, size);
      m.conv(4 * filters, 1, 1, filters, size);
      channels = 4 * filters;
    }
  return m.total + 2048 * 1000;
}

// ---- models ----------------------------------------------------------------------------------------------------------

Model mlp() {
  return Sequential({L::Dense(64, {.activation = "relu", .input_shape = {32}}), L::Dense(64, {.activation = "relu"}),
                     L::Dense(10, {.activation = "softmax"})});
}

Model cnn() {
  return Sequential({L::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}), L::MaxPooling2D({2, 2}),
                     L::Conv2D(64, {3, 3}, {.activation = "relu"}), L::MaxPooling2D({2, 2}), L::Flatten(),
                     L::Dense(64, {.activation = "relu"}), L::Dense(10, {.activation = "softmax"})});
}

Model lstm3() {
  return Sequential({L::LSTM(64, {.return_sequences = true, .input_shape = {50, 32}}), L::LSTM(64, {.return_sequences = true}),
                     L::LSTM(64), L::Dense(10, {.activation = "softmax"})});
}

Model lstm_attn() {
  Value in = Input({50, 64});
  Value hidden = L::LSTM(64, {.return_sequences = true})(in);
  Value attended = L::Attention()({hidden, in});
  return Model({in}, {L::Dense(10, {.activation = "softmax"})(attended)});
}

struct AddPosition : Layer {  // adds a learned vector per position
  Variable table;
  std::string class_name() const override { return "AddPosition"; }
  void build(const std::vector<Shape>& in) override { table = add_weight("table", {in[0][1], in[0][2]}, "random_normal"); }
  using Layer::call;
  Value call(const Value& x) override { return x + table.value(); }
};

Model gpt(int64_t count, int64_t width, int64_t heads, int64_t steps, int64_t vocabulary) {
  Value in = Input({steps}, {.dtype = DType::i32});
  Value x = make_layer<AddPosition>()(L::Embedding(vocabulary, width)(in));
  for (int64_t i = 0; i < count; ++i) {
    Value y = L::LayerNormalization()(x);
    x = L::Add()({x, L::MultiHeadAttention(heads, width / heads)({y, y}, {.use_causal_mask = true})});
    y = L::LayerNormalization()(x);
    y = L::Dense(4 * width, {.activation = "gelu"})(y);
    x = L::Add()({x, L::Dense(width)(y)});
  }
  x = L::LayerNormalization()(x);
  return Model({in}, {L::Dense(vocabulary, {.activation = "softmax"})(x)});
}

Value conv_bn(const Value& x, int64_t filters, int64_t size, int64_t stride = 1, bool relu = true) {
  Value y = L::Conv2D(filters, {size, size}, {.strides = {stride, stride}, .padding = "same", .use_bias = false})(x);
  y = L::BatchNormalization()(y);
  return relu ? L::ReLU()(y) : y;
}

Model resnet20() {
  Value in = Input({32, 32, 3});
  Value x = conv_bn(in, 16, 3);
  for (int64_t filters : {16, 32, 64})
    for (int block = 0; block < 3; ++block) {
      const int64_t stride = filters > 16 && block == 0 ? 2 : 1;
      Value y = conv_bn(conv_bn(x, filters, 3, stride), filters, 3, 1, false);
      Value shortcut = stride == 2 ? conv_bn(x, filters, 1, stride, false) : x;
      x = L::ReLU()(L::Add()({y, shortcut}));
    }
  return Model({in}, {L::Dense(10, {.activation = "softmax"})(L::GlobalAveragePooling2D()(x))});
}

Model resnet50() {
  Value in = Input({224, 224, 3});
  Value x = L::MaxPooling2D({3, 3}, {.strides = {2, 2}, .padding = "same"})(conv_bn(in, 64, 7, 2));
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < kResnet50Blocks[stage]; ++block) {
      const int64_t filters = 64 << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      Value y = conv_bn(conv_bn(x, filters, 1), filters, 3, stride);
      y = conv_bn(y, 4 * filters, 1, 1, false);
      Value shortcut = block == 0 ? conv_bn(x, 4 * filters, 1, stride, false) : x;
      x = L::ReLU()(L::Add()({y, shortcut}));
    }
  return Model({in}, {L::Dense(1000, {.activation = "softmax"})(L::GlobalAveragePooling2D()(x))});
}

Workload gpt_work(std::string name, int64_t batch, int64_t count, int64_t width, int64_t heads, int64_t steps) {
  constexpr int64_t kVocabulary = 65;
  const double w = static_cast<double>(width), t = static_cast<double>(steps);
  // Per token and layer: four projections, the two dense layers, and the causal half of scores and weighted sums.
  const double macs = t * (static_cast<double>(count) * (12 * w * w + t * w) + static_cast<double>(kVocabulary) * w);
  return {.name = std::move(name), .batch = batch, .input = {steps}, .classes = kVocabulary, .tokens = kVocabulary,
          .label_per_step = true, .build = [=] { return gpt(count, width, heads, steps, kVocabulary); }, .forward_macs = macs};
}

}  // namespace

const std::vector<Workload>& workloads() {
  const double cnn_first = 26 * 26 * 32 * 9, cnn_rest = 11 * 11 * 64 * 288 + 1600 * 64 + 64 * 10;
  auto cnn_work = [&](std::string name, int64_t batch) {
    return Workload{.name = std::move(name), .batch = batch, .input = {28, 28, 1}, .classes = 10, .build = cnn,
                    .forward_macs = cnn_first + cnn_rest, .saved_macs = cnn_first};
  };
  static const std::vector<Workload> all = {
      {.name = "mlp", .batch = 32, .input = {32}, .classes = 10, .build = mlp,
       .forward_macs = 32 * 64 + 64 * 64 + 64 * 10, .saved_macs = 32 * 64},
      cnn_work("cnn32", 32),
      cnn_work("cnn128", 128),
      {.name = "lstm3", .batch = 32, .input = {50, 32}, .classes = 10, .build = lstm3,
       .forward_macs = lstm_macs(50, 32, 64) + 2 * lstm_macs(50, 64, 64) + 640, .saved_macs = 50.0 * 32 * 256},
      {.name = "lstm_attn", .batch = 32, .input = {50, 64}, .classes = 10, .label_per_step = true, .build = lstm_attn,
       .forward_macs = lstm_macs(50, 64, 64) + 2 * 50 * 50 * 64 + 50 * 640, .saved_macs = 50.0 * 64 * 256 + 2 * 50 * 50 * 64},
      gpt_work("gpt_mini", 12, 4, 128, 4, 64),
      gpt_work("gpt", 8, 6, 384, 6, 256),
      {.name = "resnet20", .batch = 128, .input = {32, 32, 3}, .classes = 10, .build = resnet20,
       .forward_macs = resnet20_macs(), .saved_macs = 32.0 * 32 * 16 * 27},
      {.name = "resnet50", .batch = 8, .input = {224, 224, 3}, .classes = 1000, .build = resnet50,
       .forward_macs = resnet50_macs(), .saved_macs = 112.0 * 112 * 64 * 147},
  };
  return all;
}

const Workload& find_workload(const std::string& name) {
  std::vector<std::string> names;
  for (const Workload& w : workloads()) {
    if (w.name == name) return w;
    names.push_back(w.name);
  }
  throw_error("glia-bench: unknown workload '{}'.{}", name, did_you_mean(name, names));
}

namespace {
// xorshift; the values only have to differ.
struct Random {
  uint64_t state = 0x9E3779B97F4A7C15u;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 11;
  }
};
Tensor random_ids(Shape shape, int64_t count) {
  Tensor t(std::move(shape), DType::i32);
  Random random;
  for (int32_t& v : t.span<int32_t>()) v = static_cast<int32_t>(random.next() % static_cast<uint64_t>(count));
  return t;
}
Shape with_rows(int64_t rows, Shape shape) {
  shape.insert(shape.begin(), rows);
  return shape;
}
}  // namespace

Tensor make_input(const Workload& w, int64_t rows) {
  if (w.tokens > 0) return random_ids(with_rows(rows, w.input), w.tokens);
  Tensor t(with_rows(rows, w.input));
  Random random;
  for (float& v : t.span<float>()) v = static_cast<float>(random.next() & 0xFFFF) / 65536.0f;
  return t;
}

Tensor make_labels(const Workload& w, int64_t rows) {
  return random_ids(w.label_per_step ? Shape{rows, w.input[0]} : Shape{rows}, w.classes);
}

}  // namespace glia::bench
