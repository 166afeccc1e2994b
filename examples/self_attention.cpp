// The primer's third program: an LSTM whose states attend to the inputs. Real data: the next character of Shakespeare;
// each step's input is a fixed random vector per character, of the LSTM's width, as Attention asks of queries and values.
//   build/release/bin/self_attention [epochs]
#include <glia/glia.h>

#include <cstdlib>
#include <iostream>
using namespace glia;

int main(int argc, char** argv) {
  std::string text = datasets::tiny_shakespeare().substr(0, 200000);
  CharVocabulary vocabulary(text);
  const int64_t timesteps = 50, input_dim = 64, output_dim = vocabulary.size();
  const int64_t samples = static_cast<int64_t>(text.size()) / timesteps - 1;

  Tensor codes = (*initializers::RandomNormal({.stddev = 1.0, .seed = 7}))({output_dim, input_dim}, DType::f32);
  Tensor x({samples, timesteps, input_dim}), y({samples, timesteps}, DType::i32);
  for (int64_t i = 0; i < samples * timesteps; ++i) {
    int64_t now = vocabulary.id(text[i]);
    std::copy_n(codes.data<float>() + now * input_dim, input_dim, x.data<float>() + i * input_dim);
    y.data<int32_t>()[i] = static_cast<int32_t>(vocabulary.id(text[i + 1]));
  }

  Value inputs = Input({timesteps, input_dim});
  Value lstm = layers::LSTM(64, {.return_sequences = true})(inputs);
  Value attention = layers::Attention()({lstm, inputs});
  Value outputs = layers::Dense(output_dim, {.activation = "softmax"})(attention);
  Model model({inputs}, {outputs});
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.summary();
  model.fit(x, y, {.batch_size = 32, .epochs = argc > 1 ? std::atoi(argv[1]) : 10, .validation_split = 0.1});
  auto scores = model.evaluate(x, y);
  std::cout << "Loss: " << scores["loss"] << "\nAccuracy: " << scores["accuracy"] << "\n";
}
