#include "train/callbacks/monitor.h"

#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "train/trainer.h"

namespace glia::callbacks {

MonitorCallback::MonitorCallback(std::string owner, std::string monitor, const std::string& mode, double min_delta)
    : owner_(std::move(owner)), monitor_(std::move(monitor)), min_delta_(std::abs(min_delta)) {
  static const std::vector<std::string> modes{"auto", "min", "max"};
  GLIA_CHECK(mode == "auto" || mode == "min" || mode == "max", "{}: unknown mode '{}'.{}", owner_, mode, did_you_mean(mode, modes));
  direction_ = mode == "max" ? 1 : mode == "min" ? -1 : 0;
}

void MonitorCallback::find_direction() {
  std::string name = monitor_.rfind("val_", 0) == 0 ? monitor_.substr(4) : monitor_;
  std::string found = name == "loss" || (name.size() > 5 && name.ends_with("_loss")) ? "down" : model().trainer().metric_direction(name);
  direction_ = found == "up" ? 1 : found == "down" ? -1 : 0;
  GLIA_CHECK(direction_, "{}: cannot tell whether '{}' should grow or shrink. Set .mode to \"min\" or \"max\".", owner_, monitor_);
}

std::optional<double> MonitorCallback::monitored(Logs& logs) {
  if (logs.contains(monitor_)) return logs[monitor_];
  if (!warned_) {
    std::string names;
    for (auto& [n, v] : logs) names += (names.empty() ? "" : ", ") + n;
    log_warning(fmt::format("{} watches '{}', which is not among the logs: {}.", owner_, monitor_, names));
    warned_ = true;
  }
  return std::nullopt;
}

bool MonitorCallback::is_improvement(double value, std::optional<double> reference) {
  if (!direction_) find_direction();
  if (!reference) return true;
  return direction_ > 0 ? value - min_delta_ > *reference : value + min_delta_ < *reference;
}

}  // namespace glia::callbacks
