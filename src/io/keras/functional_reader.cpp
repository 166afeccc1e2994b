#include "io/keras/functional_reader.h"

#include <glia/model.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "io/keras/model_config.h"
#include "io/keras/op_layer.h"
#include "nn/config_json.h"
#include "nn/layers/rnn.h"
#include "nn/layers/rnn_wrappers.h"
#include "train/functional.h"

namespace glia::io::keras {
namespace {

bool is_class(const json& v, const char* name) { return v.is_object() && v.contains("class_name") && v["class_name"] == name; }
bool is_tensor(const json& v) { return is_class(v, "__keras_tensor__"); }
// ["dense", 0, 0]: a tensor in the older form, and at the ends of a model.
bool is_history(const json& v) {
  return v.is_array() && v.size() >= 3 && v.size() <= 4 && v[0].is_string() && v[1].is_number_integer() && v[2].is_number_integer();
}

// The entries of a structure in Keras's order: lists as they are, dictionaries by sorted keys.
std::vector<const json*> children(const json& v) {
  std::vector<const json*> r;
  if (v.is_array()) {
    for (const json& item : v) r.push_back(&item);
  } else if (v.is_object()) {
    std::map<std::string, const json*> sorted;
    for (const auto& [key, item] : v.items()) sorted[key] = &item;
    for (const auto& [key, item] : sorted) r.push_back(item);
  }
  return r;
}

// Rebuilds the graph: a node is called as soon as all tensors it takes exist, layer by layer in the order of the file.
class FunctionalReader {
 public:
  explicit FunctionalReader(const json& config) : config_(config), name_(config.value("name", "model")) {}
  LayerRef read();

 private:
  using Key = std::pair<std::string, int64_t>;  // layer name, index of the call
  struct Item {
    std::string name;
    const json* spec;
    std::vector<json> nodes;  // {"args", "kwargs"}
    LayerRef layer;           // made once, when it is first called; ops: one per node
    std::size_t next = 0;
  };
  json modern_node(const json& node) const;
  json counted_from_zero(const json& history) const;
  bool ready(const json& value) const;
  Value tensor(const json& history) const;
  void flatten(const json& value, Values& out) const;
  CallOptions call_options(const Item& item, const json& kwargs, std::map<std::string, Values>& inputs) const;
  void call(Item& item);
  Values call_op(const Item& item, const json& node) const;
  json mark(const json& value, Values& inputs, std::vector<Tensor>& constants) const;
  Values call_layer(const Item& item, const json& node) const;
  Values endpoints(const char* key, std::vector<std::string>& names) const;
  void add_input(const std::string& name, const json& config);

