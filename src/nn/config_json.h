// Configurations as JSON, in Keras's form; glia/config.h's serialize and deserialize as trees instead of text.
//
//   json j = config::to_json(*layer);     // {"module": "keras.layers", "class_name": "Dense", "config": {...}, ...}
//   auto again = config::from_json("layer", j);
#pragma once
#include <nlohmann/json.hpp>

#include <glia/config.h>

namespace glia::config {

using json = nlohmann::ordered_json;

json to_json(Configurable& object);   // the whole object
json config_of(Configurable& object);
std::shared_ptr<Configurable> from_json(std::string_view kind, const json& value);  // an object, a name, or null
// Sets the fields that `config` has; refuses unknown keys whose value is not null. `skip`: keys that others read.
void read_config(Configurable& object, const json& config, const std::vector<std::string>& skip = {});

}  // namespace glia::config
