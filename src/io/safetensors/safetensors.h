// safetensors: 8-byte little-endian header length, JSON header {name: {dtype, shape, data_offsets}}, raw data.
// Format: https://github.com/huggingface/safetensors.
//
//   write_safetensors("model.safetensors", {{"dense/kernel", w}});
//   auto tensors = read_safetensors("model.safetensors");
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <glia/tensor.h>

namespace glia::io {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// Written beside the target, synced and renamed: the old file stays whole until the new one is.
void write_safetensors(const std::string& path, const NamedTensors& tensors);
NamedTensors read_safetensors(const std::string& path);  // in file order; throws Error with the offset for a bad file

}  // namespace glia::io
