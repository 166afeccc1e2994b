// Models as text and copies of models: the architecture without weights, in Keras's own JSON.
//
//   std::string text = models::to_json(model);
//   Model again = models::model_from_json(text);     // fresh weights
//   Model copy = models::clone_model(model);         // the same
#pragma once
#include <string>

#include <glia/model.h>

namespace glia::models {

// What keras.Model.to_json() gives for the same model. Throws Error for models that are neither Sequential nor functional.
std::string to_json(const Model& model);
// Reads what Keras's to_json() or this library wrote. Throws Error naming the layer for unknown classes and options.
Model model_from_json(const std::string& text);
// A model of the same architecture with new layers and fresh initial weights.
Model clone_model(const Model& model);

}  // namespace glia::models
