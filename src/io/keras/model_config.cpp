#include "io/keras/model_config.h"

#include <glia/model.h>

#include <map>
#include <vector>

#include "base/error.h"
#include "nn/config_json.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io::keras {
namespace {

Shape shape_of(const json& list) {
  Shape shape;
  for (const json& extent : list) shape.push_back(extent.is_null() ? -1 : extent.get<int64_t>());
  return shape;
}

LayerRef layer_from(const json& spec) {
  const std::string class_name = spec.at("class_name").get<std::string>();
  if (is_model_class(class_name)) return model_from_config(spec);
  return LayerRef(std::static_pointer_cast<Layer>(config::from_json("layer", spec)));
}

Value input_from(const json& config) {
  const Shape shape = shape_of(config.contains("batch_shape") ? config["batch_shape"] : config.at("batch_input_shape"));
  return Input(Shape(shape.begin() + 1, shape.end()), {.name = config.at("name").get<std::string>(),
                                                        .dtype = dtype_from_name(config.value("dtype", "float32")),
                                                        .batch_size = shape.at(0)});
}

LayerRef sequential_from(const json& config) {
  auto model = std::make_shared<SequentialLayer>();
  model->configure({.name = config.value("name", ""), .trainable = config.value("trainable", true)});
  Shape input;
  for (const json& spec : config.at("layers")) {
    if (spec.at("class_name") == "InputLayer") {  // Keras lists it; it is not among model.layers
      const json& c = spec.at("config");
      input = shape_of(c.contains("batch_shape") ? c["batch_shape"] : c.at("batch_input_shape"));
    } else {
      model->add(layer_from(spec));
    }
  }
  if (input.empty() && config.contains("build_input_shape") && config["build_input_shape"].is_array())
    input = shape_of(config["build_input_shape"]);
  if (!input.empty()) model->build_once({input});
  return LayerRef(model);
}

// Rebuilds the graph: a node is called as soon as all tensors it takes exist, layer by layer in the order of the file.
class FunctionalReader {
 public:
  explicit FunctionalReader(const json& config) : config_(config) {}
  LayerRef read();

 private:
  using Key = std::pair<std::string, int64_t>;  // layer name, index of the call
  bool is_tensor(const json& v) const { return v.is_object() && v.value("class_name", "") == "__keras_tensor__"; }
  bool ready(const json& value) const;
  Value tensor(const json& history) const;
  void flatten(const json& value, Values& out) const;
  CallOptions call_options(const std::string& name, const json& kwargs, Values& inputs) const;
  void call(const std::string& name, const LayerRef& layer, const json& node);
  Values endpoints(const char* key) const;

  const json& config_;
  std::map<Key, Values> outputs_;
  std::map<std::string, int64_t> calls_;
};

bool FunctionalReader::ready(const json& value) const {
  if (is_tensor(value)) {
    const json& h = value["config"]["keras_history"];
    return outputs_.count({h[0].get<std::string>(), h[1].get<int64_t>()}) > 0;
  }
  if (value.is_structured())
    for (const json& item : value)
      if (!ready(item)) return false;
  return true;
}

Value FunctionalReader::tensor(const json& h) const {
  const auto found = outputs_.find({h.at(0).get<std::string>(), h.at(1).get<int64_t>()});
  GLIA_CHECK(found != outputs_.end(), "{}: a connection leads to output {} of call {} of the layer '{}', which does not exist.",
             config_.value("name", "model"), h.at(2).dump(), h.at(1).dump(), h.at(0).get<std::string>());
  return found->second.at(h.at(2).get<std::size_t>());
}

void FunctionalReader::flatten(const json& value, Values& out) const {
  if (is_tensor(value)) out.push_back(tensor(value["config"]["keras_history"]));
  else if (value.is_array())
    for (const json& item : value) flatten(item, out);
  else if (value.is_object())
    for (const auto& [key, item] : value.items()) flatten(item, out);
}

// Keyword arguments that are values join the inputs where the layer takes them as inputs (key, value), else the options.
CallOptions FunctionalReader::call_options(const std::string& name, const json& kwargs, Values& inputs) const {
  CallOptions options;
  for (const auto& [key, value] : kwargs.items()) {
    // Keras stores training=false with every call and overrides it with the mode the model runs in.
    if (value.is_null() || key == "training") continue;
    Values values;
    flatten(value, values);
    if (key == "use_causal_mask") options.use_causal_mask = value.get<bool>();
    else if (key == "return_attention_scores") options.return_attention_scores = value.get<bool>();
    else if (key == "attention_mask") options.attention_mask = values.at(0);
    else if (key == "initial_state") options.initial_state = values;
    else if (key == "mask" && values.size() == 1) options.mask = values[0];
    else if (key == "mask") options.masks = values;
    else if (key == "inputs" || key == "query" || key == "value" || key == "key") inputs.insert(inputs.end(), values.begin(), values.end());
    else throw_error("{}: the layer is called with the argument '{}', which cannot be read.", name, key);
  }
  return options;
}

void FunctionalReader::call(const std::string& name, const LayerRef& layer, const json& node) {
  Values inputs;
  flatten(node.at("args"), inputs);
  const CallOptions options = call_options(name, node.value("kwargs", json::object()), inputs);
  outputs_[{name, calls_[name]++}] = layer.outputs(inputs, options);
}

Values FunctionalReader::endpoints(const char* key) const {
  Values values;
  const json& list = config_.at(key);
  auto is_history = [](const json& v) { return v.is_array() && v.size() == 3 && v[0].is_string() && v[1].is_number(); };
  if (is_history(list)) return {tensor(list)};
  for (const json& item : list) values.push_back(tensor(item));  // a list, or by name
  return values;
}

LayerRef FunctionalReader::read() {
  struct Item {
    std::string name;
    LayerRef layer;
    const json* nodes;
    std::size_t next = 0;
  };
  std::vector<Item> items;
  for (const json& spec : config_.at("layers")) {
    const std::string name = spec.contains("name") ? spec["name"].get<std::string>() : spec.at("config").at("name").get<std::string>();
    if (spec.at("class_name") == "InputLayer") outputs_[{name, 0}] = {input_from(spec.at("config"))};
    else items.push_back({name, layer_from(spec), &spec.at("inbound_nodes")});
  }
  for (bool progress = true; progress;) {
    progress = false;
    for (Item& item : items)
      while (item.next < item.nodes->size() && ready((*item.nodes)[item.next])) {
        call(item.name, item.layer, (*item.nodes)[item.next++]);
        progress = true;
      }
  }
  for (const Item& item : items)
    GLIA_CHECK(item.next == item.nodes->size(), "{}: the layer '{}' takes a tensor that no layer makes.", config_.value("name", "model"),
               item.name);
  Model model(endpoints("input_layers"), endpoints("output_layers"),
              {.name = config_.value("name", ""), .trainable = config_.value("trainable", true)});
  return model;
}

}  // namespace

bool is_model_class(const std::string& c) { return c == "Sequential" || c == "Functional" || c == "Model"; }

LayerRef model_from_config(const json& spec) {
  const std::string class_name = spec.at("class_name").get<std::string>();
  GLIA_CHECK(is_model_class(class_name), "expected the configuration of a Sequential or Functional model. Received a {}.", class_name);
  if (class_name == "Sequential") return sequential_from(spec.at("config"));
  return FunctionalReader(spec.at("config")).read();
}

}  // namespace glia::io::keras
