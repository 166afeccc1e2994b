#include <glia/model.h>

#include <map>

#include "base/error.h"
#include "io/keras/model_config.h"
#include "nn/config_json.h"
#include "nn/layer_call.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io::keras {
namespace {

json shape_json(const Shape& shape) {
  json list = json::array();
  for (int64_t extent : shape) list.push_back(extent < 0 ? json() : json(extent));
  return list;
}

json object(const char* module, const std::string& class_name, json config, json registered = nullptr) {
  return {{"module", module}, {"class_name", class_name}, {"config", std::move(config)}, {"registered_name", std::move(registered)}};
}

json input_layer(const std::string& name, const TensorType& type) {
  return object("keras.layers", "InputLayer",
                {{"batch_shape", shape_json(type.shape)}, {"dtype", std::string(dtype_name(type.dtype))}, {"sparse", false},
                 {"ragged", false}, {"name", name}, {"optional", false}});
}

json layer_json(const LayerRef& layer) {
  if (is_model_class(layer->class_name())) return model_to_config(layer);
  return config::to_json(*layer);
}

json sequential_json(const SequentialLayer& model) {
  json layers = json::array();
  const Shape& input = model.input_shape();
  if (!input.empty()) layers.push_back(input_layer(model.name() + "_input", {model.compute_dtype(), input}));
  for (const LayerRef& layer : model.layers()) layers.push_back(layer_json(layer));
  json policy = object("keras", "DTypePolicy", {{"name", model.dtype_policy()}});
  json config = {{"name", model.name()}, {"trainable", model.trainable()}, {"dtype", policy}, {"layers", layers}};
  if (!input.empty()) config["build_input_shape"] = shape_json(input);
  return object("keras", "Sequential", std::move(config));
}

// Keras calls these with one list of tensors; other layers with several inputs take them one by one.
bool takes_list(const std::string& class_name) {
  static const char* const kNames[] = {"Add",     "Subtract",    "Multiply", "Average",   "Maximum",
                                       "Minimum", "Concatenate", "Dot",      "Attention", "AdditiveAttention"};
  for (const char* name : kNames)
    if (class_name == name) return true;
  return false;
}

class FunctionalWriter {
 public:
  explicit FunctionalWriter(const FunctionalLayer& model) : model_(model), graph_(model.graph()) {}
  json write();

 private:
  const LayerCall* call(int node) const { return dynamic_cast<const LayerCall*>(graph_.nodes[static_cast<std::size_t>(node)].callee.get()); }
  json history(ir::Ref r) const;
  json tensor(ir::Ref r) const;
  json inbound(int node) const;
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

json FunctionalWriter::history(ir::Ref r) const {
  const LayerCall* c = call(r.node);
  if (c) return {c->layer->name(), number_.at(r.node), r.output};
  for (std::size_t i = 0; i < model_.input_refs().size(); ++i)
    if (model_.input_refs()[i].node == r.node) return {model_.input_names()[i], 0, 0};
  throw_error("{}: the model calls the op '{}' outside of a layer. Wrap it in a layer (layers::Lambda or your own class) to save the model.",
              model_.name(), graph_.nodes[static_cast<std::size_t>(r.node)].op->name);
}

json FunctionalWriter::tensor(ir::Ref r) const {
  const TensorType& type = graph_.type(r);
  return {{"class_name", "__keras_tensor__"},
          {"config", {{"shape", shape_json(type.shape)}, {"dtype", std::string(dtype_name(type.dtype))}, {"keras_history", history(r)}}}};
}

// Arguments of the recorded call: the inputs, masks that travel with them (implied, not written), then keyword values.
json FunctionalWriter::inbound(int node) const {
  const LayerCall& c = *call(node);
  const auto& refs = graph_.nodes[static_cast<std::size_t>(node)].inputs;
  json list = json::array();
  for (std::size_t i = 0; i < c.num_inputs; ++i) list.push_back(tensor(refs[i]));
  std::size_t at = c.num_inputs;
  for (bool has : c.input_has_mask) at += has;
  json kwargs = json::object();
  if (c.has_mask_option) kwargs["mask"] = tensor(refs.at(at++));
  json masks = json::array();
  for (bool has : c.option_masks) masks.push_back(has ? tensor(refs.at(at++)) : json());
  if (!masks.empty()) kwargs["mask"] = masks;
  if (c.has_attention_mask) kwargs["attention_mask"] = tensor(refs.at(at++));
  for (std::size_t i = 0; i < c.num_states; ++i) kwargs["initial_state"].push_back(tensor(refs.at(at++)));
  if (c.options.use_causal_mask) kwargs["use_causal_mask"] = true;
  if (c.options.return_attention_scores) kwargs["return_attention_scores"] = true;
  return {{"args", takes_list(c.layer->class_name()) ? json::array({list}) : list}, {"kwargs", kwargs}};
}

json FunctionalWriter::write() {
  number_calls();
  json layers = json::array(), inputs = json::array(), outputs = json::array();
  for (const FunctionalLayer::Item& item : model_.items()) {
    json entry;
    json nodes = json::array();
    if (item.layer) {
      entry = layer_json(item.layer);
      for (int id : calls_[item.layer.ptr().get()]) nodes.push_back(inbound(id));
    } else {
      const TensorType& type = graph_.type({item.node, 0});
      entry = input_layer(history({item.node, 0})[0].get<std::string>(), type);
    }
    entry["name"] = item.name;
    entry["inbound_nodes"] = nodes;
    layers.push_back(std::move(entry));
  }
  for (ir::Ref r : model_.input_refs()) inputs.push_back(history(r));
  for (ir::Ref r : model_.output_refs()) outputs.push_back(history(r));
  return object("keras.src.models.functional", "Functional",
                {{"name", model_.name()}, {"trainable", model_.trainable()}, {"layers", layers}, {"input_layers", inputs},
                 {"output_layers", outputs}},
                "Functional");
}

}  // namespace

json model_to_config(const LayerRef& root) {
  if (auto* s = dynamic_cast<const SequentialLayer*>(root.ptr().get())) return sequential_json(*s);
  if (auto* f = dynamic_cast<const FunctionalLayer*>(root.ptr().get())) return FunctionalWriter(*f).write();
  throw_error("{}: only Sequential and Functional models have a configuration. Received a {}.", root->name(), root->class_name());
}

}  // namespace glia::io::keras
