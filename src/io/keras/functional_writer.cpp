#include "io/keras/functional_writer.h"

#include <map>
#include <set>

#include "base/error.h"
#include "io/keras/native_ops.h"
#include "io/keras/op_layer.h"
#include "nn/layer_call.h"
#include "nn/layers/rnn.h"
#include "nn/layers/rnn_wrappers.h"

namespace glia::io::keras {
namespace {

// Keras calls these with one list of tensors; other layers with several inputs take them one by one.
bool takes_list(const Layer& layer) {
  static const std::set<std::string> kNames{"Add",     "Subtract",    "Multiply", "Average",   "Maximum",          "Minimum",
                                            "Concatenate", "Dot", "Attention", "AdditiveAttention", "Functional", "HashedCrossing", "TFDConcat"};
  return kNames.count(layer.class_name()) > 0;
}
bool has_named_masks(const Layer& layer) {
  return layer.class_name() == "MultiHeadAttention" || layer.class_name() == "GroupQueryAttention";
}

class FunctionalWriter {
 public:
  explicit FunctionalWriter(const FunctionalLayer& model) : model_(model), graph_(model.graph()) {}
  json write();

 private:
  const ir::Node& node(int id) const { return graph_.nodes[static_cast<std::size_t>(id)]; }
  const LayerCall* call(int id) const { return dynamic_cast<const LayerCall*>(node(id).callee.get()); }
  bool is_constant(int id) const { return node(id).op == &ir::constant_op(); }
  bool is_mask(ir::Ref r) const;
  json history(ir::Ref r) const;
  json end_history(ir::Ref r) const;
  json tensor(ir::Ref r) const;
  json argument(ir::Ref r) const { return is_constant(r.node) ? constant_json(node(r.node).constant) : tensor(r); }
  json layer_node(int id) const;
  json op_layer_node(int id, const OpLayer& op) const;
  json op_entry(int id) const;
  json entry(const FunctionalLayer::Item& item);
  json endpoints(const std::vector<ir::Ref>& refs, const std::vector<std::string>& keys) const;
  void number_calls();

