#include "runtime/profiler.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace glia::runtime {
namespace {

struct Row { std::string text; int64_t total = 0, count = 0, least = INT64_MAX; };
struct Profile {
  std::mutex mutex;
  std::vector<std::vector<Row>> plans;
  ~Profile() {
    for (size_t p = 0; p < plans.size(); ++p) report(p);
  }
  void report(size_t p) {
    auto& rows = plans[p];
    int64_t total = 0, runs = 0;
    for (Row& r : rows) total += r.total, runs = std::max(runs, r.count);
    if (!runs) return;
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.total > b.total; });
    std::fprintf(stderr, "profile of plan %zu: %lld runs, %.1f us each\n", p, static_cast<long long>(runs),
                 static_cast<double>(total) / 1e3 / static_cast<double>(runs));
    std::fprintf(stderr, "%10s %10s %6s  step\n", "mean us", "best us", "share");
    for (const Row& r : rows)
      if (r.count)
        std::fprintf(stderr, "%10.2f %10.2f %5.1f%%  %s\n", static_cast<double>(r.total) / 1e3 / static_cast<double>(r.count),
                     static_cast<double>(r.least) / 1e3, 100.0 * static_cast<double>(r.total) / static_cast<double>(total), r.text.c_str());
  }
};
Profile& profile() {
  static Profile p;
  return p;
}

}  // namespace

bool profiling() {
  static const bool on = [] {
    const char* v = std::getenv("GLIA_PROFILE");
    return v && *v && *v != '0';
  }();
  return on;
}
int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
int register_plan(const plan::Plan& p) {
  std::lock_guard<std::mutex> lock(profile().mutex);
  std::vector<Row> rows;
  for (const auto& s : p.steps) rows.push_back({fmt::format("{} [{}] {} @{}", s.op, s.kernel, s.note, s.scope)});
  profile().plans.push_back(std::move(rows));
  return static_cast<int>(profile().plans.size()) - 1;
}
void record_step(int plan_id, size_t step, int64_t ns) {
  std::lock_guard<std::mutex> lock(profile().mutex);
  Row& r = profile().plans[plan_id][step];
  r.total += ns;
  r.count += 1;
  r.least = std::min(r.least, ns);
}

namespace {
std::atomic<bool> trace_runs{false};
std::mutex trace_mutex;
std::vector<TraceEvent> trace_events;
std::map<std::thread::id, int> trace_threads;
}  // namespace

bool tracing() { return trace_runs.load(std::memory_order_relaxed); }
void start_trace() {
  std::lock_guard<std::mutex> lock(trace_mutex);
  GLIA_CHECK(!trace_runs, "A profile is being taken already; only one can be at a time.");
  trace_events.clear();
  trace_threads.clear();
  trace_runs = true;
}
std::vector<TraceEvent> stop_trace() {
  std::lock_guard<std::mutex> lock(trace_mutex);
  trace_runs = false;
  std::vector<TraceEvent> r = std::move(trace_events);
  trace_events.clear();
  std::stable_sort(r.begin(), r.end(), [](const TraceEvent& a, const TraceEvent& b) { return a.start < b.start; });
  return r;
}
void record_event(const plan::Step& step, int64_t start, int64_t ns) {
  std::lock_guard<std::mutex> lock(trace_mutex);
  if (!trace_runs) return;
  const int thread = trace_threads.emplace(std::this_thread::get_id(), static_cast<int>(trace_threads.size())).first->second;
  trace_events.push_back({step.op, step.kernel, step.scope, start, ns, thread});
}

}  // namespace glia::runtime
