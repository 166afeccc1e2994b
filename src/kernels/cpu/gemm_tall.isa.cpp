// The f32 matrix product with a long k and a small result, C = A^T B: weight gradients over many rows. k is cut into parts;
// each part reads its rows of A and B once, in order, and makes a partial C; the partial results are added in order.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/gemm_pack.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t kParts = 8;
constexpr int64_t kBlockFloats = int64_t{3} << 15;  // of A, kept in L2 while the panels of B pass
constexpr int64_t kLongest = int64_t{1} << 13;      // more rows are cut into kParts

struct Sums {  // of one part, rows ld apart
  float* data;
  int64_t ld;
};
// The first part sums in C itself where nothing is added to C.
Sums sums_of(const GemmParams& p, int64_t part, float* c, float* workspace) {
  const bool in_place = p.beta == 0;
  if (part == 0 && in_place) return {c, p.ldc};
  return {workspace + (part - in_place) * p.m * p.n, p.n};
}

struct Range {
  int64_t begin, end;
};
Range share(int64_t n, int64_t unit, int64_t parts, int64_t i) {  // the i-th of `parts` stretches of whole units
  const int64_t units = ceil_div(n, unit);
  return {min64(n, units * i / parts * unit), min64(n, units * (i + 1) / parts * unit)};
}

// to[rows x cols] = A[k, rows)^T B[k, cols)
void part(const GemmParams& p, const float* a, const float* b, Range k, Range rows, Range cols, Sums to) {
  alignas(64) float buffer[kStackPanel];
  int64_t blocks = ceil_div(k.end - k.begin, p.plan.kc);
  for (int64_t k0 = k.begin; k0 < k.end; --blocks) {
    const int64_t kc = ceil_div(k.end - k0, blocks);
    for (int64_t j = cols.begin; j < cols.end; j += kPanel) {
      const int64_t n = min64(kPanel, cols.end - j);
      Tile t{};
      t.a = a + k0 * p.lda + rows.begin, t.rs = 1, t.cs = p.lda;
      t.b = buffer, t.ldb = ceil_div(n, vf::W) * vf::W;
      t.c = to.data + rows.begin * to.ld + j, t.ldc = to.ld;
      t.k = kc;
      t.beta = k0 == k.begin ? 0.f : 1.f;
      pack_panel(b + k0 * p.ldb + j, p.ldb, false, kc, n, buffer, t.ldb);
      tile_block(t, rows.end - rows.begin, n);
    }
    k0 += kc;
  }
}

void add_parts(const GemmParams& p, float* workspace, int64_t row, float* c) {
  float* to = c + row * p.ldc;
  for (int64_t j = 0; j < p.n; j += vf::W) {
    const int64_t cols = min64(vf::W, p.n - j);
    vf sum = p.beta == 0 ? load(to + j, cols) : vf::set1(p.beta) * load(to + j, cols);
    for (int64_t i = p.beta == 0; i < p.plan.k_parts; ++i) {
      const Sums from = sums_of(p, i, c, workspace);
      sum = sum + load(from.data + row * from.ld + j, cols);
    }
    store(to + j, sum, cols);
  }
}

}  // namespace

bool gemm_plan_tall(GemmParams& p) {
  GemmPlan& plan = p.plan;
  const bool plain = !p.has_bias && !p.has_residual && p.act == Act::none && !p.packed_b && plan.batch == 1;
  if (!plain || !p.trans_a || p.trans_b || p.m < 32 || p.n < vf::W) return false;
  const int64_t size = p.m * p.n;
  const bool tall = p.k >= 1024 && p.k >= 2 * max64(p.m, p.n) && size <= (1 << 18);
  // Reading in order pays for operands that come from beyond L2 and from another core's, though few parts must do.
  const bool middling = p.k >= 512 && p.k >= max64(p.m, p.n) && size >= (1 << 15) && size <= (1 << 18);
  if (!tall && !middling) return false;
  plan.b = GemmB::panel;
  plan.k_parts = p.k >= kLongest || size < (1 << 14) ? kParts : 2;
  if (plan.k_parts < kParts) {
    plan.m_parts = ceil_div(p.m, 192);
    plan.n_parts = min64(ceil_div(4, plan.m_parts), ceil_div(p.n, kPanel));
  }
  const int64_t length = ceil_div(p.k, plan.k_parts);
  plan.kc = min64(length, max64(64, min64(kMaxKc, kBlockFloats / ceil_div(p.m, plan.m_parts))));
  plan.workspace = static_cast<size_t>((plan.k_parts - (p.beta == 0)) * size) * sizeof(float);
  return true;
}

void gemm_tall(const GemmParams& p, const float* a, const float* b, float* c, float* workspace) {
  const GemmPlan& plan = p.plan;
  const int64_t rows = max64(1, 16384 / p.n);
  parallel_for(plan.k_parts * plan.m_parts * plan.n_parts, [&](int64_t i) {
    const int64_t k = i / (plan.m_parts * plan.n_parts), m = i / plan.n_parts % plan.m_parts, n = i % plan.n_parts;
    part(p, a, b, share(p.k, 1, plan.k_parts, k), share(p.m, 1, plan.m_parts, m), share(p.n, kPanel, plan.n_parts, n),
         sums_of(p, k, c, workspace));
  });
  parallel_for(ceil_div(p.m, rows), [&](int64_t chunk) {
    for (int64_t row = chunk * rows; row < min64(p.m, (chunk + 1) * rows); ++row) add_parts(p, workspace, row, c);
  });
}

}  // namespace glia::cpu::GLIA_ISA_NS
