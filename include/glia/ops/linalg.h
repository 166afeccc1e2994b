// Products of matrices.
#pragma once
#include <glia/value.h>

namespace glia::ops {

// NumPy's matmul: batch axes broadcast, rank-1 operands are promoted. The flags transpose the last two axes first.
Value matmul(const Value& a, const Value& b, bool transpose_a = false, bool transpose_b = false);

}  // namespace glia::ops
