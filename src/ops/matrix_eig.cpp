// Eigenvalues of a general matrix: Hessenberg form, then QR steps in complex numbers with Wilkinson's shift, then back substitution.
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "base/error.h"
#include "ops/matrix.h"

namespace glia::ops::matrix {
namespace {

using Complex = std::complex<double>;

struct Square {
  int64_t n;
  std::vector<Complex> v;
  explicit Square(int64_t n) : n(n), v(static_cast<std::size_t>(n * n), 0.0) {}
  Complex& operator()(int64_t i, int64_t j) { return v[static_cast<std::size_t>(i * n + j)]; }
};

// t becomes zero below its first subdiagonal, q t q^T what it was: a reflection per column.
void to_hessenberg(Square& t, Square& q) {
  for (int64_t k = 0; k + 2 < t.n; ++k) {
    double length = 0;
    for (int64_t i = k + 1; i < t.n; ++i) length += std::norm(t(i, k));
    length = std::sqrt(length);
    if (length == 0) continue;
    std::vector<double> w(static_cast<std::size_t>(t.n), 0.0);
    for (int64_t i = k + 1; i < t.n; ++i) w[static_cast<std::size_t>(i)] = t(i, k).real();
    w[static_cast<std::size_t>(k + 1)] += std::copysign(length, t(k + 1, k).real());
    double square = 0;
    for (double x : w) square += x * x;
    auto reflect = [&](Square& m, bool rows) {  // m - 2 w (w^T m) / w^T w, or from the right
      for (int64_t j = 0; j < m.n; ++j) {
        Complex dot = 0;
        for (int64_t i = k + 1; i < m.n; ++i) dot += w[static_cast<std::size_t>(i)] * (rows ? m(i, j) : m(j, i));
        dot *= 2 / square;
        for (int64_t i = k + 1; i < m.n; ++i) (rows ? m(i, j) : m(j, i)) -= dot * w[static_cast<std::size_t>(i)];
      }
    };
    reflect(t, true), reflect(t, false), reflect(q, false);
  }
}

// The eigenvalue of the last two rows and columns up to `end` that lies next to the last entry.
Complex shift_of(Square& t, int64_t end) {
  const Complex a = t(end - 1, end - 1), b = t(end - 1, end), c = t(end, end - 1), d = t(end, end), mid = (a + d) * 0.5;
  const Complex root = std::sqrt((a - d) * (a - d) * 0.25 + b * c), one = mid + root, two = mid - root;
  return std::abs(one - d) < std::abs(two - d) ? one : two;
}

// One QR step of the block start..end: t = r q^H + shift, by rotations.
void qr_step(Square& t, Square& q, int64_t start, int64_t end, Complex shift) {
  struct Turn {
    double c;
    Complex s;
  };
  auto turn_of = [](Complex x, Complex y) {  // c x + s y = r, -conj(s) x + c y = 0
    const double length = std::hypot(std::abs(x), std::abs(y));
    if (length == 0) return Turn{1, 0};
    if (x == 0.0) return Turn{0, std::conj(y) / std::abs(y)};
    return Turn{std::abs(x) / length, x / std::abs(x) * std::conj(y) / length};
  };
  auto apply = [&](const Turn& g, int64_t k) {
    for (int64_t j = std::max<int64_t>(0, k - 1); j < t.n; ++j) {
      const Complex x = t(k, j), y = t(k + 1, j);
      t(k, j) = g.c * x + g.s * y;
      t(k + 1, j) = -std::conj(g.s) * x + g.c * y;
    }
    for (int64_t i = 0; i <= std::min(k + 2, end); ++i) {
      const Complex x = t(i, k), y = t(i, k + 1);
      t(i, k) = g.c * x + std::conj(g.s) * y;
      t(i, k + 1) = -g.s * x + g.c * y;
    }
    for (int64_t i = 0; i < t.n; ++i) {
      const Complex x = q(i, k), y = q(i, k + 1);
      q(i, k) = g.c * x + std::conj(g.s) * y;
      q(i, k + 1) = -g.s * x + g.c * y;
    }
  };
  apply(turn_of(t(start, start) - shift, t(start + 1, start)), start);
  for (int64_t k = start + 1; k < end; ++k) {  // the entry that the last rotation left below is turned away
    apply(turn_of(t(k, k - 1), t(k + 1, k - 1)), k);
    t(k + 1, k - 1) = 0;
  }
}

// t becomes upper triangular.
void to_schur(Square& t, Square& q) {
  int64_t end = t.n - 1;
  for (int64_t round = 0, at_end = 0; end > 0; ++round, ++at_end) {
    GLIA_CHECK(round < 60 * t.n, "eig: the eigenvalues of a {} x {} matrix were not found in {} steps.", t.n, t.n, round);
    auto small = [&](int64_t i) {
      return std::abs(t(i, i - 1)) <= std::numeric_limits<double>::epsilon() * (std::abs(t(i, i)) + std::abs(t(i - 1, i - 1)));
    };
    if (small(end)) {
      t(end, end - 1) = 0;
      --end, at_end = -1;
      continue;
    }
    int64_t start = end - 1;
    while (start > 0 && !small(start)) --start;
    if (start > 0) t(start, start - 1) = 0;
    const bool stuck = at_end % 10 == 9;
    const Complex shift = stuck ? std::abs(t(end, end - 1)) + std::abs(t(end, end).real()) : shift_of(t, end);
    qr_step(t, q, start, end, shift);
  }
}

}  // namespace

void eig(const Matrix& a, std::vector<double> values[2], Matrix vectors[2]) {
  const int64_t n = a.rows;
  Square t(n), q(n);
  double scale = 0;
  for (double x : a.v) {
    GLIA_CHECK(std::isfinite(x), "eig: every entry must be finite. Received {}.", x);
    scale = std::max(scale, std::abs(x));
  }
  if (scale == 0) scale = 1;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) t(i, j) = a(i, j) / scale;
    q(i, i) = 1;
  }
  to_hessenberg(t, q);
  to_schur(t, q);
  for (int part = 0; part < 2; ++part) values[part].clear(), vectors[part] = Matrix(n, n);
  for (int64_t k = 0; k < n; ++k) {
    const Complex value = t(k, k);
    values[0].push_back(value.real() * scale), values[1].push_back(value.imag() * scale);
    std::vector<Complex> x(static_cast<std::size_t>(k + 1), 0.0);  // (t - value) x = 0 with x_k = 1
    x.back() = 1;
    for (int64_t i = k - 1; i >= 0; --i) {
      Complex sum = 0;
      for (int64_t j = i + 1; j <= k; ++j) sum -= t(i, j) * x[static_cast<std::size_t>(j)];
      Complex gap = t(i, i) - value;
      if (std::abs(gap) < std::numeric_limits<double>::epsilon()) gap = std::numeric_limits<double>::epsilon();  // equal values
      x[static_cast<std::size_t>(i)] = sum / gap;
    }
    std::vector<Complex> vector(static_cast<std::size_t>(n), 0.0);
    double square = 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= k; ++j) vector[static_cast<std::size_t>(i)] += q(i, j) * x[static_cast<std::size_t>(j)];
      square += std::norm(vector[static_cast<std::size_t>(i)]);
    }
    for (int64_t i = 0; i < n; ++i) {
      const Complex entry = vector[static_cast<std::size_t>(i)] / std::sqrt(square);
      vectors[0](i, k) = entry.real(), vectors[1](i, k) = entry.imag();
    }
  }
}

}  // namespace glia::ops::matrix
