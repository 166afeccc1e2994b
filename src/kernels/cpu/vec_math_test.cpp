// Every function over the whole float range (a prime stride of bit patterns) against libm in double, in ulp.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/cpu.h"
#include "kernels/cpu/kernel_test.h"
#include "kernels/cpu/vec_math_arrays.h"

namespace glia::cpu {
namespace {

using ArrayFn = void (*)(const float*, float*, int64_t);

// Distance in units of the last place of the correctly rounded result.
double ulp_error(float got, double want) {
  const float w = static_cast<float>(want);
  if (std::isnan(want)) return std::isnan(got) ? 0 : 1e9;
  if (std::isinf(w) || std::isinf(got)) return w == got ? 0 : 1e9;
  const float a = std::max(std::fabs(w), std::numeric_limits<float>::min());
  const double ulp = std::ldexp(1.0, std::ilogb(a) - 23);
  return std::fabs(static_cast<double>(got) - want) / ulp;
}

struct Worst {
  double ulp = 0;
  float at = 0;
};

Worst sweep(ArrayFn fn, double (*want)(double), uint32_t first, uint64_t count, uint32_t stride) {
  constexpr int64_t kBlock = 4099;  // not a multiple of any vector width
  std::vector<float> x(kBlock), y(kBlock);
  Worst worst;
  for (uint64_t done = 0; done < count;) {
    const int64_t n = static_cast<int64_t>(std::min<uint64_t>(kBlock, count - done));
    for (int64_t i = 0; i < n; ++i) x[i] = std::bit_cast<float>(static_cast<uint32_t>(first + (done + i) * stride));
    fn(x.data(), y.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      const double e = ulp_error(y[i], want(x[i]));
      if (e > worst.ulp) worst = {e, x[i]};
    }
    done += n;
  }
  return worst;
}

// libm in double is exact enough, except where its own subtraction is the issue.
double want_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

uint32_t stride() {  // GLIA_ULP_STRIDE=23 gives the figures in vec_math.h
  const char* s = std::getenv("GLIA_ULP_STRIDE");
  return s ? static_cast<uint32_t>(std::atoi(s)) : 5003;
}

void check(const char* name, ArrayFn (*select)(), double (*want)(double), double limit) {
  const Isa before = current_isa();
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa() || (isa == Isa::neon) != (best_isa() == Isa::neon && isa != Isa::scalar)) continue;
    set_isa(isa);
    ArrayFn fn = select();
    const uint32_t step = stride();
    Worst w = sweep(fn, want, 0, (uint64_t{1} << 32) / step, step);
    // Dense near 1 and around the seams of the reductions.
    for (float c :
         {1.f, 0.55f, 0.93f, 0.3466f, 1.4142135f, 88.72f, 1.17549435e-38f, 1e5f, -1.f, -88.72f, -103.97f, -17.32f}) {
      Worst near = sweep(fn, want, std::bit_cast<uint32_t>(c) - 20000, 40000, 1);
      if (near.ulp > w.ulp) w = near;
    }
    EXPECT_LE(w.ulp, limit) << name << " " << isa_name(isa) << " at " << w.at;
    if (std::getenv("GLIA_ULP_STRIDE"))
      printf("%-8s %-7s %.3f ulp at %.9g\n", name, isa_name(isa).data(), w.ulp, w.at);
    const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
    const float special[] = {0.f, -0.f, inf, -inf, nan, 1e-45f, -1e-45f, 3.4e38f, -3.4e38f};
    float y[9];
    fn(special, y, 9);
    for (int i = 0; i < 9; ++i) {
      EXPECT_LE(ulp_error(y[i], want(special[i])), limit) << name << " " << isa_name(isa) << " of " << special[i];
    }
    if (want(0.0) == 0) {
      EXPECT_FALSE(std::signbit(y[0])) << name;
      EXPECT_TRUE(std::signbit(y[1])) << name << " keeps the sign of zero";
    }
  }
  set_isa(before);
}

