// Attention in the transposed domain: the queries of a block lie along the vector lanes. Scores are S^T = K Q^T with K read
// through broadcasts, the softmax runs down the rows without horizontal sums, and O^T = V^T P^T reads V through broadcasts.
// So nothing is packed but the block of queries itself.
#include "base/thread_pool.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t kKeys = 128;         // keys per block
constexpr int64_t kMaxQueries = 64;    // queries per block, fewer for long heads
constexpr int64_t kHeadFloats = 8192;  // largest d x queries
constexpr int64_t kStrip = 16;         // on the diagonal, keys are taken in strips, each with the queries that see it
constexpr int64_t kGroup = 16;         // and queries in groups, each with the keys it sees
constexpr float kMasked = -1e9f;

int64_t queries_per_block(const AttentionParams& p) {
  int64_t n = kMaxQueries;
  while (n > 16 && n * max64(p.d, p.dv) > kHeadFloats) n /= 2;
  return n;
}

// Where a block of queries of one head stands, and what it reads.
struct Block {
  const AttentionParams& p;
  int64_t b, h, i0, queries;
  int64_t width;  // queries rounded up to whole vectors: distance between rows of the transposed buffers
  const float* q;
  const float* k;
  const float* v;
  const uint8_t* mask8;
  const float* mask32;
  int64_t keys_end;  // keys beyond are invisible to every query of the block

  Block(const AttentionParams& params, int64_t batch, int64_t head, int64_t first, int64_t count, const float* q_all,
        const float* k_all, const float* v_all, const void* mask)
      : p(params), b(batch), h(head), i0(first), queries(count), width(ceil_div(count, vf::W) * vf::W) {
    const int64_t hk = h / (p.heads / p.kv_heads), at = b * p.mask_b + h * p.mask_h;
    q = q_all + b * p.q.b + h * p.q.h + i0 * p.q.t;
    k = k_all + b * p.k.b + hk * p.k.h;
    v = v_all + b * p.v.b + hk * p.v.h;
    mask8 = p.mask == AttnMask::boolean ? static_cast<const uint8_t*>(mask) + at : nullptr;
    mask32 = p.mask == AttnMask::additive ? static_cast<const float*>(mask) + at : nullptr;
    keys_end = p.tk;
    if (p.causal) keys_end = max64(0, min64(p.tk, i0 + queries + p.causal_offset));
  }

  // Causal rule: does any query of the block miss any of the keys [j0, j0 + keys)?
  bool diagonal(int64_t j0, int64_t keys) const { return p.causal && j0 + keys > i0 + p.causal_offset + 1; }
  // The first query lane (a multiple of kStrip) that sees key j or a later one; keys_end keeps it below the width.
  int64_t first_lane(int64_t j) const { return p.causal ? max64(0, j - i0 - p.causal_offset) / kStrip * kStrip : 0; }
  // How many of the keys [j0, j0 + keys) the lanes before `lane` see at most.
  int64_t keys_before(int64_t lane, int64_t j0, int64_t keys) const {
    return p.causal ? max64(0, min64(keys, i0 + lane + p.causal_offset - j0)) : keys;
  }
  // Rows that the vector at `lane` must have defined (zero where unseen), for strips and groups to read.
  int64_t defined_keys(int64_t lane, int64_t j0, int64_t keys) const {
    return keys_before(lane / kStrip * kStrip + kStrip + kGroup, j0, keys);
  }
};

// C[rows x width] = A[rows x k] B[k x width] + beta*C, B and C with rows `ld` apart.
void product(const float* a, int64_t rs, int64_t cs, const float* b, int64_t ldb, float* c, int64_t ldc, int64_t rows,
             int64_t cols, int64_t k, float beta) {
  for (int64_t j = 0; j < cols; j += kPanel) {
    Tile t{};
    t.a = a, t.rs = rs, t.cs = cs;
    t.b = b + j, t.ldb = ldb;
    t.c = c + j, t.ldc = ldc;
    t.k = k;
    t.beta = beta;
    tile_block(t, rows, min64(kPanel, cols - j));
  }
}

