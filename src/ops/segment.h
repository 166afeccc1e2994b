// What bindings need beside glia/ops/arrays.h.
#pragma once
#include <glia/value.h>

namespace glia::ops {

// segment_sum as keras.ops has it: rows whose id lies outside of [0, num_segments) are left out. (glia::ops::segment_sum, the gradient
// of take, counts negative ids from the end.)
Value unsorted_segment_sum(const Value& data, const Value& segment_ids, int64_t num_segments);

}  // namespace glia::ops
