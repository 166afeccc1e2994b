// Every pair solves a v = lambda v, and the values are NumPy's (numpy.linalg.eigvals).
#include <glia/ops.h>
#include <glia/ops/eig.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "base/error.h"

namespace glia {
namespace {

using Complex = std::complex<double>;

Complex entry(const Values& e, int which, int64_t i) { return {e[which].tensor().item(i), e[which + 1].tensor().item(i)}; }

// The values, by real and then imaginary part; checks the vectors.
std::vector<Complex> values_of(const Tensor& a) {
  const Values e = ops::eig(a);
  const int64_t n = a.dim(0);
  std::vector<Complex> values;
  for (int64_t k = 0; k < n; ++k) {
    values.push_back(entry(e, 0, k));
    double length = 0;
    for (int64_t i = 0; i < n; ++i) {
      Complex product = 0;
      for (int64_t j = 0; j < n; ++j) product += a.item(i * n + j) * entry(e, 2, j * n + k);
      EXPECT_LT(std::abs(product - values.back() * entry(e, 2, i * n + k)), 1e-8) << "row " << i << " of vector " << k;
      length += std::norm(entry(e, 2, i * n + k));
    }
    EXPECT_NEAR(length, 1, 1e-12);
  }
  std::sort(values.begin(), values.end(), [](Complex x, Complex y) {
    return std::abs(x.real() - y.real()) > 1e-9 ? x.real() < y.real() : x.imag() < y.imag();
  });
  return values;
}

void expect_values(const Tensor& a, const std::vector<Complex>& want) {
  const std::vector<Complex> got = values_of(a);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LT(std::abs(got[i] - want[i]), 1e-9) << got[i] << " want " << want[i];
}

TEST(Eig, ValuesAndVectors) {
  expect_values(Tensor::from({2, 2}, {1, 2, 3, 4}).astype(DType::f64), {-0.3722813232690143, 5.372281323269014});
  expect_values(Tensor::from({2, 2}, {0, -1, 1, 0}).astype(DType::f64), {{0, -1}, {0, 1}});
  expect_values(Tensor::from({3, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0}).astype(DType::f64), {{-0.5, -std::sqrt(0.75)}, {-0.5, std::sqrt(0.75)}, {1, 0}});
  expect_values(Tensor::from({3, 3}, {2, 0, 0, 0, 2, 0, 0, 0, -1}).astype(DType::f64), {-1, 2, 2});
  expect_values(Tensor::from({1, 1}, {-7}).astype(DType::f64), {-7});
  expect_values(Tensor::zeros({3, 3}, DType::f64), {0, 0, 0});
  for (int64_t n : {5, 12, 40}) {  // the sum of the values is the trace
    Tensor a = Tensor::zeros({n, n}, DType::f64);
    for (int64_t i = 0; i < n * n; ++i) a.set_item(i, std::sin(static_cast<double>(7 * i + 1)) * 3);
    Complex sum = 0;
    double trace = 0;
    for (Complex v : values_of(a)) sum += v;
    for (int64_t i = 0; i < n; ++i) trace += a.item(i * n + i);
    EXPECT_LT(std::abs(sum - trace), 1e-8 * static_cast<double>(n));
  }
}

TEST(Eig, BatchesTypesAndErrors) {
  const Values e = ops::eig(Tensor::from({2, 2, 2}, {1, 0, 0, 2, 0, 1, 1, 0}));
  EXPECT_EQ(e[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(e[3].shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(e[0].dtype(), DType::f32);
  EXPECT_NEAR(e[0].tensor().item(0) + e[0].tensor().item(1), 3, 1e-6);
  EXPECT_NEAR(e[0].tensor().item(2) * e[0].tensor().item(3), -1, 1e-6);
  EXPECT_THROW(ops::eig(Tensor::zeros({2, 3})), Error);
  EXPECT_THROW(ops::eig(Tensor::from({2, 2}, {1, NAN, 0, 1})).at(0).tensor(), Error);
}

}  // namespace
}  // namespace glia
