#include "io/keras/walk.h"

#include <map>
#include <set>

#include "nn/layers/attention.h"
#include "nn/layers/norm.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/rnn.h"
#include "nn/layers/rnn_wrappers.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io::keras {
namespace {

// An attribute that holds layers. `names`: today's first, then those of earlier versions.
struct Attribute {
  std::vector<std::string> names;
  std::vector<LayerRef> layers;
  bool is_list = false;  // a container: its items go by their class names
};

std::vector<Attribute> head_attributes(const Layer& layer, bool public_names) {
  static const std::map<std::string, std::string> kNames{
      {"query", "query_dense"}, {"key", "key_dense"}, {"value", "value_dense"}, {"attention_output", "output_dense"}};
  std::vector<Attribute> r;
  for (const LayerRef& l : layer.sublayers()) {
    auto it = kNames.find(l->name());
    const std::string plain = it == kNames.end() ? l->name() + "_dense" : it->second;  // a gate has no public property
    const bool has_property = public_names && it != kNames.end();
    r.push_back({has_property ? std::vector<std::string>{plain, "_" + plain} : std::vector<std::string>{"_" + plain, plain}, {l}});
  }
  return r;
}

std::vector<Attribute> attributes_of(Layer& layer) {
  if (auto* s = dynamic_cast<SequentialLayer*>(&layer)) return {{{"layers", "_layer_checkpoint_dependencies"}, s->layers(), true}};
  if (auto* f = dynamic_cast<FunctionalLayer*>(&layer)) return {{{"layers", "_layer_checkpoint_dependencies"}, f->layers(), true}};
  if (auto* b = dynamic_cast<nn::Bidirectional*>(&layer)) return {{{"forward_layer"}, {b->forward_layer}}, {{"backward_layer"}, {b->backward_layer}}};
  if (auto* t = dynamic_cast<nn::TimeDistributed*>(&layer)) return {{{"layer"}, {t->layer}}};
  if (auto* s = dynamic_cast<nn::SpectralNormalization*>(&layer)) return {{{"layer"}, {s->layer}}};
  if (auto* s = dynamic_cast<nn::StackedRNNCells*>(&layer)) return {{{"cells"}, s->cells, true}};
  if (auto* p = dynamic_cast<nn::Pipeline*>(&layer)) return {{{"layers"}, p->layers, true}};
  if (dynamic_cast<nn::RNN*>(&layer)) return {{{"cell"}, layer.sublayers()}};
  if (dynamic_cast<nn::MultiHeadAttention*>(&layer)) return head_attributes(layer, true);
  if (dynamic_cast<nn::GroupQueryAttention*>(&layer)) return head_attributes(layer, false);
  // A class of the user's: its sublayers by their names, or in the list "layers" that Python's Model has.
  std::vector<Attribute> r;
  std::map<std::string, int> used;
  for (const LayerRef& l : layer.sublayers()) {
    const std::string c = path_class(*l);
    const int n = used[c]++;
    r.push_back({{l->name(), "layers/" + c + (n ? "_" + std::to_string(n) : "")}, {l}});
  }
  return r;
}

std::string join(const std::string& a, const std::string& b) { return a.empty() ? b : a + "/" + b; }

class Walker {
 public:
  std::vector<Saveable> found;
  void visit(const LayerRef& layer, std::vector<std::string> paths) {
    if (!layer || !visited_.insert(layer.ptr().get()).second) return;
    found.push_back({paths, layer});
    for (const Attribute& a : attributes_of(*layer)) {
      std::vector<std::string> inner;
      for (const std::string& p : paths)
        for (const std::string& n : a.names) inner.push_back(join(p, n));
      if (a.is_list) visit_list(a.layers, inner);
      else
        for (const LayerRef& l : a.layers) visit(l, inner);
    }
  }

 private:
  void visit_list(const std::vector<LayerRef>& layers, const std::vector<std::string>& paths) {
    std::map<std::string, int> used;
    for (const LayerRef& l : layers) {
      std::string name = path_class(*l);
      const int n = used[name]++;
      if (n) name += "_" + std::to_string(n);
      std::vector<std::string> inner;
      for (const std::string& p : paths) inner.push_back(join(p, name));
      visit(l, inner);
    }
  }
  std::set<const Layer*> visited_;
};

}  // namespace

std::string path_class(const Layer& layer) {
  const std::string name = layer.class_name();
  if (name == "GroupQueryAttention") return "grouped_query_attention";  // the class behind the exported name
  return to_snake_case(name);
}

std::vector<Saveable> walk(const LayerRef& root) {
  Walker w;
  w.visit(root, {""});
  return std::move(w.found);
}

std::vector<Variable> own_variables(const Layer& layer) {
  std::vector<Variable> r;
  for (bool trainable : {true, false})
    for (const Variable& v : layer.own_variables())
      if (v.trainable() == trainable) r.push_back(v);
  return r;
}

}  // namespace glia::io::keras
