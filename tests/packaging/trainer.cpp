// Builds, trains and evaluates a small CNN: what a program that uses the library fully pulls in.
#include <glia/glia.h>

#include <iostream>

int main() {
  using namespace glia;
  auto [train, test] = datasets::digits();
  Sequential model({layers::Conv2D(8, {3, 3}, {.activation = "relu", .input_shape = {8, 8, 1}}), layers::MaxPooling2D({2, 2}), layers::Flatten(),
                    layers::Dense(10, {.activation = "softmax"})});
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.fit(train.x, train.y, {.epochs = 2, .verbose = 0, .callbacks = {callbacks::EarlyStopping({.monitor = "loss", .patience = 2}),
                                                                        callbacks::LambdaCallback({.on_epoch_end = [](int, Logs&) {}})},
                               .validation_data = ValidationData{test.x, test.y}});
  const double accuracy = model.evaluate(test.x, test.y, {.verbose = 0})["accuracy"];
  std::cout << "accuracy " << accuracy << '\n';
  return accuracy > 0.3 ? 0 : 1;
}
