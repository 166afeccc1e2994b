// Timing of one call, many times: calls shorter than 50 us are grouped so that the clock does not weigh.
//
//   Timing t = measure(fn, 2.0);    // t.ms_med, t.ms_min per call
#pragma once
#include <functional>
#include <vector>

namespace glia::bench {

struct Timing {
  double ms_med = 0;
  double ms_min = 0;
  int samples = 0;
};

Timing summarise(std::vector<double> ms);  // of at least one sample
Timing measure(const std::function<void()>& fn, double seconds);
double now_s();        // seconds on a steady clock
double process_age_s();  // seconds since this process was started by exec
double peak_rss_mb();  // largest resident memory of this process so far

}  // namespace glia::bench
