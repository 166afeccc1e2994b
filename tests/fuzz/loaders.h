// The loaders that hostile_test.cpp and glia-fuzz try: one line each.
#pragma once
#include <glia/glia.h>
#include <glia/onnx.h>
#include <glia/saving.h>

#include "fuzz/by_hand.h"
#include "fuzz/harness.h"
#include "io/zip/zip.h"
#include "nn/weight_budget.h"

namespace glia::fuzz {

inline Bytes compat(const std::string& name) {
  return file_of(std::string(GLIA_SOURCE_DIR) + "/tests/compat/" + name);
}

// What a writer of this library makes.
template <class F>
Bytes written(const std::string& ending, F&& write) {
  std::string path =
      (std::filesystem::temp_directory_path() / ("glia_fuzz_seed_" + std::to_string(getpid()) + ending)).string();
  write(path);
  Bytes r = file_of(path);
  std::filesystem::remove(path);
  return r;
}
inline Model small_model() {
  Sequential m({layers::Dense(2, {.name = "d", .input_shape = {3}})});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  return m;
}
inline Model mixed_model() {  // many kinds of configuration
  Value in = Input({8, 4}), x = layers::Conv1D(4, {3}, {.padding = "causal", .kernel_regularizer = "l2"})(in);
  x = layers::Bidirectional(layers::LSTM(3, {.return_sequences = true}))(layers::BatchNormalization()(x));
  x = layers::Add()({x, layers::MultiHeadAttention(2, 3)({x, x})});
  x = layers::Dropout(0.5, {.seed = 3})(layers::Flatten()(layers::Permute({2, 1})(layers::MaxPooling1D({2})(x))));
  return Model(
      {in}, {layers::Dense(2, {.activation = "softmax", .kernel_constraint = "max_norm"})(layers::Reshape({-1})(x))});
}
inline std::map<std::string, Tensor> two_arrays() {
  return {{"a", Tensor::full({2, 3}, 1.5)}, {"b", Tensor::full({4}, 3, DType::i64)}};
}

// A branching model with every kind of thing a configuration holds.
inline Model keras_model() {
  Value a = Input({6, 4}, {.name = "a"}), b = Input({3}, {.name = "b"});
  Value x = layers::Bidirectional(layers::LSTM(2))(a),
        y = layers::Dense(4, {.activation = "relu", .kernel_regularizer = "l2"})(b * 2.0);
  Model m({a, b}, {layers::Dense(2, {.name = "out"})(layers::Add()({x, y}))});
  m.compile({.optimizer = optimizers::SGD({.learning_rate = optimizers::schedules::ExponentialDecay()}),
             .loss = "mse",
             .metrics = {"mae"}});
  return m;
}
inline const Bytes& keras_seed() {
  static const Bytes seed = written(".keras", [](auto& p) { keras_model().save(p); });
  return seed;
}
inline Bytes keras_member(const std::string& name) {
  Bytes text, seed = keras_seed();
  written(".keras", [&](auto& p) {
    std::ofstream(p, std::ios::binary) << seed;
    text = io::ZipReader(p).read_text(name);
  });
  return text;
}
inline Bytes keras_config() {
  static const Bytes text = keras_member("config.json");
  return text;
}
inline void keras_with_config(const Bytes& config, const std::string& path) {
  static const Bytes weights = keras_member("model.weights.h5");
  io::ZipWriter out(path);
  out.add_copy("config.json", config);
  out.add_copy("model.weights.h5", weights);
  out.commit();
}
// Sizes without numbers behind them, connections that lead nowhere or in a circle, nesting without end, code.
inline NamedBytes keras_config_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto with = [&](const char* name, const Bytes& what, const Bytes& to) {
    Bytes s = replaced(valid, what, to);
    if (s != valid) r.emplace_back(name, s);
  };
  with("units_huge", "\"units\":4", "\"units\":4000000000");
  with("units_overflow", "\"units\":4", "\"units\":9223372036854775807");
  with("units_negative", "\"units\":4", "\"units\":-4");
  with("units_text", "\"units\":4", "\"units\":\"four\"");
  with("steps_huge", "[null,6,4]", "[null,6,4000000000000]");
  with("shape_negative", "[null,3]", "[null,-3]");
  with("shape_text", "[null,3]", "\"wide\"");
  with("unknown_class", "\"Bidirectional\"", "\"Tridirectional\"");
  with("unknown_key", "\"merge_mode\"", "\"merge_mood\"");
  with("unknown_layer", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"c\",0,0]");
  with("unknown_call", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",7,0]");
  with("unknown_output", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",0,99]");
  with("negative_output", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",0,-1]");
  with("circle", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"out\",0,0]");
  with("history_object", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":{}");
  with("output_nowhere", "\"output_layers\":[\"out\",0,0]", "\"output_layers\":[\"in\",0,0]");
  with("no_outputs", "\"output_layers\":[\"out\",0,0]", "\"output_layers\":[]");
  with("lambda", "\"activation\":\"relu\"",
       "\"activation\":{\"class_name\":\"__lambda__\",\"config\":{\"value\":\"4wEAAA==\"}}");
  with("unknown_activation", "\"activation\":\"relu\"", "\"activation\":\"rely\"");
  with("unknown_op", "\"class_name\":\"Multiply\"", "\"class_name\":\"Multiplex\"");
  with("slash_in_name", "\"name\":\"out\"", "\"name\":\"../out\"");
  with("optimizer_unknown", "\"class_name\":\"SGD\"", "\"class_name\":\"SGX\"");
  with("no_config", "\"config\":", "\"confid\":");
  r.emplace_back("empty", "");
  r.emplace_back("a_list", "[]");
  r.emplace_back("nested_lists", Bytes(100000, '[') + Bytes(100000, ']'));
  Bytes deep;
  for (int i = 0; i < 3000; ++i) deep += "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[";
  r.emplace_back("nested_models", deep);
  return r;
}

