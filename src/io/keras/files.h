// Keras's files: .keras (version 3), .weights.h5, .weights.json with shards, and the older .h5.
//
//   Model model = io::keras::load_keras("model.keras", {});
//   io::keras::save_keras(model, "copy.keras", {});
#pragma once
#include <glia/saving.h>

#include <string>

namespace glia::io::keras {

Model load_keras(const std::string& path, const LoadOptions& options);
void save_keras(const Model& model, const std::string& path, const SaveOptions& options);
void load_keras_weights(Model& model, const std::string& path, const LoadWeightsOptions& options);

void load_weights_h5(Model& model, const std::string& path, const LoadWeightsOptions& options);
void save_weights_h5(const Model& model, const std::string& path, const SaveWeightsOptions& options);
void load_weights_json(Model& model, const std::string& path, const LoadWeightsOptions& options);
void save_weights_json(const Model& model, const std::string& path, const SaveWeightsOptions& options);

Model load_legacy_h5(const std::string& path, const LoadOptions& options);
void save_legacy_h5(const Model& model, const std::string& path, const SaveOptions& options);
void load_legacy_h5_weights(Model& model, const std::string& path, const LoadWeightsOptions& options);
void save_legacy_h5_weights(const Model& model, const std::string& path, const SaveWeightsOptions& options);

}  // namespace glia::io::keras
