// Sums of products by letters.
#pragma once
#include <string>

#include <glia/value.h>

namespace glia::ops {

// As numpy.einsum: "abc,cd->abd", "...ij,jk->...ik", "ii->i"; operands are contracted pairwise from the left, each pair as one
// (batched) matrix product. Throws Error where letters and shapes do not fit.
Value einsum(const std::string& equation, const Values& operands);

}  // namespace glia::ops
