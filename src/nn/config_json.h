// Configurations as JSON, in Keras's form; glia/config.h's serialize and deserialize as trees instead of text.
//
//   json j = config::to_json(*layer);     // {"module": "keras.layers", "class_name": "Dense", "config": {...}, ...}
//   auto again = config::from_json("layer", j);
#pragma once
#include <nlohmann/json.hpp>

#include <glia/config.h>
#include <glia/layer.h>

namespace glia::config {

using json = nlohmann::ordered_json;

json to_json(Configurable& object);   // the whole object
json config_of(Configurable& object);
std::shared_ptr<Configurable> from_json(std::string_view kind, const json& value);  // an object, a name, or null
// Sets the fields that `config` has; refuses unknown keys whose value is not null. `skip`: keys that others read.
void read_config(Configurable& object, const json& config, const std::vector<std::string>& skip = {});

// An array out of JSON: nested lists, or {"class_name": "__numpy__", "config": {"value", "dtype"}}.
Tensor tensor_from_json(const json& value);
std::string dtype_policy_from_json(const json& value);  // a name, or a DTypePolicy object

// While one lives, unknown keys are passed over: configurations of older versions hold many that mean nothing any more.
class LenientScope {
 public:
  LenientScope();
  ~LenientScope();
  LenientScope(const LenientScope&) = delete;
  static bool active();

 private:
  bool before_;
};

// Whole models inside layers (TimeDistributed of a Sequential) are read and written by the room of files.
void set_model_reader(std::shared_ptr<Layer> (*read)(const json& spec), bool (*is_model)(const std::string& class_name),
                      json (*write)(Layer& model));

}  // namespace glia::config
