#include "base/log.h"

#include <cstdio>
#include <mutex>

namespace glia {
namespace {
std::mutex mutex;
std::function<void(const std::string&)> sink;
}  // namespace

void set_log_sink(std::function<void(const std::string&)> s) {
  std::lock_guard<std::mutex> lock(mutex);
  sink = std::move(s);
}
void log_warning(const std::string& message) {
  std::lock_guard<std::mutex> lock(mutex);
  if (sink) sink(message);
  else std::fprintf(stderr, "glia: warning: %s\n", message.c_str());
}
}  // namespace glia
