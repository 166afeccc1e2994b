// A model as TensorFlow's GraphDef: a node for each layer, joined as the layers are.
#pragma once
#include <glia/model.h>

#include <string>

namespace glia::io {

std::string graph_def(const Model& model);  // serialised

}  // namespace glia::io
