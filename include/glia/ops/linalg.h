// Products of matrices.
#pragma once
#include <string>

#include <glia/value.h>

namespace glia::ops {

// NumPy's matmul: batch axes broadcast, rank-1 operands are promoted. The flags transpose the last two axes first.
Value matmul(const Value& a, const Value& b, bool transpose_a = false, bool transpose_b = false);

// Sums of products by letters, as numpy.einsum: "abc,cd->abd", "...ij,jk->...ik", "ii->i". Throws Error where letters and
// shapes do not fit.
Value einsum(const std::string& equation, const Values& operands);

}  // namespace glia::ops
