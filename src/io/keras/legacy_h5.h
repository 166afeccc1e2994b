// The HDF5 layout of Keras 1 and 2, which Keras 3 still reads and writes as .h5.
#pragma once
#include <glia/model.h>

#include <string>

#include "io/hdf5/tree.h"

namespace glia::io::keras {

// A file of weights, or a whole model with its weights in /model_weights.
bool is_legacy_weights(const hdf5::Group& tree);
void apply_legacy_weights(Model& model, const hdf5::Group& tree, const std::string& name, const LoadWeightsOptions& options);

}  // namespace glia::io::keras
