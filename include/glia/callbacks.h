// The ready-made callbacks, with Keras's names, defaults and messages.
//
//   model.fit(x, y, {.epochs = 50, .validation_split = 0.2, .callbacks = {
//       callbacks::EarlyStopping({.patience = 5, .restore_best_weights = true}),
//       callbacks::ModelCheckpoint("best-{epoch:02d}.glia", {.save_best_only = true}),
//       callbacks::BackupAndRestore("backup"),
//       callbacks::CSVLogger("log.csv")}});
#pragma once
#include <functional>
#include <optional>
#include <string>

#include <glia/callback.h>

namespace glia::callbacks {

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  int patience = 0;
  int verbose = 0;
  std::string mode = "auto";  // "min", "max"; auto knows "loss" and the metrics of this library
  std::optional<double> baseline = {};
  bool restore_best_weights = false;
  int start_from_epoch = 0;
};
CallbackRef EarlyStopping(EarlyStoppingOptions options = {});

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  int verbose = 0;
  bool save_best_only = false;
  bool save_weights_only = false;
  std::string mode = "auto";
  int64_t save_freq = 0;      // 0: after each epoch; else after that many batches
  std::optional<double> initial_value_threshold = {};
};
// filepath may hold {epoch}, {epoch:02d}, {batch}, {val_loss:.4f} and other logs. A .glia file holds everything that training
// needs to go on (see glia/checkpoint.h), .keras and the other endings of Model::save hold the model, those of
// Model::save_weights (.safetensors, .weights.h5, .weights.json) the weights.
CallbackRef ModelCheckpoint(std::string filepath, ModelCheckpointOptions options = {});

struct BackupAndRestoreOptions {
  int64_t save_freq = 0;           // 0: after each epoch; else after that many batches
  bool double_checkpoint = false;  // keep the backup before the newest as well, and use it when the newest cannot be read
  bool delete_checkpoint = true;   // when fit has ended well
};
// Keeps backup_dir/latest.glia while fit runs. When fit begins and a backup is there, training goes on from it: weights,
// optimizer, random numbers, order of the data, epoch and batch, metrics, history and the other callbacks' state. The end is
// bitwise the one of a run that never stopped, given the same model, data and options. Throws Error for a backup of another model.
CallbackRef BackupAndRestore(std::string backup_dir, BackupAndRestoreOptions options = {});

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;
  int patience = 10;
  int verbose = 0;
  std::string mode = "auto";
  double min_delta = 1e-4;
  int cooldown = 0;
  double min_lr = 0;
};
CallbackRef ReduceLROnPlateau(ReduceLROnPlateauOptions options = {});

// schedule(epoch, learning_rate) gives the rate for the epoch that begins.
CallbackRef LearningRateScheduler(std::function<double(int, double)> schedule, int verbose = 0);

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;
};
CallbackRef CSVLogger(std::string filename, CSVLoggerOptions options = {});

CallbackRef TerminateOnNaN();

// For an optimizer with use_ema: evaluation and prediction see the averaged weights, training goes on with its own. swap_on_epoch:
// the averages stand in the model from the end of each epoch to the start of the next, so that a checkpoint saves them.
CallbackRef SwapEMAWeights(bool swap_on_epoch = false);

struct LambdaCallbackOptions {
  std::function<void(int, Logs&)> on_epoch_begin = {}, on_epoch_end = {};
  std::function<void(Logs&)> on_train_begin = {}, on_train_end = {};
  std::function<void(int64_t, Logs&)> on_train_batch_begin = {}, on_train_batch_end = {};
};
CallbackRef LambdaCallback(LambdaCallbackOptions options);

}  // namespace glia::callbacks
