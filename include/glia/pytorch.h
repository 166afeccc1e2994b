// Weights of PyTorch: what torch.save(model.state_dict(), path) wrote (.pt, .pth, .th, .bin), or safetensors with
// PyTorch's names.
//
//   NamedTensors t = read_pytorch("resnet20.th");               // {"module.conv1.weight", (16, 3, 3, 3)}, ...
//   load_pytorch_weights(model, "mnist.pt");                    // into a Glia model of the same layers
//   load_pytorch_weights(model, "bert.safetensors", {.prefix = "bert.", .map = {{"query",
//   "encoder.layer.0.attention.self.query"}}});
//
// No code of the file is run: the pickle inside may hold tensors, numbers, texts and plain containers; any other
// class or function is refused by its name.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <glia/load_options.h>
#include <glia/model.h>
#include <glia/tensor.h>

namespace glia {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;  // in the order of the file

// All tensors, named by the keys that lead to them, joined by dots. Both formats of torch.save (zip since
// PyTorch 1.6, and the one before). int16 is read as int32. Throws Error with the offset for a damaged file, a global
// that is not allowed, and dtypes that Glia lacks (complex, quantized).
NamedTensors read_pytorch(const std::string& path, const LoadOptions& options = {});

struct PyTorchWeightsOptions {
  std::string prefix = {};  // of the names to use; empty: "state_dict.", "module." and the like are found
  std::map<std::string, std::string>
      map;               // layer of the model (its name, or path "block/dense") -> module of the file
  bool partial = false;  // layers that the file lacks keep their weights, other modules are left out
  LoadOptions load = {};
};

// Finds the module of every layer that has weights: by `map` (a Bidirectional stands for both of its directions),
// else by name ('/' for '.'), else by kind and shape. Several modules of one shape are taken in the order of the
// file, which for torch.save is that of definition; in safetensors, which are sorted by name, that is an Error unless
// names or map decide.
//
// What is converted: Linear -> Dense (transposed; behind a Flatten of images the rows are reordered from channels
// first to channels last), Conv1d/2d/3d (OIHW -> HWIO), ConvTranspose, depthwise Conv, BatchNorm, LayerNorm,
// GroupNorm, RMSNorm, Embedding, PReLU, LSTM and GRU (gates reordered; GRU needs reset_after), RNN, each also in
// Bidirectional and with several layers, MultiheadAttention (packed, or as q_proj/k_proj/v_proj/out_proj,
// query/key/value/...), and Hugging Face's GPT-2: attn.c_attn with attn.c_proj, and Conv1D, whose weights are (in, out).
//
// Throws Error naming layer, module and shapes when something does not fit; the model is only changed when all of it
// does.
void load_pytorch_weights(Model& model, const std::string& path, const PyTorchWeightsOptions& options = {});

struct SavePyTorchOptions {
  std::map<std::string, std::string>
      map;               // layer of the model (its name, or path) -> module; else the path with dots
  bool partial = false;  // leave out layers that PyTorch has no module for
  std::string names = {};     // "gpt2", "bert": attention and linear layers as Hugging Face names and lays them out
};

// The weights in PyTorch's layout, under PyTorch's names, as a .safetensors file; the inverse of
// load_pytorch_weights. In Python: model.load_state_dict(safetensors.torch.load_file(path)).
void save_pytorch_weights(const Model& model, const std::string& path, const SavePyTorchOptions& options = {});

}  // namespace glia
