#include "io/pytorch/modules.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace glia::io {

Tensor permuted(const Tensor& t, const std::vector<std::size_t>& axes) {
  Shape shape;
  std::vector<int64_t> stride(axes.size()), source(axes.size(), 1), index(axes.size(), 0);
  for (std::size_t a = axes.size(); a-- > 1;) source[a - 1] = source[a] * t.shape()[a];
  for (std::size_t a = 0; a < axes.size(); ++a) shape.push_back(t.shape()[axes[a]]), stride[a] = source[axes[a]];
  Tensor r(shape, t.dtype());
  std::size_t item = dtype_size(t.dtype());
  auto* out = static_cast<char*>(r.raw());
  const auto* from = static_cast<const char*>(t.craw());
  int64_t at = 0;
  for (int64_t i = 0; i < r.size(); ++i, out += item) {
    std::copy_n(from + static_cast<std::size_t>(at) * item, item, out);
    for (std::size_t a = axes.size(); a-- > 0;) {
      at += stride[a];
      if (++index[a] < shape[a]) break;
      at -= stride[a] * shape[a];
      index[a] = 0;
    }
  }
  return r;
}

Variable variable_of(const Layer& layer, const std::string& end) {
  for (const Variable& v : layer.weights())
    if (v.path() == end || v.path().ends_with("/" + end) || v.name() == end) return v;
  return {};
}

