// Functional models as Keras's configuration, and the parts that Sequential shares.
#pragma once
#include <nlohmann/json.hpp>

#include "train/functional.h"

namespace glia::io::keras {

using json = nlohmann::ordered_json;

// Throws Error for ops that Keras does not have.
json functional_to_config(const FunctionalLayer& model);
json layer_to_config(const LayerRef& layer);
// While one lives, learned vocabularies are written into the configuration: .h5 files have no assets.
class VocabularyInConfig {
 public:
  VocabularyInConfig();
  ~VocabularyInConfig();
  VocabularyInConfig(const VocabularyInConfig&) = delete;
};
json input_to_config(const std::string& name, const TensorType& type);
json shape_to_config(const Shape& shape);

}  // namespace glia::io::keras
