// Files that others published (../shared/data/models): their scores exactly, and what real Keras predicts.
#include <glia/glia.h>
#include <glia/ops.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace glia {
namespace {

std::string models_folder() { return std::string(GLIA_SHARED_DIR) + "/data/models/"; }
bool have(const std::string& file) { return std::filesystem::exists(models_folder() + file); }
datasets::Options data() { return {.download = false}; }

int hits(const std::string& file, const Tensor& x, const Tensor& y) {
  Model m = models::load_model(models_folder() + "keras_h5/" + file, {.untrusted = true});
  EXPECT_TRUE(m.compiled());
  Shape shape = m.input_shapes()[0];
  shape[0] = x.dim(0);
  Tensor p = m.predict(x.reshape(shape), {.batch_size = 500});
  int n = 0;
  for (int64_t i = 0; i < p.dim(0); ++i) {
    int64_t best = 0;
    for (int64_t c = 1; c < p.dim(1); ++c)
      if (p.item(i * p.dim(1) + c) > p.item(i * p.dim(1) + best)) best = c;
    n += best == static_cast<int64_t>(y.item(i));
  }
  return n;
}

TEST(PublishedKerasFiles, MnistScores) {
  if (!have("keras_h5/tinymaix_mnist_fc.h5") || !datasets::available("mnist", data())) GTEST_SKIP() << "no shared data";
  auto test = datasets::mnist(data()).test;
  EXPECT_EQ(hits("tinymaix_mnist_valid.h5", test.x, test.y), 9654);
  EXPECT_EQ(hits("tinymaix_mnist_same.h5", test.x, test.y), 9528);
  EXPECT_EQ(hits("tinymaix_mnist_fc.h5", test.x, test.y), 9270);
  EXPECT_GT(hits("tinymaix_mnist_resnet.h5", test.x, test.y), 9800);  // with tf.__operators__.add between its layers
}

TEST(PublishedKerasFiles, Cifar10Score) {
  if (!have("keras_h5/tinymaix_cifar10.h5") || !datasets::available("cifar10", data())) GTEST_SKIP() << "no shared data";
  auto test = datasets::cifar10(data()).test;
  EXPECT_EQ(hits("tinymaix_cifar10.h5", test.x, test.y), 1490);
}

// textgenrnn's AttentionWeightedAverage.
struct AttentionAverage : Layer {
  Variable w;
  std::string class_name() const override { return "AttentionWeightedAverage"; }
  void build(const std::vector<Shape>& in) override { w = add_weight("W", {in[0].back(), 1}, "zeros"); }
  Value call(const Value& x) override { return ops::sum(x * ops::softmax(ops::matmul(x, w.value()), 1), {1}); }
};

// The file keeps its LSTMs as cuDNN does. English text is far from a guess (6.1 nats) to a model whose weights are read right.
TEST(PublishedKerasFiles, TextgenrnnReadsEnglish) {
  if (!have("keras_h5/textgenrnn_weights.hdf5")) GTEST_SKIP() << "no shared data";
  std::ifstream vocab_file(models_folder() + "keras_h5/textgenrnn_vocab.json");
  auto vocab = nlohmann::json::parse(vocab_file);
  Value in = Input({40}, {.name = "input", .dtype = DType::i32});
  Value e = layers::Embedding(465, 100, {.name = "embedding"})(in);
  Value a = layers::LSTM(128, {.return_sequences = true, .name = "rnn_1"})(e);
  Value b = layers::LSTM(128, {.return_sequences = true, .name = "rnn_2"})(a);
  LayerRef attention = make_layer<AttentionAverage>();
  attention->set_name("attention");
  Model model({in}, {layers::Dense(465, {.activation = "softmax", .name = "output"})(attention(layers::Concatenate()({e, a, b})))});
  model.load_weights(models_folder() + "keras_h5/textgenrnn_weights.hdf5");
  const std::string text = "I have been working on this for a while now and I think it is time to share what I have learned about it with you all.";
  auto code = [&](char c) { return vocab.value(std::string(1, c), 0); };
  const int64_t n = static_cast<int64_t>(text.size()) - 40;
  Tensor x({n, 40}, DType::i32);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < 40; ++k) x.data<int32_t>()[i * 40 + k] = code(text[static_cast<size_t>(i + k)]);
  Tensor p = model.predict(x);
  double nats = 0;
  for (int64_t i = 0; i < n; ++i) nats -= std::log(p.item(i * 465 + code(text[static_cast<size_t>(i + 40)]))) / static_cast<double>(n);
  EXPECT_LT(nats, 2.0);
}

// Written before Keras saved lists in lists; its class is the user's.
struct NestedDenseModel : Layer {
  int64_t num = 1;
  std::vector<LayerRef> dense;
  LayerRef out;
  std::string class_name() const override { return "NestedDenseModel"; }
  void fields(Fields& f) override {
    Layer::fields(f);
    f("num", num);
  }
  void build(const std::vector<Shape>& in) override {
    for (int64_t i = 0; i < num; ++i) {
      dense.push_back(track(layers::Dense(in[0].back(), {.use_bias = false, .name = "d_" + std::to_string(i)})));
      dense.back()->build_once(in);
    }
    out = track(layers::Dense(2, {.name = "dense"}));
    out->build_once(in);
  }
  Value call(const Value& x) override {
    Value y = x;
    for (const LayerRef& d : dense) y = d(y);
    return out(y);
  }
};

TEST(PublishedKerasFiles, ClassOfTheUser) {
  const std::string file = "keras_v3/pre_pr22362_nested_container.keras";
  if (!have(file)) GTEST_SKIP() << "no shared data";
  register_class("layer", "legacy_nested_container>NestedDenseModel", [] { return std::make_shared<NestedDenseModel>(); });
  Model model = models::load_model(models_folder() + file);
  ASSERT_EQ(model.get_weights().size(), 5u);
  Tensor y = model.predict(Tensor::full({2, 4}, 1.0));
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
}

}  // namespace
}  // namespace glia
