// Weights of PyTorch: against its own outputs (tests/compat/pytorch, by tools/golden/pytorch.py) and real pretrained
// files.
#include <glia/glia.h>
#include <glia/pytorch.h>
#include <glia/safetensors.h>

#include <cmath>

#include "data/test_files.h"

namespace glia {
using test::contains;
using test::error_of;
using test::Scratch;

static std::string compat(const std::string& name) {
  return std::string(GLIA_SOURCE_DIR) + "/tests/compat/pytorch/" + name;
}

static void expect_output(Model model, const std::string& name, double tolerance = 2e-5) {
  auto a = read_npz(compat(name + ".npz"));
  Tensor y = model.predict(a.at("x"));
  ASSERT_EQ(y.shape(), a.at("y").shape()) << name;
  for (int64_t i = 0; i < y.size(); ++i)
    ASSERT_NEAR(y.item(i), a.at("y").item(i), tolerance) << name << " element " << i;
}

static Sequential cnn() {
  return Sequential({layers::Conv2D(4, {3, 3}, {.input_shape = {6, 6, 2}}),
                     layers::BatchNormalization({.epsilon = 1e-5}), layers::PReLU({.shared_axes = {1, 2}}),
                     layers::Conv2D(6, {2, 3}, {.use_bias = false}), layers::ReLU(), layers::Flatten(),
                     layers::BatchNormalization({.epsilon = 1e-5}), layers::Dense(5), layers::Dense(5)});
}

TEST(PyTorch, ConvolutionsNormsAndFlatten) {
  Sequential m = cnn();
  load_pytorch_weights(m, compat("cnn.pt"));
  expect_output(m, "cnn");
  Sequential old = cnn();
  load_pytorch_weights(old, compat("legacy.pt"));
  expect_output(old, "cnn");
  Sequential from_training = cnn();  // {"state_dict": {"module.conv1.weight": ...}, "optimizer": ...}
  load_pytorch_weights(from_training, compat("wrapped.pt"));
  expect_output(from_training, "cnn");
}

TEST(PyTorch, FunctionalModelAndSafetensors) {
  Value in = Input({6, 6, 2});
  Value x = layers::PReLU({.shared_axes = {1, 2}})(
      layers::BatchNormalization({.epsilon = 1e-5})(layers::Conv2D(4, {3, 3})(in)));
  x = ops::relu(layers::Conv2D(6, {2, 3}, {.use_bias = false})(x));
  x = layers::BatchNormalization({.epsilon = 1e-5})(layers::Flatten()(x));
  Model m({in}, {layers::Dense(5)(layers::Dense(5)(x))});
  load_pytorch_weights(m, compat("cnn.safetensors"));
  expect_output(m, "cnn");
}

TEST(PyTorch, TransposedAndGroupedConvolutions) {
  Sequential m({layers::Conv2DTranspose(4, {3, 3}, {.strides = {2, 2}, .input_shape = {4, 4, 3}}),
                layers::Conv2D(8, {3, 3}, {.groups = 4}), layers::GroupNormalization({.groups = 2, .epsilon = 1e-5}),
                layers::Conv2D(6, {3, 3}, {.groups = 2})});
  load_pytorch_weights(m, compat("convs.pt"));
  expect_output(m, "convs");
  Sequential one({layers::Conv1D(4, {3}, {.input_shape = {7, 3}}), layers::Conv1DTranspose(2, {2})});
  load_pytorch_weights(one, compat("conv1d3d.pt"));
  expect_output(one, "conv1d3d");
}

TEST(PyTorch, RecurrentLayers) {
  Sequential lstm({layers::Bidirectional(layers::LSTM(4, {.return_sequences = true}), {.input_shape = {5, 3}}),
                   layers::Bidirectional(layers::LSTM(4, {.return_sequences = true}))});
  lstm.predict(Tensor::zeros({1, 5, 3}));
  load_pytorch_weights(lstm, compat("lstm.pt"));
  expect_output(lstm, "lstm");
  Sequential gru({layers::GRU(4, {.return_sequences = true, .input_shape = {5, 3}}),
                  layers::GRU(4, {.return_sequences = true})});
  load_pytorch_weights(gru, compat("gru.pt"));
  expect_output(gru, "gru");
  Sequential rnn({layers::SimpleRNN(4, {.return_sequences = true, .input_shape = {5, 3}})});
  load_pytorch_weights(rnn, compat("rnn.pt"));
  expect_output(rnn, "rnn");
  Sequential v1({layers::GRU(4, {.return_sequences = true, .reset_after = false, .input_shape = {5, 3}}),
                 layers::GRU(4, {.return_sequences = true})});
  EXPECT_HAS(error_of([&] { load_pytorch_weights(v1, compat("gru.pt")); }), "needs reset_after = true");
}

TEST(PyTorch, EmbeddingAndRmsNorm) {
  Sequential m(
      {layers::Embedding(7, 4, {.input_shape = {5}}), layers::RMSNormalization({.epsilon = 1e-6}), layers::Dense(3)});
  m.predict(Tensor::zeros({1, 5}, DType::i32));
  load_pytorch_weights(m, compat("embedding.pt"));
  expect_output(m, "embedding");
}

TEST(PyTorch, PackedAndSeparateAttention) {
  Value in = Input({5, 8});
  Value a = layers::MultiHeadAttention(2, 4)({in, in});
  Model m({in}, {layers::LayerNormalization({.epsilon = 1e-5})(ops::add(in, a))});
  load_pytorch_weights(m, compat("attention.pt"));
  expect_output(m, "attention");
  Value in2 = Input({5, 8});
  Model bert({in2}, {layers::MultiHeadAttention(2, 4)({in2, in2})});
  load_pytorch_weights(bert, compat("bert.pt"));
  expect_output(bert, "bert");
}

// What is saved is, tensor for tensor, what PyTorch saved.
static void expect_saved_back(Model m, const std::string& name, const std::map<std::string, std::string>& map) {
  Scratch dir;
  load_pytorch_weights(m, compat(name + ".pt"));
  save_pytorch_weights(m, dir.path("s.safetensors"), {.map = map});
  std::map<std::string, Tensor> theirs, ours;
  for (auto& [n, t] : read_pytorch(compat(name + ".pt"))) theirs[n] = t;
  for (auto& [n, t] : read_safetensors(dir.path("s.safetensors"))) ours[n] = t;
  EXPECT_EQ(ours.size(), theirs.size()) << name;
  for (auto& [n, t] : theirs) {
    ASSERT_TRUE(ours.count(n)) << name << ": " << n;
    EXPECT_TRUE(n.ends_with("num_batches_tracked") || ours[n].equals(t)) << name << ": " << n;
  }
}

TEST(PyTorch, SavesWhatPyTorchSaves) {
  Sequential m({layers::Conv2D(4, {3, 3}, {.name = "conv1", .input_shape = {6, 6, 2}}),
                layers::BatchNormalization({.epsilon = 1e-5, .name = "bn1"}),
                layers::PReLU({.shared_axes = {1, 2}, .name = "act"}),
                layers::Conv2D(6, {2, 3}, {.use_bias = false, .name = "conv2"}), layers::ReLU(), layers::Flatten(),
                layers::BatchNormalization({.epsilon = 1e-5, .name = "bn2"}), layers::Dense(5, {.name = "fc1"}),
                layers::Dense(5, {.name = "fc2"})});
  expect_saved_back(m, "cnn", {});
  Sequential convs({layers::Conv2DTranspose(4, {3, 3}, {.strides = {2, 2}, .name = "a", .input_shape = {4, 4, 3}}),
                    layers::Conv2D(8, {3, 3}, {.groups = 4, .name = "b"}),
                    layers::GroupNormalization({.groups = 2, .epsilon = 1e-5, .name = "c"}),
                    layers::Conv2D(6, {3, 3}, {.groups = 2, .name = "d"})});
  expect_saved_back(convs, "convs", {{"a", "0"}, {"b", "1"}, {"c", "2"}, {"d", "3"}});
  Sequential gru({layers::GRU(4, {.return_sequences = true, .name = "g", .input_shape = {5, 3}}),
                  layers::GRU(4, {.return_sequences = true, .name = "h"})});
  expect_saved_back(gru, "gru", {{"g", "rnn"}, {"h", "rnn.l1"}});
  Value in = Input({5, 8});
  Model attention({in}, {layers::LayerNormalization({.epsilon = 1e-5, .name = "norm"})(
                            ops::add(in, layers::MultiHeadAttention(2, 4, {.name = "attn"})({in, in})))});
  expect_saved_back(attention, "attention", {});
}

TEST(PyTorch, SavesBidirectionalLstm) {
  Scratch dir;
  auto make = [] {
    Sequential m(
        {layers::Bidirectional(layers::LSTM(4, {.return_sequences = true}), {.name = "rnn", .input_shape = {5, 3}})});
    m.predict(Tensor::zeros({1, 5, 3}));
    return m;
  };
  Sequential a = make(), b = make();
  save_pytorch_weights(a, dir.path("l.safetensors"));
  std::map<std::string, Tensor> t;
  for (auto& [n, v] : read_safetensors(dir.path("l.safetensors"))) t[n] = v;
  EXPECT_EQ(t.size(), 8u);
  EXPECT_EQ(t.at("rnn.weight_ih_l0_reverse").shape(), (Shape{16, 3}));
  load_pytorch_weights(b, dir.path("l.safetensors"));
  Tensor x = Tensor::full({2, 5, 3}, 0.3);
  EXPECT_TRUE(a.predict(x).equals(b.predict(x)));
  Sequential c(
      {layers::Bidirectional(layers::LSTM(4, {.return_sequences = true}), {.name = "other", .input_shape = {5, 3}})});
  c.predict(x);
  load_pytorch_weights(c, dir.path("l.safetensors"), {.map = {{"other", "rnn"}}});
  EXPECT_TRUE(a.predict(x).equals(c.predict(x)));
}

TEST(PyTorch, NamesMapsAndErrors) {
  Sequential m({layers::Dense(5, {.name = "first", .input_shape = {5}}), layers::Dense(5, {.name = "second"})});
  EXPECT_HAS(error_of([&] { load_pytorch_weights(m, compat("cnn.pt")); }), "no module fits the layer second (Dense)");
  Sequential part({layers::Dense(5, {.name = "head", .input_shape = {5}})});
  load_pytorch_weights(part, compat("cnn.pt"), {.map = {{"head", "fc2"}}, .partial = true});
  EXPECT_HAS(error_of([&] { load_pytorch_weights(part, compat("cnn.pt")); }), "the model has no layer for");
  EXPECT_HAS(error_of([&] {
               load_pytorch_weights(part, compat("cnn.pt"), {.map = {{"head", "fc3"}}});
             }),
             "the file has no module 'fc3'");
  EXPECT_HAS(error_of([&] {
               load_pytorch_weights(part, compat("cnn.pt"), {.map = {{"haed", "fc2"}}});
             }),
             "Did you mean 'head'?");
  EXPECT_HAS(error_of([&] {
               load_pytorch_weights(part, compat("cnn.pt"), {.map = {{"head", "conv1"}}});
             }),
             "expected (5, 5)");
  EXPECT_HAS(error_of([&] { load_pytorch_weights(part, compat("cnn.pt"), {.prefix = "net."}); }),
             "no tensor's name begins with 'net.'");
  // Two Dense(5 -> 5) in a file without order: the names tell, or the map.
  Scratch dir;
  Tensor w = Tensor::full({5, 5}, 1), v = Tensor::full({5, 5}, 2);
  write_safetensors(dir.path("q.safetensors"), {{"q_proj.weight", w}, {"k_proj.weight", v}});
  Sequential two({layers::Dense(5, {.use_bias = false, .name = "a", .input_shape = {5}}),
                  layers::Dense(5, {.use_bias = false, .name = "b"})});
  EXPECT_HAS(error_of([&] { load_pytorch_weights(two, dir.path("q.safetensors")); }),
             "2 modules fit the layer a (Dense): 'k_proj', 'q_proj'. This format does not keep their order");
  load_pytorch_weights(two, dir.path("q.safetensors"), {.map = {{"a", "q_proj"}, {"b", "k_proj"}}});
  EXPECT_EQ(two.get_weights()[0].item(0), 1);
  write_safetensors(dir.path("n.safetensors"), {{"layers.10.weight", v}, {"layers.9.weight", w}});
  load_pytorch_weights(two, dir.path("n.safetensors"));
  EXPECT_EQ(two.get_weights()[0].item(0), 1);
  EXPECT_EQ(two.get_weights()[1].item(0), 2);
}

TEST(PyTorch, UnsignedAndEightBitFloats) {
  std::map<std::string, Tensor> t;
  for (auto& [n, v] : read_pytorch(compat("dtypes.pt"))) t[n] = v;
  EXPECT_EQ(t.at("u16").data<uint16_t>()[1], 65535);
  EXPECT_EQ(t.at("u64").data<uint64_t>()[1], ~uint64_t{0});
  EXPECT_EQ(t.at("e4m3").dtype(), DType::f8e4m3fn);
  EXPECT_EQ(t.at("e4m3").astype(DType::f32).to_vector(), (std::vector<float>{1.5, -448}));
  EXPECT_EQ(t.at("e5m2").dtype(), DType::f8e5m2);
  EXPECT_EQ(t.at("e5m2").astype(DType::f32).to_vector(), (std::vector<float>{1.5, -3}));
}

TEST(PyTorch, ViewsDtypesAndNesting) {
  std::map<std::string, Tensor> t;
  for (auto& [n, v] : read_pytorch(compat("views.pt"))) t[n] = v;
  EXPECT_EQ(t.at("transposed").shape(), (Shape{6, 4}));
  EXPECT_EQ(t.at("transposed").item(1), 6);
  EXPECT_EQ(t.at("part").to_vector(), (std::vector<float>{6, 8, 10, 12, 14, 16}));
  EXPECT_EQ(t.at("same").item(23), 23);
  EXPECT_EQ(t.at("half").dtype(), DType::f16);
  EXPECT_EQ(t.at("bf16").item(9), 9);
  EXPECT_EQ(t.at("short").dtype(), DType::i16);
  EXPECT_EQ(t.at("short").item(17), 17);
  EXPECT_EQ(t.at("bools").item(6), 1);
  EXPECT_EQ(t.at("scalar").shape(), Shape{});
  EXPECT_EQ(t.at("param").item(5), 5);
  EXPECT_EQ(t.at("nested.a.0").item(0), 12);
}

TEST(PyTorch, RefusesCode) {
  Scratch dir;
  EXPECT_HAS(error_of([] { read_pytorch(compat("module.pt")); }),
             "the global 'torch.nn.modules.linear.Linear' is refused");
  std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.", 25);
  std::string evil = dir.write("e.pt", magic + "\x80\x02" + "cposix\nsystem\nX\x05\0\0\0true.\x85R.");
  EXPECT_HAS(error_of([&] { read_pytorch(evil); }),
             "the global 'posix.system' is refused: only tensors and plain containers are read, no code is ever run");
  EXPECT_HAS(error_of([&] { read_pytorch(dir.write("i.pt", magic + "(S'true'\niposix\nsystem\n.")); }),
             "the opcode 0x69 is refused");
  EXPECT_HAS(error_of([&] { read_pytorch(dir.write("t.pt", "just some text, no model at all")); }),
             "not a file of torch.save");
}

// ---- files of others: ../shared/data/README.md
// -------------------------------------------------------------------------

// conv 1-8-16-24 valid + relu each, BN(24), flatten (channels first), dense 32 relu, dense 10, BN(10).
static Sequential burn_mnist() {
  return Sequential(
      {layers::Conv2D(8, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}),
       layers::Conv2D(16, {3, 3}, {.activation = "relu"}), layers::Conv2D(24, {3, 3}, {.activation = "relu"}),
       layers::BatchNormalization({.epsilon = 1e-5}), layers::Flatten(), layers::Dense(32, {.activation = "relu"}),
       layers::Dense(10), layers::BatchNormalization({.epsilon = 1e-5})});
}

