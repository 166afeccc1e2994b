// The nodes of linear algebra; glia/ops/linalg.h composes the public functions of them. Operands share batch axes and dtype.
#pragma once
#include <glia/value.h>

#include "ir/op_def.h"

namespace glia::ops {

Value cholesky_factor(const Value& x);
Value triangular_solve(const Value& a, const Value& b, bool lower, bool transposed);
Value general_solve(const Value& a, const Value& b, bool transposed);
Values determinants(const Value& x);  // {sign, log, value}
Values lu_decomposition(const Value& x);
Values qr_decomposition(const Value& x, bool complete);
Values symmetric_eigen(const Value& x);
const ir::OpDef& eig_op();  // eig.cpp
Values thin_svd(const Value& x);  // {s, u, v}
Value orthonormal_complement(const Value& x);
Value pseudo_inverse(const Value& x, double rcond);

}  // namespace glia::ops
