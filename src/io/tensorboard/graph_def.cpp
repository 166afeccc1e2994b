#include "io/tensorboard/graph_def.h"

#include <map>

#include "io/tensorboard/wire.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io {
namespace {

// Scopes become boxes that open: a nested model, a layer of layers.
class Writer {
 public:
  // Adds a layer called on `inputs` and gives the name of its node.
  std::string add(const LayerRef& layer, const std::string& scope, const std::vector<std::string>& inputs) {
    std::string name = scope.empty() ? layer->name() : scope + "/" + layer->name();
    if (auto* s = dynamic_cast<const SequentialLayer*>(layer.ptr().get())) return sequential(*s, name, inputs);
    if (auto* f = dynamic_cast<const FunctionalLayer*>(layer.ptr().get())) return functional(*f, name, inputs);
    return node(unique(name), layer->class_name(), inputs);
  }
  std::string bytes() {
    Message versions;
    versions.integer(1, 1882);  // producer: any recent number
    graph_.message(4, versions);
    return graph_.bytes();
  }

 private:
  std::string sequential(const SequentialLayer& s, const std::string& scope, std::vector<std::string> inputs) {
    if (inputs.empty()) inputs = {node(unique(scope + "/input"), "Placeholder", {})};
    for (const LayerRef& l : s.layers()) inputs = {add(l, scope, inputs)};
    return inputs[0];
  }
  std::string functional(const FunctionalLayer& f, const std::string& scope, const std::vector<std::string>& inputs) {
    const ir::Graph& g = f.graph();
    std::map<int, const FunctionalLayer::Item*> items;
    for (auto& item : f.items()) items[item.node] = &item;
    std::map<int, std::string> names;
    for (std::size_t i = 0; i < f.input_refs().size(); ++i)
      if (i < inputs.size()) names[f.input_refs()[i].node] = inputs[i];
    for (std::size_t n = 0; n < g.nodes.size(); ++n) {
      int id = static_cast<int>(n);
      auto it = items.find(id);
      if (names.count(id) || it == items.end()) continue;
      std::vector<std::string> from;
      for (ir::Ref r : g.nodes[n].inputs)
        if (names.count(r.node)) from.push_back(names[r.node]);
      const FunctionalLayer::Item& item = *it->second;
      names[id] = item.layer && item.layer->class_name() != "InputLayer"
                      ? add(item.layer, scope, from)
                      : node(unique(scope + "/" + item.name),
                             from.empty()    ? "Placeholder"
                             : g.nodes[n].op ? std::string(g.nodes[n].op->name)
                                             : "op",
                             from);
    }
    return f.output_refs().empty() ? "" : names[f.output_refs()[0].node];
  }
  std::string unique(const std::string& name) {
    int n = seen_[name]++;
    return n ? name + "_" + std::to_string(n) : name;
  }
  std::string node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs) {
    Message m;
    m.text(1, name);
    m.text(2, op);
    for (auto& i : inputs) m.text(3, i);
    graph_.message(1, m);
    return name;
  }
  Message graph_;
  std::map<std::string, int> seen_;
};

}  // namespace

std::string graph_def(const Model& model) {
  Writer w;
  w.add(model, "", {});
  return w.bytes();
}

}  // namespace glia::io
