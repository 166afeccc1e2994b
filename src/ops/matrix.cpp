#include "ops/matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace glia::ops::matrix {

bool cholesky(Matrix& a) {
  const int64_t n = a.rows;
  for (int64_t j = 0; j < n; ++j) {
    double d = a(j, j);
    for (int64_t k = 0; k < j; ++k) d -= a(j, k) * a(j, k);
    if (!(d > 0)) return false;
    d = std::sqrt(d);
    a(j, j) = d;
    for (int64_t i = j + 1; i < n; ++i) {
      double s = a(i, j);
      for (int64_t k = 0; k < j; ++k) s -= a(i, k) * a(j, k);
      a(i, j) = s / d;
    }
    for (int64_t k = j + 1; k < n; ++k) a(j, k) = 0;
  }
  return true;
}

double lu(Matrix& a, std::vector<int64_t>& order) {
  const int64_t n = a.rows, m = a.columns;
  double sign = 1;
  order.resize(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t k = 0; k < std::min(n, m); ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::abs(a(i, k)) > std::abs(a(best, k))) best = i;
    if (best != k) {
      for (int64_t j = 0; j < m; ++j) std::swap(a(k, j), a(best, j));
      std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(best)]);
      sign = -sign;
    }
    if (a(k, k) == 0) continue;
    for (int64_t i = k + 1; i < n; ++i) {
      const double f = a(i, k) /= a(k, k);
      for (int64_t j = k + 1; j < m; ++j) a(i, j) -= f * a(k, j);
    }
  }
  return sign;
}

void triangular_solve(const Matrix& a, bool lower, bool transposed, Matrix& b) {
  const int64_t n = a.rows;
  auto entry = [&](int64_t i, int64_t j) { return transposed ? a(j, i) : a(i, j); };
  const bool forward = lower != transposed;
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = forward ? step : n - 1 - step;
    for (int64_t c = 0; c < b.columns; ++c) {
      double s = b(i, c);
      for (int64_t j = forward ? 0 : i + 1, end = forward ? i : n; j < end; ++j) s -= entry(i, j) * b(j, c);
      b(i, c) = s / entry(i, i);
    }
  }
}

void lu_solve(const Matrix& f, const std::vector<int64_t>& order, bool transposed, Matrix& b) {
  const int64_t n = f.rows;
  Matrix unit = f;
  for (int64_t i = 0; i < n; ++i) unit(i, i) = 1;
  Matrix x(n, b.columns);
  if (!transposed) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < b.columns; ++c) x(i, c) = b(order[static_cast<std::size_t>(i)], c);
    triangular_solve(unit, true, false, x);
    triangular_solve(f, false, false, x);
    b = x;
    return;
  }
  x = b;
  triangular_solve(f, false, true, x);
  triangular_solve(unit, true, true, x);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < b.columns; ++c) b(order[static_cast<std::size_t>(i)], c) = x(i, c);
}

namespace {

// The reflector I - tau w w^T, w(0) = 1, that maps x to (beta, 0, ...). Returns beta; x's tail becomes that of w.
double reflector(double* x, int64_t n, int64_t stride, double& tau) {
  double tail = 0;
  for (int64_t i = 1; i < n; ++i) tail += x[i * stride] * x[i * stride];
  tau = 0;
  if (tail == 0) return x[0];
  const double beta = (x[0] >= 0 ? -1 : 1) * std::sqrt(x[0] * x[0] + tail);
  for (int64_t i = 1; i < n; ++i) x[i * stride] /= x[0] - beta;
  tau = (beta - x[0]) / beta;
  return beta;
}

// q (I - tau w w^T) on columns first .. first + n - 1, w in a given column of a below its head.
void apply_right(Matrix& q, const Matrix& a, int64_t head, int64_t column, double tau) {
  for (int64_t i = 0; i < q.rows; ++i) {
    double s = q(i, head);
    for (int64_t k = head + 1; k < a.rows; ++k) s += q(i, k) * a(k, column);
    s *= tau;
    q(i, head) -= s;
    for (int64_t k = head + 1; k < a.rows; ++k) q(i, k) -= s * a(k, column);
  }
}

Matrix identity(int64_t n) {
  Matrix m(n, n);
  for (int64_t i = 0; i < n; ++i) m(i, i) = 1;
  return m;
}

}  // namespace

