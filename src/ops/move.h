// What the ops that only move elements share: row-major strides, and plans made of strided copies.
#pragma once
#include <vector>

#include "ir/op_def.h"
#include "kernels/cpu/copy.h"

namespace glia::ops {

Shape row_major_strides(const Shape& shape);  // in elements
inline int element_bytes(DType t) { return static_cast<int>(dtype_size(t)); }

// One copy of a plan: from element src_at of input `input` to element dst_at of output 0.
struct Copy {
  cpu::CopyKernel kernel;
  int input;
  int64_t src_at, dst_at;
};
// Runs the copies; with `fill`, output 0 (`count` elements) is first set to that pattern.
struct Fill {
  int64_t count;
  uint64_t pattern;
};
ir::KernelPlan copy_plan(std::vector<Copy> copies, int elem_size, const Fill* fill = nullptr);

}  // namespace glia::ops
