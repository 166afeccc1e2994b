#include "io/pytorch/hf_names.h"

#include <set>

#include "base/error.h"
#include "io/pytorch/modules.h"

namespace glia::io {
namespace {

std::string parent_of(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}
std::string last_of(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}
std::string below(const std::string& parent, const std::string& name) { return parent.empty() ? name : parent + "." + name; }
Tensor transposed(const Tensor& t) { return t.rank() == 2 ? permuted(t, {1, 0}) : t; }

}  // namespace

NamedTensors plain_names(const NamedTensors& tensors) {
  std::set<std::string> packed;  // modules with a c_attn of three equal parts
  bool conv1d = false;
  for (auto& [name, t] : tensors) {
    const std::string module = parent_of(name);
    if (last_of(name) != "weight" || last_of(module) != "c_attn" || t.rank() != 2) continue;
    if (t.dim(1) == 3 * t.dim(0)) conv1d = true;
    else if (t.dim(0) != 3 * t.dim(1)) continue;
    packed.insert(parent_of(module));
  }
  NamedTensors r;
  for (auto& [name, t] : tensors) {
    const std::string module = parent_of(name), leaf = last_of(name), kind = last_of(module), parent = parent_of(module);
    const bool is_layout = conv1d && leaf == "weight" && (kind == "c_attn" || kind == "c_proj" || kind == "c_fc");
    if (packed.count(module) && ((leaf == "bias" && t.rank() == 4) || leaf == "masked_bias")) continue;  // the causal mask
    std::string to = name;
    if (packed.count(parent) && kind == "c_attn") to = below(parent, "in_proj_" + leaf);
    else if (packed.count(parent) && kind == "c_proj") to = below(parent, "out_proj." + leaf);
    else if (kind == "LayerNorm" && (leaf == "gamma" || leaf == "beta")) to = module + (leaf == "gamma" ? ".weight" : ".bias");
    r.emplace_back(to, is_layout ? transposed(t) : t);
  }
  return r;
}

NamedTensors hf_names(const std::string& style, const std::string& module, bool dense, const NamedTensors& tensors) {
  NamedTensors r;
  const bool conv1d = style == "gpt2" && last_of(module).starts_with("c_");
  for (auto& [name, t] : tensors) {
    const bool in = name.starts_with("in_proj_"), out = name.starts_with("out_proj.");
    if (in && style == "bert") {
      static const char* kParts[] = {"self.query.", "self.key.", "self.value."};
      const int64_t n = t.dim(0) / 3;
      for (int64_t i = 0; i < 3; ++i) r.emplace_back(kParts[i] + name.substr(8), t.slice(i * n, (i + 1) * n));
    } else if (in || out) {
      const std::string leaf = name.substr(in ? 8 : 9);
      if (style == "bert") r.emplace_back("output.dense." + leaf, t);
      else r.emplace_back((in ? "c_attn." : "c_proj.") + leaf, transposed(t));
    } else {
      r.emplace_back(name, dense && conv1d && name == "weight" ? transposed(t) : t);
    }
  }
  return r;
}

}  // namespace glia::io
