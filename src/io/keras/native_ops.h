// Ops of a functional model's graph as Keras writes calls of keras.ops: a model made in C++ with x + 1.0 between its layers
// loads in Keras.
//
//   if (auto call = keras_call(node, argument)) ...   // {"module", "class_name", "config"}, args, kwargs
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "ir/graph.h"

namespace glia::io::keras {

using json = nlohmann::ordered_json;

struct KerasCall {
  json entry;  // module, class_name, config (without a name), registered_name
  json args = json::array(), kwargs = json::object();
};

// argument(i) is input i of the node as JSON: a tensor, a number, or an array. Nothing when Keras has no such op.
std::optional<KerasCall> keras_call(const ir::Node& node, const std::vector<TensorType>& inputs,
                                    const std::function<json(std::size_t)>& argument);
// A constant array as Keras writes it: a number, or {"class_name": "__numpy__", ...}.
json constant_json(const Tensor& value);

}  // namespace glia::io::keras
