#include <glia/initializers.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "nn/initializers/draw.h"

namespace glia {
namespace {

double dot(const double* a, const double* b, int64_t n) {  // eight sums, so that the compiler may use vectors
  double sum[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; ++k) sum[k] += a[i + k] * b[i + k];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

// Q of the QR factorisation of a (rows x cols, rows >= cols, column-major) with a positive diagonal of R, in place:
// modified Gram-Schmidt, twice over, which is orthogonal to rounding ("twice is enough", Kahan and Parlett). A panel of
// columns is finished first and then taken out of each later column while that lies in the cache.
void orthonormalize(std::vector<double>& a, int64_t rows, int64_t cols) {
  constexpr int64_t kPanel = 8, kGroup = 8;  // kGroup: columns per chunk
  auto column = [&](int64_t j) { return &a[static_cast<size_t>(j * rows)]; };
  auto remove = [&](int64_t k, int64_t j) {
    const double* q = column(k);
    double *v = column(j), d = dot(q, v, rows);
    for (int64_t i = 0; i < rows; ++i) v[i] -= d * q[i];
  };
  for (int pass = 0; pass < 2; ++pass)
    for (int64_t first = 0; first < cols; first += kPanel) {
      int64_t last = std::min(cols, first + kPanel);
      for (int64_t k = first; k < last; ++k) {
        double *q = column(k), norm = std::sqrt(dot(q, q, rows));
        for (int64_t i = 0; i < rows; ++i) q[i] /= norm;
        for (int64_t j = k + 1; j < last; ++j) remove(k, j);
      }
      parallel_for((cols - last + kGroup - 1) / kGroup, [&](int64_t chunk) {
        for (int64_t j = last + chunk * kGroup, end = std::min(cols, j + kGroup); j < end; ++j)
          for (int64_t k = first; k < last; ++k) remove(k, j);
      });
    }
}

struct Orthogonal final : InitializerBase {
  initializers::OrthogonalOptions o;
  explicit Orthogonal(initializers::OrthogonalOptions options) : o(options) {}
  std::string class_name() const override { return "Orthogonal"; }
  void fields(Fields& f) override {
    f("seed", o.seed);
    f("gain", o.gain);
  }
  Tensor operator()(const Shape& shape, DType dtype) override {
    GLIA_CHECK(shape.size() >= 2, "Orthogonal: expected a shape of at least two axes. Received {}.", to_string(shape));
    int64_t cols = shape.back(), rows = cols ? num_elements(shape) / cols : 0;
    int64_t tall = std::max(rows, cols), narrow = std::min(rows, cols);
    Tensor normal = nn::draw_normal({tall, narrow}, DType::f64, 0, 1, nn::initializer_seed(o.seed));
    std::vector<double> a(static_cast<size_t>(tall * narrow));
    for (int64_t i = 0; i < tall; ++i)
      for (int64_t j = 0; j < narrow; ++j) a[static_cast<size_t>(j * tall + i)] = normal.data<double>()[i * narrow + j];
    orthonormalize(a, tall, narrow);
    Tensor t(shape, dtype);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) {
        int64_t i = rows < cols ? c : r, j = rows < cols ? r : c;
        t.set_item(r * cols + c, o.gain * a[static_cast<size_t>(j * tall + i)]);
      }
    return t;
  }
};

}  // namespace

Initializer initializers::Orthogonal(OrthogonalOptions o) { return std::make_shared<glia::Orthogonal>(o); }

}  // namespace glia
