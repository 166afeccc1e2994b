// The tile of convolutions with up to four output channels: lanes run along the input channels, one sum vector per
// pixel and output channel. Weights are [tap][column][k]. Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

constexpr int64_t kNarrowColumns = 4;

GLIA_INLINE bool is_narrow(int64_t columns, int64_t k) { return vf::W > 1 && columns <= kNarrowColumns && k >= 8; }
// Pixels per tile.
GLIA_INLINE int64_t narrow_pixels(int64_t columns) { return columns == 1 ? 8 : columns == 2 || vf::W == 16 ? 4 : 2; }

template <int P, int C>
static void narrow_tile(const ConvTile& t) {
  constexpr int64_t W = vf::W;
  vf acc[P][C];
  GLIA_CONV_UNROLL for (int i = 0; i < P; ++i) {
    GLIA_CONV_UNROLL for (int j = 0; j < C; ++j) acc[i][j] = vf::zero();
  }
  for (int64_t z = 0; z < t.nz; ++z)
    for (int64_t y = 0; y < t.ny; ++y)
      for (int64_t x = 0; x < t.nx; ++x) {
        const float* a = t.a + z * t.az + y * t.ay + x * t.ax;
        const float* b = t.b + z * t.bz + y * t.by + x * t.bx;
        for (int64_t k = 0; k < t.k; k += W) {
          const int64_t n = t.k - k < W ? t.k - k : W;
          vf w[C];
          GLIA_CONV_UNROLL for (int j = 0; j < C; ++j)
            w[j] = n == W ? load(b + j * t.k + k) : load(b + j * t.k + k, n);
          GLIA_CONV_UNROLL for (int i = 0; i < P; ++i) {
            const float* p = a + i * t.a_step + k;
            const vf v = n == W ? load(p) : load(p, n);
            GLIA_CONV_UNROLL for (int j = 0; j < C; ++j) acc[i][j] = fma(v, w[j], acc[i][j]);
          }
        }
      }
  GLIA_CONV_UNROLL for (int i = 0; i < P; ++i) {
    float* o = t.out + i * t.out_step;
    GLIA_CONV_UNROLL for (int j = 0; j < C; ++j) {
      float v = hsum(acc[i][j]);
      if (t.bias) v += t.bias[j];
      if (t.has_residual) v += o[j + t.residual];
      o[j] = t.act == Act::relu && v < 0 ? 0 : v;
    }
  }
}

template <int C, int P>
GLIA_INLINE ConvTileFn narrow_pick(int64_t pixels) {
  if constexpr (P == 0) return nullptr;
  else return pixels == P ? &narrow_tile<P, C> : narrow_pick<C, P - 1>(pixels);
}
GLIA_INLINE ConvTileFn narrow_tile_fn(int64_t pixels, int64_t columns) {
  switch (columns) {
    case 1: return narrow_pick<1, 8>(pixels);
    case 2: return narrow_pick<2, 4>(pixels);
    case 3: return narrow_pick<3, 4>(pixels);
    default: return narrow_pick<4, 4>(pixels);
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
