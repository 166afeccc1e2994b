// Files that Keras 3.15.1 wrote (tools/golden/keras_files.py): each loads and predicts what Keras predicted.
#include <glia/layers.h>
#include <glia/npz.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "data/test_files.h"
#include "io/hdf5/hdf5.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

fs::path folder() { return fs::path(GLIA_SOURCE_DIR) / "tests" / "compat" / "keras"; }

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(folder()))
    if (e.path().extension() == ".npz") names.push_back(e.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}
fs::path model_file(const std::string& name) {
  const fs::path keras = folder() / (name + ".keras");
  return fs::exists(keras) ? keras : folder() / (name + ".h5");
}

struct Arrays {
  std::vector<Array> inputs;
  std::vector<Tensor> outputs;
  int64_t rows() const { return inputs[0].strings.defined() ? inputs[0].strings.dim(0) : inputs[0].numbers.dim(0); }
};
Arrays arrays_of(const std::string& name) {
  Arrays r;
  const NpzArrays all = read_npz_arrays((folder() / (name + ".npz")).string());
  std::map<std::string, Array> inputs;  // of both kinds, in order
  for (auto& [n, t] : all.strings) inputs[n] = t;
  for (auto& [n, t] : all.numbers) {
    if (n.rfind("in_", 0) == 0) inputs[n] = t;
    else r.outputs.push_back(t);
  }
  for (auto& [n, a] : inputs) r.inputs.push_back(a);
  return r;
}

// Half precision keeps three digits: the order of additions shows.
double tolerance(const std::string& name) { return name.find("float16") == std::string::npos ? 1e-5 : 1e-2; }

void expect_outputs(Model& model, const std::string& name) {
  const Arrays a = arrays_of(name);
  const std::vector<Tensor> got = model.predict_all(a.inputs, {.batch_size = a.rows()});
  ASSERT_EQ(got.size(), a.outputs.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    ASSERT_EQ(got[k].shape(), a.outputs[k].shape()) << "output " << k;
    for (int64_t i = 0; i < got[k].size(); ++i) {
      const double want = a.outputs[k].item(i), is = got[k].item(i);
      if (std::isnan(want) && std::isnan(is)) continue;
      ASSERT_NEAR(is, want, tolerance(name) * std::max(1.0, std::fabs(want))) << "output " << k << " element " << i;
    }
  }
}

class KerasFile : public testing::TestWithParam<std::string> {
  void SetUp() override {
    if (!io::hdf5::available()) GTEST_SKIP() << "built without HDF5";
  }
};
class KerasWeights : public testing::Test {
  void SetUp() override {
    if (!io::hdf5::available()) GTEST_SKIP() << "built without HDF5";
  }
};
class KerasFileErrors : public KerasWeights {};

TEST_P(KerasFile, LoadsAndPredicts) {
  Model model = models::load_model(model_file(GetParam()).string());
  expect_outputs(model, GetParam());
}

class KerasQuantized : public KerasWeights {};

// Rounds the weights as Keras's model.quantize("int8") did, and gives what that model predicts.
TEST_F(KerasQuantized, TheSameIntegersAndPredictions) {
  for (const std::string name : {"quantized_int8", "quantized_int8_attention", "quantized_int8_weights_only", "quantized_int8_reversible",
                                 "quantized_int8_mixed_bfloat16"}) {
    SCOPED_TRACE(name);
    Model model = models::load_model((folder() / (name + "_source.keras")).string()), there = models::load_model(model_file(name).string());
    EXPECT_GT(model.quantize("int8", {.activations = name != "quantized_int8_weights_only"}), 0);
    std::map<std::string, Tensor> want;
    for (const Variable& v : there->weights()) want[v.path()] = v.tensor();
    for (const Variable& v : model->weights()) EXPECT_TRUE(want.count(v.path()) && v.tensor().equals(want[v.path()])) << v.path();
    EXPECT_EQ(model->weights().size(), there->weights().size());
    expect_outputs(model, name);
  }
}

