// Whether an input of a kernel stays the same from call to call, so that what is made of it may be kept.
//
//   g.keep_b = is_fixed(q, 1);
#pragma once
#include "ir/op_def.h"

namespace glia::ops {

inline bool is_fixed(const ir::KernelQuery& q, size_t input) { return input < q.in_fixed.size() && q.in_fixed[input]; }

}  // namespace glia::ops
