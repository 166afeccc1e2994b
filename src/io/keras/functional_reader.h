// Functional models from Keras's configuration: Keras 3's and the older form of connections.
#pragma once
#include <glia/layer.h>

#include <nlohmann/json.hpp>

namespace glia::io::keras {

using json = nlohmann::ordered_json;

// `config` is the "config" of a Functional model. Throws Error naming the layer.
LayerRef functional_from_config(const json& config);
// A layer or a nested model.
LayerRef layer_from_config(const json& spec);
// Extents; null is unknown.
Shape shape_from(const json& list, const std::string& where);

}  // namespace glia::io::keras