// dst[d][width] = transpose of src[queries][d], times scale; lanes beyond the queries are 0.
void load_transposed(const float* src, int64_t lds, int64_t queries, int64_t d, float scale, float* dst, int64_t width) {
  pack_panel(src, lds, true, d, queries, dst, width);
  if (scale == 1) return;
  const vf s = vf::set1(scale);
  for (int64_t i = 0; i < d * width; i += vf::W) store(dst + i, s * load(dst + i));
}

// dst[queries][d] = transpose of src[d][width]
void store_transposed(const float* src, int64_t width, int64_t queries, int64_t d, float* dst, int64_t ldd) {
  alignas(64) float square[vf::W * vf::W];
  for (int64_t i = 0; i < queries; i += vf::W)
    for (int64_t j = 0; j < d; j += vf::W) {
      const int64_t rows = min64(vf::W, queries - i), cols = min64(vf::W, d - j);
      if (rows == vf::W && cols == vf::W) {
        transpose_square(src + j * width + i, width, vf::W, vf::W, dst + i * ldd + j, ldd);
        continue;
      }
      transpose_square(src + j * width + i, width, cols, rows, square, vf::W);
      for (int64_t r = 0; r < rows; ++r) store(dst + (i + r) * ldd + j, load(square + r * vf::W, cols), cols);
    }
}

// s[keys][width] = A[keys x k] B[k x width], only where the causal rule lets a query see a key.
void scores(const Block& k, const float* a, int64_t lda, int64_t depth, const float* b, float* s, int64_t j0, int64_t keys) {
  const int64_t w = k.width;
  if (!k.diagonal(j0, keys)) return product(a, lda, 1, b, w, s, w, keys, w, depth, 0);
  for (int64_t j = 0; j < keys;) {
    const int64_t lane = k.first_lane(j0 + j);
    int64_t rows = min64(kStrip, keys - j);
    if (lane == 0) rows = min64(keys - j, max64(rows, k.i0 + k.p.causal_offset + kStrip - (j0 + j)));
    product(a + j * lda, lda, 1, b + lane, w, s + j * w + lane, w, rows, w - lane, depth, 0);
    j += rows;
  }
}

// o[d][width] = o * beta + A^T[d x keys] s[keys][width], A stored keys x d
void gather_keys(const Block& k, const float* a, int64_t lda, int64_t d, const float* s, float* o, int64_t j0, int64_t keys) {
  const int64_t w = k.width;
  const float beta = j0 == 0 ? 0.f : 1.f;
  if (!k.diagonal(j0, keys)) return product(a, 1, lda, s, w, o, w, d, w, keys, beta);
  for (int64_t i = 0; i < w; i += kGroup)
    product(a, 1, lda, s + i, w, o + i, w, d, min64(kGroup, w - i), k.keys_before(i + kGroup, j0, keys), beta);
}

// o[keys][d] += s[keys][queries] B[queries x d]
void gather_queries(const Block& k, const float* s, const float* b, int64_t ldb, int64_t d, float* o, int64_t ldo, int64_t j0,
                    int64_t keys) {
  const int64_t w = k.width, step = k.diagonal(j0, keys) ? kStrip : keys;
  for (int64_t j = 0; j < keys; j += step) {
    const int64_t lane = k.first_lane(j0 + j);
    product(s + j * w + lane, w, 1, b + lane * ldb, ldb, o + j * ldo, ldo, min64(step, keys - j), d, k.queries - lane, 1);
  }
}

