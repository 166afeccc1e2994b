// Models in files, as text, and copies of models.
//
//   model.save("model.keras");                               // architecture, weights, optimizer state, loss, metrics
//   Model again = models::load_model("model.keras");         // continues training where the other stopped
//   Model other = models::load_model("unknown.h5", {.untrusted = true});
//
//   std::string text = models::to_json(model);
//   Model fresh = models::model_from_json(text);             // fresh weights
//   Model copy = models::clone_model(model);                 // the same
#pragma once
#include <string>
#include <vector>

#include <glia/load_options.h>
#include <glia/model.h>

namespace glia::models {

// Reads a whole model; the format follows from the ending of the name (see loadable_formats). Throws Error naming the file
// and what in it is damaged, unknown (a class, with the nearest known name) or refused: code in files (Lambda layers,
// pickled functions) is never run. Weights are those of the file; with options.compile a compiled model is compiled again and
// its optimizer continues.
Model load_model(const std::string& path, const LoadOptions& options = {});
// The same as model.save(path).
void save_model(const Model& model, const std::string& path, const SaveOptions& options = {});
// Endings that load_model and Model::save know: ".keras", ".h5", ...
std::vector<std::string> loadable_formats();
std::vector<std::string> savable_formats();

// What keras.Model.to_json() gives for the same model. Throws Error for models that are neither Sequential nor functional.
std::string to_json(const Model& model);
// Reads what Keras's to_json() or this library wrote. Throws Error naming the layer for unknown classes and options.
Model model_from_json(const std::string& text);
// A model of the same architecture with new layers and fresh initial weights.
Model clone_model(const Model& model);

}  // namespace glia::models
