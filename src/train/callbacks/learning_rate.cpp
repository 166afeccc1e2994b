// Callbacks that change the learning rate.
#include <glia/callbacks.h>

#include <algorithm>

#include "base/error.h"
#include "train/callbacks/monitor.h"

namespace glia::callbacks {
namespace {

class ReduceLROnPlateauCallback : public MonitorCallback {
 public:
  explicit ReduceLROnPlateauCallback(ReduceLROnPlateauOptions o)
      : MonitorCallback("ReduceLROnPlateau", o.monitor, o.mode, o.min_delta), options_(std::move(o)) {
    GLIA_CHECK(options_.factor < 1.0, "ReduceLROnPlateau: factor must be below 1. Received {}.", options_.factor);
  }
  void on_train_begin(Logs&) override {
    wait_ = cooldown_ = 0;
    best_.reset();
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    logs.set("learning_rate", model().optimizer()->learning_rate());
    std::optional<double> now = monitored(logs);
    if (!now) return;
    if (cooldown_ > 0) {
      --cooldown_;
      wait_ = 0;
    }
    if (is_improvement(*now, best_)) {
      best_ = now;
      wait_ = 0;
    } else if (cooldown_ <= 0 && ++wait_ >= options_.patience) {
      reduce(epoch);
    }
  }
  std::string state_name() const override { return "ReduceLROnPlateau"; }
  void save_state(CallbackState& s) const override {
    s.numbers = {{"wait", wait_}, {"cooldown", cooldown_}};
    if (best_) s.numbers["best"] = *best_;
  }
  void load_state(const CallbackState& s) override {
    auto number = [&](const char* name) { return s.numbers.count(name) ? static_cast<int>(s.numbers.at(name)) : 0; };
    wait_ = number("wait"), cooldown_ = number("cooldown");
    if (auto it = s.numbers.find("best"); it != s.numbers.end()) best_ = it->second;
  }

 private:
  void reduce(int epoch) {
    double old = model().optimizer()->learning_rate();
    if (old <= options_.min_lr) return;
    double rate = std::max(old * options_.factor, options_.min_lr);
    model().optimizer()->set_learning_rate(rate);
    if (options_.verbose) fmt::print("\nEpoch {}: ReduceLROnPlateau reducing learning rate to {}.\n", epoch + 1, rate);
    cooldown_ = options_.cooldown;
    wait_ = 0;
  }
  ReduceLROnPlateauOptions options_;
  int wait_ = 0, cooldown_ = 0;
  std::optional<double> best_;
};

class SchedulerCallback : public Callback {
 public:
  SchedulerCallback(std::function<double(int, double)> f, int verbose) : schedule_(std::move(f)), verbose_(verbose) {}
  void on_epoch_begin(int epoch, Logs&) override {
    double rate = schedule_(epoch, model().optimizer()->learning_rate());
    model().optimizer()->set_learning_rate(rate);
    if (verbose_) fmt::print("\nEpoch {}: LearningRateScheduler setting learning rate to {}.\n", epoch + 1, rate);
  }
  void on_epoch_end(int, Logs& logs) override { logs.set("learning_rate", model().optimizer()->learning_rate()); }

 private:
  std::function<double(int, double)> schedule_;
  int verbose_;
};

}  // namespace

CallbackRef ReduceLROnPlateau(ReduceLROnPlateauOptions o) { return std::make_shared<ReduceLROnPlateauCallback>(std::move(o)); }
CallbackRef LearningRateScheduler(std::function<double(int, double)> schedule, int verbose) {
  return std::make_shared<SchedulerCallback>(std::move(schedule), verbose);
}

}  // namespace glia::callbacks