// Mask and causal rule on the scores s[keys][width] of keys [j0, j0 + keys).
void apply_mask(const Block& k, float* s, int64_t j0, int64_t keys) {
  const AttentionParams& p = k.p;
  for (int64_t j = 0; j < keys && (k.mask8 || k.mask32); ++j) {
    float* row = s + j * k.width;
    if (k.mask8 && p.mask_q == 0) {
      if (!k.mask8[(j0 + j) * p.mask_k])
        for (int64_t i = 0; i < k.width; i += vf::W) store(row + i, vf::set1(kMasked));
    } else if (k.mask8) {
      const uint8_t* m = k.mask8 + (j0 + j) * p.mask_k + k.i0 * p.mask_q;
      for (int64_t i = 0; i < k.queries; ++i) row[i] = m[i * p.mask_q] ? row[i] : kMasked;
    } else {
      const float* m = k.mask32 + (j0 + j) * p.mask_k + k.i0 * p.mask_q;
      for (int64_t i = 0; i < k.queries; ++i) row[i] += m[i * p.mask_q];
    }
  }
  if (!p.causal) return;
  alignas(64) float index[kMaxQueries];  // the last key that each query sees, counted from j0
  for (int64_t i = 0; i < k.width; ++i) index[i] = static_cast<float>(k.i0 + i + p.causal_offset - j0);
  const vf hidden = vf::set1(-__builtin_inff());
  for (int64_t i = 0; i < k.width; i += vf::W) {  // keys that every lane sees or none does need nothing
    const vf visible = load(index + i);
    const int64_t none = k.keys_before(i + vf::W, j0, keys);
    for (int64_t j = k.keys_before(i + 1, j0, keys); j < none; ++j) {
      const vf x = load(s + j * k.width + i);
      store(s + j * k.width + i, select(visible < vf::set1(static_cast<float>(j)), hidden, x));
    }
  }
}

GLIA_INLINE vf exp_below_zero(vf x) { return exp_in_range(vmax(vf::set1(-105.f), x)); }
GLIA_INLINE vf finite_max(vf m) { return select(m == vf::set1(-__builtin_inff()), vf::zero(), m); }

// Turns a block of scores into exp(s - max) and updates the running max and sum; o (dv x width) is rescaled to the new
// max. The queries are taken vector by vector.
void online_softmax(const Block& k, float* s, int64_t j0, int64_t keys, float* max, float* sum, float* o) {
  const int64_t w = k.width;
  for (int64_t i = 0; i < w; i += vf::W) {
    const int64_t n = k.keys_before(i + vf::W, j0, keys);
    float* x = s + i;
    vf m0 = load(max + i), m1 = m0;
    const vf old = m0;
    for (int64_t j = 0; j + 1 < n; j += 2) {
      m0 = vmax(load(x + j * w), m0);
      m1 = vmax(load(x + (j + 1) * w), m1);
    }
    if (n % 2) m0 = vmax(load(x + (n - 1) * w), m0);
    const vf now = vmax(m0, m1), base = finite_max(now);
    vf total0 = vf::zero(), total1 = vf::zero();
    for (int64_t j = 0; j + 1 < n; j += 2) {
      vf e0 = exp_below_zero(load(x + j * w) - base), e1 = exp_below_zero(load(x + (j + 1) * w) - base);
      store(x + j * w, e0);
      store(x + (j + 1) * w, e1);
      total0 = total0 + e0;
      total1 = total1 + e1;
    }
    if (n % 2) {
      vf e = exp_below_zero(load(x + (n - 1) * w) - base);
      store(x + (n - 1) * w, e);
      total0 = total0 + e;
    }
    for (int64_t j = n; j < k.defined_keys(i, j0, keys); ++j) store(x + j * w, vf::zero());
    store(max + i, now);
    const vf shrink = exp_below_zero(old - base);
    store(sum + i, fma(load(sum + i), shrink, total0 + total1));
    for (int64_t r = 0; j0 > 0 && r < k.p.dv; ++r) store(o + r * w + i, shrink * load(o + r * w + i));
  }
}

void forward_block(const Block& k, float* out, float* lse) {
  alignas(64) float qt[kHeadFloats], ot[kHeadFloats], s[kKeys * kMaxQueries], max[kMaxQueries], sum[kMaxQueries];
  const AttentionParams& p = k.p;
  load_transposed(k.q, p.q.t, k.queries, p.d, p.scale, qt, k.width);
  for (int64_t i = 0; i < k.width; ++i) max[i] = -__builtin_inff(), sum[i] = 0;
  for (int64_t j0 = 0; j0 < k.keys_end; j0 += kKeys) {
    const int64_t keys = min64(kKeys, k.keys_end - j0);
    scores(k, k.k + j0 * p.k.t, p.k.t, p.d, qt, s, j0, keys);
    apply_mask(k, s, j0, keys);
    online_softmax(k, s, j0, keys, max, sum, ot);
    gather_keys(k, k.v + j0 * p.v.t, p.v.t, p.dv, s, ot, j0, keys);
  }
  for (int64_t i = 0; i < k.width; i += vf::W) {
    const vf l = load(sum + i), m = load(max + i);
    const vmask some = l > vf::zero();
    const vf r = select(some, vf::set1(1) / l, vf::zero());
    for (int64_t d = 0; d < p.dv; ++d) {
      vf o = k.keys_end > 0 ? load(ot + d * k.width + i) : vf::zero();
      store(ot + d * k.width + i, o * r);
    }
    if (!lse) continue;
    vf e = select(some, m + vlog(l), vf::set1(__builtin_inff()));  // inf: every probability is 0
    if (k.mask8) e = select(m == vf::set1(kMasked), m * (vf::set1(1) + l), e);  // uniform: see softmax_gradient
    store(sum + i, e);
  }
  store_transposed(ot, k.width, k.queries, p.dv, out, p.out.t);
  if (lse)
    for (int64_t i = 0; i < k.queries; ++i) lse[i] = sum[i];
}

