// The primer's first program: a convolutional network that reads handwritten digits.
//   build/release/bin/cnn_mnist [epochs] [seed]
// Trains on MNIST where it is found (see glia/datasets.h), else on the embedded 8x8 digits resized to 28x28.
#include <glia/glia.h>

#include <cstdlib>
#include <iostream>
using namespace glia;

int main(int argc, char** argv) {
  int epochs = argc > 1 ? std::atoi(argv[1]) : 10;
  if (argc > 2) set_random_seed(std::atoi(argv[2]));
  auto [train, test] = datasets::available("mnist") ? datasets::mnist() : datasets::digits({.size = 28});

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
  model.summary();
  model.fit(train.x, train.y, {.batch_size = 32, .epochs = epochs});
  auto scores = model.evaluate(test.x, test.y);
  std::cout << "Loss: " << scores["loss"] << "\nAccuracy: " << scores["accuracy"] << "\n";
}
