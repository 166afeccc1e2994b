#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/cpu/kernel_test.h"

namespace glia::cpu {
namespace {

double act_reference(Act act, double alpha, double x) {
  switch (act) {
    case Act::none: return x;
    case Act::relu: return std::max(0.0, x);
    case Act::relu6: return std::min(6.0, std::max(0.0, x));
    case Act::leaky_relu: return x < 0 ? alpha * x : x;
    case Act::elu: return x < 0 ? alpha * std::expm1(x) : x;
    case Act::sigmoid: return 1 / (1 + std::exp(-x));
    case Act::tanh: return std::tanh(x);
    case Act::gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Act::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Act::silu: return x / (1 + std::exp(-x));
    case Act::count_: break;
  }
  return NAN;
}

struct Bf16 {
  uint16_t bits = 0;
  Bf16() = default;
  explicit Bf16(int64_t x) {
    const float f = static_cast<float>(x);
    uint32_t u;
    std::memcpy(&u, &f, 4);
    bits = static_cast<uint16_t>(u >> 16);
  }
  explicit operator double() const {
    const uint32_t u = static_cast<uint32_t>(bits) << 16;
    float f;
    std::memcpy(&f, &u, 4);
    return static_cast<double>(f);
  }
};

struct Case {
  int64_t m, n, k;
  bool ta = false, tb = false;
  bool bias = false, residual = false;
  float beta = 0;
  Act act = Act::none;
  bool packed = false;
  int64_t pad = 0;  // extra elements between rows
};

// Small whole numbers: every sum is exact in f32, so the comparison is for equality.
template <class T, class C = T>
void check(const Case& t, GemmType type, double tolerance = 0) {
  Lcg rng{static_cast<uint64_t>(t.m * 1000003 + t.n * 1009 + t.k)};
  GemmParams p{.m = t.m, .n = t.n, .k = t.k, .trans_a = t.ta, .trans_b = t.tb};
  p.lda = (t.ta ? t.m : t.k) + t.pad;
  p.ldb = (t.tb ? t.k : t.n) + t.pad;
  p.ldc = t.n + t.pad;
  p.ldr = t.n + 2 * t.pad;
  p.beta = t.beta;
  p.has_bias = t.bias;
  p.has_residual = t.residual;
  p.act = t.act;
  p.act_alpha = 0.25f;
  p.packed_b = t.packed;
  auto rows = [](int64_t count, int64_t ld, int64_t used) { return count == 0 ? 0 : (count - 1) * ld + used; };
  GuardedArray<T> a(t.ta ? rows(t.k, p.lda, t.m) : rows(t.m, p.lda, t.k));
  GuardedArray<T> b(t.tb ? rows(t.n, p.ldb, t.k) : rows(t.k, p.ldb, t.n));
  GuardedArray<C> c(rows(t.m, p.ldc, t.n)), r(rows(t.m, p.ldr, t.n)), bias(t.n);
  auto fill = [&]<class E>(GuardedArray<E>& x) {
    for (int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<E>(rng.range(-4, 4));
  };
  fill(a), fill(b), fill(c), fill(r), fill(bias);
  std::vector<C> before = c.copy();
  const GemmParams given = p;
  gemm_prepare(p, type);
  GuardedArray<char> workspace(static_cast<int64_t>(p.plan.workspace));
  std::unique_ptr<GuardedArray<float>> packed;
  const void* bp = b.data();
  if constexpr (std::is_same_v<T, float>) {
    if (t.packed) {
      packed = std::make_unique<GuardedArray<float>>(static_cast<int64_t>(gemm_packed_b_bytes(t.n, t.k) / sizeof(float)));
      gemm_pack_b(t.n, t.k, t.tb, given.ldb, b.data(), packed->data());
      bp = packed->data();
    }
  }
  gemm_run(p, a.data(), bp, c.data(), t.bias ? bias.data() : nullptr, t.residual ? r.data() : nullptr, workspace.data());
  for (int64_t i = 0; i < t.m; ++i) {
    for (int64_t j = 0; j < given.ldc && i * given.ldc + j < c.size(); ++j) {
      const double got = static_cast<double>(c[i * given.ldc + j]);
      double want = static_cast<double>(before[static_cast<size_t>(i * given.ldc + j)]);
      if (j < t.n) {
        want *= t.beta;
        for (int64_t k = 0; k < t.k; ++k)
          want += static_cast<double>(t.ta ? a[k * given.lda + i] : a[i * given.lda + k]) *
                  static_cast<double>(t.tb ? b[j * given.ldb + k] : b[k * given.ldb + j]);
        if (t.bias) want += static_cast<double>(bias[j]);
        if (t.residual) want += static_cast<double>(r[i * given.ldr + j]);
        want = act_reference(t.act, 0.25, want);
      }
      if (std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want))) continue;
      FAIL() << t.m << "x" << t.n << "x" << t.k << " ta " << t.ta << " tb " << t.tb << " packed " << t.packed << " at (" << i
             << ", " << j << "): " << got << ", expected " << want;
    }
  }
}

TEST(Gemm, EverySmallSizeAndTranspose) {
  for_each_isa([] {
    Lcg rng;
    for (int64_t m = 1; m <= 40; ++m)
      for (int64_t n = 1; n <= 40; ++n) {
        const int64_t k = rng.range(1, 40), kind = rng.range(0, 3);
        Case t{.m = m, .n = n, .k = k, .ta = (kind & 1) != 0, .tb = (kind & 2) != 0};
        t.pad = rng.range(0, 3);
        t.packed = rng.range(0, 3) == 0;
        ASSERT_NO_FATAL_FAILURE(check<float>(t, GemmType::f32));
      }
  });
}

TEST(Gemm, LargerShapesAndEpilogues) {
  const Case shapes[] = {{32, 64, 1600}, {32, 160, 64}, {160, 64, 32}, {1, 70, 600}, {5, 130, 700}, {12, 67, 333}, {130, 200, 700},
                         {97, 65, 1030}, {200, 300, 64}, {257, 129, 513}, {3, 1, 50}, {300, 1, 40}, {1, 1, 1000}, {70, 3, 2100}};
  for_each_isa([&] {
    Lcg rng;
    for (Case t : shapes)
      for (int kind = 0; kind < 8; ++kind) {
        t.ta = kind & 1, t.tb = kind & 2, t.packed = kind & 4;
        t.pad = rng.range(0, 2);
        t.bias = rng.next() & 1, t.residual = rng.next() & 1;
        t.beta = static_cast<float>(rng.range(0, 2));
        t.act = rng.next() & 1 ? Act::relu : Act::none;
        ASSERT_NO_FATAL_FAILURE(check<float>(t, GemmType::f32));
      }
  });
}

TEST(Gemm, LongK) {  // cut into parts that are summed apart
  for_each_isa([] {
    Lcg rng;
    for (Case t : {Case{64, 64, 2100}, Case{33, 130, 1025}, Case{140, 17, 1500}, Case{200, 72, 1033}}) {
      t.ta = true;
      t.pad = rng.range(0, 2);
      t.beta = static_cast<float>(rng.range(0, 2));
      ASSERT_NO_FATAL_FAILURE(check<float>(t, GemmType::f32));
    }
  });
}

TEST(Gemm, Activations) {
  for_each_isa([] {
    for (int act = 0; act < static_cast<int>(Act::count_); ++act)
      for (Case t : {Case{7, 37, 2}, Case{100, 200, 210}, Case{40, 1, 3}, Case{2, 33, 40, false, true}}) {
        t.act = static_cast<Act>(act);
        t.bias = true;
        ASSERT_NO_FATAL_FAILURE(check<float>(t, GemmType::f32, 1e-6)) << "act " << act;
      }
  });
}

TEST(Gemm, Double) {
  for_each_isa([] {
    Lcg rng;
    for (int i = 0; i < 400; ++i) {
      Case t{.m = rng.range(1, 40), .n = rng.range(1, 40), .k = rng.range(0, 40)};
      t.ta = rng.next() & 1, t.tb = rng.next() & 1, t.bias = rng.next() & 1, t.residual = rng.next() & 1;
      t.pad = rng.range(0, 2);
      t.beta = static_cast<float>(rng.range(0, 2));
      ASSERT_NO_FATAL_FAILURE(check<double>(t, GemmType::f64));
    }
    for (int act = 0; act < static_cast<int>(Act::count_); ++act)
      ASSERT_NO_FATAL_FAILURE(check<double>({.m = 60, .n = 50, .k = 600, .act = static_cast<Act>(act)}, GemmType::f64, 1e-13));
  });
}

// Small whole numbers are exact in bfloat16 and so are their sums while they stay below 256.
TEST(Gemm, Bfloat16) {
  for_each_isa([] {
    Lcg rng;
    for (int i = 0; i < 400; ++i) {
      Case t{.m = rng.range(1, 40), .n = rng.range(1, 40), .k = rng.range(0, 15)};
      t.ta = rng.next() & 1, t.tb = rng.next() & 1, t.bias = rng.next() & 1, t.residual = rng.next() & 1;
      t.pad = rng.range(0, 2);
      t.beta = static_cast<float>(rng.range(0, 1));
      ASSERT_NO_FATAL_FAILURE((check<Bf16, Bf16>(t, GemmType::bf16)));
      t.k = rng.range(0, 200);
      ASSERT_NO_FATAL_FAILURE((check<Bf16, float>(t, GemmType::bf16_f32)));
    }
    for (Case t : {Case{100, 70, 1100}, Case{20, 270, 513}, Case{1, 300, 700}, Case{97, 70, 64}, Case{33, 1, 1025}})
      for (int kind = 0; kind < 4; ++kind) {
        t.ta = kind & 1, t.tb = kind & 2, t.bias = true, t.act = Act::gelu;
        ASSERT_NO_FATAL_FAILURE((check<Bf16, float>(t, GemmType::bf16_f32, 1e-6)));
        ASSERT_NO_FATAL_FAILURE((check<Bf16, Bf16>(t, GemmType::bf16, 1.0 / 256)));
      }
  });
}

TEST(Gemm, EmptyDimensions) {
  for_each_isa([] {
    for (bool trans : {false, true}) {
      check<float>({.m = 5, .n = 7, .k = 0, .ta = trans, .tb = trans, .bias = true, .beta = 2, .act = Act::relu}, GemmType::f32);
      check<float>({.m = 0, .n = 7, .k = 3, .ta = trans, .tb = trans}, GemmType::f32);
      check<float>({.m = 4, .n = 0, .k = 3, .ta = trans, .tb = trans}, GemmType::f32);
      check<float>({.m = 4, .n = 1, .k = 0, .ta = trans, .tb = trans, .bias = true}, GemmType::f32);
    }
  });
}

// [2, 3] batches; B repeated along the first batch dim, bias along both; A transposed or not.
void check_batch(bool ta, bool tb, int64_t m, int64_t n, int64_t k, int64_t repeat_b) {
  const int64_t da = 2, db = 3;
  GuardedArray<float> a(da * db * m * k), b((repeat_b == 2 ? 1 : repeat_b == 1 ? db : da * db) * n * k), c(da * db * m * n);
  GuardedArray<float> bias(n);
  Lcg rng;
  for (auto* x : {&a, &b, &bias}) for (int64_t i = 0; i < x->size(); ++i) (*x)[i] = static_cast<float>(rng.range(-4, 4));
  GemmParams p{.m = m, .n = n, .k = k, .trans_a = ta, .trans_b = tb, .lda = ta ? m : k, .ldb = tb ? k : n, .ldc = n};
  p.has_bias = true;
  p.batch_rank = 2;
  const int64_t dims[] = {da, db}, sa[] = {db * m * k, m * k}, sc[] = {db * m * n, m * n};
  const int64_t sb[] = {repeat_b >= 1 ? 0 : db * n * k, repeat_b == 2 ? 0 : n * k};
  for (int d = 0; d < 2; ++d) p.batch_dims[d] = dims[d], p.batch_a[d] = sa[d], p.batch_b[d] = sb[d], p.batch_c[d] = sc[d];
  gemm_prepare(p, GemmType::f32);
  GuardedArray<char> workspace(static_cast<int64_t>(p.plan.workspace));
  gemm_run(p, a.data(), b.data(), c.data(), bias.data(), nullptr, workspace.data());
  for (int64_t x = 0; x < da; ++x)
    for (int64_t y = 0; y < db; ++y)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const float *pa = a.data() + x * sa[0] + y * sa[1], *pb = b.data() + x * sb[0] + y * sb[1];
          double want = bias[j];
          for (int64_t l = 0; l < k; ++l) want += pa[ta ? l * m + i : i * k + l] * pb[tb ? j * k + l : l * n + j];
          ASSERT_EQ(c[((x * db + y) * m + i) * n + j], want) << m << "x" << n << "x" << k << ta << tb << " batch " << x << y;
        }
}

