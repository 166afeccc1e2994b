#include "measure.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace glia::bench {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Timing measure(const std::function<void()>& fn, double seconds) {
  fn();  // first touch, planning, caches
  double start = now_s();
  fn();
  const double once = std::max(now_s() - start, 1e-8);
  const int group = std::max(1, static_cast<int>(50e-6 / once));
  std::vector<double> ms;
  const double end = now_s() + seconds;
  do {
    start = now_s();
    for (int i = 0; i < group; ++i) fn();
    ms.push_back((now_s() - start) * 1e3 / group);
  } while (now_s() < end || ms.size() < 3);
  return summarise(std::move(ms));
}

Timing summarise(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  return {ms[ms.size() / 2], ms.front(), static_cast<int>(ms.size())};
}

double process_age_s() {
  // Field 22 of /proc/self/stat is the start in clock ticks since boot; fields are counted behind the ')' of the name.
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  timespec ts{};
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return static_cast<double>(ts.tv_sec) + 1e-9 * static_cast<double>(ts.tv_nsec) -
         std::atof(field.c_str()) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double peak_rss_mb() {
  // VmHWM and not getrusage: ru_maxrss survives exec and would report a large parent (Python) instead of us.
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::atof(line.c_str() + 6) / 1024.0;
  return 0;
}

}  // namespace glia::bench
