#include "io/plot/boxes.h"

#include <map>

#include "base/error.h"
#include "nn/config_json.h"
#include "nn/layer_call.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io::plot {

namespace {

std::string shapes_text(const std::vector<Shape>& shapes) {
  if (shapes.empty()) return "?";
  std::string r;
  for (const Shape& s : shapes) r += (r.empty() ? "" : ", ") + to_string(s);
  return r;
}

std::string activation_of(Layer& layer) {
  const auto config = nlohmann::json::parse(get_config(layer), nullptr, false);
  if (!config.is_object() || !config.contains("activation") || !config["activation"].is_string()) return "";
  const std::string name = config["activation"].get<std::string>();
  return name == "linear" ? "" : name;
}

class Builder {
 public:
  explicit Builder(const utils::PlotOptions& o) : o_(o) {}

  // Draws a model whose inputs come from the given boxes; returns the boxes of its outputs.
  std::vector<int> model(const Layer& layer, const std::vector<int>& inputs, int group) {
    if (auto* s = dynamic_cast<const SequentialLayer*>(&layer)) return sequential(*s, inputs, group);
    if (auto* f = dynamic_cast<const FunctionalLayer*>(&layer)) return functional(*f, inputs, group);
    throw_error("plot_model: '{}' ({}) is neither Sequential nor functional, so it has no graph to draw.",
                layer.name(), layer.class_name());
  }
  Diagram diagram;

 private:
  static bool nested(const Layer& l) {
    return dynamic_cast<const SequentialLayer*>(&l) || dynamic_cast<const FunctionalLayer*>(&l);
  }

  int box(const std::string& title, const std::string& name, int group, const std::vector<int>& from) {
    diagram.boxes.push_back({title, name, {}, group});
    const int id = static_cast<int>(diagram.boxes.size()) - 1;
    for (int f : from)
      if (f >= 0) diagram.arrows.push_back({f, id});
    return id;
  }
  void describe(int id, const std::vector<Shape>& in, const std::vector<Shape>& out, DType dtype, Layer* layer) {
    std::vector<std::string>& rows = diagram.boxes[static_cast<size_t>(id)].rows;
    if (o_.show_layer_activations && layer)
      if (std::string a = activation_of(*layer); !a.empty()) rows.push_back("activation: " + a);
    if (o_.show_shapes && !in.empty()) rows.push_back("in: " + shapes_text(in));
    if (o_.show_shapes) rows.push_back("out: " + shapes_text(out));
    if (o_.show_dtype) rows.push_back("dtype: " + std::string(dtype_name(dtype)));
    if (o_.show_trainable && layer && !layer->weights().empty())
      rows.push_back(layer->trainable() ? "trainable" : "frozen");
  }
  int open_group(const std::string& name, int parent) {
    diagram.groups.push_back({name, parent});
    return static_cast<int>(diagram.groups.size()) - 1;
  }

  std::vector<int> sequential(const SequentialLayer& s, const std::vector<int>& inputs, int group) {
    std::vector<int> at = inputs;
    std::vector<Shape> in;
    if (!s.input_shape().empty()) in = {s.input_shape()};
    if (inputs.empty() && !in.empty()) {
      at = {box("InputLayer", "input", group, {})};
      describe(at[0], {}, in, DType::f32, nullptr);
    }
    for (size_t i = 0; i < s.layers().size(); ++i) {
      const LayerRef& l = s.layers()[i];
      const std::vector<Shape> out = i < s.output_shapes().size() ? s.output_shapes()[i] : std::vector<Shape>{};
      if (o_.expand_nested && nested(*l)) {
        at = model(*l, at, open_group(l->name(), group));
      } else {
        at = {box(l->class_name(), l->name(), group, at)};
        describe(at[0], in, out, l->compute_dtype(), l.ptr().get());
      }
      in = out;
    }
    return at;
  }

