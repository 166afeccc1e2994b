// Checkpoints: everything that training needs to go on, in one .glia file.
//
//   model.fit(x, y, {.epochs = 100, .callbacks = {callbacks::BackupAndRestore("backup")}});   // run it again after a
//   crash:
//                                                          // it goes on and ends with bitwise the same weights
//   save_checkpoint(model, "model.glia");
//   TrainingPosition at = load_checkpoint(model, "model.glia");
//   Model again = models::load_glia("model.glia");         // without the code that built it
//
// A .glia file is a zip archive of .npy arrays and JSON: weights, the optimizer's variables, the random state, epoch
// and batch, shuffle order, metrics, what the callbacks remember, and the architecture where Keras's JSON can say it.
// Every tensor has a CRC-32. It is written beside its target, synced and renamed, so a file of that name is always
// complete.
#pragma once
#include <string>

#include <glia/load_options.h>
#include <glia/model.h>

namespace glia {

// What is trained next.
struct TrainingPosition {
  int epoch = 0;
  int64_t batch = 0;  // of that epoch
};

// Inside a callback this includes the position and the callbacks' state; from outside a fit the position is the
// start. Throws Error when the model is not built or the file cannot be written (the old one is then untouched).
void save_checkpoint(const Model& model, const std::string& path);

// Restores weights, random state and, when the model is compiled, the optimizer. The model must have the same weights
// (names, else order and shapes) and the optimizer the same class. To go on inside an epoch use
// callbacks::BackupAndRestore. Throws Error naming the tensor and both sides; the model is only changed when all of
// it fits.
TrainingPosition load_checkpoint(Model& model, const std::string& path, const LoadOptions& options = {});

namespace models {
// The model of a checkpoint with its weights; compiled, with the optimizer's state, when options.compile and its loss
// and metrics are ones that a name can say. Throws Error when the file holds no architecture. models::load_model does
// this for .glia files.
Model load_glia(const std::string& path, const LoadOptions& options = {});
}  // namespace models

}  // namespace glia