TEST(Gemm, BatchesBroadcast) {
  for_each_isa([] {
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        for (int64_t repeat_b : {0, 1, 2}) {
          check_batch(ta, tb, 9, 20, 13, repeat_b);
          check_batch(ta, tb, 1, 1, 7, repeat_b);
          check_batch(ta, tb, 6, 1, 7, repeat_b);
          check_batch(ta, tb, 100, 130, 140, repeat_b);
        }
  });
}

TEST(Gemm, SameBitsForAnyNumberOfThreads) {
  for_each_isa([] {
    for (Case t : {Case{32, 64, 1600}, Case{32, 500, 64, false, true}, Case{200, 260, 600, true, false}, Case{4, 900, 300, false, true},
                   Case{500, 70, 300}}) {
      GemmParams p{.m = t.m, .n = t.n, .k = t.k, .trans_a = t.ta, .trans_b = t.tb};
      p.lda = t.ta ? t.m : t.k, p.ldb = t.tb ? t.k : t.n, p.ldc = t.n;
      p.act = Act::gelu;
      gemm_prepare(p, GemmType::f32);
      std::vector<float> a(static_cast<size_t>(t.m * t.k)), b(static_cast<size_t>(t.n * t.k));
      std::vector<char> workspace(p.plan.workspace + 64);
      Lcg rng;
      for (float& x : a) x = rng.uniform();
      for (float& x : b) x = rng.uniform();
      expect_same_for_any_threads<float>(t.m * t.n, [&](float* c) {
        gemm_run(p, a.data(), b.data(), c, nullptr, nullptr, workspace.data());
      });
    }
  });
}

