// Weights of a model in .safetensors files.
#pragma once
#include <glia/model.h>

#include <string>

namespace glia::io {

void save_safetensors_weights(const Model& model, const std::string& path, const SaveWeightsOptions& options);
void load_safetensors_weights(Model& model, const std::string& path, const LoadWeightsOptions& options);

}  // namespace glia::io