namespace {

struct Parts {
  std::string module, leaf;
};

// "rnn.weight_ih_l1_reverse" -> {"rnn.l1_reverse", "weight_ih"}; layer 0 forward is the module itself.
Parts parts_of(const std::string& name) {
  std::size_t dot = name.rfind('.');
  Parts p{dot == std::string::npos ? "" : name.substr(0, dot),
          dot == std::string::npos ? name : name.substr(dot + 1)};
  for (const char* start : {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"}) {
    std::size_t n = std::string_view(start).size();
    if (!p.leaf.starts_with(start) || p.leaf.size() == n) continue;
    std::string which = p.leaf.substr(n - 1);
    p.leaf = p.leaf.substr(0, n - 2);
    if (which != "l0") p.module += (p.module.empty() ? "" : ".") + which;
    break;
  }
  return p;
}

// The names under which projections of attention are found: query, key, value, output; relative to their common
// parent.
struct AttentionNames {
  const char *q, *k, *v, *out;
};
constexpr AttentionNames kAttention[] = {
    {"q_proj", "k_proj", "v_proj", "out_proj"}, {"q_proj", "k_proj", "v_proj", "o_proj"},
    {"query", "key", "value", "out_proj"},      {"query", "key", "value", "dense"},
    {"q_lin", "k_lin", "v_lin", "out_lin"},     {"self.query", "self.key", "self.value", "output.dense"},
    {"to_q", "to_k", "to_v", "to_out.0"},       {"query", "key", "value", "output"}};

void add_attention(std::vector<Module>& all) {
  std::map<std::string, const Module*> by_name;
  for (const Module& m : all) by_name[m.name] = &m;
  auto find = [&](const std::string& parent, const char* name) -> const Module* {
    auto it = by_name.find(parent.empty() ? name : parent + "." + name);
    return it == by_name.end() ? nullptr : it->second;
  };
  std::vector<Module> found;
  auto take = [](Module& to, const char* prefix, const Module& from) {
    for (auto& [leaf, t] : from.tensors) to.tensors[std::string(prefix) + "." + leaf] = t;
  };
  for (const Module& m : all) {
    if (m.at("in_proj_weight") || m.at("q_proj_weight")) {
      Module a = m;
      if (const Module* out = find(m.name, "out_proj")) take(a, "out", *out);
      found.push_back(std::move(a));
      continue;
    }
    for (const AttentionNames& n : kAttention) {
      std::string q = n.q;
      if (m.name != q && !m.name.ends_with("." + q)) continue;
      std::string parent = m.name.size() == q.size() ? "" : m.name.substr(0, m.name.size() - q.size() - 1);
      const Module *k = find(parent, n.k), *v = find(parent, n.v), *out = find(parent, n.out);
      if (!k || !v || !out) continue;
      Module a{parent, {}};
      take(a, "q", m), take(a, "k", *k), take(a, "v", *v), take(a, "out", *out);
      found.push_back(std::move(a));
      break;
    }
  }
  for (Module& a : found) {
    bool same = false;
    for (Module& m : all)
      if (m.name == a.name) m = a, same = true;
    if (!same) all.push_back(std::move(a));
  }
}

// ---- conversion
// -------------------------------------------------------------------------------------------------------

Tensor rows(const Tensor& t, int64_t from, int64_t to) { return t.slice(from, to); }

Tensor joined(const std::vector<Tensor>& parts) {  // along axis 0
  Shape shape = parts[0].shape();
  shape[0] = 0;
  for (auto& p : parts) shape[0] += p.dim(0);
  Tensor r(shape, parts[0].dtype());
  auto* out = static_cast<char*>(r.raw());
  for (auto& p : parts) out = std::copy_n(static_cast<const char*>(p.craw()), p.bytes(), out);
  return r;
}

Tensor sum(const Tensor& a, const Tensor& b) {
  Tensor r(a.shape(), a.dtype());
  for (int64_t i = 0; i < a.size(); ++i) r.set_item(i, a.item(i) + b.item(i));
  return r;
}

// One layer against one module: collects what fits, remembers the first reason why it does not.
class Rule {
 public:
  Rule(const Layer& layer, const Module& module, const Shape& flattened, Converted& to)
      : layer_(layer), module_(module), flat_(flattened), to_(to) {}
  std::string run();

 private:
  template <class Rules>
  friend bool io::apply_rule(Kind, Rules&);

  void refuse(const std::string& why) {
    if (why_.empty()) why_ = why;
  }
  const Tensor* tensor(const std::string& key) {
    const Tensor* t = module_.at(key);
    if (!t)
      refuse(fmt::format("the module has no '{}'", key));
    else
      to_.used.insert(t);
    return t;
  }
  bool has_shape(const std::string& key, const Tensor* t, const Shape& expected) {
    if (t && t->shape() != expected)
      refuse(fmt::format("'{}' has shape {}, expected {}", key, to_string(t->shape()), to_string(expected)));
    return t && t->shape() == expected;
  }
  Variable variable(const std::string& end) { return variable_of(layer_, end); }
  void set(const Variable& v, Tensor t) {
    if (t.shape() != v.shape())
      return refuse(fmt::format("the weight '{}' has shape {}, the module gives {}", v.path(), to_string(v.shape()),
                                to_string(t.shape())));
    to_.values.emplace_back(v, std::move(t));
  }
  // A vector for each channel, as it is or in the order of a flattened image.
  void vector(const char* variable_name, const std::string& key) {
    Variable v = variable(variable_name);
    if (!v.defined()) {
      if (module_.at(key)) refuse(fmt::format("the module has '{}', the layer no '{}'", key, variable_name));
      return;
    }
    const Tensor* t = tensor(key);
    if (has_shape(key, t, v.shape())) set(v, reordered(*t));
  }
  Tensor reordered(const Tensor& t) {
    if (flat_.empty() || t.rank() != 1 || t.size() != num_elements(flat_)) return t;
    return image_rows(t).reshape(t.shape());
  }
  // Rows in the order (channels, spatial...) to (spatial..., channels).
  Tensor image_rows(const Tensor& t) {
    Shape first{flat_.back()};
    first.insert(first.end(), flat_.begin(), flat_.end() - 1);
    std::vector<std::size_t> axes;
    for (std::size_t a = 1; a < first.size(); ++a) axes.push_back(a);
    axes.push_back(0);
    if (t.rank() == 2) first.push_back(t.dim(1)), axes.push_back(first.size() - 1);
    return permuted(t.reshape(first), axes);
  }
  void dense();
  void conv(bool depthwise);
  void norm();
  void embedding() { vector("embeddings", "weight"); }
  void recurrent(const std::vector<int>& order);
  void attention();
  void project(const char* name, const Tensor* weight, const Tensor* bias);
  void prelu();

  const Layer& layer_;
  const Module& module_;
  const Shape& flat_;
  Converted& to_;
  std::string why_;
};

void Rule::dense() {
  Variable kernel = variable("kernel");
  const Tensor* w = tensor("weight");
  if (has_shape("weight", w, {kernel.shape()[1], kernel.shape()[0]})) {
    Tensor k = permuted(*w, {1, 0});
    bool image = !flat_.empty() && k.dim(0) == num_elements(flat_);
    set(kernel, image ? image_rows(k).reshape(k.shape()) : k);
  }
  Variable bias = variable("bias");
  if (bias.defined()) {
    const Tensor* b = tensor("bias");
    if (has_shape("bias", b, bias.shape())) set(bias, *b);
  } else if (module_.at("bias")) {
    refuse("the module has a bias, the layer none");
  }
}

void Rule::conv(bool depthwise) {
  Variable kernel = variable("kernel");
  const Shape& k = kernel.shape();
  std::size_t spatial = k.size() - 2;
  // Glia: (spatial..., in, out), PyTorch (out, in, spatial...); a transposed convolution has `in` and `out` change
  // places on both sides. Depthwise: (spatial..., channels, multiplier) and (channels * multiplier, 1, spatial...).
  Shape expected = depthwise ? Shape{k[spatial] * k[spatial + 1], 1} : Shape{k[spatial + 1], k[spatial]};
  expected.insert(expected.end(), k.begin(), k.begin() + static_cast<std::ptrdiff_t>(spatial));
  const Tensor* w = tensor("weight");
  if (has_shape("weight", w, expected)) {
    Tensor t = *w;
    std::vector<std::size_t> axes;
    if (depthwise) {
      Shape split{k[spatial], k[spatial + 1]};
      split.insert(split.end(), k.begin(), k.begin() + static_cast<std::ptrdiff_t>(spatial));
      t = t.reshape(split);
    }
    for (std::size_t a = 0; a < spatial; ++a) axes.push_back(a + 2);
    if (depthwise)
      axes.push_back(0), axes.push_back(1);
    else
      axes.push_back(1), axes.push_back(0);
    set(kernel, permuted(t, axes));
  }
  vector("bias", "bias");
}

void Rule::norm() {
  bool statistics = variable("moving_mean").defined();
  if (!statistics && (module_.at("running_mean") || module_.at("running_var")))
    return refuse("the module has running statistics, the layer none");
  vector(variable("scale").defined() ? "scale" : "gamma", "weight");
  vector("beta", "bias");
  if (statistics) vector("moving_mean", "running_mean"), vector("moving_variance", "running_var");
}

void Rule::recurrent(const std::vector<int>& order) {
  const auto gates = static_cast<int64_t>(order.size());
  const bool two_biases = kind_of(layer_) == Kind::gru;
  Variable kernel = variable("kernel"), inner = variable("recurrent_kernel"), bias = variable("bias");
  int64_t units = inner.shape()[0];
  auto sorted = [&](const Tensor& t) {
    std::vector<Tensor> parts;
    for (int g : order) parts.push_back(rows(t, g * units, (g + 1) * units));
    return joined(parts);
  };
  const Tensor *w = tensor("weight_ih"), *u = tensor("weight_hh");
  if (has_shape("weight_ih", w, {gates * units, kernel.shape()[0]})) set(kernel, permuted(sorted(*w), {1, 0}));
  if (has_shape("weight_hh", u, {gates * units, units})) set(inner, permuted(sorted(*u), {1, 0}));
  if (!bias.defined()) {
    if (module_.at("bias_ih")) refuse("the module has biases, the layer none");
    return;
  }
  const Tensor *b = tensor("bias_ih"), *c = tensor("bias_hh");
  if (!has_shape("bias_ih", b, {gates * units}) || !has_shape("bias_hh", c, {gates * units})) return;
  if (!two_biases) return set(bias, sum(sorted(*b), sorted(*c)));
  if (bias.shape().size() != 2) return refuse("a GRU of PyTorch needs reset_after = true");
  set(bias, joined({sorted(*b), sorted(*c)}).reshape({2, gates * units}));
}

// weight (heads * size, in) -> kernel (in, heads, size); the bias alike.
void Rule::project(const char* name, const Tensor* weight, const Tensor* bias) {
  Variable kernel = variable(std::string(name) + "/kernel"), b = variable(std::string(name) + "/bias");
  bool out = std::string_view(name) == "attention_output";
  const Shape& k = kernel.shape();
  if (k.size() != 3) return refuse("attention over several axes");
  Shape expected = out ? Shape{k[2], k[0] * k[1]} : Shape{k[1] * k[2], k[0]};
  if (has_shape(std::string(name) + " weight", weight, expected)) set(kernel, permuted(*weight, {1, 0}).reshape(k));
  if (b.defined() != (bias != nullptr)) return refuse(fmt::format("{}: one side has a bias, the other none", name));
  if (b.defined() && bias->size() != num_elements(b.shape()))
    return refuse(fmt::format("the bias of {} has shape {}", name, to_string(bias->shape())));
  if (b.defined()) set(b, bias->reshape(b.shape()));
}

void Rule::attention() {
  auto optional = [&](const std::string& key) -> const Tensor* { return module_.at(key) ? tensor(key) : nullptr; };
  const Tensor *packed = optional("in_proj_weight"), *biases = optional("in_proj_bias");
  const char* names[] = {"query", "key", "value"};
  const char* separate[] = {"q", "k", "v"};
  std::vector<Tensor> keep;
  keep.reserve(6);
  if (biases && (biases->rank() != 1 || biases->size() % 3)) return refuse("'in_proj_bias' has a bad shape");
  if (packed && (packed->rank() != 2 || packed->dim(0) % 3)) return refuse("'in_proj_weight' has a bad shape");
  for (int i = 0; i < 3; ++i) {
    const Tensor *w = nullptr, *b = nullptr;
    if (packed)
      w = &keep.emplace_back(rows(*packed, i * packed->dim(0) / 3, (i + 1) * packed->dim(0) / 3));
    else if (module_.at(std::string(separate[i]) + "_proj_weight"))
      w = tensor(std::string(separate[i]) + "_proj_weight");
    else
      w = tensor(std::string(separate[i]) + ".weight");
    if (biases)
      b = &keep.emplace_back(rows(*biases, i * biases->dim(0) / 3, (i + 1) * biases->dim(0) / 3));
    else
      b = optional(std::string(separate[i]) + ".bias");
    if (!w) return;
    project(names[i], w, b);
  }
  if (const Tensor* w = tensor("out.weight")) project("attention_output", w, optional("out.bias"));
}

void Rule::prelu() {
  Variable alpha = variable("alpha");
  const Tensor* w = tensor("weight");
  if (!w) return;
  int64_t channels = alpha.shape().back();
  if (w->rank() != 1 || (w->size() != channels && w->size() != 1))
    return refuse(fmt::format("'weight' has shape {}, expected ({},)", to_string(w->shape()), channels));
  Tensor t(alpha.shape(), w->dtype());
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, w->item(w->size() == 1 ? 0 : i % channels));
  set(alpha, t);
}

std::string Rule::run() {
  if (!apply_rule(kind_of(layer_), *this)) refuse("no rule for layers of class " + layer_.class_name());
  return why_;
}

}  // namespace