// dst[queries][d] = scale * src
void copy_scaled(const float* src, int64_t lds, int64_t queries, int64_t d, float scale, float* dst, int64_t ldd) {
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < d; j += vf::W) {
      const int64_t n = min64(vf::W, d - j);
      store(dst + i * ldd + j, vf::set1(scale) * load(src + i * lds + j, n));
    }
}

void zero_rows(float* x, int64_t ld, int64_t rows, int64_t cols) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; j += vf::W) store(x + i * ld + j, vf::zero(), min64(vf::W, cols - j));
}

struct Gradients {  // of one block of queries
  const float* out;
  const float* lse;
  const float* dout;
  float* dq;
  float* dk;
  float* dv;
};

// probabilities = exp(s - lse) into s, and their gradient's way back to the scores into ds = s * (dp - delta). A row that saw
// only masked keys has equal probabilities, which -1e9 + log(n) cannot hold in a float: its lse is -1e9 * (1 + n). A masked score
// is a constant, so such a row has no way back to queries and keys.
void softmax_gradient(const Block& k, float* s, float* ds, const float* lse, const float* delta, int64_t j0, int64_t keys) {
  const int64_t width = k.width;
  for (int64_t i = 0; i < width; i += vf::W) {
    const int64_t n = k.keys_before(i + vf::W, j0, keys);
    const vf saved = load(lse + i), d = load(delta + i), masked = vf::set1(kMasked), one = vf::set1(1);
    const vmask uniform = saved < vf::set1(1.5f * kMasked);
    const vf l = select(uniform, masked, saved), share = select(uniform, one / (saved / masked - one), one);
    for (int64_t j = 0; j < n; ++j) {
      const int64_t at = j * width + i;
      const vf x = share * exp_below_zero(vmin(vf::zero(), load(s + at) - l));
      store(s + at, x);
      store(ds + at, select(uniform, vf::zero(), x * (load(ds + at) - d)));
    }
    for (int64_t j = n; j < k.defined_keys(i, j0, keys); ++j) {
      store(s + j * width + i, vf::zero());
      store(ds + j * width + i, vf::zero());
    }
  }
}

