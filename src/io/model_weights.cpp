#include "io/model_weights.h"

#include "base/error.h"
#include "io/safetensors/safetensors.h"
#include "io/weights.h"

namespace glia::io {
void save_safetensors_weights(const Model& model, const std::string& path, const SaveWeightsOptions&) {
  write_safetensors(path, named_tensors(model->weights()));
}

void load_safetensors_weights(Model& model, const std::string& path, const LoadWeightsOptions& options) {
  std::vector<Variable> weights = model->weights();
  NamedTensors stored = read_safetensors(path, {.limits = options.limits});
  GLIA_CHECK(!weights.empty() || stored.empty(),
             "{}: load_weights: the model is not built yet. Give input_shape or call it on data first.",
             model.name());
  assign_weights(weights, match_weights(fmt::format("{}: '{}'", model.name(), path), weights, stored));
}

}  // namespace glia::io
