// Keras's progress bar (keras/src/utils/progbar.py): the text of one update, apart from the clock and the terminal.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <glia/logs.h>

namespace glia {

class Progbar {
 public:
  using Clock = std::function<double()>;  // seconds
  Progbar(int64_t target, int verbose, Clock clock, std::function<void(const std::string&)> write);
  void update(int64_t current, const std::vector<Logs::Entry>& values, bool finalize);
  bool due() const;  // would an update that does not finalise draw anything?
  void set_target(int64_t t) { target_ = t; }
  int64_t target() const { return target_; }

 private:
  double seconds_per_step(int64_t current, double now);
  std::string bar_text(int64_t current, size_t& invisible) const;
  void draw(int64_t current, const std::vector<Logs::Entry>& values, bool finalize, double now, double per_step);

  int64_t target_;
  int verbose_;
  Clock clock_;
  std::function<void(const std::string&)> write_;
  double start_, last_ = -1e9, first_step_ = -1;
  size_t previous_width_ = 0;
};

}  // namespace glia
