#include "cli/parity/objects.h"

#include <map>

#include "base/error.h"
#include "io/keras/model_config.h"
#include "nn/class_list.h"

namespace glia::parity {
namespace {

// Keras's module of a serialised object -> the kind under which Glia keeps it; others (dtype policies, tensors, plain
// functions) are values of a field and no classes.
std::string_view kind_of_module(const std::string& module) {
  static const std::map<std::string, std::string_view> kinds = {
      {"keras.layers", "layer"},           {"keras.initializers", "initializer"},
      {"keras.regularizers", "regularizer"}, {"keras.constraints", "constraint"},
      {"keras.losses", "loss"},            {"keras.metrics", "metric"},
      {"keras.optimizers", "optimizer"},   {"keras.optimizers.schedules", "schedule"}};
  const auto found = kinds.find(module);
  return found == kinds.end() ? std::string_view() : found->second;
}

void require_nested(const json& value) {
  if (value.is_object() && value.contains("module") && value.contains("class_name") && value["module"].is_string()) {
    const bool map = value["class_name"] == "OptimizerMap";  // of the same module
    const std::string_view kind = map ? "optimizer_map" : kind_of_module(value["module"].get<std::string>());
    if (!kind.empty()) return require_classes(kind, value);
  }
  if (value.is_structured())
    for (const json& item : value) require_nested(item);
}

}  // namespace

void require_classes(std::string_view kind, const json& spec) {
  const std::string name = spec.at("class_name").get<std::string>();
  if (kind == "layer" && io::keras::is_model_class(name)) return require_nested(spec.at("config"));
  if (!find_class(kind, name)) throw Unsupported(fmt::format("{} {}", kind, name));
  require_nested(spec.at("config"));
}

void require_model_classes(const json& spec) { require_nested(spec.at("config")); }

}  // namespace glia::parity
