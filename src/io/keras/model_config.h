// Keras's configurations of whole models: Sequential and Functional, nested, with shared layers and several inputs and
// outputs.
//
//   LayerRef root = io::keras::model_from_config(json::parse(text));  // {"class_name": "Sequential", "config": {...}, ...}
//   Model model(root);
#pragma once
#include <glia/layer.h>

#include <nlohmann/json.hpp>
#include <string>

namespace glia::io::keras {

using json = nlohmann::ordered_json;

DType input_dtype(const std::string& name);  // of an InputLayer; those that Tensor lacks become wider ones
bool is_model_class(const std::string& class_name);  // "Sequential", "Functional", "Model"
// Throws Error naming the layer for unknown classes and keys, and for connections that lead nowhere. Weights get their
// initial values.
LayerRef model_from_config(const json& spec);
// The inverse, in the form that keras.models.model_from_json reads. Throws Error for a model of another class and for one
// that calls ops outside of layers.
json model_to_config(const LayerRef& root);

void use_for_nested_models();  // lets layers hold models: TimeDistributed(Sequential(...)); the two above call it

}  // namespace glia::io::keras
