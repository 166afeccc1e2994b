// What compile() was given <-> Keras's "compile_config".
//
//   if (auto options = compile_options(spec["compile_config"], "model.keras")) model.compile(std::move(*options));
#pragma once
#include <glia/model.h>

#include <nlohmann/json.hpp>
#include <optional>

namespace glia::io::keras {

using json = nlohmann::ordered_json;

// Nothing when the model was not compiled. Throws Error for unknown optimizers, losses and metrics.
std::optional<CompileOptions> compile_options(const json& config, const std::string& where);
json compile_config(const Model& model);

}  // namespace glia::io::keras
