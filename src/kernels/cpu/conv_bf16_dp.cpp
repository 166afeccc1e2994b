#include "kernels/cpu/conv_bf16_dp.h"

#if defined(__AVX512BF16__)
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu {
namespace GLIA_ISA_NS {
namespace {

GLIA_INLINE vf widen(__m256i x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))}; }
GLIA_INLINE __m256i narrow(vf x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v)); }

// As conv_tile_finish, into bfloat16.
template <int MR, int NV>
GLIA_INLINE void finish_half(const ConvTile& t, vf (&acc)[MR][NV]) {
  constexpr int W = vf::W;
  const int64_t step = t.out_step, tail = t.cols - (NV - 1) * W;
  uint16_t* out = t.half + (t.out - t.origin);
  const __mmask16 last = tail >= W ? __mmask16(0xffff) : __mmask16((1u << tail) - 1);
  if (const float* bias = t.bias) {
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
      vf x = tail >= W || v < NV - 1 ? load(bias + v * W) : load(bias + v * W, tail);
      GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) acc[i][v] = acc[i][v] + x;
    }
  }
  if (t.has_residual) {
    const uint16_t* r = out + t.residual;
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] =
        acc[i][v] + widen(_mm256_maskz_loadu_epi16(v < NV - 1 ? __mmask16(0xffff) : last, r + i * step + v * W));
  }
  if (t.act == Act::relu) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] =
        vmax(vf::zero(), acc[i][v]);  // NaN stays NaN
  }
  GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v)
      _mm256_mask_storeu_epi16(out + i * step + v * W, v < NV - 1 ? __mmask16(0xffff) : last, narrow(acc[i][v]));
}

struct MathPairs {
  GLIA_INLINE vf madd(vf x, vf w, vf sum) {
    return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(x.v), reinterpret_cast<__m512bh>(w.v))};
  }
  template <int MR, int NV>
  GLIA_INLINE void finish(const ConvTile& t, vf (&acc)[MR][NV]) {
    finish_half<MR, NV>(t, acc);
  }
};
struct MathF32ToHalf {
  GLIA_INLINE vf madd(vf x, vf w, vf sum) { return fma(x, w, sum); }
  template <int MR, int NV>
  GLIA_INLINE void finish(const ConvTile& t, vf (&acc)[MR][NV]) {
    finish_half<MR, NV>(t, acc);
  }
};

}  // namespace
}  // namespace GLIA_ISA_NS

const ConvTileFn* conv_tiles_bf16(int nv) { return GLIA_ISA_NS::conv_tiles<GLIA_ISA_NS::MathPairs>(nv); }
const ConvTileFn* conv_tiles_f32_to_bf16(int nv) { return GLIA_ISA_NS::conv_tiles<GLIA_ISA_NS::MathF32ToHalf>(nv); }

}  // namespace glia::cpu

#else
namespace glia::cpu {
const ConvTileFn* conv_tiles_bf16(int) { return nullptr; }
const ConvTileFn* conv_tiles_f32_to_bf16(int) { return nullptr; }
}  // namespace glia::cpu
#endif
