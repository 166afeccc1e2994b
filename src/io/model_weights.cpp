// Model::save_weights and load_weights.
#include <glia/model.h>

#include <map>

#include "base/error.h"
#include "io/safetensors/safetensors.h"

namespace glia {
namespace {

void check_path(const std::string& path, const char* what) {
  GLIA_CHECK(path.ends_with(".safetensors"), "{}: '{}' has an unknown ending. Weights are kept in .safetensors files.", what, path);
}

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

void Model::save_weights(const std::string& path) const {
  check_path(path, "save_weights");
  std::vector<Variable> weights = ptr_->weights();
  GLIA_CHECK(!weights.empty() || ptr_->built(), "{}: save_weights: the model is not built yet, so it has no weights. Give input_shape or call it on data first.", name());
  std::vector<std::string> names = weight_names(weights);
  io::NamedTensors tensors;
  for (size_t i = 0; i < weights.size(); ++i) tensors.emplace_back(names[i], weights[i].tensor());
  io::write_safetensors(path, tensors);
}

void Model::load_weights(const std::string& path) {
  check_path(path, "load_weights");
  std::vector<Variable> weights = ptr_->weights();
  io::NamedTensors stored = io::read_safetensors(path);
  GLIA_CHECK(!weights.empty() || stored.empty(), "{}: load_weights: the model is not built yet. Give input_shape or call it on data first.", name());
  std::vector<std::string> names = weight_names(weights);
  std::map<std::string, const Tensor*> by_name;
  for (auto& [n, t] : stored) by_name[n] = &t;
  GLIA_CHECK(stored.size() == weights.size(), "{}: '{}' holds {} tensors. The model has {} weights.", name(), path, stored.size(), weights.size());
  bool named = true;
  for (auto& n : names) named &= by_name.count(n) > 0;
  // Layers named otherwise (numbered by creation) still match in order.
  std::vector<const Tensor*> source;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Tensor* t = named ? by_name[names[i]] : &stored[i].second;
    GLIA_CHECK(t->shape() == weights[i].shape(), "{}: '{}': the tensor '{}' has shape {}. The weight '{}' has shape {}.", name(), path,
               named ? names[i] : stored[i].first, to_string(t->shape()), names[i], to_string(weights[i].shape()));
    source.push_back(t);
  }
  for (size_t i = 0; i < weights.size(); ++i) weights[i].tensor().copy_from(source[i]->astype(weights[i].dtype()));
}

}  // namespace glia
