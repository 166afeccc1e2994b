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
            "fit: the model has 1 outputs with a loss. Received 0 target arrays in y. Give one per output.");
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

  Tensor good = Tensor::zeros({64, 3}), y = Tensor::zeros({64, 2});
  y.set_item(6, INFINITY);
  Sequential m = small();
  m.compile({.optimizer = "sgd", .loss = "mse"});
  EXPECT_EQ(message([&] { m.fit(good, y, {.batch_size = 32, .verbose = 0, .shuffle = false}); }),
            "fit: the loss became NaN in epoch 1: target 0 holds inf at position 6 of the data. Clean or replace such values before training.");
}

TEST(Errors, WhatOnlyTheDataTellsNamesTheLayer) {
  Sequential m({layers::Embedding(10, 4, {.name = "words", .input_shape = {3}}), layers::Flatten(), layers::Dense(1)}, {.name = "net"});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  EXPECT_EQ(message([&] { m.fit(Tensor::full({2, 3}, 12, DType::i32), Tensor::zeros({2, 1}), quiet()); }),
            "net/words: take: index 12 at position 0 is out of range for 10 entries. Expected 0 to 9; an Embedding needs an input_dim above its largest id.");
}

TEST(Errors, NameThePathOfALayerInsideAModelInsideAModel) {
  Sequential inner({layers::Dense(3, {.name = "a"}), layers::Conv1D(2, {3}, {.name = "c"})}, {.name = "inner"});
  Sequential outer({layers::Dense(3, {.name = "o"}), inner}, {.name = "outer"});
  EXPECT_EQ(message([&] { outer.predict(Tensor::zeros({2, 4})); }),
            "outer/inner/c (Conv1D): expected an input of rank 3, (batch, spatial axes, channels). Received shape (None, 3) (rank 2).");
}

TEST(Errors, TargetsThatDoNotFitTheOutput) {
  Sequential m = small();
  m.compile({.optimizer = "sgd", .loss = "mse"});
  EXPECT_EQ(message([&] { m.fit(Tensor::zeros({4, 3}), Tensor::zeros({4, 5}), quiet()); }),
            "mean_squared_error: cannot be computed from y_true (4, 5) and y_pred (4, 2): loss: sub: shapes (4, 5) and (4, 2) cannot be broadcast together. "
            "Targets must fit the shape of the model's output.");
}

TEST(Errors, MisspeltNamesAreToldAtCompile) {
  EXPECT_EQ(message([] { small().compile({.optimizer = "sgd", .loss = "categorical_crosentropy"}); }),
            "Unknown loss 'categorical_crosentropy'. Did you mean 'categorical_crossentropy'?");
  EXPECT_EQ(message([] { small().compile({.optimizer = "sgd", .loss = "mse", .metrics = {"acuracy"}}); }), "Unknown metric 'acuracy'. Did you mean 'accuracy'?");
}

TEST(Errors, DatasetsAtFit) {
  const Tensor x = Tensor::zeros({8, 3}), y = Tensor::zeros({8}, DType::i32);
  const Dataset data = Dataset::from_tensors(x, y).batch(4);
  EXPECT_EQ(message([&] { compiled().fit(data.repeat(), quiet()); }), "fit: the dataset repeats for ever. Say with .steps_per_epoch how many batches to take.");
  EXPECT_EQ(message([&] { compiled().evaluate(data.repeat(), {.verbose = 0}); }), "evaluate: the dataset repeats for ever. Say with .steps how many batches to take.");
  EXPECT_EQ(message([&] { compiled().fit(data, {.verbose = 0, .validation_split = 0.5}); }),
            "fit: validation_split is for arrays. Split a Dataset with utils::split_dataset, and give the second part as .validation_dataset.");
}

TEST(Errors, TooManyArraysAndModelsWithoutLayers) {
  EXPECT_EQ(message([] { compiled().fit({Tensor::zeros({4, 3}), Tensor::zeros({4, 3})}, Tensor::zeros({4}, DType::i32), quiet()); }),
            "fit: the model 'net' has 1 input. Received 2 arrays. Models with several inputs are made with Model({a, b}, {y}).");
  EXPECT_EQ(message([] { Sequential({}, {.name = "empty"}).predict(Tensor::zeros({2, 3})); }),
            "empty (Sequential): the model has no layers. Add some first, e.g. model.add(layers::Dense(10)).");
}

// A model whose input shape nobody gave takes what its layers take, as in Keras; they say what they cannot.
TEST(Errors, AModelThatLearnedItsShapeTakesLongerSequences) {
  Sequential m({layers::Embedding(10, 4), layers::GRU(3), layers::Dense(1, {.name = "out"})}, {.name = "net"});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  m.fit(Tensor::zeros({4, 5}, DType::i32), Tensor::zeros({4, 1}), quiet());
  EXPECT_EQ(to_string(m.predict(Tensor::zeros({2, 9}, DType::i32)).shape()), "(2, 1)");
  Sequential d({layers::Dense(2, {.name = "first"})}, {.name = "net"});
  d.predict(Tensor::zeros({2, 3}));
  EXPECT_EQ(message([&] { d.predict(Tensor::zeros({2, 4})); }),
            "net/first (Dense): the last axis of the input is 4 but the layer was built for 3. Received shape (2, 4). Use a new layer, or bring the input to 3 features first.");
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