void backward_block(const Block& k, const Gradients& g) {
  alignas(64) float qt[kHeadFloats], qs[kHeadFloats + 1024], dot[kHeadFloats], dqt[kHeadFloats];
  alignas(64) float s[kKeys * kMaxQueries], ds[kKeys * kMaxQueries], lse[kMaxQueries], delta[kMaxQueries];
  const AttentionParams& p = k.p;
  const int64_t w = k.width, lds = ceil_div(p.d, vf::W) * vf::W;
  load_transposed(k.q, p.q.t, k.queries, p.d, p.scale, qt, w);
  copy_scaled(k.q, p.q.t, k.queries, p.d, p.scale, qs, lds);
  load_transposed(g.dout, p.dout.t, k.queries, p.dv, 1, dot, w);
  for (int64_t i = 0; i < w; ++i) {
    lse[i] = i < k.queries ? g.lse[i] : __builtin_inff();
    vf sum = vf::zero();
    for (int64_t j = 0; i < k.queries && j < p.dv; j += vf::W) {
      const int64_t n = min64(vf::W, p.dv - j);
      sum = fma(load(g.out + i * p.out.t + j, n), load(g.dout + i * p.dout.t + j, n), sum);
    }
    delta[i] = hsum(sum);
  }
  for (int64_t j0 = 0; j0 < k.keys_end; j0 += kKeys) {
    const int64_t keys = min64(kKeys, k.keys_end - j0);
    const float *kj = k.k + j0 * p.k.t, *vj = k.v + j0 * p.v.t;
    scores(k, kj, p.k.t, p.d, qt, s, j0, keys);
    apply_mask(k, s, j0, keys);
    scores(k, vj, p.v.t, p.dv, dot, ds, j0, keys);
    softmax_gradient(k, s, ds, lse, delta, j0, keys);
    gather_queries(k, s, g.dout, p.dout.t, p.dv, g.dv + j0 * p.dvalue.t, p.dvalue.t, j0, keys);
    gather_queries(k, ds, qs, lds, p.d, g.dk + j0 * p.dk.t, p.dk.t, j0, keys);
    gather_keys(k, kj, p.k.t, p.d, ds, dqt, j0, keys);
  }
  if (k.keys_end == 0) return zero_rows(g.dq, p.dq.t, k.queries, p.d);
  const vf scale = vf::set1(p.scale);
  for (int64_t i = 0; i < p.d * w; i += vf::W) store(dqt + i, scale * load(dqt + i));
  store_transposed(dqt, w, k.queries, p.d, g.dq, p.dq.t);
}

}  // namespace

void attention_forward(const AttentionParams& p, const float* q, const float* k, const float* v, const void* mask, float* out,
                       float* lse) {
  const int64_t step = queries_per_block(p), blocks = ceil_div(p.tq, step), items = p.batch * p.heads * blocks;
  const int64_t cost = min64(step, p.tq) * p.tk * (p.d + p.dv) / 16 + 1;
  const int64_t group = max64(1, 16000 / cost), chunks = ceil_div(items, group);
  parallel_for(chunks, [&](int64_t chunk) {
    for (int64_t i = chunk * group; i < min64(items, (chunk + 1) * group); ++i) {
      const int64_t head = i / blocks % p.heads, b = i / blocks / p.heads;
      const int64_t i0 = (blocks - 1 - i % blocks) * step;  // causal: the longest blocks first
      Block block(p, b, head, i0, min64(step, p.tq - i0), q, k, v, mask);
      forward_block(block, out + b * p.out.b + head * p.out.h + i0 * p.out.t,
                    lse ? lse + (b * p.heads + head) * p.tq + i0 : nullptr);
    }
  });
}

void attention_backward(const AttentionParams& p, const float* q, const float* k, const float* v, const void* mask,
                        const float* out, const float* lse, const float* dout, float* dq, float* dk, float* dvalue) {
  const int64_t step = queries_per_block(p), share = p.heads / p.kv_heads, items = p.batch * p.kv_heads;
  const int64_t cost = p.tq * p.tk * share * (3 * p.d + 2 * p.dv) / 16 + 1;
  const int64_t group = max64(1, 16000 / cost), chunks = ceil_div(items, group);
  parallel_for(chunks, [&](int64_t chunk) {
    for (int64_t item = chunk * group; item < min64(items, (chunk + 1) * group); ++item) {
      const int64_t b = item / p.kv_heads, hk = item % p.kv_heads;
      float *dkh = dk + b * p.dk.b + hk * p.dk.h, *dvh = dvalue + b * p.dvalue.b + hk * p.dvalue.h;
      zero_rows(dkh, p.dk.t, p.tk, p.d);
      zero_rows(dvh, p.dvalue.t, p.tk, p.dv);
      for (int64_t h = hk * share; h < (hk + 1) * share; ++h)
        for (int64_t i0 = 0; i0 < p.tq; i0 += step) {
          Block block(p, b, h, i0, min64(step, p.tq - i0), q, k, v, mask);
          backward_block(block, {out + b * p.out.b + h * p.out.h + i0 * p.out.t, lse + (b * p.heads + h) * p.tq + i0,
                                 dout + b * p.dout.b + h * p.dout.h + i0 * p.dout.t, dq + b * p.dq.b + h * p.dq.h + i0 * p.dq.t,
                                 dkh, dvh});
        }
    }
  });
}

}  // namespace glia::cpu::GLIA_ISA_NS