#define GLIA_CHECK_FN(name, want, limit)                                                         \
  TEST(VecMath, name) {                                                                          \
    check(                                                                                       \
        #name, [] { return static_cast<ArrayFn>(GLIA_ISA_SELECT(name##_array)); }, want, limit); \
  }
GLIA_CHECK_FN(
    exp, [](double x) { return std::exp(x); }, 1.5)
GLIA_CHECK_FN(
    expm1, [](double x) { return std::expm1(x); }, 2)
GLIA_CHECK_FN(
    log, [](double x) { return std::log(x); }, 1.5)
GLIA_CHECK_FN(
    log1p, [](double x) { return std::log1p(x); }, 1.5)
GLIA_CHECK_FN(
    tanh, [](double x) { return std::tanh(x); }, 2)
GLIA_CHECK_FN(sigmoid, want_sigmoid, 2)
GLIA_CHECK_FN(
    erf, [](double x) { return std::erf(x); }, 2)
GLIA_CHECK_FN(
    sin, [](double x) { return std::sin(x); }, 2)
GLIA_CHECK_FN(
    cos, [](double x) { return std::cos(x); }, 2)

// Absolute errors, as those of 0.5 x (1 + erf(x / sqrt 2)) in f32 are.
TEST(VecMath, GeluAndItsGradient) {
  for_each_isa([] {
    std::vector<float> x;
    for (float v = -12; v <= 12; v += 0.00037f) x.push_back(v);
    for (float v : {0.f, -0.f, 1e-30f, -1e-30f, 1e-6f, -1e-6f, 100.f, -100.f, 3e38f, -3e38f}) x.push_back(v);
    std::vector<float> y(x.size()), dy(x.size());
    GLIA_ISA_SELECT(gelu_array)(x.data(), y.data(), static_cast<int64_t>(x.size()));
    GLIA_ISA_SELECT(gelu_grad_array)(x.data(), dy.data(), static_cast<int64_t>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      const double v = x[i], cdf = 0.5 * std::erfc(-v / std::sqrt(2.0));
      const double slope = cdf + v * std::exp(-0.5 * v * v) / std::sqrt(2 * M_PI);
      ASSERT_NEAR(y[i], v * cdf, 1.2e-7 * std::min(std::fabs(v), 6.0) + 6e-8 * std::fabs(v * cdf)) << v;
      ASSERT_NEAR(dy[i], slope, 3e-7) << v;
    }
    const float nan = std::nanf("");
    float from[2] = {nan, nan}, to[2] = {0, 0};
    GLIA_ISA_SELECT(gelu_array)(from, to, 2);
    EXPECT_TRUE(std::isnan(to[0]) && std::isnan(to[1]));
    GLIA_ISA_SELECT(gelu_grad_array)(from, to, 2);
    EXPECT_TRUE(std::isnan(to[0]) && std::isnan(to[1]));
  });
}

TEST(VecMath, FastGatesStayWithin3Ulp) {
  for_each_isa([] {
    // From where vsigmoid_fast is relative to its tails; all of tanh's normal range.
    const uint32_t tiny = std::bit_cast<uint32_t>(1e-30f), nine = std::bit_cast<uint32_t>(86.f);
    for (uint32_t sign : {0u, 0x80000000u}) {
      const uint64_t count = (nine - tiny) / 997;
      const auto tanh = [](double x) { return std::tanh(x); };
      EXPECT_LE(sweep(GLIA_ISA_SELECT(tanh_fast_array), tanh, sign + tiny, count, 997).ulp, 2.5);
      EXPECT_LE(sweep(GLIA_ISA_SELECT(sigmoid_fast_array), want_sigmoid, sign + tiny, count, 997).ulp, 2.5);
    }
    const float inf = std::numeric_limits<float>::infinity(), x[] = {-0.f, inf, -inf, std::nanf(""), 1e38f, -1e38f};
    float t[6], s[6];
    GLIA_ISA_SELECT(tanh_fast_array)(x, t, 6);
    GLIA_ISA_SELECT(sigmoid_fast_array)(x, s, 6);
    EXPECT_TRUE(t[0] == 0 && std::signbit(t[0]) && t[1] == 1 && t[2] == -1 && std::isnan(t[3]) && t[4] == 1 &&
                t[5] == -1);
    EXPECT_TRUE(s[0] == 0.5f && s[1] == 1 && s[2] < 2e-38f && std::isnan(s[3]) && s[4] == 1 && s[5] < 2e-38f);
  });
}

TEST(VecMath, PowIsLibm) {
  const float x[] = {2, -2, 0, 9, -1}, e[] = {0.5f, 3, 0, -0.5f, 0.5f};
  float y[5];
  GLIA_ISA_SELECT(pow_array)(x, e, y, 5);
  for (int i = 0; i < 5; ++i) EXPECT_LE(ulp_error(y[i], std::pow(double{x[i]}, double{e[i]})), 1);
}

TEST(VecMath, TailsStayInside) {
  for (int n = 0; n < 40; ++n) {
    std::vector<float> x(n, 0.3f), y(n + 2, 7.f);
    GLIA_ISA_SELECT(exp_array)(x.data(), y.data() + 1, n);
    EXPECT_EQ(y[0], 7.f);
    EXPECT_EQ(y[n + 1], 7.f);
    for (int i = 0; i < n; ++i) EXPECT_NEAR(y[i + 1], 1.3498588f, 2e-7);
  }
}

}  // namespace
}  // namespace glia::cpu