// B that stays: the second product reads what the first one packed, so a B changed behind its back shows nothing.
TEST(Gemm, KeepsPackedWeights) {
  for_each_isa([] {
    int kept = 0;
    for (Case t : {Case{8, 300, 200}, Case{49, 130, 64, false, true}, Case{196, 512, 128}, Case{196, 70, 300, false, true}, Case{1, 300, 200}}) {
      GemmParams p{.m = t.m, .n = t.n, .k = t.k, .trans_b = t.tb, .keep_b = true};
      p.lda = t.k, p.ldb = t.tb ? t.k : t.n, p.ldc = t.n;
      gemm_prepare(p, GemmType::f32);
      kept += p.plan.kept;
      std::vector<float> a(static_cast<size_t>(t.m * t.k)), b(static_cast<size_t>(t.n * t.k));
      std::vector<float> c(static_cast<size_t>(t.m * t.n)), again(c.size());
      GuardedArray<char> workspace(static_cast<int64_t>(p.plan.workspace));
      Lcg rng;
      for (float& x : a) x = static_cast<float>(rng.range(-4, 4));
      for (float& x : b) x = static_cast<float>(rng.range(-4, 4));
      gemm_run(p, a.data(), b.data(), c.data(), nullptr, nullptr, workspace.data(), false);
      for (int64_t i = 0; i < t.m; ++i)
        for (int64_t j = 0; j < t.n; ++j) {
          float want = 0;
          for (int64_t k = 0; k < t.k; ++k) want += a[i * t.k + k] * (t.tb ? b[j * t.k + k] : b[k * t.n + j]);
          ASSERT_EQ(c[i * t.n + j], want) << i << ", " << j;
        }
      if (p.plan.kept) std::fill(b.begin(), b.end(), NAN);
      gemm_run(p, a.data(), b.data(), again.data(), nullptr, nullptr, workspace.data(), true);
      EXPECT_EQ(c, again);
    }
    EXPECT_GE(kept, 3);
  });
}

TEST(Gemm, NanAndInfinityPassThrough) {
  for_each_isa([] {
    const float nan = NAN, inf = INFINITY;
    float a[] = {1, nan, 1, 2}, b[] = {1, 0, 0, inf}, c[4];  // 2x2
    GemmParams p{.m = 2, .n = 2, .k = 2, .lda = 2, .ldb = 2, .ldc = 2, .act = Act::relu};
    gemm_prepare(p, GemmType::f32);
    gemm_run(p, a, b, c, nullptr, nullptr, nullptr);
    EXPECT_TRUE(std::isnan(c[0]) && std::isnan(c[1]));
    EXPECT_EQ(c[2], 1);
    EXPECT_EQ(c[3], inf);
  });
}

}  // namespace
}  // namespace glia::cpu
