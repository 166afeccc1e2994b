// The modules of a PyTorch state dict, and what each becomes in a layer of Glia.
#pragma once
#include <glia/layer.h>
#include <glia/pytorch.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace glia::io {

// Tensors that share a name up to the last dot: {"conv1", {weight, bias}}. A recurrent module gives one for each of its layers and
// directions: "lstm", "lstm.l0_reverse", "lstm.l1". Attention is one with the names in_q.weight ... out.bias besides its parts.
struct Module {
  std::string name;
  std::map<std::string, const Tensor*> tensors;
  const Tensor* at(const std::string& key) const {
    auto it = tensors.find(key);
    return it == tensors.end() ? nullptr : it->second;
  }
};

std::vector<Module> modules_of(const NamedTensors& tensors);

// New values of a layer's weights, in the layer's own layout.
struct Converted {
  std::vector<std::pair<Variable, Tensor>> values;
  std::set<const Tensor*> used;
};

bool has_rule(const Layer& layer);
// "" when the module fits the layer, else why not. `flattened`: the shape, channels last, of what the layer's input was before it
// was flattened; empty when it was not.
std::string convert(const Layer& layer, const Module& module, const Shape& flattened, Converted& to);

}  // namespace glia::io
