// The ready-made callbacks, with Keras's names, defaults and messages.
//
//   model.fit(x, y, {.epochs = 50, .validation_split = 0.2, .callbacks = {
//       callbacks::EarlyStopping({.patience = 5, .restore_best_weights = true}),
//       callbacks::ModelCheckpoint("best-{epoch:02d}.safetensors", {.save_best_only = true}),
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
  std::optional<double> baseline;
  bool restore_best_weights = false;
  int start_from_epoch = 0;
};
CallbackRef EarlyStopping(EarlyStoppingOptions options = {});

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  int verbose = 0;
  bool save_best_only = false;
  bool save_weights_only = true;
  std::string mode = "auto";
  int64_t save_freq = 0;      // 0: after each epoch; else after that many batches
  std::optional<double> initial_value_threshold;
};
// filepath may hold {epoch}, {epoch:02d}, {val_loss:.4f} and other logs. Ends in .safetensors.
CallbackRef ModelCheckpoint(std::string filepath, ModelCheckpointOptions options = {});

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

struct LambdaCallbackOptions {
  std::function<void(int, Logs&)> on_epoch_begin, on_epoch_end;
  std::function<void(Logs&)> on_train_begin, on_train_end;
  std::function<void(int64_t, Logs&)> on_train_batch_begin, on_train_batch_end;
};
CallbackRef LambdaCallback(LambdaCallbackOptions options);

}  // namespace glia::callbacks