std::vector<Module> modules_of(const NamedTensors& tensors) {
  std::vector<Module> all;
  std::map<std::string, std::size_t> index;
  for (auto& [name, t] : tensors) {
    Parts p = parts_of(name);
    if (p.leaf == "num_batches_tracked") continue;
    auto [it, fresh] = index.emplace(p.module, all.size());
    if (fresh) all.push_back({p.module, {}});
    all[it->second].tensors[p.leaf] = &t;
  }
  add_attention(all);
  return all;
}

Kind kind_of(const Layer& layer) {
  std::string c = layer.class_name();
  if (c == "Dense") return Kind::dense;
  if (c == "Embedding" || c == "ReversibleEmbedding") return Kind::embedding;
  if (c == "LSTM") return Kind::lstm;
  if (c == "GRU") return Kind::gru;
  if (c == "SimpleRNN") return Kind::rnn;
  if (c == "MultiHeadAttention") return Kind::attention;
  if (c == "PReLU") return Kind::prelu;
  if (c == "BatchNormalization" || c == "LayerNormalization" || c == "GroupNormalization" || c == "RMSNormalization")
    return Kind::norm;
  if (c.starts_with("DepthwiseConv")) return Kind::depthwise;
  if (c.starts_with("Conv") && (c.ends_with("Transpose") || (c.size() == 6 && c.ends_with("D")))) return Kind::conv;
  return Kind::none;
}

std::string convert(const Layer& layer, const Module& module, const Shape& flattened, Converted& to) {
  return Rule(layer, module, flattened, to).run();
}

}  // namespace glia::io