static int64_t correct(Model m, const Tensor& x, const Tensor& y) {
  Tensor p = m.predict(x, {.batch_size = 250});
  int64_t good = 0, classes = p.dim(1);
  for (int64_t i = 0; i < p.dim(0); ++i) {
    const float* row = p.data<float>() + i * classes;
    good += std::max_element(row, row + classes) - row == static_cast<int64_t>(y.item(i));
  }
  return good;
}

TEST(PretrainedPyTorch, BurnMnist) {
  GLIA_REAL_FILE(pt, "models/pytorch/burn_mnist.pt");
  GLIA_REAL_FILE(st, "models/safetensors/burn_mnist.safetensors");
  GLIA_REAL_FILE(images, "mnist/t10k-images-idx3-ubyte.gz");
  GLIA_REAL_FILE(labels, "mnist/t10k-labels-idx1-ubyte.gz");
  Tensor raw = read_idx(images), y = read_idx(labels), x({10000, 28, 28, 1});
  for (int64_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = (static_cast<float>(raw.data<uint8_t>()[i]) / 255.0f - 0.1307f) / 0.3081f;
  // Two trainings of one network; PyTorch 2.15 scores the same with each file.
  for (auto& [path, score] : {std::pair{pt, 9915}, std::pair{st, 9917}}) {
    Sequential m = burn_mnist();
    load_pytorch_weights(m, path);
    EXPECT_EQ(correct(m, x, y), score) << path;
  }
}

// He et al. 2015, CIFAR form with option-A shortcuts: every second pixel, zero channels added on both sides.
static Model resnet20() {
  Value in = Input({32, 32, 3});
  auto conv_bn = [](const Value& x, int64_t filters, int64_t stride) {
    Value p = stride == 1 ? x : layers::ZeroPadding2D({1, 1})(x);
    Value c = layers::Conv2D(
        filters, {3, 3},
        {.strides = {stride, stride}, .padding = stride == 1 ? "same" : "valid", .use_bias = false})(p);
    return layers::BatchNormalization({.epsilon = 1e-5})(c);
  };
  Value x = ops::relu(conv_bn(in, 16, 1));
  int64_t channels = 16;
  for (int64_t filters : {16, 32, 64})
    for (int block = 0; block < 3; ++block) {
      int64_t stride = filters != channels ? 2 : 1;
      Value y = conv_bn(ops::relu(conv_bn(x, filters, stride)), filters, 1), shortcut = x;
      if (stride == 2) {
        int64_t add = (filters - channels) / 2;
        shortcut = ops::slice_axis(ops::slice_axis(x, 1, 0, ops::kEnd, 2), 2, 0, ops::kEnd, 2);
        shortcut = ops::pad(shortcut, {{0, 0}, {0, 0}, {0, 0}, {add, add}});
      }
      x = ops::relu(ops::add(y, shortcut));
      channels = filters;
    }
  return Model({in}, {layers::Dense(10)(layers::GlobalAveragePooling2D()(x))});
}

TEST(PretrainedPyTorch, ResNet20) {
  GLIA_REAL_FILE(th, "models/pytorch/resnet20-12fca82f.th");
  std::string data = test::shared_file("cifar10/cifar10_test_2k.bin");
  if (data.empty()) data = test::shared_file("cifar10/cifar10_test_2k.bin.gz");
  if (data.empty())
    GTEST_SKIP() << "cifar10_test_2k is not on this machine (looked in GLIA_DATA_DIR and ../shared/data)";
  auto [images, labels] = read_cifar10({data});
  Tensor x(images.shape());
  const float mean[] = {.485f, .456f, .406f}, deviation[] = {.229f, .224f, .225f};
  for (int64_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = (static_cast<float>(images.item(i)) / 255.0f - mean[i % 3]) / deviation[i % 3];
  Model m = resnet20();
  load_pytorch_weights(m, th);
  EXPECT_EQ(correct(m, x, labels), 1838);
  const double logits[] = {-1.3930, -3.0398, -4.8046, 4.1751, 13.1867, 2.6896, -0.9438, -1.4255, -6.0848, -2.3858};
  Tensor first = m.predict(x.slice(0, 1));
  for (int i = 0; i < 10; ++i) EXPECT_NEAR(first.item(i), logits[i], 2e-4);
}

}  // namespace glia
