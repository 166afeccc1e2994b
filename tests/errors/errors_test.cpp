// Mistakes a user makes, and exactly what the library says.
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <cmath>

namespace glia {
namespace {

template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "(no error)";
}

Sequential small() {
  return Sequential({layers::Dense(4, {.name = "hidden", .input_shape = {3}}), layers::Dense(2, {.activation = "softmax", .name = "out"})}, {.name = "net"});
}
Sequential compiled() {
  Sequential m = small();
  m.compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"});
  return m;
}
FitOptions quiet() { return {.verbose = 0}; }

TEST(Errors, UnknownNamesSuggestTheNearest) {
  EXPECT_EQ(message([] { Optimizer o = "addam"; }), "Unknown optimizer 'addam'. Did you mean 'adam'?");
  EXPECT_EQ(message([] { layers::Dense(3, {.activation = "rleu"}); }), "Unknown activation 'rleu'. Did you mean 'relu'?");
  EXPECT_EQ(message([] { set_dtype_policy("flaot32"); }), "Unknown dtype policy 'flaot32'. Did you mean 'float32'?");
  EXPECT_EQ(message([] { small().get_layer("hiden"); }), "net: the model has no layer named 'hiden'. Did you mean 'hidden'?");
}

TEST(Errors, UseBeforeCompile) {
  EXPECT_EQ(message([] { small().fit(Tensor::zeros({4, 3}), Tensor::zeros({4}, DType::i32)); }),
            "net: fit needs compile() first: model.compile({.optimizer = \"adam\", .loss = ...}).");
  EXPECT_EQ(message([] { small().evaluate(Tensor::zeros({4, 3}), Tensor::zeros({4}, DType::i32)); }), "net: evaluate needs compile() first.");
}

TEST(Errors, ShapesAtFit) {
  EXPECT_EQ(message([] { compiled().fit(Tensor::zeros({4, 5}), Tensor::zeros({4}, DType::i32), quiet()); }),
            "net (Sequential): input 0 has shape (4, 5). Expected (None, 3). Reshape x, or change the model's input_shape.");
  EXPECT_EQ(message([] { compiled().fit(Tensor::zeros({4, 3}), Tensor::zeros({5}, DType::i32), quiet()); }),
            "fit: all arrays need the same number of rows. x has 4, y has 5.");
  EXPECT_EQ(message([] { compiled().fit(Tensor::zeros({0, 3}), Tensor::zeros({0}, DType::i32), quiet()); }), "fit: the data is empty (0 rows).");
  EXPECT_EQ(message([] { compiled().fit(Tensor::zeros({4, 3}), Data(), quiet()); }),
            "fit: the model has 1 outputs with a loss. Received 0 target arrays in y.");
}

TEST(Errors, LabelsOutOfRange) {
  EXPECT_EQ(message([] { compiled().fit(Tensor::zeros({3, 3}), Tensor::from({3}, {0, 1, 2}, DType::i32), quiet()); }),
            "fit: label 2 at position 2 of y is out of range. The output 'net' has 2 classes, so labels go from 0 to 1. "
            "Renumber the labels, or give the last layer more units.");
}

TEST(Errors, NaNInTheData) {
  Tensor x = Tensor::zeros({3, 3});
  x.set_item(4, NAN);
  EXPECT_EQ(message([&] { compiled().fit(x, Tensor::zeros({3}, DType::i32), {.verbose = 0, .shuffle = false}); }),
            "fit: the loss became NaN in epoch 1, batch 1: input 0 holds nan at position 4 of that batch. Clean or replace such values before training.");
}

TEST(Errors, WeightsThatDoNotFit) {
  EXPECT_EQ(message([] { small().set_weights({Tensor::zeros({3, 4})}); }), "net (Sequential): set_weights received 1 arrays. The layer has 4 weights.");
  EXPECT_EQ(message([] { small().set_weights({Tensor::zeros({3, 5}), Tensor::zeros({4}), Tensor::zeros({4, 2}), Tensor::zeros({2})}); }),
            "net (Sequential): set_weights received shape (3, 5) for weight 0 'hidden/kernel'. Expected (3, 4).");
}

TEST(Errors, GraphsThatDoNotConnect) {
  Value a = Input({2}, {.name = "a"}), b = Input({2}, {.name = "b"});
  Value y = layers::Add()({a, b});
  EXPECT_EQ(message([&] { Model({a}, {y}); }),
            "Model: the graph is disconnected: the outputs need the input 'b' (None, 2), which is not among the inputs given.");
}

TEST(Errors, NameTheLayerThatFails) {
  std::string what = message([] { layers::Conv2D(4, {3, 3}, {.name = "eye"})(Input({8, 8})); });
  EXPECT_EQ(what.rfind("eye (Conv2D): ", 0), 0u) << what;
}

}  // namespace
}  // namespace glia