void qr(const Matrix& a, Matrix& q, Matrix& r) {
  r = a;
  const int64_t m = a.rows, n = a.columns;
  q = identity(m);
  for (int64_t k = 0; k < std::min(m, n); ++k) {
    double tau = 0;
    const double beta = reflector(&r(k, k), m - k, n, tau);
    for (int64_t j = k + 1; j < n; ++j) {
      double s = r(k, j);
      for (int64_t i = k + 1; i < m; ++i) s += r(i, k) * r(i, j);
      s *= tau;
      r(k, j) -= s;
      for (int64_t i = k + 1; i < m; ++i) r(i, j) -= s * r(i, k);
    }
    apply_right(q, r, k, k, tau);
    r(k, k) = beta;
    for (int64_t i = k + 1; i < m; ++i) r(i, k) = 0;
  }
}

Matrix completed(const Matrix& columns) {
  const int64_t m = columns.rows, k = columns.columns;
  Matrix q(m, m);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < k; ++j) q(i, j) = columns(i, j);
  int64_t have = k;
  for (int64_t candidate = 0; have < m; ++candidate) {  // Gram-Schmidt, twice, on unit vectors
    std::vector<double> w(static_cast<std::size_t>(m), 0.0);
    w[static_cast<std::size_t>(candidate % m)] = 1;
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t j = 0; j < have; ++j) {
        double dot = 0;
        for (int64_t i = 0; i < m; ++i) dot += q(i, j) * w[static_cast<std::size_t>(i)];
        for (int64_t i = 0; i < m; ++i) w[static_cast<std::size_t>(i)] -= dot * q(i, j);
      }
    double size = 0;
    for (double x : w) size += x * x;
    size = std::sqrt(size);
    if (size < 0.5 / std::sqrt(static_cast<double>(m)) && candidate < 2 * m) continue;
    for (int64_t i = 0; i < m; ++i) q(i, have) = w[static_cast<std::size_t>(i)] / size;
    ++have;
  }
  return q;
}

namespace {

// Rotates the columns of w (m, n), m >= n, until they are orthogonal; v collects the rotations (Hestenes 1958).
void orthogonalise(Matrix& w, Matrix& v) {
  const int64_t m = w.rows, n = w.columns;
  v = identity(n);
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        double alpha = 0, beta = 0, gamma = 0;
        for (int64_t i = 0; i < m; ++i) alpha += w(i, p) * w(i, p), beta += w(i, q) * w(i, q), gamma += w(i, p) * w(i, q);
        if (gamma == 0 || std::abs(gamma) <= 1e-15 * std::sqrt(alpha * beta)) continue;
        rotated = true;
        const double zeta = (beta - alpha) / (2 * gamma), t = (zeta >= 0 ? 1 : -1) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        const double c = 1 / std::sqrt(1 + t * t), s = c * t;
        auto rotate = [&](Matrix& x) {
          for (int64_t i = 0; i < x.rows; ++i) {
            const double a = x(i, p), b = x(i, q);
            x(i, p) = c * a - s * b, x(i, q) = s * a + c * b;
          }
        };
        rotate(w), rotate(v);
      }
    if (!rotated) break;
  }
}

}  // namespace

void svd(const Matrix& a, Matrix& u, std::vector<double>& s, Matrix& v) {
  const bool wide = a.rows < a.columns;
  Matrix w(std::max(a.rows, a.columns), std::min(a.rows, a.columns)), right;
  for (int64_t i = 0; i < w.rows; ++i)
    for (int64_t j = 0; j < w.columns; ++j) w(i, j) = wide ? a(j, i) : a(i, j);
  const int64_t m = w.rows, n = w.columns;
  orthogonalise(w, right);
  std::vector<double> size(static_cast<std::size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < m; ++i) sum += w(i, j) * w(i, j);
    size[static_cast<std::size_t>(j)] = std::sqrt(sum);
  }
  std::vector<int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return size[static_cast<std::size_t>(i)] > size[static_cast<std::size_t>(j)]; });
  s.resize(static_cast<std::size_t>(n));
  Matrix left(m, n), sorted(n, n);
  int64_t rank = 0;
  for (int64_t k = 0; k < n; ++k) {
    const int64_t j = order[static_cast<std::size_t>(k)];
    s[static_cast<std::size_t>(k)] = size[static_cast<std::size_t>(j)];
    if (s[static_cast<std::size_t>(k)] > 0) rank = k + 1;
    for (int64_t i = 0; i < n; ++i) sorted(i, k) = right(i, j);
    for (int64_t i = 0; i < m && size[static_cast<std::size_t>(j)] > 0; ++i) left(i, k) = w(i, j) / size[static_cast<std::size_t>(j)];
  }
  if (rank < n) {  // the columns of singular values 0 are any orthonormal ones
    Matrix some(m, rank);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < rank; ++j) some(i, j) = left(i, j);
    const Matrix all = completed(some);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = rank; j < n; ++j) left(i, j) = all(i, j);
  }
  u = wide ? sorted : left;
  v = wide ? left : sorted;
}

}  // namespace glia::ops::matrix
