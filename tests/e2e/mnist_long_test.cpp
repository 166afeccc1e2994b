// The flagship: the primer's CNN, 10 epochs of MNIST at batch 32, at least 0.988 on the test set for each of three seeds.
//   ctest --test-dir build/release -L long -R e2e_long --output-on-failure
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace glia {
namespace {

class Mnist : public ::testing::TestWithParam<int> {};

TEST_P(Mnist, ReachesTheScore) {
  if (!datasets::available("mnist")) GTEST_SKIP() << "MNIST was not found; set GLIA_DATA_DIR.";
  set_random_seed(GetParam());
  auto [train, test] = datasets::mnist();
  Sequential model({
      layers::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}),
      layers::MaxPooling2D({2, 2}),
      layers::Conv2D(64, {3, 3}, {.activation = "relu"}),
      layers::MaxPooling2D({2, 2}),
      layers::Flatten(),
      layers::Dense(64, {.activation = "relu"}),
      layers::Dense(10, {.activation = "softmax"}),
  });
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.fit(train.x, train.y, {.batch_size = 32, .epochs = 10, .verbose = 0});
  double accuracy = model.evaluate(test.x, test.y, {.verbose = 0})["accuracy"];
  std::printf("seed %d: test accuracy %.4f\n", GetParam(), accuracy);
  EXPECT_GE(accuracy, 0.988);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Mnist, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace glia
