#include "kernels/cpu/random.h"

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

const RandomKey kKey{0x123456789abcdef0u, 7, 3};

TEST(Random, UniformIsPhiloxWordByWord) {
  for (size_t n : {1u, 3u, 255u, 256u, 257u, 100003u}) {
    auto y = expect_same_for_threads([&] {
      Guarded<float> out(n);
      random_uniform(Elem::f32, kKey, out.data(), static_cast<int64_t>(n), 0, 1);
      out.expect_intact();
      return out.values();
    });
    for (size_t i = 0; i < n; i += 1 + n / 300) {
      const auto w = philox4x32({static_cast<uint32_t>(i / 4), 0, 7, 3}, kKey.seed);
      ASSERT_EQ(y[i], static_cast<float>(w[i % 4] >> 8) / 16777216.f);
    }
  }
  Guarded<double> d(1001);
  random_uniform(Elem::f64, kKey, d.data(), 1001, -3, 5);
  d.expect_intact();
  EXPECT_TRUE(std::all_of(d.data(), d.data() + 1001, [](double v) { return v >= -3 && v < 5; }));
  Guarded<int32_t> k(100000);
  random_uniform(Elem::i32, kKey, k.data(), 100000, -2, 4);
  int count[6] = {};
  for (int32_t v : k.values()) ++count[v + 2];
  for (int c : count) EXPECT_NEAR(c, 100000 / 6., 500);  // four standard deviations
}

// Moments and the distribution function of a large draw, within four standard deviations of the estimate.
void check_distribution(const std::vector<float>& z, double variance, double (*cdf)(double)) {
  const auto n = static_cast<double>(z.size());
  double m = 0, v = 0, k = 0;
  for (float x : z) m += x / n;
  for (float x : z) v += (x - m) * (x - m) / n, k += std::pow(x, 3) / n;
  EXPECT_NEAR(m, 0, 4 * std::sqrt(variance / n));
  EXPECT_NEAR(v, variance, 4 * std::sqrt(2 / n) * variance);
  EXPECT_NEAR(k, 0, 4 * std::sqrt(15 / n));
  auto sorted = z;
  std::sort(sorted.begin(), sorted.end());
  double worst = 0;
  for (size_t i = 0; i < sorted.size(); i += 37)
    worst = std::max(worst, std::fabs(cdf(sorted[i]) - static_cast<double>(i) / n));
  EXPECT_LT(worst, 2.2 / std::sqrt(n));  // Kolmogorov-Smirnov, far tail
}
double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double truncated_cdf(double x) { return (normal_cdf(x) - normal_cdf(-2)) / (1 - 2 * normal_cdf(-2)); }

TEST(Random, NormalAndTruncatedNormal) {
  constexpr int64_t n = 400000;
  auto z = expect_same_for_threads([&] {
    Guarded<float> out(n);
    random_normal(Elem::f32, kKey, out.data(), n, 0, 1);
    out.expect_intact();
    return out.values();
  });
  check_distribution(z, 1, normal_cdf);
  for (int64_t i = 0; i < 4000; i += 2) {  // Box and Muller in double
    const auto w = philox4x32({static_cast<uint32_t>(i / 4), 0, 7, 3}, kKey.seed);
    const double x = ((w[i % 4] >> 8) + 1.0) / 16777216, t = 2 * M_PI * (w[i % 4 + 1] >> 8) / 16777216.0,
                 r = std::sqrt(-2 * std::log(x));
    ASSERT_NEAR(z[static_cast<size_t>(i)], r * std::cos(t), 2e-6);
    ASSERT_NEAR(z[static_cast<size_t>(i) + 1], r * std::sin(t), 2e-6);
  }
  auto t = expect_same_for_threads([&] {
    Guarded<float> out(n);
    random_truncated_normal(Elem::f32, kKey, out.data(), n, 0, 1);
    out.expect_intact();
    return out.values();
  });
  EXPECT_TRUE(std::all_of(t.begin(), t.end(), [](float v) { return std::fabs(v) < 2; }));
  check_distribution(t, 0.7737413, truncated_cdf);  // 1 - 4 phi(2) / (2 Phi(2) - 1)
  Guarded<double> odd(777);
  random_normal(Elem::f64, kKey, odd.data(), 777, 10, 0.5);
  odd.expect_intact();
  EXPECT_NEAR(odd[0], 10 + 0.5 * z[0], 1e-12);
  Guarded<float> one(1);
  random_normal(Elem::f32, kKey, one.data(), 1, 0, 1);
  one.expect_intact();
  EXPECT_EQ(one[0], z[0]);
}

TEST(Random, DropoutIsTheSameOnEveryInstructionSet) {
  const size_t n = 70003;
  const auto x = random_floats(n, 1, 2);
  std::vector<float> first;
  for_each_isa([&](Isa) {
    auto y = expect_same_for_threads([&] {
      Guarded<float> out(x, 1);
      GLIA_ISA_SELECT(dropout)
      (Elem::f32, {out.data(), out.data(), static_cast<int64_t>(n), kKey, 1u << 30, 1 / 0.75});
      out.expect_intact();
      return out.values();
    });
    if (first.empty()) first = y;
    EXPECT_EQ(y, first);
  });
  double zeros = 0;
  for (size_t i = 0; i < n; ++i) {
    const auto w = philox4x32({static_cast<uint32_t>(i / 4), 0, 7, 3}, kKey.seed);
    ASSERT_EQ(first[i], w[i % 4] >= 1u << 30 ? x[i] * static_cast<float>(1 / 0.75) : 0.f);
    zeros += first[i] == 0;
  }
  EXPECT_NEAR(zeros / static_cast<double>(n), 0.25, 0.007);
}

}  // namespace
}  // namespace glia::cpu
