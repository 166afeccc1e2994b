// Linear algebra composed of the nodes of ops/linalg_ops.h.
#include <glia/ops/arrays.h>

#include <cmath>
#include <limits>

#include "ir/op_def.h"
#include "ops/compose.h"
#include "ops/linalg_ops.h"

namespace glia::ops {
namespace {

Value matrix_of(const Value& x, const char* op, bool square = false) {
  Value m = x.dtype() == DType::f64 ? x : cast(x, DType::f32);
  GLIA_CHECK(m.rank() >= 2 && (!square || m.dim(-1) == m.dim(-2)), "{}: expected {}matrices (..., m, n). Received {}.", op, square ? "square " : "",
             to_string(x.type()));
  return m;
}
double epsilon_of(DType t) { return t == DType::f64 ? std::numeric_limits<double>::epsilon() : static_cast<double>(std::numeric_limits<float>::epsilon()); }

// Both as matrices with the same batch axes; a b of one axis less is a batch of vectors.
Value solved(const Value& given_a, const Value& given_b, const char* op, Value (*node)(const Value&, const Value&, bool), bool flag) {
  Value a = matrix_of(given_a, op, true), b = cast(given_b, a.dtype());
  const bool vectors = b.rank() == a.rank() - 1;
  if (vectors) b = expand_dims(b, -1);
  GLIA_CHECK(b.rank() >= 2 && b.dim(-2) == a.dim(-1), "{}: b must have {} rows. Received shapes {} and {}.", op, a.dim(-1), to_string(given_a.shape()),
             to_string(given_b.shape()));
  auto lead = [](const Value& v) {
    Shape s = v.shape();
    s.resize(s.size() - 2);
    return s;
  };
  Shape batch = ir::broadcast_shapes(lead(a), lead(b), op), wide_a = batch, wide_b = batch;
  wide_a.insert(wide_a.end(), {a.dim(-2), a.dim(-1)});
  wide_b.insert(wide_b.end(), {b.dim(-2), b.dim(-1)});
  Value x = node(broadcast_to(a, wide_a), broadcast_to(b, wide_b), flag);
  return vectors ? squeeze(x, {-1}) : x;
}
Value identity_like(const Value& x) { return broadcast_to(eye(x.dim(-1), x.dim(-1), 0, x.dtype()), x.shape()); }

}  // namespace

Value cholesky(const Value& x, bool upper) {
  Value l = cholesky_factor(matrix_of(x, "cholesky", true));
  return upper ? swapaxes(l, -1, -2) : l;
}
Value cholesky_inverse(const Value& given, bool upper) {
  Value f = matrix_of(given, "cholesky_inverse", true), i = triangular_solve(f, identity_like(f), !upper, false);
  return upper ? matmul(i, i, false, true) : matmul(i, i, true, false);
}
Value solve(const Value& a, const Value& b) { return solved(a, b, "solve", general_solve, false); }
Value solve_triangular(const Value& a, const Value& b, bool lower) {
  return solved(a, b, "solve_triangular", [](const Value& m, const Value& v, bool low) { return triangular_solve(m, v, low, false); }, lower);
}
Value inv(const Value& given) {
  Value x = matrix_of(given, "inv", true);
  return general_solve(x, identity_like(x), false);
}
Value det(const Value& x) { return determinants(matrix_of(x, "det", true))[2]; }
Values slogdet(const Value& x) {
  Values d = determinants(matrix_of(x, "slogdet", true));
  return {d[0], d[1]};
}
Value logdet(const Value& x) { return sum(log(diagonal(cholesky(x), 0, -2, -1)), {-1}) * 2.0; }
Values lu_factor(const Value& x) { return lu_decomposition(matrix_of(x, "lu_factor", true)); }

Values qr(const Value& given, const std::string& mode) {
  GLIA_CHECK(mode == "reduced" || mode == "complete", "qr: unknown mode \"{}\". Expected reduced or complete.", mode);
  return qr_decomposition(matrix_of(given, "qr"), mode == "complete");
}

Values eigh(const Value& x) { return symmetric_eigen(matrix_of(x, "eigh", true)); }

Values svd(const Value& given, bool full_matrices, bool compute_uv) {
  Values f = thin_svd(matrix_of(given, "svd"));
  if (!compute_uv) return {f[0]};
  Value u = f[1], v = f[2];
  if (full_matrices && u.dim(-2) > u.dim(-1)) u = concatenate({u, orthonormal_complement(u)}, -1);
  if (full_matrices && v.dim(-2) > v.dim(-1)) v = concatenate({v, orthonormal_complement(v)}, -1);
  return {u, f[0], swapaxes(v, -1, -2)};
}

Value pinv(const Value& given, std::optional<double> rcond) {
  Value x = matrix_of(given, "pinv");
  return pseudo_inverse(x, rcond.value_or(10.0 * static_cast<double>(std::max(x.dim(-1), x.dim(-2))) * epsilon_of(x.dtype())));
}

Value lstsq(const Value& given, const Value& given_b, std::optional<double> rcond) {
  Value a = matrix_of(given, "lstsq"), b = cast(given_b, a.dtype());
  GLIA_CHECK(a.rank() == 2 && (b.rank() == 1 || b.rank() == 2) && b.dim(0) == a.dim(0),
             "lstsq: expected a (m, n) and b (m) or (m, k). Received shapes {} and {}.", to_string(given.shape()), to_string(given_b.shape()));
  double bound = epsilon_of(a.dtype());
  if (!rcond) bound *= static_cast<double>(std::max(a.dim(0), a.dim(1)));
  else if (*rcond >= 0) bound = *rcond;
  return matmul(pseudo_inverse(a, bound), b);
}

Value matrix_rank(const Value& given, std::optional<double> tol) {
  Value x = matrix_of(given, "matrix_rank"), s = svd(x, false, false)[0];
  Value bound = tol ? scalar_like(s, *tol)
                    : max(s, {-1}, true) * (static_cast<double>(std::max(x.dim(-1), x.dim(-2))) * epsilon_of(x.dtype()));
  return sum(cast(greater(s, bound), DType::i32), {-1});
}

Value matrix_power(const Value& given, int64_t n) {
  Value x = n < 0 ? inv(given) : matrix_of(given, "matrix_power", true), y;
  for (int64_t k = std::abs(n); k > 0; k /= 2) {
    if (k % 2 == 1) y = y.defined() ? matmul(y, x) : x;
    if (k > 1) x = matmul(x, x);
  }
  return y.defined() ? y : identity_like(x);
}

namespace {

Value vector_norm(const Value& x, const std::string& order, int64_t axis, bool keepdims) {
  if (order.empty() || order == "2") return sqrt(sum(x * x, {axis}, keepdims));
  if (order == "inf") return max(abs(x), {axis}, keepdims);
  if (order == "-inf") return min(abs(x), {axis}, keepdims);
  if (order == "0") return sum(cast(not_equal(x, zero_of(x)), x.dtype()), {axis}, keepdims);
  char* end = nullptr;
  const double p = std::strtod(order.c_str(), &end);
  GLIA_CHECK(end && *end == 0, "norm: \"{}\" is no norm of vectors. Expected a number, inf or -inf.", order);
  return power(sum(power(abs(x), scalar_like(x, p)), {axis}, keepdims), scalar_like(x, 1.0 / p));
}

Value matrix_norm(const Value& x, const std::string& order, int64_t row, int64_t column, bool keepdims) {
  if (order.empty() || order == "fro") return sqrt(sum(x * x, {row, column}, keepdims));
  Value y;
  if (order == "1" || order == "-1") y = sum(abs(x), {row}, true);
  else if (order == "inf" || order == "-inf") y = sum(abs(x), {column}, true);
  if (y.defined()) return order[0] == '-' ? min(y, {row, column}, keepdims) : max(y, {row, column}, keepdims);
  GLIA_CHECK(order == "nuc" || order == "2" || order == "-2", "norm: \"{}\" is no norm of matrices. Expected fro, nuc, 1, -1, 2, -2, inf or -inf.", order);
  Value s = svd(moveaxis(x, Axes{row, column}, Axes{-2, -1}), false, false)[0];
  y = order == "nuc" ? sum(s, {-1}) : order == "2" ? max(s, {-1}) : min(s, {-1});
  return keepdims ? expand_dims(y, Axes{row, column}) : y;
}

}  // namespace

Value norm(const Value& given, const std::string& order, std::vector<int64_t> axes, bool keepdims) {
  Value x = as_float(given);
  if (axes.empty())
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  for (int64_t& a : axes) a = front_axis(a, x.rank(), "norm");
  if (axes.size() == 1) return vector_norm(x, order, axes[0], keepdims);
  GLIA_CHECK(axes.size() == 2, "norm: expected one axis (vectors) or two (matrices). Received {} axes for shape {}.", axes.size(), to_string(given.shape()));
  return matrix_norm(x, order, axes[0], axes[1], keepdims);
}

}  // namespace glia::ops
