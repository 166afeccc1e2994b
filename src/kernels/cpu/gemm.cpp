#include "kernels/cpu/gemm.h"

#include "base/error.h"
#include "kernels/cpu/gemm_f32.h"

namespace glia::cpu {

void gemm_prepare(GemmParams& p, GemmType type) {
  GLIA_ASSERT(!p.plan.swapped, "gemm_prepare: these parameters have been prepared before");
  p.plan = {};
  p.plan.isa = current_isa();
  p.plan.type = type;
  GLIA_ISA_SELECT(gemm_plan_f32)(p);
  p.plan.workspace = (p.plan.workspace + 63) / 64 * 64;
}

void gemm_run(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual,
              void* workspace) {
  switch (p.plan.isa) {
#if defined(__x86_64__)
    case Isa::avx512: return avx512::gemm_f32(p, a, b, c, bias, residual, workspace);
    case Isa::avx2: return avx2::gemm_f32(p, a, b, c, bias, residual, workspace);
#elif defined(__aarch64__)
    case Isa::neon: return neon::gemm_f32(p, a, b, c, bias, residual, workspace);
#endif
    default: return scalar::gemm_f32(p, a, b, c, bias, residual, workspace);
  }
}

size_t gemm_packed_b_bytes(int64_t n, int64_t k) { return GLIA_ISA_SELECT(gemm_packed_b_floats)(n, k) * sizeof(float); }

void gemm_pack_b(int64_t n, int64_t k, bool trans_b, int64_t ldb, const float* b, float* packed) {
  GLIA_ISA_SELECT(gemm_pack_b_f32)(n, k, trans_b, ldb, b, packed);
}

}  // namespace glia::cpu
