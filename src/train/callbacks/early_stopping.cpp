#include <glia/callbacks.h>

#include "base/error.h"
#include "train/callbacks/monitor.h"

namespace glia::callbacks {
namespace {

class EarlyStoppingCallback : public MonitorCallback {
 public:
  explicit EarlyStoppingCallback(EarlyStoppingOptions o)
      : MonitorCallback("EarlyStopping", o.monitor, o.mode, o.min_delta), options_(std::move(o)) {}

  void on_train_begin(Logs&) override {
    wait_ = stopped_epoch_ = best_epoch_ = 0;
    best_.reset();
    best_weights_.clear();
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    std::optional<double> now = monitored(logs);
    if (!now || epoch < options_.start_from_epoch) return;
    if (options_.restore_best_weights && best_weights_.empty()) keep(epoch);
    ++wait_;
    if (is_improvement(*now, best_)) {
      best_ = now;
      best_epoch_ = epoch;
      if (options_.restore_best_weights) keep(epoch);
      if (is_improvement(*now, options_.baseline)) wait_ = 0;
      return;
    }
    if (wait_ >= options_.patience && epoch > 0) {
      stopped_epoch_ = epoch;
      model().stop_training();
    }
  }
  std::string state_name() const override { return "EarlyStopping"; }
  void save_state(CallbackState& s) const override {
    s.numbers = {{"wait", wait_}, {"stopped_epoch", stopped_epoch_}, {"best_epoch", best_epoch_}};
    if (best_) s.numbers["best"] = *best_;
    s.tensors["best_weights"] = best_weights_;
  }
  void load_state(const CallbackState& s) override {
    auto number = [&](const char* name) { return s.numbers.count(name) ? static_cast<int>(s.numbers.at(name)) : 0; };
    wait_ = number("wait"), stopped_epoch_ = number("stopped_epoch"), best_epoch_ = number("best_epoch");
    if (auto it = s.numbers.find("best"); it != s.numbers.end()) best_ = it->second;
    if (auto it = s.tensors.find("best_weights"); it != s.tensors.end()) best_weights_ = it->second;
  }
  void on_train_end(Logs&) override {
    if (stopped_epoch_ > 0 && options_.verbose) fmt::print("Epoch {}: early stopping\n", stopped_epoch_ + 1);
    if (!options_.restore_best_weights || best_weights_.empty()) return;
    if (options_.verbose) fmt::print("Restoring model weights from the end of the best epoch: {}.\n", best_epoch_ + 1);
    model().set_weights(best_weights_);
  }

 private:
  void keep(int epoch) {
    best_weights_ = model().get_weights();
    best_epoch_ = epoch;
  }
  EarlyStoppingOptions options_;
  int wait_ = 0, stopped_epoch_ = 0, best_epoch_ = 0;
  std::optional<double> best_;
  std::vector<Tensor> best_weights_;
};

}  // namespace

CallbackRef EarlyStopping(EarlyStoppingOptions o) { return std::make_shared<EarlyStoppingCallback>(std::move(o)); }

}  // namespace glia::callbacks
