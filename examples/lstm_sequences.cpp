// The primer's second program: three stacked LSTMs classify sequences. Real data: Japanese Vowels, nine speakers told
// apart by 7 to 29 frames of twelve coefficients each; the padding is masked.
//   build/release/bin/lstm_sequences [epochs]
#include <glia/glia.h>

#include <cstdlib>
#include <iostream>
using namespace glia;

int main(int argc, char** argv) {
  auto [train, test] = datasets::japanese_vowels();
  int64_t timesteps = train.x.dim(1), input_dim = train.x.dim(2), output_dim = 9;

  Sequential model({
      layers::Masking({.mask_value = 0.0, .input_shape = {timesteps, input_dim}}),
      layers::LSTM(64, {.return_sequences = true}),
      layers::LSTM(64, {.return_sequences = true}),
      layers::LSTM(64),
      layers::Dense(output_dim, {.activation = "softmax"}),
  });
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.summary();
  model.fit(train.x, train.y, {.batch_size = 32, .epochs = argc > 1 ? std::atoi(argv[1]) : 40});
  auto scores = model.evaluate(test.x, test.y);
  std::cout << "Loss: " << scores["loss"] << "\nAccuracy: " << scores["accuracy"] << "\n";
}
