// The loops under ReduceKernel: one task each, single-threaded.
#pragma once
#include "kernels/cpu/elem.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

enum class ReduceOp : uint8_t { sum, mean, max, min, prod, any, all, argmax, argmin };

// y[r] = op over x[r * stride + i], i < n, then times scale (sums of floats only).
using ReduceRowsFn = void (*)(const void* x, int64_t stride, void* y, int64_t rows, int64_t n, double scale);
// y[c] = op over x[r * stride + c], r < n.
using ReduceColumnsFn = void (*)(const void* x, int64_t stride, void* y, int64_t n, int64_t columns, double scale);

GLIA_ISA_DECLARE(ReduceRowsFn, reduce_rows_function, (ReduceOp, Elem))
GLIA_ISA_DECLARE(ReduceColumnsFn, reduce_columns_function, (ReduceOp, Elem))

// The same for int16, uint16, uint32 and uint64, for any machine.
struct RareReduction {
  ReduceRowsFn rows = nullptr;
  ReduceColumnsFn columns = nullptr;
};
RareReduction rare_reduction(ReduceOp, Elem);

}  // namespace glia::cpu
