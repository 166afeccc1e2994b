// Weights of a model by the names they bear in files, and stored tensors put into them.
#pragma once
#include <glia/model.h>

#include <string>
#include <utility>
#include <vector>

namespace glia::io {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// The variables' paths, numbered when two share one.
std::vector<std::string> weight_names(const std::vector<Variable>& weights);
NamedTensors named_tensors(const std::vector<Variable>& variables);

// Finds the stored tensor of each weight: by name when all names are there, else in order. Throws Error (beginning
// with `where`, which names model and file) when counts or shapes differ. Nothing is changed.
std::vector<const Tensor*> match_weights(const std::string& where, const std::vector<Variable>& weights,
                                         const NamedTensors& stored);
void assign_weights(const std::vector<Variable>& weights, const std::vector<const Tensor*>& values);

}  // namespace glia::io
