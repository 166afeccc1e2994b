// The loaders that hostile_test.cpp and glia-fuzz try: one line each.
#pragma once
#include <glia/glia.h>
#include <glia/onnx.h>
#include <glia/saving.h>

#include "fuzz/by_hand.h"
#include "fuzz/harness.h"

namespace glia::fuzz {

inline Bytes compat(const std::string& name) { return file_of(std::string(GLIA_SOURCE_DIR) + "/tests/compat/" + name); }

// What a writer of this library makes.
template <class F>
Bytes written(const std::string& ending, F&& write) {
  std::string path = (std::filesystem::temp_directory_path() / ("glia_fuzz_seed_" + std::to_string(getpid()) + ending)).string();
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
inline std::map<std::string, Tensor> two_arrays() { return {{"a", Tensor::full({2, 3}, 1.5)}, {"b", Tensor::full({4}, 3, DType::i64)}}; }

inline const std::vector<Loader>& loaders() {
  static const std::vector<Loader> all = {
      {"npy", ".npy", [] { return compat("npz/plain.npy"); }, [](const std::string& p) { read_npy(p); }, npy_by_hand},
      {"npz", ".npz", [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays()); }); }, [](const std::string& p) { read_npz(p); }, npz_by_hand},
      {"npz_deflated", ".npz", [] { return written(".npz", [](auto& p) { write_npz(p, two_arrays(), {.compress = true}); }); }, [](const std::string& p) { read_npz(p); }, zip_by_hand},
      {"safetensors", ".safetensors", [] { return written(".safetensors", [](auto& p) { write_safetensors(p, {{"a", Tensor::full({2, 3}, 1)}, {"b", Tensor::full({40}, 2)}}); }); },
       [](const std::string& p) { read_safetensors(p); }, safetensors_by_hand},
      {"pytorch", ".pt", [] { return compat("pytorch/tiny.pt"); }, [](const std::string& p) { read_pytorch(p); }, pytorch_zip_by_hand},
      {"pytorch_legacy", ".pt", [] { return compat("pytorch/tiny_legacy.pt"); }, [](const std::string& p) { read_pytorch(p); }, legacy_by_hand},
      {"glia", ".glia", [] { return written(".glia", [](auto& p) { save_checkpoint(small_model(), p); }); },
       [model = small_model()](const std::string& p) mutable { load_checkpoint(model, p); }, glia_by_hand},
      {"keras", ".keras", [] { return written(".keras", [](auto& p) { small_model().save(p); }); }, [](const std::string& p) { models::load_model(p); }, zip_by_hand},
      {"onnx", ".onnx", [] { return onnx::available() ? written(".onnx", [](auto& p) { onnx::save(small_model(), p); }) : Bytes(); },
       [](const std::string& p) { onnx::load(p, {.batch = onnx::Batch::as_declared}); }, nullptr, true},
  };
  return all;
}

}  // namespace glia::fuzz
