// Products of matrices and linear algebra, named as in keras.ops. Matrices are the last two axes, leading axes are batches; f32 and
// f64 (integers become float32); the decompositions compute in float64. Gradients of any order come from the same functions.
//
//   Value x = ops::solve(a, b);
//   Values usv = ops::svd(a, /*full_matrices=*/false);
#pragma once
#include <optional>
#include <string>

#include <glia/value.h>

namespace glia::ops {

// NumPy's matmul: batch axes broadcast, rank-1 operands are promoted. The flags transpose the last two axes first.
Value matmul(const Value& a, const Value& b, bool transpose_a = false, bool transpose_b = false);

// The lower triangular L with L L^T = x (upper: L^T). Error at run time when x is not positive definite.
Value cholesky(const Value& x, bool upper = false);
Value cholesky_inverse(const Value& factor, bool upper = false);  // the inverse of the matrix that cholesky() split
// The x with a x = b; b (..., n, m) or (..., n). Error at run time when a is singular.
Value solve(const Value& a, const Value& b);
Value solve_triangular(const Value& a, const Value& b, bool lower = false);
Value inv(const Value& x);
Value det(const Value& x);
Values slogdet(const Value& x);  // {sign, log of the absolute value} of the determinant
Value logdet(const Value& x);    // of a positive definite matrix
Values lu_factor(const Value& x);  // {L and U in one matrix, int32 row order}: row i of L U is row order... of x; no gradient
// {Q, R}; mode "reduced" or "complete".
Values qr(const Value& x, const std::string& mode = "reduced");
Values eigh(const Value& x);  // symmetric (the lower triangle is read): {eigenvalues ascending, eigenvectors in columns}
// {U, singular values descending, V^T}, or {singular values}.
Values svd(const Value& x, bool full_matrices = true, bool compute_uv = true);
Value lstsq(const Value& a, const Value& b, std::optional<double> rcond = {});  // least squares, a (m, n), b (m) or (m, k)
Value pinv(const Value& x, std::optional<double> rcond = {});  // singular values up to rcond times the largest count as 0
Value matrix_rank(const Value& x, std::optional<double> tol = {});  // int32
Value matrix_power(const Value& x, int64_t n);  // x x ... x; negative n: powers of the inverse

// Norm of vectors (one axis) or matrices (two axes); no axes: of all elements for rank 1 and 2. order: "" (2-norm, "fro"), "fro",
// "nuc", or a number written out ("1", "2", "-2", "inf", "-inf", "0", "3").
Value norm(const Value& x, const std::string& order = "", std::vector<int64_t> axes = {}, bool keepdims = false);

}  // namespace glia::ops
