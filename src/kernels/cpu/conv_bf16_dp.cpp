#include "kernels/cpu/conv_bf16_dp.h"

#if defined(__AVX512BF16__)
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu {
namespace GLIA_ISA_NS {
namespace {

GLIA_INLINE vf widen(__m256i x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))}; }
GLIA_INLINE __m256i narrow(vf x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v)); }
GLIA_INLINE __mmask16 lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }

struct ResultBf16 {
  GLIA_INLINE uint16_t* at(const ConvTile& t) { return t.half + (t.out - t.origin); }
  GLIA_INLINE vf read(const uint16_t* p) { return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  GLIA_INLINE vf read(const uint16_t* p, int64_t n) { return widen(_mm256_maskz_loadu_epi16(lanes(n), p)); }
  GLIA_INLINE void write(uint16_t* p, vf v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v)); }
  GLIA_INLINE void write(uint16_t* p, vf v, int64_t n) { _mm256_mask_storeu_epi16(p, lanes(n), narrow(v)); }
};
struct MathPairs : ResultBf16 {
  GLIA_INLINE vf madd(vf x, vf w, vf sum) {
    return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(x.v), reinterpret_cast<__m512bh>(w.v))};
  }
};
struct MathF32ToBf16 : ResultBf16 {
  GLIA_INLINE vf madd(vf x, vf w, vf sum) { return fma(x, w, sum); }
};

}  // namespace
}  // namespace GLIA_ISA_NS

const ConvTileFn* conv_tiles_bf16(int nv) { return GLIA_ISA_NS::conv_tiles<GLIA_ISA_NS::MathPairs>(nv); }
const ConvTileFn* conv_tiles_f32_to_bf16(int nv) { return GLIA_ISA_NS::conv_tiles<GLIA_ISA_NS::MathF32ToBf16>(nv); }

}  // namespace glia::cpu

#else
namespace glia::cpu {
const ConvTileFn* conv_tiles_bf16(int) { return nullptr; }
const ConvTileFn* conv_tiles_f32_to_bf16(int) { return nullptr; }
}  // namespace glia::cpu
#endif
