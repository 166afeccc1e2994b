// Reading real files, fine-tuning, and what is refused. ONNX's own tests run as onnx.backend (glia-onnx-backend).
#include <glia/glia.h>
#include <glia/npz.h>
#include <glia/onnx.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

using namespace glia;

namespace {

const std::string kModels = std::string(GLIA_SHARED_DIR) + "/data/models/onnx/";

class Onnx : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!onnx::available()) GTEST_SKIP() << "built without ONNX";
  }
};
class OnnxFiles : public Onnx {
 protected:
  void SetUp() override {
    Onnx::SetUp();
    if (!std::filesystem::exists(kModels)) GTEST_SKIP() << "no shared models";
  }
};

TEST_F(OnnxFiles, MnistOfCntkScoresAsElsewhere) {
  auto [train, test] = datasets::mnist();
  Model m = onnx::load(kModels + "mnist_cntk.onnx");
  EXPECT_EQ(m.input_names(), std::vector<std::string>{"Input3"});
  EXPECT_EQ(m.output_names(), std::vector<std::string>{"Plus214_Output_0"});
  EXPECT_EQ(m.input_shapes()[0], (Shape{-1, 1, 28, 28}));  // the file's batch of 1 is found to be one of many
  const int64_t n = test.x.dim(0);
  const Tensor raw = (Value(test.x) * 255.0).tensor().reshape({n, 1, 28, 28});
  const Tensor scores = m.predict(raw, {.batch_size = 200});
  int right = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float* row = scores.data<float>() + 10 * i;
    right += std::max_element(row, row + 10) - row == static_cast<int64_t>(test.y.item(i));
  }
  EXPECT_EQ(right, 9891);
}

TEST_F(OnnxFiles, BatchAsDeclared) {
  Model m = onnx::load(kModels + "mnist_cntk.onnx", {.batch = onnx::Batch::as_declared});
  EXPECT_EQ(m.input_shapes()[0], (Shape{1, 1, 28, 28}));
  EXPECT_EQ(m.predict(Tensor::zeros({3, 1, 28, 28}), {.batch_size = 1}).shape(), (Shape{3, 10}));
}

TEST_F(OnnxFiles, BidirectionalLstmOfTractAsItsRecordedOutput) {
  Model m = onnx::load(kModels + "tract_byte_bidi_lstm/model.onnx");
  std::map<std::string, Tensor> io = read_npz(kModels + "tract_byte_bidi_lstm/io.npz");
  const Tensor y = m.predict(io.at("input")), want = io.at("Add_26");
  ASSERT_EQ(y.shape(), want.shape());
  for (int64_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y.item(i), want.item(i), 1e-4 * (1 + std::abs(want.item(i))));
}

TEST_F(OnnxFiles, SuperResolutionTriplesAnImage) {
  Model m = onnx::load(kModels + "super_resolution.onnx");
  EXPECT_EQ(m.predict(Tensor::full({1, 1, 224, 224}, 0.5)).shape(), (Shape{1, 1, 672, 672}));
}

TEST_F(OnnxFiles, VoiceDetectorRunsWithItsRateFixed) {
  Model m =
      onnx::load(kModels + "silero_vad_16k_op15.onnx", {.constants = {{"sr", Tensor::scalar(16000, DType::i64)}}});
  std::vector<Tensor> y = onnx::run(m, {Tensor::zeros({1, 576}), Tensor::zeros({2, 1, 128})});
  ASSERT_EQ(y.size(), 2u);
  EXPECT_EQ(y[0].shape(), (Shape{1, 1}));
  EXPECT_EQ(y[1].shape(), (Shape{2, 1, 128}));
  EXPECT_LT(y[0].item(0), 0.1);  // silence is no voice
}

TEST_F(OnnxFiles, WeightsTrain) {
  Model m = onnx::load(kModels + "mnist_cntk.onnx");
  EXPECT_EQ(m.count_params(), 8 * 25 + 8 + 16 * 8 * 25 + 16 + 256 * 10 + 10);
  m.compile({.optimizer = optimizers::SGD({.learning_rate = 1e-7}),
             .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  Tensor x({32, 1, 28, 28});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>((i * 37) % 255);
  const Tensor y = Tensor::zeros({32}, DType::i32);
  History h = m.fit(x, y, {.epochs = 5, .verbose = 0});
  EXPECT_LT(h["loss"].back(), h["loss"].front());
}

TEST_F(Onnx, EndingsChooseTheFormat) {
  set_random_seed(5);
  Sequential m({layers::Dense(3, {.activation = "relu", .input_shape = {4}}), layers::Dense(2)});
  const std::string path = (std::filesystem::temp_directory_path() / "glia_endings.onnx").string();
  m.save(path);
  Model back = models::load_model(path);
  const Tensor x = Tensor::full({5, 4}, 0.25);
  const Tensor a = m.predict(x), b = back.predict(x);
  ASSERT_EQ(a.shape(), b.shape());
  for (int64_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a.item(i), b.item(i), 1e-6);
  // Imported models leave again, also after training.
  back.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}), .loss = "mse"});
  back.fit(x, Tensor::zeros({5, 2}), {.epochs = 3, .verbose = 0});
  onnx::save(back, path);
  const Tensor c = back.predict(x), d = onnx::load(path).predict(x);
  for (int64_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c.item(i), d.item(i), 1e-6);
  EXPECT_GT(std::abs(c.item(0) - a.item(0)), 1e-4);
  std::filesystem::remove(path);
}

TEST_F(Onnx, ImportedModelsAreKeptInOtherFiles) {
  set_random_seed(6);
  Value in = Input({6, 6, 2}, {.name = "x"});
  Value y = layers::Dense(3)(layers::Flatten()(layers::BatchNormalization()(layers::Conv2D(3, {3})(in))));
  const std::string bytes = onnx::to_bytes(Model({in}, {y}, {.name = "m"}));
  Model m = onnx::load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  Tensor x({4, 6, 6, 2});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i % 13) / 13.0f;
  m.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}), .loss = "mse"});
  m.fit(x, Tensor::zeros({4, 3}), {.epochs = 2, .verbose = 0});
  for (const char* ending : {".keras", ".glia"}) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("glia_imported" + std::string(ending))).string();
    m.save(path);
    Model back = models::load_model(path);
    EXPECT_TRUE(back.predict(x).equals(m.predict(x))) << ending;
    EXPECT_EQ(back.count_params(), m.count_params());
    std::filesystem::remove(path);
  }
}

TEST_F(Onnx, DamagedBytesAreNamed) {
  const uint8_t text[] = "this is no model";
  try {
    onnx::load(std::span<const uint8_t>(text, sizeof text));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("offset"), std::string::npos) << e.what();
  }
  EXPECT_THROW(onnx::load("/does/not/exist.onnx"), Error);
}

}  // namespace