inline const std::vector<Loader>& loaders() {
  static const std::vector<Loader> all = {
      {"npy", ".npy", [] { return compat("npz/plain.npy"); }, [](const std::string& p) { read_npy(p); }, npy_by_hand},
      {"npz", ".npz", [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays()); }); },
       [](const std::string& p) { read_npz(p); }, npz_by_hand},
      {"npz_deflated", ".npz",
       [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays(), {.compress = true}); }); },
       [](const std::string& p) { read_npz(p); }, zip_by_hand},
      {"safetensors", ".safetensors",
       [] {
         return written(".safetensors", [](auto& p) {
           write_safetensors(p, {{"a", Tensor::full({2, 3}, 1)}, {"b", Tensor::full({40}, 2)}});
         });
       },
       [](const std::string& p) { read_safetensors(p); }, safetensors_by_hand},
      {"pytorch", ".pt", [] { return compat("pytorch/tiny.pt"); }, [](const std::string& p) { read_pytorch(p); },
       pytorch_zip_by_hand},
      {"pytorch_legacy", ".pt", [] { return compat("pytorch/tiny_legacy.pt"); },
       [](const std::string& p) { read_pytorch(p); }, legacy_by_hand},
      {"glia", ".glia", [] { return written(".glia", [](auto& p) { save_checkpoint(small_model(), p); }); },
       [model = small_model()](const std::string& p) mutable { load_checkpoint(model, p); }, glia_by_hand},
      {"glia_model", ".glia", [] { return written(".glia", [](auto& p) { save_checkpoint(small_model(), p); }); },
       [](const std::string& p) { models::load_model(p); }, glia_model_by_hand},
      {"model_json", ".json", [] { return models::to_json(mixed_model()); },
       [](const std::string& p) {
         WeightBudget budget(1 << 20, p);  // as the readers of whole models set it
         models::model_from_json(file_of(p));
       },
       nullptr},
      {"keras", ".keras", [] { return written(".keras", [](auto& p) { small_model().save(p); }); },
       [](const std::string& p) { models::load_model(p); }, zip_by_hand},
      // The checksum of the archive hides what is inside: the configuration is damaged and packed anew.
      {"keras_config", ".json", [] { return keras_config(); },
       [](const std::string& p) {
         const std::string to = p + ".keras";
         keras_with_config(file_of(p), to);
         models::load_model(to);
       },
       keras_config_by_hand, true},
      {"keras_h5", ".h5", [] { return written(".h5", [](auto& p) { small_model().save(p); }); },
       [](const std::string& p) { models::load_model(p, {.untrusted = true}); }, nullptr, false,
       8},  // a process for each
      {"onnx", ".onnx",
       [] { return onnx::available() ? written(".onnx", [](auto& p) { onnx::save(small_model(), p); }) : Bytes(); },
       [](const std::string& p) { onnx::load(p, {.batch = onnx::Batch::as_declared}); }, nullptr, true},
  };
  return all;
}

}  // namespace glia::fuzz
