// load_pytorch_weights: which module belongs to which layer.
#include <glia/pytorch.h>
#include <glia/safetensors.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.h"
#include "io/file/path_name.h"
#include "io/pytorch/modules.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia {
namespace io {
namespace {

struct Leaf {
  LayerRef layer;
  std::string path;
  Shape flattened;
};

// Layers that change neither the number nor the order of features.
bool keeps_features(const std::string& c) {
  return c == "Dropout" || c == "Activation" || c == "ReLU" || c == "LeakyReLU" || c == "ELU" || c == "BatchNormalization" || c == "LayerNormalization" ||
         c == "GaussianNoise" || c == "GaussianDropout" || c == "AlphaDropout" || c == "Identity" || c == "PReLU" || c == "Softmax";
}
bool is_image(const Shape& s) { return s.size() >= 3; }  // (batch, spatial..., channels)

// What a layer's output is the flattened form of, given that of its input and the shape of its input.
Shape flattened_by(const Layer& layer, const Shape& before, const Shape& input, bool permuted) {
  std::string c = layer.class_name();
  if (c == "Flatten" && is_image(input) && !permuted) return Shape(input.begin() + 1, input.end());
  return keeps_features(c) ? before : Shape();
}

class Collector {
 public:
  explicit Collector(bool partial) : partial_(partial) {}
  std::vector<Leaf> leaves;

  void add(const LayerRef& layer, const std::string& path, const Shape& flattened) {
    std::string here = path.empty() ? layer->name() : path + "/" + layer->name();
    if (has_rule(*layer)) {
      for (const Leaf& l : leaves)
        if (l.layer.ptr() == layer.ptr()) return;  // shared
      leaves.push_back({layer, here, flattened});
    } else if (auto* s = dynamic_cast<const SequentialLayer*>(layer.ptr().get())) {
      sequential(*s, here, flattened);
    } else if (auto* f = dynamic_cast<const FunctionalLayer*>(layer.ptr().get())) {
      functional(*f, here);
    } else {
      GLIA_CHECK(layer->own_variables().empty() || partial_, "load_pytorch_weights: there is no rule for the layer {} ({}). Set .partial = true to leave it as it is.",
                 here, layer->class_name());
      for (const LayerRef& inner : layer->sublayers()) add(inner, here, {});
    }
  }
  void root(const LayerRef& layer) {  // without its own name in the paths
    if (auto* s = dynamic_cast<const SequentialLayer*>(layer.ptr().get())) sequential(*s, "", {});
    else if (auto* f = dynamic_cast<const FunctionalLayer*>(layer.ptr().get())) functional(*f, "");
    else if (has_rule(*layer)) add(layer, "", {});
    else
      for (const LayerRef& inner : layer->sublayers()) add(inner, "", {});
  }

 private:
  void sequential(const SequentialLayer& s, const std::string& path, Shape flat) {
    Shape input = s.input_shape();
    bool permuted = false;
    for (std::size_t i = 0; i < s.layers().size(); ++i) {
      const LayerRef& l = s.layers()[i];
      add(l, path, flat);
      flat = flattened_by(*l, flat, input, permuted);
      permuted = l->class_name() == "Permute";
      input = i < s.output_shapes().size() && !s.output_shapes()[i].empty() ? s.output_shapes()[i][0] : Shape();
    }
  }
  void functional(const FunctionalLayer& f, const std::string& path) {
    const ir::Graph& g = f.graph();
    std::map<int, LayerRef> layer_of;
    for (auto& item : f.items())
      if (item.layer) layer_of[item.node] = item.layer;
    std::vector<Shape> flat(g.nodes.size());
    for (std::size_t n = 0; n < g.nodes.size(); ++n) {  // in topological order
      const ir::Node& node = g.nodes[n];
      auto it = layer_of.find(static_cast<int>(n));
      if (node.inputs.empty()) continue;
      ir::Ref in = node.inputs[0];
      auto from = layer_of.find(in.node);
      bool permuted = from != layer_of.end() && from->second->class_name() == "Permute";
      if (it != layer_of.end()) flat[n] = flattened_by(*it->second, flat[in.node], g.type(in).shape, permuted);
      else if (!node.types.empty() && node.types[0].shape == g.type(in).shape) flat[n] = flat[in.node];  // an elementwise op
      if (it != layer_of.end()) input_flat_[it->second.ptr().get()] = flat[in.node];
    }
    for (const LayerRef& l : f.layers()) add(l, path, input_flat_.count(l.ptr().get()) ? input_flat_[l.ptr().get()] : Shape());
  }