  const json& config_;
  std::string name_;
  std::map<Key, Values> outputs_;
  std::set<std::string> functional_;  // names of nested functional models
};

// Nested functional models begin with a node of their own, so that in the older form and at the ends of a model their
// calls count from 1.
json FunctionalReader::counted_from_zero(const json& h) const {
  const int64_t node = h[1].get<int64_t>();
  return {h[0], functional_.count(h[0].get<std::string>()) && node > 0 ? node - 1 : node, h[2]};
}

// The older form: [[layer, node, tensor, {kwargs}], ...] for one call; tensors among the kwargs are [layer, node, tensor].
json FunctionalReader::modern_node(const json& node) const {
  if (node.is_object()) return node;
  auto keras_tensor = [&](const json& h) {
    return json{{"class_name", "__keras_tensor__"}, {"config", {{"keras_history", counted_from_zero(h)}}}};
  };
  std::function<json(const json&)> convert = [&](const json& v) -> json {
    if (is_history(v)) return keras_tensor(v);
    if (!v.is_structured()) return v;
    json copy = v;
    for (json& item : copy) item = convert(item);
    return copy;
  };
  const json entries = is_history(node) ? json::array({node}) : node;
  GLIA_CHECK(entries.is_array(), "a node must be a list of tensors. Received {}.", node.dump().substr(0, 80));
  json args = json::array(), kwargs = json::object();
  for (const json& e : entries) {
    GLIA_CHECK(is_history(e), "a tensor must be [layer, node, tensor]. Received {}.", e.dump().substr(0, 80));
    args.push_back(keras_tensor(e));
    if (e.size() == 4 && e[3].is_object())
      for (const auto& [key, v] : e[3].items()) kwargs[key] = convert(v);
  }
  if (args.size() > 1) args = json::array({args});
  return {{"args", args}, {"kwargs", kwargs}};
}

bool FunctionalReader::ready(const json& value) const {
  if (is_tensor(value)) {
    const json& h = value.at("config").at("keras_history");
    return outputs_.count({h.at(0).get<std::string>(), h.at(1).get<int64_t>()}) > 0;
  }
  for (const json* item : children(value))
    if (!ready(*item)) return false;
  return true;
}

Value FunctionalReader::tensor(const json& h) const {
  const auto found = outputs_.find({h.at(0).get<std::string>(), h.at(1).get<int64_t>()});
  GLIA_CHECK(found != outputs_.end() && h.at(2).get<std::size_t>() < found->second.size(),
             "{}: a connection leads to output {} of call {} of the layer '{}', which does not exist.", name_, h.at(2).dump(), h.at(1).dump(),
             h.at(0).get<std::string>());
  return found->second[h[2].get<std::size_t>()];
}

void FunctionalReader::flatten(const json& value, Values& out) const {
  if (is_tensor(value)) return out.push_back(tensor(value["config"]["keras_history"]));
  if (is_class(value, "__numpy__") || is_class(value, "__tensor__")) {
    out.emplace_back(config::tensor_from_json(value));
    return;
  }
  for (const json* item : children(value)) flatten(*item, out);
}

// Keyword arguments that are values join the inputs where the layer takes them as inputs (key, value), else the options.
CallOptions FunctionalReader::call_options(const Item& item, const json& kwargs, std::map<std::string, Values>& inputs) const {
  CallOptions options;
  static const std::map<std::string, std::size_t> kMasks{{"query_mask", 0}, {"value_mask", 1}, {"key_mask", 2}};
  for (const auto& [key, value] : kwargs.items()) {
    // Keras stores training=false with every call and overrides it with the mode the model runs in.
    if (value.is_null() || key == "training") continue;
    Values values;
    flatten(value, values);
    if (key == "use_causal_mask") options.use_causal_mask = value.get<bool>();
    else if (key == "return_attention_scores") options.return_attention_scores = value.get<bool>();
    else if (key == "reverse") options.reverse = value.get<bool>();
    else if (values.empty() && value.is_structured() && value.empty()) continue;
    else if (key == "attention_mask" && !values.empty()) options.attention_mask = values[0];
    else if (key == "initial_state") options.initial_state = values;
    else if (key == "mask" && is_tensor(value)) options.mask = values[0];
    else if (key == "mask" && !is_tensor(value) && value.is_structured())
      for (const json* m : children(value)) options.masks.push_back(m->is_null() ? Value() : tensor(m->at("config").at("keras_history")));
    else if (kMasks.count(key) && !values.empty()) {
      const std::size_t i = kMasks.at(key);
      if (options.masks.size() <= i) options.masks.resize(i + 1);
      options.masks[i] = values[0];
    } else if (!values.empty()) inputs[key] = values;
    else if (!value.is_boolean() || value.get<bool>())
      throw_error("{}: the layer is called with the argument '{}' = {}, which Glia does not know.", item.name, key, value.dump().substr(0, 60));
  }
  return options;
}

Values FunctionalReader::call_layer(const Item& item, const json& node) const {
  Values inputs;
  flatten(node.at("args"), inputs);
  std::map<std::string, Values> named;
  CallOptions options = call_options(item, node.value("kwargs", json::object()), named);
  for (const char* first : {"inputs", "x", "sequences", "sequence", "query", "value", "key"})
    if (auto it = named.find(first); it != named.end()) {
      inputs.insert(inputs.end(), it->second.begin(), it->second.end());
      named.erase(it);
    }
  GLIA_CHECK(named.empty(), "{}: the layer is called with the argument '{}', which Glia does not know.", item.name, named.begin()->first);
  GLIA_CHECK(!inputs.empty(), "{}: the layer is called without inputs.", item.name);
  const bool recurrent = dynamic_cast<nn::RNN*>(item.layer.ptr().get()) || dynamic_cast<nn::Bidirectional*>(item.layer.ptr().get());
  if (recurrent && inputs.size() > 1 && options.initial_state.empty()) {  // states given by position
    options.initial_state.assign(inputs.begin() + 1, inputs.end());
    inputs.resize(1);
  }
  if (!options.masks.empty()) options.masks.resize(std::max(options.masks.size(), inputs.size()));
  return item.layer.outputs(inputs, options);
}

// Arguments of an op with {"array": i} where input i goes; arrays that the file holds follow the inputs.
json FunctionalReader::mark(const json& value, Values& inputs, std::vector<Tensor>& constants) const {
  if (is_tensor(value)) {
    inputs.push_back(tensor(value["config"]["keras_history"]));
    return {{"array", inputs.size() - 1}};
  }
  if (is_class(value, "__numpy__") || is_class(value, "__tensor__")) {
    constants.push_back(config::tensor_from_json(value));
    return {{"constant", constants.size() - 1}};
  }
  if (!value.is_structured()) return value;
  json copy = value;
  for (json& item : copy) item = mark(item, inputs, constants);
  return copy;
}

void place_constants(json& value, std::size_t inputs) {
  if (value.is_object() && value.size() == 1 && value.contains("constant")) {
    const std::size_t at = inputs + value["constant"].get<std::size_t>();
    value = {{"array", at}};
  } else if (value.is_structured()) {
    for (json& item : value) place_constants(item, inputs);
  }
}

Values FunctionalReader::call_op(const Item& item, const json& node) const {
  const std::string name = item.next ? fmt::format("{}_{}", item.name, item.next) : item.name;
  auto op = OpLayer::from_entry(*item.spec, name);
  Values inputs;
  std::vector<Tensor> constants;
  json args = mark(node.at("args"), inputs, constants), kwargs = mark(node.value("kwargs", json::object()), inputs, constants);
  GLIA_CHECK(!inputs.empty(), "{}: the op takes no tensor of the model.", item.name);
  place_constants(args, inputs.size());
  place_constants(kwargs, inputs.size());
  op->set_call(std::move(args), std::move(kwargs), std::move(constants));
  return LayerRef(op).outputs(inputs);
}

void FunctionalReader::call(Item& item) {
  const json& node = item.nodes[item.next];
  const bool op = is_op_entry(*item.spec);
  outputs_[{item.name, static_cast<int64_t>(item.next)}] = op ? call_op(item, node) : call_layer(item, node);
  ++item.next;
}

Values FunctionalReader::endpoints(const char* key, std::vector<std::string>& names) const {
  Values values;
  const json& list = config_.at(key);
  if (is_history(list)) return {tensor(counted_from_zero(list))};
  std::function<void(const json&)> visit = [&](const json& v) {
    if (is_history(v)) return values.push_back(tensor(counted_from_zero(v)));
    if (is_tensor(v)) return values.push_back(tensor(v["config"]["keras_history"]));
    for (const json* item : children(v)) visit(*item);
  };
  visit(list);
  if (list.is_object()) {
    std::map<std::string, int> sorted;
    for (const auto& [name, v] : list.items()) sorted[name];
    if (sorted.size() == values.size())
      for (const auto& [name, unused] : sorted) names.push_back(name);
  }
  return values;
}

void FunctionalReader::add_input(const std::string& name, const json& config) {
  const char* key = config.contains("batch_shape") ? "batch_shape" : "batch_input_shape";
  GLIA_CHECK(config.contains(key) && config[key].is_array() && !config[key].empty(), "{}: the input has no shape.", name);
  const Shape shape = shape_from(config[key], name);
  const json dtype = config.value("dtype", json("float32"));
  const std::string text = dtype.is_string() ? dtype.get<std::string>() : config::dtype_policy_from_json(dtype);
  outputs_[{name, 0}] = {Input(Shape(shape.begin() + 1, shape.end()),
                               {.name = name, .dtype = input_dtype(text), .batch_size = shape[0]})};
}

// The lowest call of every layer that something in the configuration refers to by [name, call, output, ...]. In Keras 2 a
// Sequential has a call of its own, number 0, as a functional model has to this day.
void first_references(const json& v, std::map<std::string, int64_t>& least) {
  if (v.is_array() && v.size() >= 3 && v[0].is_string() && v[1].is_number_integer() && v[2].is_number_integer()) {
    const auto [at, added] = least.emplace(v[0].get<std::string>(), v[1].get<int64_t>());
    if (!added) at->second = std::min(at->second, v[1].get<int64_t>());
  }
  if (v.is_structured())
    for (const json& item : v) first_references(item, least);
}

LayerRef FunctionalReader::read() {
  std::vector<Item> items;
  auto name_of = [](const json& spec) {
    return spec.contains("name") ? spec["name"].get<std::string>() : spec.at("config").at("name").get<std::string>();
  };
  std::map<std::string, int64_t> referred;
  first_references(config_, referred);
  for (const json& spec : config_.at("layers")) {
    const json& kind = spec.at("class_name");
    if (kind == "Functional" || kind == "Model" || (kind == "Sequential" && referred[name_of(spec)] > 0)) functional_.insert(name_of(spec));
  }
  for (const json& spec : config_.at("layers")) {
    const std::string name = name_of(spec);
    if (spec.at("class_name") == "InputLayer") {
      add_input(name, spec.at("config"));
      continue;
    }
    Item item{name, &spec, {}, {}};
    for (const json& node : spec.at("inbound_nodes")) item.nodes.push_back(modern_node(node));
    if (!is_op_entry(spec)) item.layer = layer_from_config(spec);
    items.push_back(std::move(item));
  }
  for (bool progress = true; progress;) {
    progress = false;
    for (Item& item : items)
      while (item.next < item.nodes.size() && ready(item.nodes[item.next])) {
        call(item);
        progress = true;
      }
  }
  for (const Item& item : items)
    GLIA_CHECK(item.next == item.nodes.size(), "{}: the layer '{}' takes a tensor that no layer makes.", name_, item.name);
  std::vector<std::string> input_names, output_names;
  const Values inputs = endpoints("input_layers", input_names), outputs = endpoints("output_layers", output_names);
  auto model = std::make_shared<FunctionalLayer>(inputs, outputs,
                                                 ModelOptions{.name = config_.value("name", ""), .trainable = config_.value("trainable", true)});
  model->set_keys(std::move(input_names), std::move(output_names));
  return LayerRef(model);
}

}  // namespace

Shape shape_from(const json& list, const std::string& where) {
  Shape shape;
  GLIA_CHECK(list.is_array() && list.size() <= 32, "{}: a shape must be a list of extents. Received {}.", where, list.dump().substr(0, 80));
  for (const json& extent : list) {
    GLIA_CHECK(extent.is_null() || (extent.is_number_integer() && extent.get<int64_t>() >= -1 && extent.get<int64_t>() < (int64_t{1} << 40)),
               "{}: a shape must be a list of extents. Received {}.", where, list.dump().substr(0, 80));
    shape.push_back(extent.is_null() ? -1 : extent.get<int64_t>());
  }
  return shape;
}

LayerRef functional_from_config(const json& config) { return FunctionalReader(config).read(); }

}  // namespace glia::io::keras
