// GLIA_PROFILE=1: time per step with its layer path, printed to stderr when the process ends.
#pragma once
#include <cstddef>
#include <cstdint>

#include "plan/plan.h"

namespace glia::runtime {

bool profiling();
int64_t now_ns();
int register_plan(const plan::Plan& p);
void record_step(int plan_id, size_t step, int64_t ns);

}  // namespace glia::runtime
