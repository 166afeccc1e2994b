#include "io/model_weights.h"

#include <map>

#include "base/error.h"
#include "io/safetensors/safetensors.h"

namespace glia::io {
namespace {

// Names of weights in files: the variable's path, numbered when two share it.
std::vector<std::string> weight_names(const std::vector<Variable>& weights) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const Variable& v : weights) {
    int n = seen[v.path()]++;
    names.push_back(n ? fmt::format("{}_{}", v.path(), n) : v.path());
  }
  return names;
}

}  // namespace

void save_safetensors_weights(const Model& model, const std::string& path, const SaveWeightsOptions&) {
  std::vector<Variable> weights = model->weights();
  std::vector<std::string> names = weight_names(weights);
  NamedTensors tensors;
  for (size_t i = 0; i < weights.size(); ++i) tensors.emplace_back(names[i], weights[i].tensor());
  write_safetensors(path, tensors);
}

void load_safetensors_weights(Model& model, const std::string& path, const LoadWeightsOptions&) {
  std::vector<Variable> weights = model->weights();
  NamedTensors stored = read_safetensors(path);
  GLIA_CHECK(!weights.empty() || stored.empty(),
             "{}: load_weights: the model is not built yet. Give input_shape or call it on data first.", model.name());
  std::vector<std::string> names = weight_names(weights);
  std::map<std::string, const Tensor*> by_name;
  for (auto& [n, t] : stored) by_name[n] = &t;
  GLIA_CHECK(stored.size() == weights.size(), "{}: '{}' holds {} tensors. The model has {} weights.", model.name(), path, stored.size(), weights.size());
  bool named = true;
  for (auto& n : names) named &= by_name.count(n) > 0;
  // Layers named otherwise (numbered by creation) still match in order.
  std::vector<const Tensor*> source;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Tensor* t = named ? by_name[names[i]] : &stored[i].second;
    GLIA_CHECK(t->shape() == weights[i].shape(), "{}: '{}': the tensor '{}' has shape {}. The weight '{}' has shape {}.", model.name(), path,
               named ? names[i] : stored[i].first, to_string(t->shape()), names[i], to_string(weights[i].shape()));
    source.push_back(t);
  }
  for (size_t i = 0; i < weights.size(); ++i) weights[i].tensor().copy_from(source[i]->astype(weights[i].dtype()));
}

}  // namespace glia::io
