// Inside the matrix products: what their translation units share. Include only from gemm*.cpp.
#pragma once
#include "kernels/cpu/gemm.h"

namespace glia::cpu {

// What is packed of a B that stays is kept for products of this many rows: packing costs about as much as ten of them.
constexpr int64_t kLeastKeptRows = 4, kMostKeptRows = 1024;

// A slab of packed B of a thread's own. Copying a small slab once per thread costs less than waiting for the lines that
// another core has packed, and one parallel region less. packed[i]: the slab whose panel i lies here, by its number.
constexpr int64_t kOwnSlab = 1 << 17;  // floats
struct OwnSlab {
  alignas(64) float data[kOwnSlab];
  int64_t packed[512];
};
OwnSlab& own_slab();        // of this thread; allocated when it is first asked for
int64_t new_slab_number();  // above 0, never the same twice

GLIA_ISA_DECLARE(void, gemm_plan_f32, (GemmParams&))
GLIA_ISA_DECLARE(void, gemm_f32, (const GemmParams&, const void* a, const void* b, void* c, const void* bias,
                                  const void* residual, void* workspace))
GLIA_ISA_DECLARE(size_t, gemm_packed_b_floats, (int64_t n, int64_t k))
GLIA_ISA_DECLARE(void, gemm_pack_b_f32, (int64_t n, int64_t k, bool trans_b, int64_t ldb, const float* b, float* packed))
GLIA_ISA_DECLARE(void, gemm_plan_f64, (GemmParams&))
GLIA_ISA_DECLARE(void, gemm_f64, (const GemmParams&, const void* a, const void* b, void* c, const void* bias,
                                  const void* residual, void* workspace))
GLIA_ISA_DECLARE(void, gemm_plan_bf16, (GemmParams&))
GLIA_ISA_DECLARE(void, gemm_bf16, (const GemmParams&, const void* a, const void* b, void* c, const void* bias,
                                   const void* residual, void* workspace, bool ready))
// A^T B with a long k and a small result. The plan is left alone where it does not fit.
GLIA_ISA_DECLARE(bool, gemm_plan_tall, (GemmParams&))
GLIA_ISA_DECLARE(void, gemm_tall, (const GemmParams&, const float* a, const float* b, float* c, float* workspace))
// One dimension less where batches share B and A, C are dense.
GLIA_ISA_DECLARE(void, gemm_fold_batch, (GemmParams&))
// act over a block of C in place.
GLIA_ISA_DECLARE(void, act_rows, (Act act, float alpha, float* c, int64_t ldc, int64_t rows, int64_t cols))

}  // namespace glia::cpu

#ifdef GLIA_ISA_NS
#include "kernels/cpu/gemm_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

template <class T, class C = T>
struct Operands {  // of one matrix, or of a part of it
  const T* a;
  const T* b;
  C* c;
  const C* bias;
  const C* residual;
};

template <class T, class C>
GLIA_INLINE Operands<T, C> matrix_at(const GemmParams& p, Operands<T, C> o, int64_t index) {
  for (int d = p.batch_rank - 1; d >= 0; --d) {
    int64_t i = index % p.batch_dims[d];
    index /= p.batch_dims[d];
    o.a += i * p.batch_a[d];
    o.b += i * p.batch_b[d];
    o.c += i * p.batch_c[d];
    if (o.bias) o.bias += i * p.batch_bias[d];
    if (o.residual) o.residual += i * p.batch_r[d];
  }
  return o;
}

template <class T, class C = T>
GLIA_INLINE Operands<T, C> make_operands(const GemmParams& p, const void* a, const void* b, void* c, const void* bias,
                                         const void* residual) {
  return {static_cast<const T*>(a), static_cast<const T*>(b), static_cast<C*>(c),
          p.has_bias ? static_cast<const C*>(bias) : nullptr, p.has_residual ? static_cast<const C*>(residual) : nullptr};
}

constexpr int64_t kMaxKc = kMaxNV == 2 ? 320 : 512;  // the panel kc x kPanel stays in half of L1 (AVX2) or in L2
constexpr int64_t kMaxMc = 96;
constexpr int64_t kStackPanel = kMaxKc * kPanel;
// Rows of the block are kc + 16..31 floats apart (never a power of two); a transposed block has mc + 16..31.
constexpr int64_t kStackA = kMaxMc * (kMaxKc + 32) > kMaxKc * (kMaxMc + 32) ? kMaxMc * (kMaxKc + 32) : kMaxKc * (kMaxMc + 32);

// Floats between the rows of a packed panel: all panels are kPanel wide but the last, which has whole vectors only.
GLIA_INLINE int64_t packed_width(int64_t n, int64_t panel) {
  const int64_t left = n - panel * kPanel;
  return left >= kPanel ? kPanel : ceil_div(left, vf::W) * vf::W;
}

}  // namespace glia::cpu::GLIA_ISA_NS
#endif
