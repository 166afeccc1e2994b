// Configurations of Keras 1 and 2, brought to Keras 3's form.
#pragma once
#include <nlohmann/json.hpp>

namespace glia::io::keras {

using json = nlohmann::ordered_json;

// A model's or layer's {"class_name", "config"}: renamed classes and options, TensorFlow's functions as ops.
json modern_config(const json& spec);
// "training_config" as a compile_config.
json modern_compile_config(const json& training);

}  // namespace glia::io::keras
