// safetensors: named tensors in one file, read through a memory mapping.
//
//   write_safetensors("model.safetensors", {{"dense/kernel", w}, {"dense/bias", b}});
//   for (auto& [name, t] : read_safetensors("model.safetensors")) std::cout << name << to_string(t.shape()) << '\n';
//
// Format: https://github.com/huggingface/safetensors. int16 and uint16 are read as int32, uint32 and uint64 as int64.
#pragma once
#include <map>
#include <string>

#include <glia/load_options.h>
#include <glia/pytorch.h>

namespace glia {

// In the order of the header. The tensors lie in the mapping: opening costs nothing, pages are read when they are
// touched, and what is written to a tensor never reaches the file. While they live the file must not be cut short by
// someone else (files that are replaced by renaming, as Glia writes them, are safe). Throws Error with the offset for
// a bad file.
NamedTensors read_safetensors(const std::string& path, const LoadOptions& options = {});
// Written beside, synced and renamed. `metadata` is kept in the header; Hugging Face wants {{"format", "pt"}}.
void write_safetensors(const std::string& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace glia
