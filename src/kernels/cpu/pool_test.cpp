#include "kernels/cpu/pool.h"

#include <gtest/gtest.h>

#include <string>

#include "base/thread_pool.h"
#include "kernels/cpu/guarded_test.h"

namespace glia::cpu {
namespace {

struct Case {
  const char* name;
  PoolShape s;
};

std::vector<Case> cases() {
  return {
      {"2x2", {2, {1, 26, 26}, {1, 13, 13}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, 32}},
      {"2x2 drops the last", {3, {1, 11, 11}, {1, 5, 5}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, 64}},
      {"overlap, padding", {2, {1, 9, 10}, {1, 5, 5}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 19}},
      {"stride 1 same", {1, {1, 6, 5}, {1, 6, 5}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, 3}},
      {"gaps", {1, {1, 10, 11}, {1, 4, 4}, {1, 2, 1}, {1, 3, 3}, {0, 1, 0}, 8}},
      {"1-D", {2, {1, 1, 17}, {1, 1, 6}, {1, 1, 4}, {1, 1, 3}, {0, 0, 1}, 5}},
      {"3-D", {2, {5, 6, 7}, {3, 3, 4}, {2, 2, 2}, {2, 2, 2}, {1, 0, 1}, 17}},
      {"16x16 window", {1, {1, 20, 20}, {1, 2, 2}, {1, 16, 16}, {1, 4, 4}, {0, 0, 0}, 4}},
      {"window outside", {1, {1, 1, 3}, {1, 1, 5}, {1, 1, 2}, {1, 1, 2}, {0, 0, 3}, 7}},
      {"empty batch", {0, {1, 4, 4}, {1, 2, 2}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, 3}},
  };
}

struct Pooled {
  Guarded y, avg, dx, avg_dx, taken;
  std::vector<uint8_t> at;
  explicit Pooled(const PoolShape& s)
      : y(s.batch * s.out_pixels() * s.channels, 3),
        avg(y.size()),
        dx(s.batch * s.in_pixels() * s.channels, 1),
        avg_dx(dx.size()),
        taken(y.size()),
        at(y.size() + 32, 250) {}
};

Guarded random(int64_t n, uint64_t seed) {
  Guarded g(n, 5);
  g.fill_random(seed);
  for (int64_t i = 0; i < n; ++i) g[i] = std::round(g[i] * 8) / 8;  // ties
  return g;
}

Pooled run_simd(const PoolShape& s, Guarded& x, Guarded& dy) {
  Pooled p(s);
  GLIA_ISA_SELECT(max_pool_f32)(s, x.data(), p.y.data(), p.at.data());
  GLIA_ISA_SELECT(max_pool_backward_f32)(s, dy.data(), p.at.data(), p.dx.data());
  GLIA_ISA_SELECT(max_pool_take_f32)(s, x.data(), p.at.data(), p.taken.data());
  GLIA_ISA_SELECT(avg_pool_f32)(s, x.data(), p.avg.data());
  GLIA_ISA_SELECT(avg_pool_backward_f32)(s, dy.data(), p.avg_dx.data());
  return p;
}

void expect_equal(const std::vector<float>& want, Guarded& got, double tol, const std::string& what) {
  ASSERT_TRUE(got.intact()) << what;
  for (int64_t i = 0; i < got.size(); ++i) {
    if (want[i] == got[i]) continue;
    ASSERT_NEAR(want[i], got[i], tol) << what << " at " << i;
  }
}

TEST(Pool, MatchesPlainOnEveryIsa) {
  const Isa before = current_isa();
  for (const Case& c : cases()) {
    const PoolShape& s = c.s;
    Guarded x = random(s.batch * s.in_pixels() * s.channels, 1),
            dy = random(s.batch * s.out_pixels() * s.channels, 2);
    std::vector<float> y(dy.size()), avg(dy.size()), taken(dy.size()), dx(x.size()), avg_dx(x.size());
    std::vector<int32_t> at(dy.size());
    max_pool_plain(s, x.data(), y.data(), at.data());
    max_pool_backward_plain(s, dy.data(), at.data(), dx.data());
    max_pool_take_plain(s, x.data(), at.data(), taken.data());
    avg_pool_plain(s, x.data(), avg.data());
    avg_pool_backward_plain(s, dy.data(), avg_dx.data());
    for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
      if (isa > best_isa()) continue;
      set_isa(isa);
      const std::string what = std::string(c.name) + ", " + std::string(isa_name(isa));
      Pooled p = run_simd(s, x, dy);
      expect_equal(y, p.y, 0, what + ", max");
      expect_equal(dx, p.dx, 1e-6, what + ", max backward");
      expect_equal(taken, p.taken, 0, what + ", take");
      expect_equal(avg, p.avg, 1e-6, what + ", average");
      expect_equal(avg_dx, p.avg_dx, 1e-6, what + ", average backward");
      for (size_t i = 0; i < at.size(); ++i) ASSERT_EQ(at[i], p.at[i]) << what << ", argmax at " << i;
      for (size_t i = at.size(); i < p.at.size(); ++i) ASSERT_EQ(p.at[i], 250) << what << ", argmax written outside";
      if (HasFatalFailure()) return;
    }
  }
  set_isa(before);
}

TEST(Pool, SameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  for (const Case& c : cases()) {
    Guarded x = random(c.s.batch * c.s.in_pixels() * c.s.channels, 1),
            dy = random(c.s.batch * c.s.out_pixels() * c.s.channels, 2);
    set_num_threads(1);
    Pooled one = run_simd(c.s, x, dy);
    for (int t : {2, 4}) {
      set_num_threads(t);
      Pooled many = run_simd(c.s, x, dy);
      EXPECT_TRUE(one.y.same_bits(many.y) && one.avg.same_bits(many.avg) && one.dx.same_bits(many.dx) &&
                  one.avg_dx.same_bits(many.avg_dx) && one.at == many.at)
          << c.name;
    }
  }
  set_num_threads(before);
}

// The plain loops, which are the reference above, on a window worked out by hand.
TEST(Pool, PlainLoopsAreRight) {
  const PoolShape s{1, {1, 1, 4}, {1, 1, 2}, {1, 1, 3}, {1, 1, 2}, {0, 0, 1}, 1};  // windows (-, 0, 1) and (1, 2, 3)
  const double x[] = {2, 5, 5, 1}, dy[] = {3, 4};
  double y[2], dx[4];
  int32_t at[2];
  max_pool_plain(s, x, y, at);
  EXPECT_EQ(y[0], 5);
  EXPECT_EQ(y[1], 5);
  EXPECT_EQ(at[0], 2);
  EXPECT_EQ(at[1], 0);
  max_pool_backward_plain(s, dy, at, dx);
  EXPECT_EQ(dx[1], 7);
  EXPECT_EQ(dx[0] + dx[2] + dx[3], 0);
  avg_pool_plain(s, x, y);
  EXPECT_EQ(y[0], 3.5);
  EXPECT_EQ(y[1], 11.0 / 3);
  avg_pool_backward_plain(s, dy, dx);
  EXPECT_EQ(dx[0], 1.5);
  EXPECT_EQ(dx[1], 1.5 + 4.0 / 3);
}

TEST(Pool, NaNIsKept) {
  const PoolShape s{1, {1, 1, 4}, {1, 1, 1}, {1, 1, 4}, {1, 1, 4}, {0, 0, 0}, 1};
  for (int at = 0; at < 4; ++at) {
    float x[] = {1, 2, 3, 4}, y = 0;
    x[at] = std::numeric_limits<float>::quiet_NaN();
    GLIA_ISA_SELECT(max_pool_f32)(s, x, &y, nullptr);
    EXPECT_TRUE(std::isnan(y)) << at;
  }
}

}  // namespace
}  // namespace glia::cpu
