// Callback: hooks into fit, evaluate and predict. Ready-made ones are in glia/callbacks.h.
//
//   struct Stop : Callback {
//     void on_epoch_end(int epoch, Logs& logs) override { if (logs["loss"] < 0.1) model().stop_training(); }
//   };
//   model.fit(x, y, {.callbacks = {std::make_shared<Stop>()}});
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <glia/logs.h>
#include <glia/tensor.h>

namespace glia {

class Model;
struct FitParams { int verbose = 0; int epochs = 1; int64_t steps = -1; };  // steps: -1 when unknown

// What a callback remembers from batch to batch, as it is kept in checkpoints.
struct CallbackState {
  std::map<std::string, double> numbers = {};  // kept exactly; integers up to 2^53
  std::map<std::string, std::vector<Tensor>> tensors = {};
};

class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_train_begin(Logs&) {}
  virtual void on_train_end(Logs&) {}
  virtual void on_epoch_begin(int /*epoch*/, Logs&) {}
  virtual void on_epoch_end(int /*epoch*/, Logs&) {}       // logs include val_*; what logs.set adds here reaches History
  virtual void on_train_batch_begin(int64_t /*batch*/, Logs&) {}
  virtual void on_train_batch_end(int64_t /*batch*/, Logs&) {}
  virtual void on_test_begin(Logs&) {}
  virtual void on_test_end(Logs&) {}
  virtual void on_test_batch_begin(int64_t /*batch*/, Logs&) {}
  virtual void on_test_batch_end(int64_t /*batch*/, Logs&) {}
  virtual void on_predict_begin(Logs&) {}
  virtual void on_predict_end(Logs&) {}
  virtual void on_predict_batch_begin(int64_t /*batch*/, Logs&) {}
  virtual void on_predict_batch_end(int64_t /*batch*/, Logs&) {}

  // For callbacks that remember something: the class's name ("" for those that do not), and what is remembered. A resumed
  // fit gives it back after on_train_begin, so that it goes on as if it had never stopped.
  virtual std::string state_name() const { return ""; }
  virtual void save_state(CallbackState&) const {}
  virtual void load_state(const CallbackState&) {}

  void set_model(Model* model) { model_ = model; }
  void set_params(const FitParams& params) { params_ = params; }
  Model& model() const { return *model_; }
  const FitParams& params() const { return params_; }

 private:
  Model* model_ = nullptr;
  FitParams params_;
};
using CallbackRef = std::shared_ptr<Callback>;

}  // namespace glia
