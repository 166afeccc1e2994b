// The loaders that hostile_test.cpp and glia-fuzz try: one line each.
#pragma once
#include <glia/glia.h>
#include <glia/image.h>
#include <glia/onnx.h>
#include <glia/readers.h>
#include <glia/saving.h>
#include <glia/transformers.h>

#include "data/tar.h"
#include "fuzz/by_hand.h"
#include "fuzz/by_hand_data.h"
#include "fuzz/by_hand_foreign.h"
#include "fuzz/by_hand_keras.h"
#include "fuzz/by_hand_onnx.h"
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
// A member of a .keras file of tests/compat/keras.
inline Bytes compat_member(const std::string& file, const std::string& name) {
  return io::hdf5::available() ? Bytes(io::ZipReader(std::string(GLIA_SOURCE_DIR) + "/tests/compat/keras/" + file).read_text(name)) : Bytes();
}
inline void keras_of(const Bytes& config, const Bytes& weights, const std::string& path) {
  io::ZipWriter out(path);
  out.add_copy("config.json", config);
  out.add_copy("model.weights.h5", weights);
  out.commit();
}
inline Bytes keras_config() {
  static const Bytes text = keras_member("config.json");
  return text;
}
inline void keras_with_config(const Bytes& config, const std::string& path) {
  static const Bytes weights = keras_member("model.weights.h5");
  keras_of(config, weights, path);
}

inline Bytes weights_shard() {  // what save_weights(".weights.json") writes beside its index
  return io::hdf5::available() ? written(".weights.h5", [](auto& p) { small_model().save_weights(p); }) : Bytes();
}
inline void put_beside(const std::string& path, const std::string& name, const Bytes& bytes) {
  const auto beside = std::filesystem::path(path).parent_path() / name;
  if (!std::filesystem::exists(beside)) std::ofstream(beside, std::ios::binary) << bytes;
}
// What a file says is not checked before it is run: an index out of range, for one.
inline void load_and_run_onnx(const std::string& path) {
  Model m = onnx::load(path, {.batch = onnx::Batch::as_declared});
  std::vector<Tensor> inputs;
  int64_t size = 0;
  for (Shape s : m.input_shapes()) {
    for (int64_t& d : s) d = d < 0 ? 2 : d;
    if ((size += num_elements(s)) > 10000) return;
    inputs.push_back(Tensor::zeros(s));
  }
  onnx::run(m, inputs, uint64_t{32} << 20);
}
inline Tensor picture(int64_t side) {
  Tensor t({side, side, 3}, DType::u8);
  for (int64_t i = 0; i < t.size(); ++i) t.data<uint8_t>()[i] = static_cast<uint8_t>(i * 37 % 251);
  return t;
}

inline std::vector<Loader> model_loaders() {
  return {
      {"npy", ".npy", [] { return compat("npz/plain.npy"); }, [](const std::string& p) { read_npy(p); }, npy_by_hand},
      {"npz", ".npz", [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays()); }); },
       [](const std::string& p) { read_npz(p); }, npz_by_hand},
      {"npz_deflated", ".npz",
       [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays(), {.compress = true}); }); },
       [](const std::string& p) { read_npz(p); }, npz_by_hand},
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
       model_json_by_hand},
      {"keras", ".keras", [] { return written(".keras", [](auto& p) { small_model().save(p); }); },
       [](const std::string& p) { models::load_model(p); }, keras_by_hand},
      // The checksum of the archive hides what is inside: the configuration is damaged and packed anew.
      {"keras_config", ".json", [] { return keras_config(); },
       [](const std::string& p) {
         const std::string to = p + ".keras";
         keras_with_config(file_of(p), to);
         models::load_model(to);
       },
       keras_config_by_hand, true},
      {"keras_h5", ".h5", [] { return written(".h5", [](auto& p) { small_model().save(p); }); },
       [](const std::string& p) { models::load_model(p, {.untrusted = true}); }, keras_h5_by_hand, false,
       8},  // a process for each
      {"weights_h5", ".weights.h5", [] { return written(".weights.h5", [](auto& p) { small_model().save_weights(p); }); },
       [model = small_model()](const std::string& p) mutable { model.load_weights(p, {.untrusted = true}); },
       weights_h5_by_hand, false, 8},
      {"weights_json", ".weights.json", [] {
         return io::hdf5::available() ? R"({"metadata": {"total_size": 32.0}, "weight_map": {"/layers/dense/vars": ["weights_00000.weights.h5"]}})"s
                                      : Bytes();
       },
       [model = small_model(), shard = weights_shard()](const std::string& p) mutable {
         put_beside(p, "weights_00000.weights.h5", shard);
         model.load_weights(p);
       },
       weights_json_by_hand},
      {"onnx", ".onnx",
       [] { return onnx::available() ? written(".onnx", [](auto& p) { onnx::save(small_model(), p); }) : Bytes(); },
       load_and_run_onnx, onnx_by_hand, true},
  };
}

