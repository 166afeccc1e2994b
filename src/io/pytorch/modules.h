// The modules of a PyTorch state dict, and what each becomes in a layer of Glia.
#pragma once
#include <glia/layer.h>
#include <glia/pytorch.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace glia::io {

// Tensors that share a name up to the last dot: {"conv1", {weight, bias}}. A recurrent module gives one for each of
// its layers and directions: "lstm", "lstm.l0_reverse", "lstm.l1". Attention is one with the names in_q.weight ...
// out.bias besides its parts.
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

enum class Kind { none, dense, conv, depthwise, norm, embedding, lstm, gru, rnn, attention, prelu };
Kind kind_of(const Layer& layer);
// Calls the rule of a kind: dense(), conv(depthwise), norm(), embedding(), recurrent(PyTorch's gates in Keras's order),
// attention() or prelu(). False: there is none.
template <class Rules>
bool apply_rule(Kind kind, Rules& rules) {
  switch (kind) {
    case Kind::none: return false;
    case Kind::dense: return rules.dense(), true;
    case Kind::conv: return rules.conv(false), true;
    case Kind::depthwise: return rules.conv(true), true;
    case Kind::norm: return rules.norm(), true;
    case Kind::embedding: return rules.embedding(), true;
    case Kind::lstm: return rules.recurrent({0, 1, 2, 3}), true;
    case Kind::gru: return rules.recurrent({1, 0, 2}), true;  // PyTorch: reset, update, new; Keras: update, reset, new
    case Kind::rnn: return rules.recurrent({0}), true;
    case Kind::attention: return rules.attention(), true;
    case Kind::prelu: return rules.prelu(), true;
  }
  return false;
}
inline bool has_rule(const Layer& layer) { return kind_of(layer) != Kind::none; }
// The variable of a layer whose path ends so ("query/kernel"); undefined when it has none.
Variable variable_of(const Layer& layer, const std::string& end);
Tensor permuted(const Tensor& t, const std::vector<std::size_t>& axes);

// "" when the module fits the layer, else why not. `flattened`: the shape, channels last, of what the layer's input
// was before it was flattened; empty when it was not.
std::string convert(const Layer& layer, const Module& module, const Shape& flattened, Converted& to);

// The other way: the tensors of the layer's module, by the names that PyTorch gives them there ("weight",
// "weight_ih_l0", ...). Throws Error when PyTorch has no such module.
NamedTensors module_of(const Layer& layer, const std::string& path, const Shape& flattened);

}  // namespace glia::io
