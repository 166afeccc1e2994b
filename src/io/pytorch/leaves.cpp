#include "io/pytorch/leaves.h"

#include <map>

#include "base/error.h"
#include "io/pytorch/modules.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io {
namespace {

// Layers that change neither the number nor the order of features.
bool keeps_features(const std::string& c) {
  return c == "Dropout" || c == "Activation" || c == "ReLU" || c == "LeakyReLU" || c == "ELU" ||
         c == "BatchNormalization" || c == "LayerNormalization" || c == "GaussianNoise" || c == "GaussianDropout" ||
         c == "AlphaDropout" || c == "Identity" || c == "PReLU" || c == "Softmax";
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
  Collector(bool partial, const char* who) : partial_(partial), who_(who) {}
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
      GLIA_CHECK(layer->own_variables().empty() || partial_,
                 "{}: there is no rule for the layer {} ({}). Set .partial = true to leave it as it is.", who_, here,
                 layer->class_name());
      for (const LayerRef& inner : layer->sublayers()) add(inner, here, {});
    }
  }
  void root(const LayerRef& layer) {  // without its own name in the paths
    if (auto* s = dynamic_cast<const SequentialLayer*>(layer.ptr().get()))
      sequential(*s, "", {});
    else if (auto* f = dynamic_cast<const FunctionalLayer*>(layer.ptr().get()))
      functional(*f, "");
    else if (has_rule(*layer))
      add(layer, "", {});
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
      if (it != layer_of.end())
        flat[n] = flattened_by(*it->second, flat[in.node], g.type(in).shape, permuted);
      else if (!node.types.empty() && node.types[0].shape == g.type(in).shape)
        flat[n] = flat[in.node];  // an elementwise op
      if (it != layer_of.end()) input_flat_[it->second.ptr().get()] = flat[in.node];
    }
    for (const LayerRef& l : f.layers())
      add(l, path, input_flat_.count(l.ptr().get()) ? input_flat_[l.ptr().get()] : Shape());
  }

  bool partial_;
  const char* who_;
  std::map<const Layer*, Shape> input_flat_;
};

bool has_channels_first(const LayerRef& layer) {
  if (get_config(*layer).find("\"channels_first\"") != std::string::npos) return true;
  for (const LayerRef& inner : layer->sublayers())
    if (has_channels_first(inner)) return true;
  return false;
}

}  // namespace

std::vector<Leaf> leaves_of(const Model& model, bool partial, const char* who) {
  Collector collector(partial, who);
  collector.root(model);
  if (has_channels_first(model))  // then Flatten sees PyTorch's own order
    for (auto& leaf : collector.leaves) leaf.flattened.clear();
  return collector.leaves;
}

}  // namespace glia::io
