// GLIA_PROFILE=1: time per step with its layer path, printed to stderr when the process ends.
// A trace keeps every run of every step between its start and its end, for viewers of time lines:
//
//   start_trace();
//   model.train_on_batch(x, y);
//   std::vector<TraceEvent> events = stop_trace();      // in the order of their starts
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace glia::runtime {

bool profiling();
int64_t now_ns();
int register_plan(const plan::Plan& p);
void record_step(int plan_id, size_t step, int64_t ns);

struct TraceEvent {
  std::string op, kernel, scope;  // "matmul", "f32_avx2", "model/dense"
  int64_t start = 0, ns = 0;      // of now_ns()
  int thread = 0;                 // 0, 1, ... in the order in which threads ran steps
};
bool tracing();
// Throws Error while one runs: they do not nest.
void start_trace();
std::vector<TraceEvent> stop_trace();
void record_event(const plan::Step& step, int64_t start, int64_t ns);

}  // namespace glia::runtime
