// Arrays in JSON, {"dtype", "shape", "v"}, and numbers that JSON cannot hold.
//
//   Tensor x = to_tensor(json::parse(R"({"dtype": "float32", "shape": [2], "v": [1, "inf"]})"));
#pragma once
#include <nlohmann/json.hpp>

#include <glia/tensor.h>

namespace glia::keras_ops {

using json = nlohmann::json;

bool is_array(const json& value);         // an object with dtype, shape and v
bool is_string_array(const json& value);  // the same with dtype "string"
Tensor to_tensor(const json& array);      // throws Error for a dtype that Tensor lacks or a wrong element count
double to_number(const json& value);      // numbers, true/false, "nan", "inf", "-inf"
Shape to_shape(const json& list);         // null entries become -1

}  // namespace glia::keras_ops