TEST_F(KerasQuantized, TrainsRoundThem) {
  Sequential model({layers::Dense(4, {.activation = "relu", .name = "first", .input_shape = {3}}), layers::Dense(2, {.name = "last"})});
  EXPECT_THROW(model.quantize("int2"), Error);
  EXPECT_THROW(model.quantize("int8", {.filters = {"("}}), Error);
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const Tensor x = Tensor::from_vector<float>({2, 3}, {1, -2, 0.5f, 0.1f, 3, -1}), y = Tensor::zeros({2, 2});
  EXPECT_EQ(model.quantize("int8", {.filters = {"^fir"}}), 1);
  EXPECT_THROW(model.quantize("int8"), Error);  // the first layer is rounded already
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const double before = model.train_on_batch(x, y)["loss"];
  for (int i = 0; i < 30; ++i) model.train_on_batch(x, y);
  EXPECT_LT(model.train_on_batch(x, y)["loss"], before);
  EXPECT_EQ(model.get_layer("first")->trainable_weights().size(), 1u);  // the bias
}

TEST_P(KerasFile, IsSavedAndLoadedAgain) {
  test::Scratch dir;
  for (const char* ending : {".keras", ".h5"}) {
    Model model = models::load_model(model_file(GetParam()).string());
    const std::string path = dir.path(GetParam() + ending);
    model.save(path);
    Model again = models::load_model(path);
    expect_outputs(again, GetParam());
    EXPECT_EQ(again.compiled(), model.compiled());
    if (!model.compiled()) continue;
    const auto &a = model.optimizer()->variables(), &b = again.optimizer()->variables();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].tensor().equals(b[i].tensor())) << a[i].path();
  }
}

TEST_P(KerasFile, IsReadInAChildProcess) {
  Model model = models::load_model(model_file(GetParam()).string(), {.untrusted = true});
  expect_outputs(model, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Corpus, KerasFile, testing::ValuesIn(cases()), [](const auto& info) { return info.param; });

TEST_F(KerasWeights, FilesAndShards) {
  const std::string name = "optimizer_adam";
  for (const char* ending : {".weights.h5", ".weights.json", ".keras"}) {
    Model model = models::load_model(model_file(name).string());
    for (const Variable& v : model->weights()) v.tensor().fill(0);
    model.load_weights((folder() / (name + ending)).string());
    expect_outputs(model, name);
  }
}

TEST_F(KerasWeights, WrittenAndReadAgain) {
  test::Scratch dir;
  Model model = models::load_model(model_file("optimizer_adam").string());
  const std::vector<Tensor> before = model.get_weights();
  model.save_weights(dir.path("a.weights.h5"));
  model.save_weights(dir.path("b.weights.json"), {.max_shard_size = 1e-7});
  model.save_weights(dir.path("c.h5"));
  EXPECT_TRUE(fs::exists(dir.path("b_00001.weights.h5")));
  for (const char* file : {"a.weights.h5", "b.weights.json", "c.h5"}) {
    for (const Variable& v : model->weights()) v.tensor().fill(0);
    model.load_weights(dir.path(file));
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(model.get_weights()[i].equals(before[i])) << file;
  }
}

TEST_F(KerasWeights, MismatchesAreListedOrSkipped) {
  Model other = Sequential({layers::Dense(3, {.input_shape = {4}}), layers::Dense(5)});
  const std::string file = (folder() / "optimizer_adam.weights.h5").string();
  try {
    other.load_weights(file);
    FAIL() << "an Error was expected";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("layers/dense_1"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("skip_mismatch"), std::string::npos) << e.what();
  }
  other.load_weights(file, {.skip_mismatch = true});
}

TEST_F(KerasFileErrors, SayWhat) {
  auto message = [](auto f) {
    try {
      f();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no Error");
  };
  test::Scratch dir;
  EXPECT_NE(message([&] { models::load_model(dir.path("none.keras")); }).find("no file"), std::string::npos);
  EXPECT_NE(message([&] { models::load_model(dir.path("model.pkl")); }).find(".keras"), std::string::npos);
  std::ofstream(dir.path("text.keras")) << "this is no archive";
  EXPECT_NE(message([&] { models::load_model(dir.path("text.keras")); }).find("text.keras"), std::string::npos);
  std::ofstream(dir.path("text.h5")) << "nor HDF5";
  EXPECT_NE(message([&] { models::load_model(dir.path("text.h5")); }).find("HDF5"), std::string::npos);
  Model model = models::load_model(model_file("two_dense_named").string());
  model.save(dir.path("a.keras"));
  EXPECT_NE(message([&] { model.save(dir.path("a.keras"), {.overwrite = false}); }).find("exists"), std::string::npos);
}

}  // namespace
}  // namespace glia
