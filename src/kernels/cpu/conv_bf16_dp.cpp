#include "kernels/cpu/conv_bf16_dp.h"

#if defined(__AVX512BF16__)
#include "kernels/cpu/bf16_lanes.h"
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu {
namespace GLIA_ISA_NS {
namespace {

struct ResultBf16 {
  GLIA_INLINE uint16_t* at(const ConvTile& t) { return t.half + (t.out - t.origin); }
  GLIA_INLINE vf read(const uint16_t* p) { return widen(p); }
  GLIA_INLINE vf read(const uint16_t* p, int64_t n) { return widen(p, n); }
  GLIA_INLINE void write(uint16_t* p, vf v) { narrow(p, v); }
  GLIA_INLINE void write(uint16_t* p, vf v, int64_t n) { narrow(p, v, n); }
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
