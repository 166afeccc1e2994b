#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/kernel_test.h"

namespace glia::cpu {
namespace {

struct Shape {
  int64_t batch, heads, kv_heads, tq, tk, d, dv;
  bool causal = false;
  int64_t offset = 0;
  AttnMask mask = AttnMask::none;
  bool mask_per_query = true;
  bool time_first = true;  // [batch, time, heads, d], else [batch, heads, time, d]
};

AttnStride strides(const Shape& s, int64_t heads, int64_t t, int64_t d) {
  return s.time_first ? AttnStride{t * heads * d, d, heads * d} : AttnStride{heads * t * d, t * d, d};
}

struct Problem {
  Shape s;
  AttentionParams p;
  GuardedArray<float> q, k, v, out, lse, dout, dq, dk, dv, mask32;
  GuardedArray<uint8_t> mask8;

  explicit Problem(const Shape& shape)
      : s(shape), q(s.batch * s.heads * s.tq * s.d), k(s.batch * s.kv_heads * s.tk * s.d), v(s.batch * s.kv_heads * s.tk * s.dv),
        out(s.batch * s.heads * s.tq * s.dv), lse(s.batch * s.heads * s.tq), dout(out.size()), dq(q.size()), dk(k.size()),
        dv(v.size()), mask32(s.batch * s.tq * s.tk), mask8(s.batch * s.tq * s.tk) {
    p = {.batch = s.batch, .heads = s.heads, .kv_heads = s.kv_heads, .tq = s.tq, .tk = s.tk, .d = s.d, .dv = s.dv};
    p.scale = 1 / std::sqrt(static_cast<float>(s.d));
    p.causal = s.causal, p.causal_offset = s.offset;
    p.mask = s.mask;
    p.mask_b = s.tq * s.tk, p.mask_q = s.mask_per_query ? s.tk : 0, p.mask_k = 1;
    p.q = p.dq = strides(s, s.heads, s.tq, s.d);
    p.k = p.dk = strides(s, s.kv_heads, s.tk, s.d);
    p.v = p.dvalue = strides(s, s.kv_heads, s.tk, s.dv);
    p.out = p.dout = strides(s, s.heads, s.tq, s.dv);
    Lcg rng;
    for (auto* x : {&q, &k, &v, &dout}) for (int64_t i = 0; i < x->size(); ++i) (*x)[i] = 2 * rng.uniform();
    for (auto* x : {&dq, &dk, &dv, &out, &lse}) for (int64_t i = 0; i < x->size(); ++i) (*x)[i] = NAN;
    for (int64_t i = 0; i < mask8.size(); ++i) {
      mask8[i] = rng.range(0, 3) != 0;
      mask32[i] = rng.range(0, 7) == 0 ? -INFINITY : rng.uniform();
    }
    for (int64_t j = 0; j < s.tk; ++j) mask8[j] = 0;  // a row that sees nothing
  }
  const void* mask() const {
    return s.mask == AttnMask::boolean ? static_cast<const void*>(mask8.data()) : static_cast<const void*>(mask32.data());
  }
  int64_t kv_head(int64_t h) const { return h / (s.heads / s.kv_heads); }
};

// Probabilities of one query, in double.
std::vector<double> probabilities(const Problem& x, int64_t b, int64_t h, int64_t i) {
  const Shape& s = x.s;
  const float* q = x.q.data() + b * x.p.q.b + h * x.p.q.h + i * x.p.q.t;
  std::vector<double> row(static_cast<size_t>(s.tk));
  double max = -INFINITY, sum = 0;
  // A causal kernel does not meet keys that no query of the block sees; rows without any allowed key are tested uncausal.
  for (int64_t j = 0; j < s.tk; ++j) {
    const float* k = x.k.data() + b * x.p.k.b + x.kv_head(h) * x.p.k.h + j * x.p.k.t;
    double dot = 0;
    for (int64_t d = 0; d < s.d; ++d) dot += static_cast<double>(q[d]) * k[d];
    dot *= x.p.scale;
    const int64_t at = b * x.p.mask_b + i * x.p.mask_q + j;
    if (s.mask == AttnMask::boolean && !x.mask8[at]) dot = -1e9;
    if (s.mask == AttnMask::additive) dot += static_cast<double>(x.mask32[at]);
    if (s.causal && j > i + s.offset) dot = -INFINITY;
    row[static_cast<size_t>(j)] = dot;
    max = std::max(max, dot);
  }
  for (double& r : row) sum += r = max == -INFINITY ? 0 : std::exp(r - max);
  for (double& r : row) r = sum > 0 ? r / sum : 0;
  return row;
}

void expect_near(const GuardedArray<float>& got, const std::vector<double>& want, const char* what) {
  for (int64_t i = 0; i < got.size(); ++i) {
    const double w = want[static_cast<size_t>(i)];
    ASSERT_NEAR(got[i], w, 2e-5 + 2e-5 * std::abs(w)) << what << " at " << i;
  }
}

void check(const Shape& shape) {
  Problem x(shape);
  const Shape& s = x.s;
  GLIA_ISA_SELECT(attention_forward)(x.p, x.q.data(), x.k.data(), x.v.data(), x.mask(), x.out.data(), x.lse.data());
  GLIA_ISA_SELECT(attention_backward)
  (x.p, x.q.data(), x.k.data(), x.v.data(), x.mask(), x.out.data(), x.lse.data(), x.dout.data(), x.dq.data(), x.dk.data(),
   x.dv.data());
  std::vector<double> out(static_cast<size_t>(x.out.size())), dq(static_cast<size_t>(x.q.size())),
      dk(static_cast<size_t>(x.k.size())), dv(static_cast<size_t>(x.v.size()));
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t h = 0; h < s.heads; ++h)
      for (int64_t i = 0; i < s.tq; ++i) {
        const std::vector<double> prob = probabilities(x, b, h, i);
        const int64_t iq = b * x.p.q.b + h * x.p.q.h + i * x.p.q.t, io = b * x.p.out.b + h * x.p.out.h + i * x.p.out.t;
        double delta = 0;
        std::vector<double> dp(prob.size());
        for (int64_t j = 0; j < s.tk; ++j) {
          const int64_t iv = b * x.p.v.b + x.kv_head(h) * x.p.v.h + j * x.p.v.t;
          for (int64_t d = 0; d < s.dv; ++d) {
            out[static_cast<size_t>(io + d)] += prob[static_cast<size_t>(j)] * x.v[iv + d];
            dp[static_cast<size_t>(j)] += static_cast<double>(x.dout[io + d]) * x.v[iv + d];
            dv[static_cast<size_t>(iv + d)] += prob[static_cast<size_t>(j)] * x.dout[io + d];
          }
          delta += dp[static_cast<size_t>(j)] * prob[static_cast<size_t>(j)];
        }
        for (int64_t j = 0; j < s.tk; ++j) {
          const int64_t ik = b * x.p.k.b + x.kv_head(h) * x.p.k.h + j * x.p.k.t;
          double ds = prob[static_cast<size_t>(j)] * (dp[static_cast<size_t>(j)] - delta) * x.p.scale;
          // A masked score is the constant -1e9, not q k - 1e9: nothing flows back through it, also where all are masked.
          if (s.mask == AttnMask::boolean && !x.mask8[b * x.p.mask_b + i * x.p.mask_q + j]) ds = 0;
          for (int64_t d = 0; d < s.d; ++d) {
            dq[static_cast<size_t>(iq + d)] += ds * x.k[ik + d];
            dk[static_cast<size_t>(ik + d)] += ds * x.q[iq + d];
          }
        }
      }
  expect_near(x.out, out, "out");
  expect_near(x.dq, dq, "dq");
  expect_near(x.dk, dk, "dk");
  expect_near(x.dv, dv, "dv");
}

TEST(Attention, ForwardAndBackwardMatchTheDefinition) {
  for_each_isa([] {
    for (bool time_first : {true, false}) {
      for (Shape s : {Shape{2, 2, 2, 5, 7, 3, 4}, Shape{1, 2, 1, 64, 64, 16, 16}, Shape{2, 4, 2, 70, 133, 20, 24},
                      Shape{1, 1, 1, 1, 300, 64, 64}, Shape{1, 3, 3, 130, 257, 33, 17}, Shape{1, 1, 1, 40, 40, 200, 129},
                      Shape{1, 1, 1, 9, 30, 512, 512}, Shape{3, 1, 1, 1, 1, 1, 1}}) {
        s.time_first = time_first;
        ASSERT_NO_FATAL_FAILURE(check(s)) << s.tq << "x" << s.tk;
        s.causal = true;
        ASSERT_NO_FATAL_FAILURE(check(s)) << "causal " << s.tq << "x" << s.tk;
        s.offset = s.tk - s.tq;
        ASSERT_NO_FATAL_FAILURE(check(s)) << "causal with offset " << s.tq << "x" << s.tk;
      }
    }
  });
}

TEST(Attention, Masks) {
  for_each_isa([] {
    for (AttnMask mask : {AttnMask::boolean, AttnMask::additive})
      for (bool per_query : {true, false})
        for (Shape s : {Shape{2, 2, 1, 5, 7, 3, 4}, Shape{2, 2, 2, 70, 150, 16, 16}, Shape{1, 1, 1, 33, 9, 8, 8}}) {
          s.mask = mask;
          s.mask_per_query = per_query;
          ASSERT_NO_FATAL_FAILURE(check(s)) << static_cast<int>(mask) << per_query << " " << s.tq << "x" << s.tk;
        }
    Shape causal{.batch = 1, .heads = 2, .kv_heads = 2, .tq = 90, .tk = 90, .d = 8, .dv = 8, .causal = true};
    causal.mask = AttnMask::additive;
    ASSERT_NO_FATAL_FAILURE(check(causal));
  });
}

TEST(Attention, RowsWithoutVisibleKeysAreZero) {
  for_each_isa([] {
    check({.batch = 1, .heads = 1, .kv_heads = 1, .tq = 100, .tk = 20, .d = 8, .dv = 8, .causal = true, .offset = -80});
  });
}

TEST(Attention, SameBitsForAnyNumberOfThreads) {
  for_each_isa([] {
    Problem x({.batch = 2, .heads = 4, .kv_heads = 2, .tq = 150, .tk = 150, .d = 16, .dv = 16, .causal = true});
    expect_same_for_any_threads<float>(x.out.size(), [&](float* out) {
      GLIA_ISA_SELECT(attention_forward)(x.p, x.q.data(), x.k.data(), x.v.data(), nullptr, out, x.lse.data());
    });
    GLIA_ISA_SELECT(attention_forward)(x.p, x.q.data(), x.k.data(), x.v.data(), nullptr, x.out.data(), x.lse.data());
    expect_same_for_any_threads<float>(x.k.size(), [&](float* dk) {
      GLIA_ISA_SELECT(attention_backward)
      (x.p, x.q.data(), x.k.data(), x.v.data(), nullptr, x.out.data(), x.lse.data(), x.dout.data(), x.dq.data(), dk, x.dv.data());
    });
  });
}

}  // namespace
}  // namespace glia::cpu
