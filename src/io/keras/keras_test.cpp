// Models as text and files within Glia. What real Keras says to them: tests/compat, tools/check_keras_roundtrip.py.
#include <glia/glia.h>
#include <glia/ops.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/test_files.h"
#include "io/hdf5/hdf5.h"
#include "io/keras/python_json.h"
#include "io/keras/walk.h"

namespace glia {
namespace {

Tensor waves(Shape shape) {
  Tensor t(std::move(shape));
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = std::sin(static_cast<float>(i) * 0.7f);
  return t;
}
void expect_same(Model& a, Model& b, const std::vector<Tensor>& x) {
  const std::vector<Tensor> ya = a.predict_all(x), yb = b.predict_all(x);
  ASSERT_EQ(ya.size(), yb.size());
  for (std::size_t i = 0; i < ya.size(); ++i) EXPECT_TRUE(ya[i].equals(yb[i])) << "output " << i;
}

// Operators between layers, as C++ programs write them.
Model with_ops() {
  Value a = Input({4, 6}, {.name = "a"}), b = Input({6}, {.name = "b"});
  Value x = ops::relu(layers::Dense(6)(a) + 1.0) * ops::expand_dims(b, 1) - ops::mean(a, {1}, true);
  Value y = ops::reshape(ops::transpose(x, {0, 2, 1}), {-1, 24}), w = ops::where(b > 0.2, b, ops::exp(-b));
  return Model({a, b}, {layers::Dense(3)(y), ops::slice_axis(a, 1, 1, 3), w, ops::softmax(ops::matmul(a, ops::transpose(a, {0, 2, 1})), -1),
                        ops::concatenate({w, b}, -1), ops::max(x, {1, 2}), ops::gelu(w), ops::pad(w, {{0, 0}, {1, 2}}, "constant", 3.0),
                        ops::clip(w, -0.5, 0.5), ops::one_hot(ops::argmax(b, -1), 6), ops::logsumexp(a, {-1}), ops::var(a, {1}), ops::cumsum(b, -1)});
}

TEST(KerasSaving, OpsBetweenLayers) {
  if (!io::hdf5::available()) GTEST_SKIP() << "built without HDF5";
  test::Scratch dir;
  Model model = with_ops();
  model.save(dir.path("ops.keras"));
  Model again = models::load_model(dir.path("ops.keras"));
  expect_same(model, again, {waves({3, 4, 6}), waves({3, 6})});
  again.save(dir.path("twice.keras"));
  Model twice = models::load_model(dir.path("twice.keras"));
  expect_same(model, twice, {waves({3, 4, 6}), waves({3, 6})});
}

TEST(KerasSaving, CloneAndTextHaveTheSameArchitecture) {
  Model model = with_ops();
  for (Model other : {models::clone_model(model), models::model_from_json(models::to_json(model))}) {
    ASSERT_EQ(other.get_weights().size(), model.get_weights().size());
    other.set_weights(model.get_weights());
    expect_same(model, other, {waves({3, 4, 6}), waves({3, 6})});
    EXPECT_EQ(other.input_names(), model.input_names());
  }
}

TEST(KerasSaving, NestedAndSharedLayersAndWrappers) {
  if (!io::hdf5::available()) GTEST_SKIP() << "built without HDF5";
  test::Scratch dir;
  Value i = Input({3});
  Model inner({i}, {layers::Dense(3, {.activation = "tanh"})(i)}, {.name = "inner"});
  Value x = Input({4, 3}), s = Input({3});
  LayerRef shared = layers::Dense(2, {.name = "shared"});
  Value j = Input({3});
  Value steps = layers::TimeDistributed(Model({j}, {layers::Dense(3)(j)}, {.name = "step"}))(x);
  Value seq = layers::Bidirectional(layers::GRU(2))(steps);
  Model model({x, s}, {layers::Concatenate()({seq, shared(s)}), shared(inner(s))});
  model.compile({.optimizer = "adamw", .loss = "mse"});
  model.train_on_batch({std::vector<Tensor>{waves({2, 4, 3}), waves({2, 3})}}, {std::vector<Tensor>{waves({2, 6}), waves({2, 2})}});
  for (const char* file : {"m.keras", "m.h5"}) {
    model.save(dir.path(file));
    Model again = models::load_model(dir.path(file));
    expect_same(model, again, {waves({2, 4, 3}), waves({2, 3})});
    EXPECT_EQ(again.optimizer()->iterations(), 1);
  }
}

TEST(KerasSaving, PathsAreKerass) {
  Sequential model({layers::Conv2D(2, {3}, {.input_shape = {5, 5, 1}}), layers::Conv2D(2, {1}), layers::Flatten(),
                    layers::SpectralNormalization(layers::Dense(2))});
  std::vector<std::string> paths;
  for (const auto& s : io::keras::walk(model)) paths.push_back(s.paths[0]);
  EXPECT_EQ(paths, (std::vector<std::string>{"", "layers/conv2d", "layers/conv2d_1", "layers/flatten", "layers/spectral_normalization",
                                             "layers/spectral_normalization/layer"}));
}

TEST(PythonJson, KnowsNumbersThatJsonLacks) {
  auto v = io::keras::parse_python_json(R"({"a": [NaN, Infinity, -Infinity], "b": "NaN and \"Infinity\""})", "text", {});
  EXPECT_EQ(v["a"][2], "-Infinity");
  EXPECT_EQ(v["b"], "NaN and \"Infinity\"");
  nlohmann::ordered_json w{{"x", INFINITY}, {"y", {-INFINITY, 1.5, "<numb"}}};
  EXPECT_EQ(io::keras::dump_json(w), R"({"x":Infinity,"y":[-Infinity,1.5,"<numb"]})");
}

}  // namespace
}  // namespace glia
