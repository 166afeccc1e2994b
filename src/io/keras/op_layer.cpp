#include "io/keras/op_layer.h"

#include <glia/activations.h>
#include <glia/ops.h>

#include <map>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"
#include "nn/class_list.h"

namespace glia::io::keras {
namespace {

// Classes whose function is not simply their name in snake case.
std::string function_of(const std::string& class_name) {
  static const std::map<std::string, std::string> kIrregular{{"BatchNorm", "batch_normalization"},
                                                             {"LayerNorm", "layer_normalization"},
                                                             {"RMSNorm", "rms_normalization"},
                                                             {"RMSNormalization", "rms_normalization"},
                                                             {"CTCLoss", "ctc_loss"},
                                                             {"Absolute", "abs"}};
  auto it = kIrregular.find(class_name);
  return it == kIrregular.end() ? to_snake_case(class_name) : it->second;
}

bool is_activation(const std::string& name) {
  try {
    Activation a(name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Where the class's call() takes other positional arguments than the function begins with, they are passed by name.
void rename_positional(const std::string& class_name, json& args, json& kwargs) {
  static const std::map<std::string, std::vector<const char*>> kCalls{{"BatchNorm", {"x", "mean", "variance", "offset", "scale"}},
                                                                       {"Pad", {"x", "constant_values"}}};
  if (class_name == "Einsum") args.insert(args.begin(), kwargs["subscripts"]), kwargs.erase("subscripts");
  auto it = kCalls.find(class_name);
  if (it == kCalls.end()) return;
  for (std::size_t i = 0; i < args.size() && i < it->second.size(); ++i) kwargs[it->second[i]] = args[i];
  args = json::array();
}

bool is_class(const json& v, const char* name) { return v.is_object() && v.value("class_name", "") == name; }

// .h5 files name no modules: "Add" is a layer when it takes one list, an op when it takes two arguments.
bool is_op_without_module(const json& spec) {
  const std::string class_name = spec.value("class_name", "");
  if (class_name != "GetItem" && !keras_ops::find_op(function_of(class_name))) return false;
  if (!find_class("layer", class_name)) return true;
  const json nodes = spec.value("inbound_nodes", json::array());
  if (nodes.empty() || !nodes[0].is_object()) return false;
  const json args = nodes[0].value("args", json::array());
  return args.size() > 1 && !args[0].is_array() && class_name != "Dot";
}

}  // namespace

bool is_op_entry(const json& spec) {
  if (!spec.is_object()) return false;
  if (!spec.contains("module")) return is_op_without_module(spec);
  if (!spec["module"].is_string()) return false;
  const std::string module = spec["module"];
  return module.rfind("keras.src.ops.", 0) == 0 || module == "keras.ops" || module.rfind("keras.ops.", 0) == 0;
}

std::shared_ptr<OpLayer> OpLayer::from_entry(const json& spec, const std::string& name) {
  auto op = std::make_shared<OpLayer>();
  op->class_name_ = spec.at("class_name").get<std::string>();
  op->function_ = function_of(op->class_name_);
  if (spec.value("module", "").ends_with("ops.image")) op->function_ = "image." + op->function_;
  const bool known = op->class_name_ == "GetItem" || keras_ops::find_op(op->function_) || is_activation(op->function_);
  GLIA_CHECK(known, "'{}': Glia does not have the function keras.ops.{} ({}), which the model calls outside of its layers.", name,
             op->function_, op->class_name_);
  op->set_name(name);
  for (const char* key : {"module", "class_name", "config", "registered_name"})
    if (spec.contains(key)) op->entry_[key] = spec[key];
  return op;
}

void OpLayer::set_call(json args, json kwargs, std::vector<Tensor> constants) {
  args_ = std::move(args);
  kwargs_ = std::move(kwargs);
  constants_ = std::move(constants);
}

// x[key] with Python's slices, integers, None and Ellipsis.
Values OpLayer::get_item(const Values& all) const {
  json keys = args_.size() > 1 ? args_[1] : kwargs_.value("key", json());
  if (!keys.is_array()) keys = json::array({keys});
  Value x = all.at(0);
  int64_t used = 0, ellipses = 0;
  for (const json& k : keys) {
    if (is_class(k, "__ellipsis__")) ++ellipses;
    else if (!k.is_null()) ++used;
  }
  GLIA_CHECK(ellipses <= 1 && used <= x.rank(), "{}: {} indices for an array of rank {}.", title(), used, x.rank());
  const int64_t rank = x.rank();
  int64_t axis = 0;
  std::vector<int64_t> taken;  // axes that an integer removes, counted in the result
  auto bound = [](const json& v, int64_t fallback) { return v.is_null() ? fallback : v.get<int64_t>(); };
  for (const json& k : keys) {
    if (is_class(k, "__ellipsis__")) {
      axis += rank - used;
    } else if (k.is_null()) {
      x = ops::expand_dims(x, axis++);
    } else if (is_class(k, "__slice__")) {
      const json& c = k.at("config");
      const int64_t step = bound(c.value("step", json()), 1);
      x = ops::slice_axis(x, axis++, bound(c.value("start", json()), step < 0 ? ops::kEnd : 0), bound(c.value("stop", json()), ops::kEnd), step);
    } else if (k.is_number_integer()) {
      const int64_t i = k.get<int64_t>(), n = x.dim(static_cast<int>(axis));
      GLIA_CHECK(i < n && i >= -n, "{}: index {} is out of range for axis {} of shape {}.", title(), i, axis, to_string(x.shape()));
      x = ops::squeeze(ops::slice_axis(x, axis, i, i == -1 ? ops::kEnd : i + 1), {axis});
    } else if (k.is_object() && k.contains("array")) {
      x = ops::take(x, all.at(k["array"].get<std::size_t>()), axis);
      axis += all.at(k["array"].get<std::size_t>()).rank();
    } else {
      throw_error("{}: the index {} is not supported.", title(), k.dump());
    }
  }
  return {x};
}

Values OpLayer::call(const Values& inputs, const CallOptions&) {
  Values all = inputs;
  for (const Tensor& t : constants_) all.emplace_back(t);
  if (class_name_ == "GetItem") return get_item(all);
  json kwargs = kwargs_;
  if (entry_.contains("config") && entry_["config"].is_object())
    for (const auto& [key, value] : entry_["config"].items())
      if (key != "name" && !value.is_null() && !kwargs.contains(key)) kwargs[key] = value;
  const keras_ops::OpBinding* binding = keras_ops::find_op(function_);
  if (!binding) {
    GLIA_CHECK(kwargs.empty() && args_.size() == 1, "{}: the arguments {} of keras.ops.{} are not supported.", title(), kwargs.dump(), function_);
    return {Activation(function_)(all.at(0))};
  }
  json args = args_;
  rename_positional(class_name_, args, kwargs);
  keras_ops::OpCall call{keras_ops::json(args), keras_ops::json(kwargs), binding->parameters};
  call.bind(all);
  try {
    Values outputs = binding->run(call);
    call.finish(function_);  // an option that is not heeded is an Error
    return outputs;
  } catch (const nlohmann::json::exception& e) {
    throw_error("{}: the arguments {} and {} cannot be read: {}.", title(), args_.dump(), kwargs.dump(), e.what());
  }
}

}  // namespace glia::io::keras