  bool partial_;
  std::map<const Layer*, Shape> input_flat_;
};

// The names below a prefix, without it. No prefix given: the wrappers that training scripts put round a model are taken off.
NamedTensors below_prefix(const NamedTensors& all, std::string prefix, const std::string& path) {
  NamedTensors r = all;
  auto strip = [&](const std::string& p) {
    NamedTensors inner;
    for (auto& [name, t] : r)
      if (name.starts_with(p)) inner.emplace_back(name.substr(p.size()), t);
    if (inner.empty()) return false;
    r = std::move(inner);
    return true;
  };
  if (!prefix.empty()) {
    GLIA_CHECK(strip(prefix), "{}: no tensor's name begins with '{}'. The first is '{}'.", path, prefix, all.empty() ? "(none)" : printable(all[0].first));
    return r;
  }
  for (const char* wrapper : {"state_dict.", "model_state_dict."})
    if (strip(wrapper)) break;
  for (const char* wrapper : {"module.", "_orig_mod."}) {
    bool all_have = !r.empty() && std::all_of(r.begin(), r.end(), [&](auto& t) { return t.first.starts_with(wrapper); });
    if (all_have) strip(wrapper);
  }
  return r;
}

std::string without_digits(const std::string& s) {
  std::string r;
  for (char c : s) {
    if (c < '0' || c > '9') r += c;
    else if (r.empty() || r.back() != '#') r += '#';
  }
  return r;
}

// "layer10" behind "layer9".
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      std::size_t p = i, q = j;
      while (i < a.size() && digit(a[i])) ++i;
      while (j < b.size() && digit(b[j])) ++j;
      std::string x = a.substr(p, i - p), y = b.substr(q, j - q);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

class Matcher {
 public:
  Matcher(std::string where, std::vector<Module> modules, bool ordered) : where_(std::move(where)), modules_(std::move(modules)), ordered_(ordered), taken_(modules_.size(), false) {
    if (!ordered_) std::stable_sort(modules_.begin(), modules_.end(), [](auto& a, auto& b) { return natural_less(a.name, b.name); });
  }

  void match(const std::vector<Leaf>& leaves, const PyTorchWeightsOptions& o) {
    std::vector<const Leaf*> rest;
    for (auto& [layer, module] : o.map) {
      bool known = std::any_of(leaves.begin(), leaves.end(), [&, &l = layer](auto& leaf) { return leaf.path == l || leaf.layer->name() == l; });
      GLIA_CHECK(known, "{}: the map names the layer '{}'.{}", where_, layer, did_you_mean(layer, names(leaves)));
    }
    for (const Leaf& leaf : leaves)
      if (!by_map(leaf, o.map)) rest.push_back(&leaf);
    std::erase_if(rest, [&](const Leaf* leaf) { return by_name(*leaf); });
    for (const Leaf* leaf : rest) by_shape(*leaf, o.partial);
  }
  // Tensors of numbers that no layer took.
  std::string unused() const {
    std::string r;
    int count = 0;
    for (const Module& m : modules_)
      for (auto& [leaf, t] : m.tensors)
        if (is_float(t->dtype()) && !found.used.count(t) && ++count <= 8) r += fmt::format("{}'{}.{}' {}", r.empty() ? "" : ", ", m.name, leaf, to_string(t->shape()));
    return count > 8 ? r + ", ..." : r;
  }
  Converted found;

