// The f32 matrix product with a long k and a small result, C = A^T B: weight gradients over many rows. k is cut into parts;
// each part reads its rows of A and B once, in order, and makes a partial C; the partial results are added in order.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/gemm_pack.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t kParts = 8;
constexpr int64_t kBlockFloats = int64_t{3} << 15;  // of A, kept in L2 while the panels of B pass

// partial[m x n] = A[k0..k1)^T B[k0..k1)
void part(const GemmParams& p, const float* a, const float* b, int64_t k0, int64_t k1, float* partial) {
  alignas(64) float buffer[kStackPanel];
  for (int64_t k = k0; k < k1; k += p.plan.kc) {
    const int64_t kc = min64(p.plan.kc, k1 - k);
    for (int64_t j = 0; j < p.n; j += kPanel) {
      const int64_t cols = min64(kPanel, p.n - j);
      Tile t{};
      t.a = a + k * p.lda, t.rs = 1, t.cs = p.lda;
      t.b = buffer, t.ldb = ceil_div(cols, vf::W) * vf::W;
      t.c = partial + j, t.ldc = p.n;
      t.k = kc;
      t.beta = k == k0 ? 0.f : 1.f;
      pack_panel(b + k * p.ldb + j, p.ldb, false, kc, cols, buffer, t.ldb);
      tile_block(t, p.m, cols);
    }
  }
}

void add_parts(const GemmParams& p, const float* partial, int64_t row, float* c) {
  for (int64_t j = 0; j < p.n; j += vf::W) {
    const int64_t cols = min64(vf::W, p.n - j);
    vf sum = vf::zero();
    if (p.beta != 0) sum = vf::set1(p.beta) * load(c + row * p.ldc + j, cols);
    for (int64_t i = 0; i < p.plan.k_parts; ++i) sum = sum + load(partial + (i * p.m + row) * p.n + j, cols);
    store(c + row * p.ldc + j, sum, cols);
  }
}

}  // namespace

bool gemm_plan_tall(GemmParams& p) {
  GemmPlan& plan = p.plan;
  const bool plain = !p.has_bias && !p.has_residual && p.act == Act::none && !p.packed_b && plan.batch == 1;
  if (!plain || !p.trans_a || p.trans_b || p.m * p.n > (int64_t{1} << 18) || p.m < 32 || p.n < vf::W) return false;
  const bool tall = p.k >= 1024 && p.k >= 2 * max64(p.m, p.n);
  // Reading in order pays for operands that come from beyond L2, though fewer parts must do.
  const bool middling = p.k >= 512 && p.k >= max64(p.m, p.n) && p.m * p.n >= (1 << 15) && p.m * p.n <= (1 << 17);
  if (!tall && !middling) return false;
  plan.b = GemmB::panel;
  plan.k_parts = tall ? kParts : kParts / 2;
  const int64_t length = ceil_div(p.k, plan.k_parts);
  plan.kc = max64(64, min64(kMaxKc, kBlockFloats / p.m));
  plan.kc = ceil_div(length, ceil_div(length, plan.kc));
  plan.workspace = static_cast<size_t>(plan.k_parts * p.m * p.n) * sizeof(float);
  return true;
}

void gemm_tall(const GemmParams& p, const float* a, const float* b, float* c, float* workspace) {
  const int64_t length = ceil_div(p.k, p.plan.k_parts), rows = max64(1, 16384 / p.n);
  parallel_for(p.plan.k_parts, [&](int64_t i) {
    part(p, a, b, min64(p.k, i * length), min64(p.k, (i + 1) * length), workspace + i * p.m * p.n);
  });
  parallel_for(ceil_div(p.m, rows), [&](int64_t chunk) {
    for (int64_t row = chunk * rows; row < min64(p.m, (chunk + 1) * rows); ++row) add_parts(p, workspace, row, c);
  });
}

}  // namespace glia::cpu::GLIA_ISA_NS
