#include <glia/initializers.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "nn/initializers/draw.h"

namespace glia {
namespace {

// Q of the QR factorisation of a (rows x cols, rows >= cols, column-major) with a positive diagonal of R, in place:
// modified Gram-Schmidt, each column twice, which is orthogonal to rounding ("twice is enough", Kahan and Parlett).
void orthonormalize(std::vector<double>& a, int64_t rows, int64_t cols) {
  for (int64_t j = 0; j < cols; ++j) {
    double* v = &a[static_cast<size_t>(j * rows)];
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t k = 0; k < j; ++k) {
        const double* q = &a[static_cast<size_t>(k * rows)];
        double dot = 0;
        for (int64_t i = 0; i < rows; ++i) dot += q[i] * v[i];
        for (int64_t i = 0; i < rows; ++i) v[i] -= dot * q[i];
      }
    double norm = 0;
    for (int64_t i = 0; i < rows; ++i) norm += v[i] * v[i];
    norm = std::sqrt(norm);
    for (int64_t i = 0; i < rows; ++i) v[i] /= norm;
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
