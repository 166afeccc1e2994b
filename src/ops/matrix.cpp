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

namespace {

// Symmetric a to tridiagonal form q^T a q: diagonal d, off-diagonal e.
void tridiagonalise(Matrix a, std::vector<double>& d, std::vector<double>& e, Matrix& q) {
  const int64_t n = a.rows;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) a(i, j) = a(j, i);
  q = identity(n);
  e.assign(static_cast<std::size_t>(std::max<int64_t>(0, n - 1)), 0.0);
  for (int64_t k = 0; k + 1 < n; ++k) {
    double tau = 0;
    std::vector<double> w(static_cast<std::size_t>(n), 0.0), p(static_cast<std::size_t>(n), 0.0);
    const double beta = reflector(&a(k + 1, k), n - k - 1, n, tau);
    apply_right(q, a, k + 1, k, tau);
    w[static_cast<std::size_t>(k + 1)] = 1;
    for (int64_t i = k + 2; i < n; ++i) w[static_cast<std::size_t>(i)] = a(i, k);
    double dot = 0;
    for (int64_t i = k + 1; i < n; ++i) {
      for (int64_t j = k + 1; j < n; ++j) p[static_cast<std::size_t>(i)] += tau * a(i, j) * w[static_cast<std::size_t>(j)];
      dot += p[static_cast<std::size_t>(i)] * w[static_cast<std::size_t>(i)];
    }
    for (int64_t i = k + 1; i < n; ++i) p[static_cast<std::size_t>(i)] -= 0.5 * tau * dot * w[static_cast<std::size_t>(i)];
    for (int64_t i = k + 1; i < n; ++i)
      for (int64_t j = k + 1; j < n; ++j)
        a(i, j) -= w[static_cast<std::size_t>(i)] * p[static_cast<std::size_t>(j)] + p[static_cast<std::size_t>(i)] * w[static_cast<std::size_t>(j)];
    e[static_cast<std::size_t>(k)] = beta;
  }
  d.resize(static_cast<std::size_t>(n));
  for (int64_t i = 0; i < n; ++i) d[static_cast<std::size_t>(i)] = a(i, i);
}

// One implicit step with Wilkinson's shift on rows start..end (Golub and Van Loan, 8.3.2).
void qr_step(std::vector<double>& d, std::vector<double>& e, std::size_t start, std::size_t end, Matrix& q) {
  const double td = (d[end - 1] - d[end]) * 0.5, last = e[end - 1];
  double mu = d[end];
  if (td == 0) {
    mu -= std::abs(last);
  } else if (last != 0) {
    const double h = std::hypot(td, last);
    mu -= last * last / (td + (td > 0 ? h : -h));
  }
  double x = d[start] - mu, z = e[start];
  for (std::size_t k = start; k < end && z != 0; ++k) {
    // The rotation that turns (x, z) into (r, 0).
    double c = 1, s = 0;
    if (x == 0) {
      c = 0, s = z < 0 ? 1 : -1;
    } else if (std::abs(x) > std::abs(z)) {
      const double t = z / x;
      double u = std::sqrt(1 + t * t);
      if (x < 0) u = -u;
      c = 1 / u, s = -t * c;
    } else {
      const double t = x / z;
      double u = std::sqrt(1 + t * t);
      if (z < 0) u = -u;
      s = -1 / u, c = -t * s;
    }
    const double sdk = s * d[k] + c * e[k], dkp1 = s * e[k] + c * d[k + 1];
    d[k] = c * (c * d[k] - s * e[k]) - s * (c * e[k] - s * d[k + 1]);
    d[k + 1] = s * sdk + c * dkp1;
    e[k] = c * sdk - s * dkp1;
    if (k > start) e[k - 1] = c * e[k - 1] - s * z;
    x = e[k];
    if (k < end - 1) {
      z = -s * e[k + 1];
      e[k + 1] = c * e[k + 1];
    }
    for (int64_t i = 0; i < q.rows; ++i) {
      const double a = q(i, static_cast<int64_t>(k)), b = q(i, static_cast<int64_t>(k) + 1);
      q(i, static_cast<int64_t>(k)) = c * a - s * b;
      q(i, static_cast<int64_t>(k) + 1) = s * a + c * b;
    }
  }
}

}  // namespace

void eigh(const Matrix& a, std::vector<double>& values, Matrix& vectors) {
  std::vector<double> e;
  double scale = 0;
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j <= i; ++j) scale = std::max(scale, std::abs(a(i, j)));
  Matrix scaled = a;
  if (scale == 0 || !std::isfinite(scale)) scale = 1;
  for (double& x : scaled.v) x /= scale;
  tridiagonalise(scaled, values, e, vectors);
  constexpr double kEps = 2.220446049250313e-16, kTiny = 2.2250738585072014e-308;
  std::size_t end = values.empty() ? 0 : values.size() - 1, rounds = 0;
  while (end > 0 && rounds < 30 * values.size()) {
    for (std::size_t i = 0; i < end; ++i) {
      const double t = std::abs(e[i]);
      if (t < kTiny || t * t <= kEps * kEps * (std::abs(values[i]) * std::abs(values[i + 1]) + kTiny) ||
          t <= kEps * std::sqrt(std::abs(values[i]) * std::abs(values[i + 1])))
        e[i] = 0;
    }
    while (end > 0 && e[end - 1] == 0) --end;
    if (end == 0) break;
    std::size_t start = end - 1;
    while (start > 0 && e[start - 1] != 0) --start;
    qr_step(values, e, start, end, vectors);
    ++rounds;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {  // selection: the smallest first
    const std::size_t k = static_cast<std::size_t>(std::min_element(values.begin() + static_cast<std::ptrdiff_t>(i), values.end()) - values.begin());
    if (k == i) continue;
    std::swap(values[i], values[k]);
    for (int64_t r = 0; r < vectors.rows; ++r) std::swap(vectors(r, static_cast<int64_t>(i)), vectors(r, static_cast<int64_t>(k)));
  }
  for (double& x : values) x *= scale;
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
