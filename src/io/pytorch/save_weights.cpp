// save_pytorch_weights: a layer's weights as the tensors of a PyTorch module.
#include <glia/pytorch.h>
#include <glia/safetensors.h>

#include <cstring>
#include <set>

#include "base/error.h"
#include "io/pytorch/hf_names.h"
#include "io/pytorch/leaves.h"
#include "io/pytorch/modules.h"

namespace glia {
namespace io {
namespace {

class Exporter {
 public:
  Exporter(const Layer& layer, const std::string& path, const Shape& flattened)
      : layer_(layer), path_(path), flat_(flattened) {}
  NamedTensors run();

 private:
  template <class Rules>
  friend bool io::apply_rule(Kind, Rules&);

  Variable variable(const std::string& end) const { return variable_of(layer_, end); }
  Tensor value(const std::string& end) const { return variable(end).tensor(); }
  void add(const std::string& name, Tensor t) { out_.emplace_back(name, std::move(t)); }
  void vector(const std::string& name, const char* from) {
    if (!variable(from).defined()) return;
    Tensor t = value(from);
    bool image = !flat_.empty() && t.rank() == 1 && t.size() == num_elements(flat_);
    add(name, image ? channels_first(t).reshape(t.shape()) : t);
  }
  // Rows in the order (spatial..., channels) to (channels, spatial...).
  Tensor channels_first(const Tensor& t) const {
    Shape s = flat_;
    std::vector<std::size_t> axes{s.size() - 1};
    for (std::size_t a = 0; a + 1 < s.size(); ++a) axes.push_back(a);
    if (t.rank() == 2) s.push_back(t.dim(1)), axes.push_back(s.size() - 1);
    return permuted(t.reshape(s), axes);
  }
  // Blocks along axis 0 in another order.
  static Tensor blocks(const Tensor& t, const std::vector<int>& order) {
    Tensor r(t.shape(), t.dtype());
    std::size_t n = t.bytes() / order.size();
    for (std::size_t i = 0; i < order.size(); ++i)
      std::memcpy(static_cast<char*>(r.raw()) + i * n,
                  static_cast<const char*>(t.craw()) + static_cast<std::size_t>(order[i]) * n, n);
    return r;
  }
  void dense() {
    Tensor k = value("kernel");
    bool image = !flat_.empty() && k.dim(0) == num_elements(flat_);
    add("weight", permuted(image ? channels_first(k).reshape(k.shape()) : k, {1, 0}));
    vector("bias", "bias");
  }
  void conv(bool depthwise) {
    Tensor k = value("kernel");
    std::size_t spatial = k.shape().size() - 2;
    std::vector<std::size_t> axes =
        depthwise ? std::vector<std::size_t>{spatial, spatial + 1} : std::vector<std::size_t>{spatial + 1, spatial};
    for (std::size_t a = 0; a < spatial; ++a) axes.push_back(a);
    Tensor w = permuted(k, axes);
    if (depthwise) {
      Shape s{w.dim(0) * w.dim(1), 1};
      s.insert(s.end(), w.shape().begin() + 2, w.shape().end());
      w = w.reshape(s);
    }
    add("weight", w);
    vector("bias", "bias");
  }
  void norm() {
    vector("weight", variable("scale").defined() ? "scale" : "gamma");
    vector("bias", "beta");
    vector("running_mean", "moving_mean");
    vector("running_var", "moving_variance");
    if (variable("moving_mean").defined()) add("num_batches_tracked", Tensor::scalar(0, DType::i64));
  }
  void embedding() { vector("weight", "embeddings"); }
  void recurrent(const std::vector<int>& order) {
    std::string end = path_.ends_with("backward_" + layer_.name()) || path_.find("/backward_") != std::string::npos
                          ? "_l0_reverse"
                          : "_l0";
    add("weight_ih" + end, blocks(permuted(value("kernel"), {1, 0}), order));
    add("weight_hh" + end, blocks(permuted(value("recurrent_kernel"), {1, 0}), order));
    if (!variable("bias").defined()) return;
    Tensor b = value("bias");
    GLIA_CHECK(layer_.class_name() != "GRU" || b.rank() == 2,
               "save_pytorch_weights: {}: PyTorch's GRU is that of reset_after = true.", path_);
    Tensor input = b.rank() == 2 ? b.slice(0, 1).reshape({b.dim(1)}) : b,
           hidden = b.rank() == 2 ? b.slice(1, 2).reshape({b.dim(1)}) : Tensor::zeros(b.shape(), b.dtype());
    add("bias_ih" + end, blocks(input, order));
    add("bias_hh" + end, blocks(hidden, order));
  }
  void attention() {
    std::vector<Tensor> weights, biases;
    for (const char* name : {"query", "key", "value"}) {
      Tensor k = value(std::string(name) + "/kernel");
      GLIA_CHECK(k.rank() == 3, "save_pytorch_weights: {}: PyTorch has no attention over several axes.", path_);
      weights.push_back(permuted(k.reshape({k.dim(0), k.dim(1) * k.dim(2)}), {1, 0}));
      Variable b = variable(std::string(name) + "/bias");
      if (b.defined()) biases.push_back(b.tensor().reshape({b.tensor().size()}));
    }
    bool one_shape = weights[0].shape() == weights[1].shape() && weights[0].shape() == weights[2].shape();
    if (one_shape) {
      add("in_proj_weight", stacked(weights));
    } else {
      const char* names[] = {"q_proj_weight", "k_proj_weight", "v_proj_weight"};
      for (int i = 0; i < 3; ++i) add(names[i], weights[static_cast<std::size_t>(i)]);
    }
    if (!biases.empty()) add("in_proj_bias", stacked(biases));
    Tensor k = value("attention_output/kernel");
    add("out_proj.weight", permuted(k.reshape({k.dim(0) * k.dim(1), k.dim(2)}), {1, 0}));
    vector("out_proj.bias", "attention_output/bias");
  }
  static Tensor stacked(const std::vector<Tensor>& parts) {
    Shape s = parts[0].shape();
    s[0] = 0;
    for (auto& p : parts) s[0] += p.dim(0);
    Tensor r(s, parts[0].dtype());
    char* to = static_cast<char*>(r.raw());
    for (auto& p : parts) std::memcpy(to, p.craw(), p.bytes()), to += p.bytes();
    return r;
  }
  void prelu() {
    Tensor a = value("alpha");
    int64_t channels = a.shape().back();
    GLIA_CHECK(a.size() == channels,
               "save_pytorch_weights: {}: PyTorch's PReLU has one number a channel; this layer has shape {}. Share "
               "the other axes.",
               path_, to_string(a.shape()));
    add("weight", a.reshape({channels}));
  }