 private:
  static std::vector<std::string> names(const std::vector<Leaf>& leaves) {
    std::vector<std::string> r;
    for (auto& l : leaves) r.push_back(l.path);
    return r;
  }
  void take(std::size_t i, Converted c) {
    taken_[i] = true;
    found.values.insert(found.values.end(), c.values.begin(), c.values.end());
    found.used.insert(c.used.begin(), c.used.end());
  }
  bool by_map(const Leaf& leaf, const std::map<std::string, std::string>& map) {
    auto it = map.find(leaf.path);
    if (it == map.end()) it = map.find(leaf.layer->name());
    if (it == map.end()) return false;
    std::vector<std::string> known;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      known.push_back(modules_[i].name);
      if (modules_[i].name != it->second) continue;
      Converted c;
      std::string why = convert(*leaf.layer, modules_[i], leaf.flattened, c);
      GLIA_CHECK(why.empty(), "{}: the module '{}' does not fit the layer {} ({}): {}.", where_, modules_[i].name, leaf.path, leaf.layer->class_name(), why);
      take(i, std::move(c));
      return true;
    }
    throw_error("{}: the file has no module '{}' (for the layer {}).{}", where_, it->second, leaf.path, did_you_mean(it->second, known));
  }
  bool by_name(const Leaf& leaf) {
    std::string dotted = leaf.path;
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      if (taken_[i] || (modules_[i].name != dotted && modules_[i].name != leaf.layer->name())) continue;
      Converted c;
      if (!convert(*leaf.layer, modules_[i], leaf.flattened, c).empty()) continue;
      take(i, std::move(c));
      return true;
    }
    return false;
  }
  void by_shape(const Leaf& leaf, bool partial) {
    std::vector<std::pair<std::size_t, Converted>> fits;
    std::string reasons;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      if (taken_[i] || (ordered_ && !fits.empty())) continue;
      Converted c;
      std::string why = convert(*leaf.layer, modules_[i], leaf.flattened, c);
      bool used = std::any_of(c.used.begin(), c.used.end(), [&](const Tensor* t) { return found.used.count(t) > 0; });
      if (why.empty() && !used) fits.emplace_back(i, std::move(c));
      else if (reasons.size() < 600) reasons += fmt::format("\n  {}: {}", printable(modules_[i].name), why.empty() ? "is used already" : why);
    }
    if (fits.empty() && partial) return;
    GLIA_CHECK(!fits.empty(), "{}: no module fits the layer {} ({}). Name one in .map, or set .partial = true to leave the layer as it is.{}", where_, leaf.path,
               leaf.layer->class_name(), reasons);
    if (!ordered_ && fits.size() > 1) {
      std::string list;
      bool alike = true;
      for (auto& [i, c] : fits) {
        list += (list.empty() ? "'" : "', '") + modules_[i].name;
        alike &= without_digits(modules_[i].name) == without_digits(modules_[fits[0].first].name);
      }
      GLIA_CHECK(alike, "{}: {} modules fit the layer {} ({}): {}'. This format does not keep their order; say which in .map.", where_, fits.size(), leaf.path,
                 leaf.layer->class_name(), list);
    }
    take(fits[0].first, std::move(fits[0].second));
  }

  std::string where_;
  std::vector<Module> modules_;
  bool ordered_;
  std::vector<bool> taken_;
};

bool has_channels_first(const LayerRef& layer) {
  if (get_config(*layer).find("\"channels_first\"") != std::string::npos) return true;
  for (const LayerRef& inner : layer->sublayers())
    if (has_channels_first(inner)) return true;
  return false;
}

}  // namespace
}  // namespace io

void load_pytorch_weights(Model& model, const std::string& path, const PyTorchWeightsOptions& options) {
  bool safetensors = path.ends_with(".safetensors");
  NamedTensors all = safetensors ? read_safetensors(path, options.load) : read_pytorch(path, options.load);
  std::string where = fmt::format("{}: '{}'", model.name(), path);
  GLIA_CHECK(!model->weights().empty(), "{}: the model has no weights yet. Give input_shape or call it on data first.", where);
  NamedTensors tensors = io::below_prefix(all, options.prefix, path);
  io::Collector collector(options.partial);
  collector.root(model);
  if (io::has_channels_first(model))  // then Flatten sees PyTorch's own order
    for (auto& leaf : collector.leaves) leaf.flattened.clear();
  io::Matcher matcher(where, io::modules_of(tensors), !safetensors);
  matcher.match(collector.leaves, options);
  std::string unused = options.partial ? "" : matcher.unused();
  GLIA_CHECK(unused.empty(), "{}: the model has no layer for {}. Set .partial = true to leave them out, or .prefix to choose the part of the file.", where, unused);
  for (auto& [variable, value] : matcher.found.values) variable.tensor().copy_from(value.astype(variable.dtype()));
}

}  // namespace glia
