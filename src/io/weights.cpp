#include "io/weights.h"

#include <map>

#include "base/error.h"

namespace glia::io {

std::vector<std::string> weight_names(const std::vector<Variable>& weights) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const Variable& v : weights) {
    int n = seen[v.path()]++;
    names.push_back(n ? fmt::format("{}_{}", v.path(), n) : v.path());
  }
  return names;
}

NamedTensors named_tensors(const std::vector<Variable>& variables) {
  std::vector<std::string> names = weight_names(variables);
  NamedTensors r;
  for (std::size_t i = 0; i < names.size(); ++i) r.emplace_back(names[i], variables[i].tensor());
  return r;
}

std::vector<const Tensor*> match_weights(const std::string& where, const std::vector<Variable>& weights,
                                         const NamedTensors& stored) {
  std::vector<std::string> names = weight_names(weights);
  std::map<std::string, const Tensor*> by_name;
  for (auto& [n, t] : stored) by_name[n] = &t;
  GLIA_CHECK(stored.size() == weights.size(), "{}: the file holds {} tensors. Expected {}.", where, stored.size(),
             weights.size());
  bool named = true;
  for (auto& n : names) named &= by_name.count(n) > 0;
  // Layers named otherwise (numbered by creation) still match in order.
  std::vector<const Tensor*> source;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Tensor* t = named ? by_name[names[i]] : &stored[i].second;
    GLIA_CHECK(t->shape() == weights[i].shape(), "{}: the tensor '{}' has shape {}. The weight '{}' has shape {}.",
               where, named ? names[i] : stored[i].first, to_string(t->shape()), names[i],
               to_string(weights[i].shape()));
    source.push_back(t);
  }
  return source;
}

void assign_weights(const std::vector<Variable>& weights, const std::vector<const Tensor*>& values) {
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i].tensor().copy_from(values[i]->astype(weights[i].dtype()));
}

}  // namespace glia::io
