// The types of the pointwise machine that need no std header, so that *.isa.cpp files may include them.
#pragma once
#include <cstdint>

#include "kernels/cpu/elem.h"
#include "kernels/cpu/pointwise_ops.h"

namespace glia::cpu {

enum class PwOp : uint8_t {
  input, constant, cast,  // not in the table: no operands, no operands, one operand of any type
#define X(name, ...) name,
  GLIA_POINTWISE_OPS(X)
#undef X
  count_
};
enum class PwDomain : uint8_t { num, flt, all, int_, log };

// One instruction over a tile. Operand strides (0 or 1 element) are bound into the choice of function.
using PwFn = void (*)(void* dst, const void* a, const void* b, const void* c, int64_t n);

}  // namespace glia::cpu