  const Layer& layer_;
  const std::string& path_;
  const Shape& flat_;
  NamedTensors out_;
};

NamedTensors Exporter::run() {
  GLIA_CHECK(apply_rule(kind_of(layer_), *this), "save_pytorch_weights: there is no rule for the layer {} ({}).", path_,
             layer_.class_name());
  return std::move(out_);
}

// "rnn" and "weight_ih_l0" are "rnn.weight_ih_l0"; "rnn.l1", the second layer of that module, gives
// "rnn.weight_ih_l1".
std::string full_name(std::string module, std::string name) {
  std::size_t dot = module.rfind('.');
  std::string last = dot == std::string::npos ? module : module.substr(dot + 1);
  std::size_t at = name.find("_l0");
  bool layer = at != std::string::npos && last.size() > 1 && last[0] == 'l' &&
               last.find_first_not_of("0123456789", 1) == std::string::npos;
  if (layer) {
    name.replace(at, 3, "_" + last);
    module.resize(dot == std::string::npos ? 0 : dot);
  }
  return module.empty() ? name : module + "." + name;
}

}  // namespace

NamedTensors module_of(const Layer& layer, const std::string& path, const Shape& flattened) {
  return Exporter(layer, path, flattened).run();
}

}  // namespace io

void save_pytorch_weights(const Model& model, const std::string& path, const SavePyTorchOptions& options) {
  GLIA_CHECK(path.ends_with(".safetensors"), "save_pytorch_weights: '{}' must end in .safetensors.", path);
  GLIA_CHECK(!model->weights().empty(),
             "{}: save_pytorch_weights: the model has no weights yet. Give input_shape or call it on data first.",
             model.name());
  GLIA_CHECK(options.names.empty() || options.names == "gpt2" || options.names == "bert",
             "save_pytorch_weights: .names is \"gpt2\", \"bert\" or empty. Received \"{}\".", options.names);
  NamedTensors all;
  std::set<std::string> names;
  for (const io::Leaf& leaf : io::leaves_of(model, options.partial, "save_pytorch_weights")) {
    auto it = options.map.find(leaf.path);
    if (it == options.map.end()) it = options.map.find(leaf.layer->name());
    std::string module = it != options.map.end() ? it->second : leaf.path;
    if (it == options.map.end()) {
      std::size_t direction = std::max(module.rfind("/forward_") + 1, module.rfind("/backward_") + 1);
      if (direction > 0) module.resize(direction - 1);  // the two directions are one module
      for (char& c : module)
        if (c == '/') c = '.';
    }
    NamedTensors tensors = io::module_of(*leaf.layer, leaf.path, leaf.flattened);
    if (!options.names.empty()) tensors = io::hf_names(options.names, module, leaf.layer->class_name() == "Dense", tensors);
    for (auto& [name, t] : tensors) {
      std::string full = io::full_name(module, name);
      GLIA_CHECK(names.insert(full).second,
                 "save_pytorch_weights: two layers give the tensor '{}'. Name their modules in .map.", full);
      all.emplace_back(full, std::move(t));
    }
  }
  write_safetensors(path, all, {{"format", "pt"}});
}

}  // namespace glia
