// What callbacks that watch one number share: which way is better, and whether a value is an improvement.
#pragma once
#include <glia/model.h>

namespace glia::callbacks {

class MonitorCallback : public Callback {
 protected:
  MonitorCallback(std::string owner, std::string monitor, const std::string& mode, double min_delta);
  // The monitored value, or nothing (with one warning) when the logs lack it.
  std::optional<double> monitored(Logs& logs);
  bool is_improvement(double value, std::optional<double> reference);
  const std::string& monitor() const { return monitor_; }

 private:
  void find_direction();
  std::string owner_, monitor_;
  double min_delta_;
  int direction_ = 0;  // +1 larger is better, -1 smaller, 0 not known yet
  bool warned_ = false;
};

}  // namespace glia::callbacks