  std::vector<int> functional(const FunctionalLayer& f, const std::vector<int>& inputs, int group) {
    const ir::Graph& g = f.graph();
    std::map<ir::Ref, int> box_of;
    std::map<int, const FunctionalLayer::Item*> item_of;
    for (const FunctionalLayer::Item& item : f.items()) item_of[item.node] = &item;
    for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {  // topological
      const ir::Node& n = g.nodes[static_cast<size_t>(id)];
      auto it = item_of.find(id);
      if (it == item_of.end()) {
        call_again(g, id, box_of);
        continue;
      }
      std::vector<int> from;
      std::vector<Shape> in, out;
      for (ir::Ref r : n.inputs)
        if (auto b = box_of.find(r); b != box_of.end() && !is_mask(g, r))
          from.push_back(b->second), in.push_back(g.type(r).shape);
      for (int o = 0; o < static_cast<int>(n.types.size()); ++o)
        if (!is_mask(g, {id, o})) out.push_back(n.types[static_cast<size_t>(o)].shape);
      const LayerRef& layer = it->second->layer;
      std::vector<int> made;
      const int first = static_cast<int>(diagram.boxes.size());
      if (n.op == &ir::input_op()) {
        const size_t k = position(f, id);
        if (k < inputs.size()) made = {inputs[k]};
      } else if (layer && o_.expand_nested && nested(*layer)) {
        made = model(*layer, from, open_group(layer->name(), group));
      }
      if (made.empty()) {
        made = {box(layer                     ? layer->class_name()
                    : n.op == &ir::input_op() ? "InputLayer"
                                              : it->second->name,
                    it->second->name, group, from)};
        describe(made[0], in, out, n.types.empty() ? DType::f32 : n.types[0].dtype, layer.ptr().get());
      }
      for (size_t o = 0; o < n.types.size(); ++o)
        box_of[{id, static_cast<int>(o)}] = made[std::min(o, made.size() - 1)];
      if (layer) drawn_[layer.ptr().get()] = {std::min(first, made[0]), made};
    }
    std::vector<int> result;
    for (ir::Ref r : f.output_refs()) result.push_back(box_of.count(r) ? box_of[r] : -1);
    return result;
  }
  // Masks follow the outputs of a layer's call; they are not drawn.
  static bool is_mask(const ir::Graph& g, ir::Ref r) {
    auto* call = dynamic_cast<LayerCall*>(g.nodes[static_cast<size_t>(r.node)].callee.get());
    return call && r.output >= static_cast<int>(call->output_has_mask.size());
  }
  // A further call of a shared layer: arrows to the boxes that are there, as Keras draws it.
  void call_again(const ir::Graph& g, int id, std::map<ir::Ref, int>& box_of) {
    const ir::Node& n = g.nodes[static_cast<size_t>(id)];
    auto* call = dynamic_cast<LayerCall*>(n.callee.get());
    auto it = call ? drawn_.find(call->layer.get()) : drawn_.end();
    if (it == drawn_.end()) return;
    for (ir::Ref r : n.inputs)
      if (auto b = box_of.find(r); b != box_of.end() && !is_mask(g, r))
        diagram.arrows.push_back({b->second, it->second.entry});
    for (size_t o = 0; o < n.types.size(); ++o)
      box_of[{id, static_cast<int>(o)}] = it->second.outputs[std::min(o, it->second.outputs.size() - 1)];
  }
  static size_t position(const FunctionalLayer& f, int node) {
    for (size_t k = 0; k < f.input_refs().size(); ++k)
      if (f.input_refs()[k].node == node) return k;
    return f.input_refs().size();
  }

  struct Drawn {
    int entry;
    std::vector<int> outputs;
  };
  const utils::PlotOptions& o_;
  std::map<const Layer*, Drawn> drawn_;
};

}  // namespace

Diagram diagram_of(const Model& model, const utils::PlotOptions& options) {
  GLIA_CHECK(options.rankdir == "TB" || options.rankdir == "LR",
             "plot_model: rankdir must be \"TB\" or \"LR\". Received '{}'.", options.rankdir);
  Builder b(options);
  b.model(*model.ptr(), {}, -1);
  return b.diagram;
}

std::string escaped(const std::string& text) {
  std::string r;
  for (char c : text) {
    if (c == '&')
      r += "&amp;";
    else if (c == '<')
      r += "&lt;";
    else if (c == '>')
      r += "&gt;";
    else if (c == '"')
      r += "&quot;";
    else if (static_cast<unsigned char>(c) < 32)
      r += ' ';
    else
      r += c;
  }
  return r;
}

}  // namespace glia::io::plot