  const FunctionalLayer& model_;
  const ir::Graph& graph_;
  std::map<int, int64_t> number_;                        // node -> index of the call of its layer
  std::map<const Layer*, std::vector<int>> calls_;
};

void FunctionalWriter::number_calls() {
  for (int id = 0; id < static_cast<int>(graph_.nodes.size()); ++id) {
    const LayerCall* c = call(id);
    if (!c) continue;
    auto& list = calls_[c->layer.get()];
    number_[id] = static_cast<int64_t>(list.size());
    list.push_back(id);
  }
}

// Whether it is the mask that a layer's output carries, which Keras finds again by itself.
bool FunctionalWriter::is_mask(ir::Ref r) const {
  const LayerCall* c = call(r.node);
  return c && static_cast<std::size_t>(r.output) >= c->output_has_mask.size();
}

json FunctionalWriter::history(ir::Ref r) const {
  if (const LayerCall* c = call(r.node)) return {c->layer->name(), number_.at(r.node), r.output};
  for (std::size_t i = 0; i < model_.input_refs().size(); ++i)
    if (model_.input_refs()[i].node == r.node) return {model_.input_names()[i], 0, 0};
  return {model_.node_name(r.node), 0, r.output};
}

// At the ends of a model the calls of nested functional models count from 1.
json FunctionalWriter::end_history(ir::Ref r) const {
  json h = history(r);
  if (const LayerCall* c = call(r.node); c && c->layer->class_name() == "Functional") h[1] = h[1].get<int64_t>() + 1;
  return h;
}

json FunctionalWriter::tensor(ir::Ref r) const {
  const TensorType& type = graph_.type(r);
  return {{"class_name", "__keras_tensor__"},
          {"config", {{"shape", shape_to_config(type.shape)}, {"dtype", std::string(dtype_name(type.dtype))}, {"keras_history", history(r)}}}};
}

// Arguments of the recorded call: the inputs, masks that travel with them (implied, not written), then keyword values.
json FunctionalWriter::layer_node(int id) const {
  const LayerCall& c = *call(id);
  const auto& refs = node(id).inputs;
  json list = json::array();
  for (std::size_t i = 0; i < c.num_inputs; ++i) list.push_back(argument(refs[i]));
  std::size_t at = c.num_inputs;
  for (bool has : c.input_has_mask) at += has;
  json kwargs = json::object();
  auto mask = [&](ir::Ref r) { return is_mask(r) ? json() : argument(r); };
  if (c.has_mask_option) kwargs["mask"] = mask(refs.at(at++));
  json masks = json::array();
  for (bool has : c.option_masks) masks.push_back(has ? mask(refs.at(at++)) : json());
  if (!masks.empty() && has_named_masks(*c.layer)) {
    static const char* const kNames[] = {"query_mask", "value_mask", "key_mask"};
    for (std::size_t i = 0; i < masks.size() && i < 3; ++i) kwargs[kNames[i]] = masks[i];
  } else if (!masks.empty()) {
    kwargs["mask"] = masks;
  }
  if (c.has_attention_mask) kwargs["attention_mask"] = argument(refs.at(at++));
  for (std::size_t i = 0; i < c.num_states; ++i) kwargs["initial_state"].push_back(argument(refs.at(at++)));
  if (list.size() > 1 && (dynamic_cast<const nn::RNN*>(c.layer.get()) || dynamic_cast<const nn::Bidirectional*>(c.layer.get()))) {
    kwargs["initial_state"] = json(list.begin() + 1, list.end());  // states given as further inputs
    list = json::array({list[0]});
  }
  if (c.options.use_causal_mask) kwargs["use_causal_mask"] = true;
  if (c.options.return_attention_scores) kwargs["return_attention_scores"] = true;
  if (c.options.reverse) kwargs["reverse"] = true;
  const bool as_list = takes_list(*c.layer) && (list.size() > 1 || c.layer->class_name() != "Functional");
  return {{"args", as_list ? json::array({list}) : list}, {"kwargs", kwargs}};
}

// An op that came from a file: as it was there, with this graph's tensors.
json FunctionalWriter::op_layer_node(int id, const OpLayer& op) const {
  const auto& refs = node(id).inputs;
  std::function<json(const json&)> fill = [&](const json& v) -> json {
    if (v.is_object() && v.size() == 1 && v.contains("array")) {
      const std::size_t i = v["array"].get<std::size_t>();
      return i < refs.size() ? argument(refs[i]) : constant_json(op.constants().at(i - refs.size()));
    }
    if (!v.is_structured()) return v;
    json copy = v;
    for (json& item : copy) item = fill(item);
    return copy;
  };
  return {{"args", fill(op.args())}, {"kwargs", fill(op.kwargs())}};
}

json FunctionalWriter::op_entry(int id) const {
  const ir::Node& n = node(id);
  std::vector<TensorType> types;
  for (ir::Ref r : n.inputs) types.push_back(graph_.type(r));
  std::optional<KerasCall> c;
  if (!n.callee) c = keras_call(n, types, [&](std::size_t i) { return argument(n.inputs[i]); });
  GLIA_CHECK(c, "{}: the model calls the op '{}' outside of a layer, which Keras does not have. Wrap it in a layer of your own to save the model.",
             model_.name(), model_.node_name(id));
  json entry = c->entry;
  json config = {{"name", model_.node_name(id)}};
  for (const auto& [key, value] : entry["config"].items()) config[key] = value;
  entry["config"] = config;
  entry["inbound_nodes"] = {{{"args", c->args}, {"kwargs", c->kwargs}}};
  return entry;
}

json FunctionalWriter::entry(const FunctionalLayer::Item& item) {
  if (!item.layer && node(item.node).op == &ir::input_op()) {
    json e = input_to_config(history({item.node, 0})[0].get<std::string>(), graph_.type({item.node, 0}));
    e["name"] = e["config"]["name"];
    e["inbound_nodes"] = json::array();
    return e;
  }
  json e, nodes = json::array();
  if (!item.layer) {
    e = op_entry(item.node);
    nodes = e["inbound_nodes"];
    e["name"] = item.name;
  } else if (auto* op = dynamic_cast<const OpLayer*>(item.layer.ptr().get())) {
    e = op->entry();
    e["config"]["name"] = item.name;
    for (int id : calls_[item.layer.ptr().get()]) nodes.push_back(op_layer_node(id, *op));
    e["name"] = item.name;
  } else {
    e = layer_to_config(item.layer);
    for (int id : calls_[item.layer.ptr().get()]) nodes.push_back(layer_node(id));
    e["name"] = item.name;
  }
  e["inbound_nodes"] = nodes;
  return e;
}

json FunctionalWriter::endpoints(const std::vector<ir::Ref>& refs, const std::vector<std::string>& keys) const {
  if (!keys.empty()) {
    json r = json::object();
    for (std::size_t i = 0; i < refs.size(); ++i) r[keys[i]] = end_history(refs[i]);
    return r;
  }
  if (refs.size() == 1) return end_history(refs[0]);
  json r = json::array();
  for (ir::Ref ref : refs) r.push_back(end_history(ref));
  return r;
}

json FunctionalWriter::write() {
  number_calls();
  json layers = json::array();
  std::set<int> written;
  for (const FunctionalLayer::Item& item : model_.items()) {
    written.insert(item.node);
    layers.push_back(entry(item));
  }
  for (std::size_t i = 0; i < model_.input_refs().size(); ++i) {  // inputs that no output needs
    const int id = model_.input_refs()[i].node;
    if (!written.count(id)) layers.insert(layers.begin(), entry({id, LayerRef(), model_.input_names()[i]}));
  }
  json config = {{"name", model_.name()},
                 {"trainable", model_.trainable()},
                 {"layers", layers},
                 {"input_layers", endpoints(model_.input_refs(), model_.input_keys())},
                 {"output_layers", endpoints(model_.output_refs(), model_.output_keys())}};
  return {{"module", "keras.src.models.functional"}, {"class_name", "Functional"}, {"config", config}, {"registered_name", "Functional"}};
}

}  // namespace

json functional_to_config(const FunctionalLayer& model) { return FunctionalWriter(model).write(); }

}  // namespace glia::io::keras