// A folder of transformers in which one file is given.
inline void load_transformer(const std::string& given, const std::string& name, const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path from = fs::path(GLIA_SOURCE_DIR) / "tests/compat/pytorch/hf" / folder, to = given + ".folder";
  fs::create_directories(to);
  for (const auto& e : fs::directory_iterator(from))
    if (e.path().extension() != ".npz" && e.path().filename() != name && !fs::exists(to / e.path().filename()))
      fs::copy_file(e.path(), to / e.path().filename());
  fs::copy_file(given, to / name, fs::copy_options::overwrite_existing);
  transformers::load(to.string());
}
// A Keras file with another configuration round its own weights.
inline Loader keras_configured(const std::string& name, const std::string& file) {
  return {name, ".json", [=] { return compat_member(file, "config.json"); },
          [weights = Bytes(), file](const std::string& p) mutable {
            if (weights.empty()) weights = compat_member(file, "model.weights.h5");
            keras_of(file_of(p), weights, p + ".keras");
            models::load_model(p + ".keras");
          },
          [](const Bytes& valid) { return json_values_changed(valid); }, true};
}
inline Loader onnx_file(const std::string& name, const std::string& folder, std::function<NamedBytes(const Bytes&)> by_hand) {
  return {name, ".onnx", [=] { return onnx::available() ? compat("onnx/" + folder + "/model.onnx") : Bytes(); }, load_and_run_onnx, by_hand, true};
}
// What other programs wrote.
inline std::vector<Loader> foreign_loaders() {
  return {
      {"npz_strings", ".npz", [] { return compat("npz/strings.npz"); }, [](const std::string& p) { read_npz_arrays(p); }, npz_strings_by_hand},
      {"transformers", ".json", [] { return compat("pytorch/hf/gpt2/config.json"); },
       [](const std::string& p) { load_transformer(p, "config.json", "gpt2"); }, transformers_config_by_hand, true},
      {"transformers_bert", ".json", [] { return compat("pytorch/hf/bert/config.json"); },
       [](const std::string& p) { load_transformer(p, "config.json", "bert"); }, [](const Bytes& valid) { return json_values_changed(valid); }, true},
      {"transformers_weights", ".safetensors", [] { return compat("pytorch/hf/gpt2/model.safetensors"); },
       [](const std::string& p) { load_transformer(p, "model.safetensors", "gpt2"); }, safetensors_by_hand},
      {"transformers_index", ".json", [] { return compat("pytorch/hf/gpt2_hidden/model.safetensors.index.json"); },
       [](const std::string& p) { load_transformer(p, "model.safetensors.index.json", "gpt2_hidden"); }, shard_index_by_hand, true},
      keras_configured("tf_keras", "tf_keras_nested.keras"),
      keras_configured("keras_int8", "quantized_int8.keras"),
      {"keras2_h5", ".h5", [] { return io::hdf5::available() ? compat("keras/legacy_h5_rnn.h5") : Bytes(); },
       [](const std::string& p) { models::load_model(p, {.untrusted = true}); }, keras2_h5_by_hand, false, 8},
      onnx_file("onnx_sequences", "control_sequences", onnx_sequences_by_hand),
      onnx_file("onnx_trees", "ml_forest", onnx_trees_by_hand),
      onnx_file("onnx_quantised", "quant_lstm_operators", onnx_quantised_by_hand),
  };
}

// Files of data rather than of models.
inline std::vector<Loader> data_loaders() {
  auto image = [](const char* ending, int64_t side) {
    return written(ending, [&](auto& p) { utils::save_img(p, picture(side)); });
  };
  const auto load_image = [](const std::string& p) { utils::load_img(p); };
  return {
      {"idx", ".idx", [] { return "\0\0\x0d\2\0\0\0\3\0\0\0\4"s + Bytes(48, '?'); }, [](const std::string& p) { read_idx(p); },
       idx_by_hand},
      {"csv", ".csv", [] { return "name,x,y\n1,1.5,2\n\"7\",-3e4,4\n3,?,\"5\"\n"s; },
       [](const std::string& p) {
         CsvTable t = read_csv(p);
         t.drop_missing();
         t.labels(t.columns().at(0));
         t.floats();
       },
       csv_by_hand, true},
      {"ts", ".ts", [] { return "# c\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n1,2,3:4,5,6:a\n7,?:9,1e3:b\n"s; },
       [](const std::string& p) { read_ts(p); }, ts_by_hand, true},
      {"tar", ".tar", [] { return tar_of("a.txt", "hello") + Bytes(1024, '\0'); },
       [](const std::string& p) { data::for_each_tar_member(p, [](const std::string&, std::vector<uint8_t>) {}); }, tar_by_hand, true},
      {"png", ".png", [=] { return utils::images_available() ? image(".png", 6) : Bytes(); }, load_image, png_by_hand},
      {"jpeg", ".jpg", [=] { return utils::images_available() ? image(".jpg", 16) : Bytes(); },
       [=](const std::string& p) {
         load_image(p);
       },
       [](const Bytes& valid) {
         NamedBytes r = jpeg_by_hand(valid);
         r.emplace_back("a thousand scans", jpeg_scan_bomb(1000, 4096));
         r.emplace_back("? ninety scans", jpeg_scan_bomb(90, 512));
         return r;
       }},
      {"bmp", ".bmp", [=] { return image(".bmp", 6); }, load_image, bmp_by_hand},
  };
}

inline const std::vector<Loader>& loaders() {
  static const std::vector<Loader> all = [] {
    std::vector<Loader> r = model_loaders();
    for (Loader& l : foreign_loaders()) r.push_back(std::move(l));
    for (Loader& l : data_loaders()) r.push_back(std::move(l));
    return r;
  }();
  return all;
}

}  // namespace glia::fuzz
