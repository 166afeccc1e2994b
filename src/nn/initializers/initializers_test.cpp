#include <glia/initializers.h>
#include <glia/layer.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/thread_pool.h"

namespace glia {
namespace {

TEST(Initializers, SameSeedSameWeightsForAnyThreadCount) {
  for (const Initializer& init : {initializers::HeNormal({.seed = 7}), initializers::RandomUniform({.seed = 7}),
                                  initializers::RandomNormal({.seed = 7}), initializers::Orthogonal({.seed = 7})}) {
    set_num_threads(1);
    Tensor one = (*init)({64, 300}, DType::f32);
    set_num_threads(4);
    EXPECT_TRUE((*init)({64, 300}, DType::f32).equals(one)) << init->class_name();
  }
  set_num_threads(2);
}

TEST(Initializers, GlobalSeedDrivesUnseededOnes) {
  Initializer g = initializers::GlorotUniform();
  set_random_seed(5);
  Tensor a = (*g)({8, 8}, DType::f32), b = (*g)({8, 8}, DType::f32);
  EXPECT_FALSE(a.equals(b));
  set_random_seed(5);
  EXPECT_TRUE((*g)({8, 8}, DType::f32).equals(a));
  EXPECT_TRUE((*g)({8, 8}, DType::f32).equals(b));
}

TEST(Initializers, MomentsAndBounds) {
  Tensor t = (*initializers::TruncatedNormal({.mean = 1, .stddev = 0.5, .seed = 3}))({200, 500}, DType::f32);
  double sum = 0, squares = 0;
  for (float v : t.to_vector()) {
    EXPECT_LE(std::abs(v - 1), 1.0001);
    sum += v;
    squares += (v - 1) * (v - 1);
  }
  EXPECT_NEAR(sum / 1e5, 1, 0.01);
  EXPECT_NEAR(std::sqrt(squares / 1e5), 0.5 * 0.8796256610342398, 0.01);
  Tensor u = (*initializers::GlorotUniform({.seed = 1}))({3, 3, 8, 16}, DType::f32);
  double limit = std::sqrt(6.0 / (9 * 8 + 9 * 16));
  double largest = 0;
  for (float v : u.to_vector()) largest = std::max<double>(largest, std::abs(v));
  EXPECT_LE(largest, limit);
  EXPECT_GT(largest, 0.98 * limit);
}

TEST(Initializers, OrthogonalRowsOrColumns) {
  for (Shape shape : {Shape{6, 4}, Shape{3, 7}, Shape{2, 2, 5}}) {
    Tensor t = (*initializers::Orthogonal({.gain = 2, .seed = 1}))(shape, DType::f64);
    int64_t cols = shape.back(), rows = t.size() / cols;
    bool by_rows = rows <= cols;
    int64_t n = by_rows ? rows : cols, m = by_rows ? cols : rows;
    auto at = [&](int64_t i, int64_t k) { return t.data<double>()[by_rows ? i * cols + k : k * cols + i]; };
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double dot = 0;
        for (int64_t k = 0; k < m; ++k) dot += at(i, k) * at(j, k);
        EXPECT_NEAR(dot, i == j ? 4 : 0, 1e-12);
      }
  }
}

TEST(Initializers, MistakesAreTold) {
  try {
    (*initializers::Identity())({2, 2, 2}, DType::f32);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "Identity: expected a shape of two axes. Received (2, 2, 2).");
  }
}

}  // namespace
}  // namespace glia
