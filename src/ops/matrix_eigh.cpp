// Eigenvalues of symmetric matrices: Householder reflections to tridiagonal form, then implicit QR steps with Wilkinson's shift
// (Golub and Van Loan, Matrix Computations, 8.3).
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/matrix.h"

namespace glia::ops::matrix {
namespace {

template <class T>
struct Symmetric {
  std::size_t n;
  std::vector<T> a, q, d, e;  // the matrix; the orthogonal factor; diagonal; off-diagonal
  T& at(std::size_t i, std::size_t j) { return a[i * n + j]; }
  T& vector(std::size_t i, std::size_t j) { return q[i * n + j]; }
};

// Column k below the diagonal becomes (beta, 0, ...): w = (1, rest of the column), scaled by tau.
template <class T>
T reflect(Symmetric<T>& s, std::size_t k, T& tau) {
  const T head = s.at(k + 1, k);
  T tail = 0;
  for (std::size_t i = k + 2; i < s.n; ++i) tail += s.at(i, k) * s.at(i, k);
  tau = 0;
  if (tail <= std::numeric_limits<T>::min()) {
    for (std::size_t i = k + 2; i < s.n; ++i) s.at(i, k) = 0;
    return head;
  }
  T beta = std::sqrt(head * head + tail);
  if (head >= 0) beta = -beta;
  for (std::size_t i = k + 2; i < s.n; ++i) s.at(i, k) /= head - beta;
  tau = (beta - head) / beta;
  return beta;
}

template <class T>
void tridiagonalise(Symmetric<T>& s) {
  const std::size_t n = s.n;
  for (std::size_t k = 0; k + 1 < n; ++k) {
    T tau = 0;
    const T beta = reflect(s, k, tau);
    std::vector<T> w(n, 0), p(n, 0);
    w[k + 1] = 1;
    for (std::size_t i = k + 2; i < n; ++i) w[i] = s.at(i, k);
    T dot = 0;
    for (std::size_t i = k + 1; i < n; ++i) {
      for (std::size_t j = k + 1; j < n; ++j) p[i] += (i >= j ? s.at(i, j) : s.at(j, i)) * (tau * w[j]);
      dot += p[i] * w[i];
    }
    for (std::size_t i = k + 1; i < n; ++i) p[i] += tau * T(-0.5) * dot * w[i];
    for (std::size_t i = k + 1; i < n; ++i)
      for (std::size_t j = k + 1; j <= i; ++j) s.at(i, j) -= w[i] * p[j] + p[i] * w[j];
    for (std::size_t i = 0; i < n; ++i) {  // q = q (I - tau w w^T)
      T sum = 0;
      for (std::size_t j = k + 1; j < n; ++j) sum += s.vector(i, j) * w[j];
      for (std::size_t j = k + 1; j < n; ++j) s.vector(i, j) -= tau * sum * w[j];
    }
    s.e[k] = beta;
  }
  for (std::size_t i = 0; i < n; ++i) s.d[i] = s.at(i, i);
}

template <class T>
struct Rotation {
  T c = 1, s = 0;
  Rotation(T p, T q) {  // turns (p, q) into (r, 0)
    if (q == 0) {
      c = p < 0 ? -1 : 1;
    } else if (p == 0) {
      c = 0, s = q < 0 ? 1 : -1;
    } else if (std::abs(p) > std::abs(q)) {
      const T t = q / p, u = std::copysign(std::sqrt(1 + t * t), p);
      c = 1 / u, s = -t * c;
    } else {
      const T t = p / q, u = std::copysign(std::sqrt(1 + t * t), q);
      s = -1 / u, c = -t * s;
    }
  }
};

template <class T>
void qr_step(Symmetric<T>& m, std::size_t start, std::size_t end) {
  std::vector<T>&d = m.d, &e = m.e;
  const T td = (d[end - 1] - d[end]) * T(0.5), last = e[end - 1];
  T mu = d[end];
  if (td == 0) {
    mu -= std::abs(last);
  } else if (last != 0) {
    const T h = std::hypot(td, last);
    mu -= last * last / (td + (td > 0 ? h : -h));
  }
  T x = d[start] - mu, z = e[start];
  for (std::size_t k = start; k < end && z != 0; ++k) {
    const Rotation<T> r(x, z);
    const T c = r.c, s = r.s, sdk = s * d[k] + c * e[k], next = s * e[k] + c * d[k + 1];
    d[k] = c * (c * d[k] - s * e[k]) - s * (c * e[k] - s * d[k + 1]);
    d[k + 1] = s * sdk + c * next;
    e[k] = c * sdk - s * next;
    if (k > start) e[k - 1] = c * e[k - 1] - s * z;
    x = e[k];
    if (k < end - 1) {
      z = -s * e[k + 1];
      e[k + 1] = c * e[k + 1];
    }
    for (std::size_t i = 0; i < m.n; ++i) {
      const T a = m.vector(i, k), b = m.vector(i, k + 1);
      m.vector(i, k) = c * a - s * b;
      m.vector(i, k + 1) = s * a + c * b;
    }
  }
}

template <class T>
void solve(const Matrix& a, std::vector<double>& values, Matrix& vectors) {
  const auto n = static_cast<std::size_t>(a.rows);
  Symmetric<T> m{n, std::vector<T>(n * n, 0), std::vector<T>(n * n, 0), std::vector<T>(n, 0), std::vector<T>(n > 0 ? n - 1 : 0, 0)};
  T scale = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      m.at(i, j) = static_cast<T>(a(static_cast<int64_t>(i), static_cast<int64_t>(j)));
      scale = std::max(scale, std::abs(m.at(i, j)));
    }
  if (scale == 0 || !std::isfinite(scale)) scale = 1;
  for (T& v : m.a) v /= scale;
  for (std::size_t i = 0; i < n; ++i) m.vector(i, i) = 1;
  tridiagonalise(m);
  constexpr T kTiny = std::numeric_limits<T>::min(), kInverse = 1 / std::numeric_limits<T>::epsilon();
  std::size_t end = n > 0 ? n - 1 : 0, start = 0;
  for (std::size_t round = 0; end > 0 && round < 30 * n; ++round) {
    for (std::size_t i = start; i < end; ++i) {
      const T scaled = kInverse * m.e[i];
      if (std::abs(m.e[i]) < kTiny || scaled * scaled <= std::abs(m.d[i]) + std::abs(m.d[i + 1])) m.e[i] = 0;
    }
    while (end > 0 && m.e[end - 1] == 0) --end;
    if (end == 0) break;
    start = end - 1;
    while (start > 0 && m.e[start - 1] != 0) --start;
    qr_step(m, start, end);
  }
  for (std::size_t i = 0; i < n; ++i) {  // the smallest first
    const auto k = static_cast<std::size_t>(std::min_element(m.d.begin() + static_cast<std::ptrdiff_t>(i), m.d.end()) - m.d.begin());
    if (k == i) continue;
    std::swap(m.d[i], m.d[k]);
    for (std::size_t r = 0; r < n; ++r) std::swap(m.vector(r, i), m.vector(r, k));
  }
  values.resize(n);
  vectors = Matrix(a.rows, a.rows);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<double>(m.d[i]) * static_cast<double>(scale);
  for (std::size_t i = 0; i < n * n; ++i) vectors.v[i] = static_cast<double>(m.q[i]);
}

}  // namespace

void eigh(const Matrix& a, bool single, std::vector<double>& values, Matrix& vectors) {
  single ? solve<float>(a, values, vectors) : solve<double>(a, values, vectors);
}

}  // namespace glia::ops::matrix
