#include "kernels/cpu/gemm.h"

#include <atomic>
#include <memory>

#include "base/error.h"
#include "kernels/cpu/gemm_inner.h"

namespace glia::cpu {

OwnSlab& own_slab() {
  thread_local std::unique_ptr<OwnSlab> slab;
  if (!slab) slab = std::make_unique<OwnSlab>();
  return *slab;
}

int64_t new_slab_number() {
  static std::atomic<int64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

constexpr int64_t kLeastKeptSize = 16384;  // smaller ones are read where they lie

static void plan_f32(GemmParams& p) {
  const GemmParams given = p;
  GLIA_ISA_SELECT(gemm_plan_f32)(p);
  const bool copies_b = p.plan.b != GemmB::dot && (p.plan.b != GemmB::direct || p.ldb > 128);
  if (!p.keep_b || !copies_b || p.plan.swapped || p.plan.k_parts > 0 || p.plan.batch != 1 || p.m < kLeastKeptRows ||
      p.m > kMostKeptRows || p.n * p.k < kLeastKeptSize)
    return;
  p = given;
  p.packed_b = p.plan.kept = true;
  GLIA_ISA_SELECT(gemm_plan_f32)(p);
  p.plan.workspace = gemm_packed_b_bytes(p.n, p.k);
}

void gemm_prepare(GemmParams& p, GemmType type) {
  GLIA_ASSERT(!p.plan.swapped, "gemm_prepare: these parameters have been prepared before");
  p.plan = {};
  p.plan.isa = current_isa();
  p.plan.type = type;
  p.plan.native_bf16 = cpu_has_avx512_bf16();
  switch (type) {
    case GemmType::f32: plan_f32(p); break;
    case GemmType::f64: GLIA_ISA_SELECT(gemm_plan_f64)(p); break;
    case GemmType::bf16:
    case GemmType::bf16_f32: GLIA_ISA_SELECT(gemm_plan_bf16)(p); break;
  }
  p.plan.workspace = (p.plan.workspace + 63) / 64 * 64;
}

#define GLIA_GEMM(isa)                                                                       \
  switch (p.plan.type) {                                                                     \
    case GemmType::f32: return isa::gemm_f32(p, a, b, c, bias, residual, workspace);         \
    case GemmType::f64: return isa::gemm_f64(p, a, b, c, bias, residual, workspace);         \
    case GemmType::bf16:                                                                     \
    case GemmType::bf16_f32: return isa::gemm_bf16(p, a, b, c, bias, residual, workspace, ready); \
  }                                                                                          \
  return

void gemm_run(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual,
              void* workspace, bool ready) {
  if (p.plan.kept && p.packed_b) {
    if (!ready) gemm_pack_b(p.n, p.k, p.trans_b, p.ldb, static_cast<const float*>(b), static_cast<float*>(workspace));
    b = workspace;
  }
  switch (p.plan.isa) {
#if defined(__x86_64__)
    case Isa::avx512: GLIA_GEMM(avx512);
    case Isa::avx2: GLIA_GEMM(avx2);
#elif defined(__aarch64__)
    case Isa::neon: GLIA_GEMM(neon);
#endif
    default: GLIA_GEMM(scalar);
  }
}

size_t gemm_packed_b_bytes(int64_t n, int64_t k) { return GLIA_ISA_SELECT(gemm_packed_b_floats)(n, k) * sizeof(float); }

void gemm_pack_b(int64_t n, int64_t k, bool trans_b, int64_t ldb, const float* b, float* packed) {
  GLIA_ISA_SELECT(gemm_pack_b_f32)(n, k, trans_b, ldb, b, packed);
}

}  // namespace glia::cpu
