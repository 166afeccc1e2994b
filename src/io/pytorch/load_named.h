// load_pytorch_weights for tensors that are in memory already.
#pragma once
#include <glia/pytorch.h>

#include <string>

namespace glia::io {

// `where` begins the errors; `ordered`: the tensors are in the order of definition.
void load_named(Model& model, const NamedTensors& tensors, const std::string& where, bool ordered, const PyTorchWeightsOptions& options);

}  // namespace glia::io
