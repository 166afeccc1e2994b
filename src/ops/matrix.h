// Dense decompositions of one small matrix in float64, row-major. The ops of linalg_ops.cpp call them per batch.
#pragma once
#include <cstdint>
#include <vector>

namespace glia::ops::matrix {

struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> v;
  Matrix() = default;
  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), v(static_cast<std::size_t>(rows * columns), 0.0) {}
  double& operator()(int64_t i, int64_t j) { return v[static_cast<std::size_t>(i * columns + j)]; }
  double operator()(int64_t i, int64_t j) const { return v[static_cast<std::size_t>(i * columns + j)]; }
};

// In place: the lower factor, zeros above. False when a pivot is not positive.
bool cholesky(Matrix& a);
// In place, partial pivoting; order[i]: row of a that stands at i; returns the sign of the permutation.
double lu(Matrix& a, std::vector<int64_t>& order);
// x = a^-1 b (or a^-T b) from lu(); b is overwritten.
void lu_solve(const Matrix& lu, const std::vector<int64_t>& order, bool transposed, Matrix& b);
void triangular_solve(const Matrix& a, bool lower, bool transposed, Matrix& b);
// Householder: q (m, m) and r (m, n); signs as in LAPACK.
void qr(const Matrix& a, Matrix& q, Matrix& r);
// Symmetric: tridiagonal form, then implicit QR steps; values ascending, vectors in columns. Reads the lower triangle. `single`:
// in float32 arithmetic, so that as many steps are taken as TensorFlow takes, on which the signs of the vectors depend.
void eigh(const Matrix& a, bool single, std::vector<double>& values, Matrix& vectors);
// General: real and imaginary parts of the values and of the vectors, which stand in columns and have length 1.
void eig(const Matrix& a, std::vector<double> values[2], Matrix vectors[2]);
// a = u diag(s) v^T, thin: u (m, k), v (n, k), k = min(m, n); s descending. One-sided Jacobi.
void svd(const Matrix& a, Matrix& u, std::vector<double>& s, Matrix& v);
// Adds orthonormal columns until the matrix is square.
Matrix completed(const Matrix& columns);

}  // namespace glia::ops::matrix
