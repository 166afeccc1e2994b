// load_pytorch_weights: which module belongs to which layer.
#include <glia/pytorch.h>
#include <glia/safetensors.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.h"
#include "io/file/path_name.h"
#include "io/pytorch/hf_names.h"
#include "io/pytorch/leaves.h"
#include "io/pytorch/load_named.h"
#include "io/pytorch/modules.h"

namespace glia {
namespace io {
namespace {

// The names below a prefix, without it. No prefix given: the wrappers that training scripts put round a model are
// taken off.
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
    GLIA_CHECK(strip(prefix), "{}: no tensor's name begins with '{}'. The first is '{}'.", path, prefix,
               all.empty() ? "(none)" : printable(all[0].first));
    return r;
  }
  for (const char* wrapper : {"state_dict.", "model_state_dict."})
    if (strip(wrapper)) break;
  for (const char* wrapper : {"module.", "_orig_mod."}) {
    bool all_have =
        !r.empty() && std::all_of(r.begin(), r.end(), [&](auto& t) { return t.first.starts_with(wrapper); });
    if (all_have) strip(wrapper);
  }
  return r;
}

std::string without_digits(const std::string& s) {
  std::string r;
  for (char c : s) {
    if (c < '0' || c > '9')
      r += c;
    else if (r.empty() || r.back() != '#')
      r += '#';
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

// A layer inside Bidirectional is one direction of a module: its parent's path names the module.
struct Direction {
  std::string parent;  // "" outside of Bidirectional
  bool backward = false;
  explicit Direction(const std::string& path) {
    std::size_t forward_at = path.rfind("/forward_"), backward_at = path.rfind("/backward_");
    backward = backward_at != std::string::npos;
    if (backward || forward_at != std::string::npos) parent = path.substr(0, backward ? backward_at : forward_at);
  }
  // The unit of that module (modules_of): "rnn", "rnn.l0_reverse", "rnn.l1", "rnn.l1_reverse".
  std::string unit(const std::string& module) const {
    if (!backward) return module;
    std::size_t dot = module.rfind('.');
    std::string last = dot == std::string::npos ? module : module.substr(dot + 1);
    bool numbered = last.size() > 1 && last[0] == 'l' && last.find_first_not_of("0123456789", 1) == std::string::npos;
    return module + (numbered ? "_reverse" : ".l0_reverse");
  }
};

class Matcher {
 public:
  Matcher(std::string where, std::vector<Module> modules, bool ordered)
      : where_(std::move(where)), modules_(std::move(modules)), ordered_(ordered), taken_(modules_.size(), false) {
    if (!ordered_)
      std::stable_sort(modules_.begin(), modules_.end(),
                       [](auto& a, auto& b) { return natural_less(a.name, b.name); });
  }

  void match(const std::vector<Leaf>& leaves, const PyTorchWeightsOptions& o) {
    std::vector<const Leaf*> rest;
    for (auto& [layer, module] : o.map) {
      bool known = std::any_of(leaves.begin(), leaves.end(), [&, &l = layer](auto& leaf) {
        return leaf.path == l || leaf.layer->name() == l || Direction(leaf.path).parent == l;
      });
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
        if (is_float(t->dtype()) && !found.used.count(t) && ++count <= 8)
          r += fmt::format("{}'{}.{}' {}", r.empty() ? "" : ", ", m.name, leaf, to_string(t->shape()));
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
    Direction direction(leaf.path);
    bool of_parent = it == map.end() && !direction.parent.empty();
    if (of_parent) it = map.find(direction.parent);
    if (it == map.end()) return false;
    std::string wanted = of_parent ? direction.unit(it->second) : it->second;
    std::vector<std::string> known;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      known.push_back(modules_[i].name);
      if (modules_[i].name != wanted) continue;
      Converted c;
      std::string why = convert(*leaf.layer, modules_[i], leaf.flattened, c);
      GLIA_CHECK(why.empty(), "{}: the module '{}' does not fit the layer {} ({}): {}.", where_, modules_[i].name,
                 leaf.path, leaf.layer->class_name(), why);
      take(i, std::move(c));
      return true;
    }
    throw_error("{}: the file has no module '{}' (for the layer {}).{}", where_, wanted, leaf.path,
                did_you_mean(wanted, known));
  }
  bool by_name(const Leaf& leaf) {
    std::string dotted = leaf.path;
    Direction direction(leaf.path);
    if (!direction.parent.empty()) dotted = direction.unit(direction.parent);
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
    bool backward = Direction(leaf.path).backward;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      if (taken_[i] || (ordered_ && !fits.empty()) || backward != modules_[i].name.ends_with("_reverse")) continue;
      Converted c;
      std::string why = convert(*leaf.layer, modules_[i], leaf.flattened, c);
      bool used = std::any_of(c.used.begin(), c.used.end(), [&](const Tensor* t) { return found.used.count(t) > 0; });
      if (why.empty() && !used)
        fits.emplace_back(i, std::move(c));
      else if (reasons.size() < 600)
        reasons += fmt::format("\n  {}: {}", printable(modules_[i].name), why.empty() ? "is used already" : why);
    }
    if (fits.empty() && partial) return;
    GLIA_CHECK(!fits.empty(),
               "{}: no module fits the layer {} ({}). Name one in .map, or set .partial = true to leave the layer as "
               "it is.{}",
               where_, leaf.path, leaf.layer->class_name(), reasons);
    if (!ordered_ && fits.size() > 1) {
      std::string list;
      bool alike = true;
      for (auto& [i, c] : fits) {
        list += (list.empty() ? "'" : "', '") + modules_[i].name;
        alike &= without_digits(modules_[i].name) == without_digits(modules_[fits[0].first].name);
      }
      GLIA_CHECK(
          alike,
          "{}: {} modules fit the layer {} ({}): {}'. This format does not keep their order; say which in .map.",
          where_, fits.size(), leaf.path, leaf.layer->class_name(), list);
    }
    take(fits[0].first, std::move(fits[0].second));
  }

  std::string where_;
  std::vector<Module> modules_;
  bool ordered_;
  std::vector<bool> taken_;
};

}  // namespace

void load_named(Model& model, const NamedTensors& given, const std::string& where, bool ordered, const PyTorchWeightsOptions& options) {
  const NamedTensors tensors = plain_names(given);
  std::vector<Leaf> leaves = leaves_of(model, options.partial, "load_pytorch_weights");
  Matcher matcher(where, modules_of(tensors), ordered);
  matcher.match(leaves, options);
  std::string unused = options.partial ? "" : matcher.unused();
  GLIA_CHECK(unused.empty(),
             "{}: the model has no layer for {}. Set .partial = true to leave them out, or .prefix to choose the "
             "part of the file.",
             where, unused);
  for (auto& [variable, value] : matcher.found.values) variable.tensor().copy_from(value.astype(variable.dtype()));
}

}  // namespace io

void load_pytorch_weights(Model& model, const std::string& path, const PyTorchWeightsOptions& options) {
  bool safetensors = path.ends_with(".safetensors");
  NamedTensors all = safetensors ? read_safetensors(path, options.load) : read_pytorch(path, options.load);
  std::string where = fmt::format("{}: '{}'", model.name(), path);
  GLIA_CHECK(!model->weights().empty(),
             "{}: the model has no weights yet. Give input_shape or call it on data first.", where);
  io::load_named(model, io::below_prefix(all, options.prefix, path), where, !safetensors, options);
}

}  // namespace glia
