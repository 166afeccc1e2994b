// The register tile of the convolutions: MR pixels x NV vectors of output channels, sums held in registers while
// three loops of taps and one over the channels run. Include only from *.isa.cpp files.
//
//   ConvTile t{...};
//   conv_tile_fn(14, 2)(t);   // 14 pixels, 2 vectors
#pragma once
#include "kernels/cpu/act.h"
#include "kernels/cpu/simd.h"

#if defined(__clang__)
#define GLIA_CONV_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GLIA_CONV_UNROLL _Pragma("GCC unroll 32")
#endif

namespace glia::cpu::GLIA_ISA_NS {

// As many accumulators as the registers allow beside NV vectors of weights and one broadcast.
#if defined(__AVX512F__) || defined(GLIA_NEON)
constexpr int kConvMaxNV = 4;
constexpr int kConvMaxRows[5] = {0, 14, 14, 8, 6};
#elif defined(__AVX2__)
constexpr int kConvMaxNV = 2;
constexpr int kConvMaxRows[5] = {0, 12, 6, 0, 0};
#else
constexpr int kConvMaxNV = 4;
constexpr int kConvMaxRows[5] = {0, 4, 4, 3, 3};
#endif

struct ConvTile {
  const float* a;       // first pixel, first tap
  int64_t a_step;       // from pixel to pixel
  const float* b;       // weights: rows of NV * W values
  int64_t nz, ny, nx, k;       // taps in use, channels (or channels and x taps in one)
  int64_t az, ay, ax;   // from tap to tap in a
  int64_t bz, by, bx;   // and in b
  float* out;
  int64_t out_step;
  int64_t cols;         // columns that exist, at most NV * W
  const float* bias;    // or null
  int64_t residual;     // residual - out in floats; used if has_residual
  bool has_residual;
  Act act;              // none or relu; others are applied by the caller
};

template <int MR, int NV>
GLIA_INLINE void conv_tile_finish(const ConvTile& t, vf (&acc)[MR][NV]) {
  constexpr int W = vf::W;
  const bool full = t.cols == NV * W;
  const int64_t tail = t.cols - (NV - 1) * W;  // lanes of the last vector
  if (t.bias) {
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
      vf x = full || v < NV - 1 ? load(t.bias + v * W) : load(t.bias + v * W, tail);
      GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) acc[i][v] = acc[i][v] + x;
    }
  }
  if (t.has_residual) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) {
      const float* r = t.out + i * t.out_step + t.residual;
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v)
        acc[i][v] = acc[i][v] + (full || v < NV - 1 ? load(r + v * W) : load(r + v * W, tail));
    }
  }
  if (t.act == Act::relu) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i)
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = vmax(vf::zero(), acc[i][v]);  // NaN stays NaN
  }
  if (full) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i)
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) store(t.out + i * t.out_step + v * W, acc[i][v]);
  } else {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i)
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
        if (v < NV - 1) store(t.out + i * t.out_step + v * W, acc[i][v]);
        else store(t.out + i * t.out_step + v * W, acc[i][v], tail);
      }
  }
}

// One step of k. Pixel pointers go in groups of three, so that x86 addresses them as p, p + s, p + 2s.
template <int MR, int NV>
GLIA_INLINE void conv_tile_step(const float* const (&p)[(MR + 2) / 3], int64_t step, const float* b,
                                vf (&acc)[MR][NV]) {
  vf w[NV];
  GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) w[v] = load(b + v * vf::W);
  GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) {
    vf x = vf::set1(p[i / 3][(i % 3) * step]);
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = fma(x, w[v], acc[i][v]);
  }
}

// Tiles with few sums keep U sets of them, taking k in turns, to cover the latency of the FMA.
template <int MR, int NV>
static void conv_tile(const ConvTile& t) {
  constexpr int U = MR * NV >= 8 ? 1 : MR * NV >= 4 ? 2 : 4;
  constexpr int P = (MR + 2) / 3;
  vf acc[U][MR][NV];
  GLIA_CONV_UNROLL for (int u = 0; u < U; ++u) GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i)
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[u][i][v] = vf::zero();
  const int64_t step = t.a_step, k_all = t.k;
  for (int64_t z = 0; z < t.nz; ++z) {
    for (int64_t y = 0; y < t.ny; ++y) {
      for (int64_t x = 0; x < t.nx; ++x) {
        const float* a = t.a + z * t.az + y * t.ay + x * t.ax;
        const float* b = t.b + z * t.bz + y * t.by + x * t.bx;
        const float* p[P];
        GLIA_CONV_UNROLL for (int g = 0; g < P; ++g) p[g] = a + 3 * g * step;
        int64_t k = k_all;
        for (; k >= U; k -= U) {
          GLIA_CONV_UNROLL for (int u = 0; u < U; ++u) {
            conv_tile_step<MR, NV>(p, step, b, acc[u]);
            GLIA_CONV_UNROLL for (int g = 0; g < P; ++g) ++p[g];
            b += NV * vf::W;
          }
        }
        if constexpr (U > 1) {
          for (; k > 0; --k) {
            conv_tile_step<MR, NV>(p, step, b, acc[0]);
            GLIA_CONV_UNROLL for (int g = 0; g < P; ++g) ++p[g];
            b += NV * vf::W;
          }
        }
      }
    }
  }
  GLIA_CONV_UNROLL for (int s = U / 2; s > 0; s /= 2) GLIA_CONV_UNROLL for (int u = 0; u < s; ++u)
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v)
      acc[u][i][v] = acc[u][i][v] + acc[u + s][i][v];
  conv_tile_finish<MR, NV>(t, acc[0]);
}

using ConvTileFn = void (*)(const ConvTile&);

template <int NV, int MR>
GLIA_INLINE ConvTileFn conv_tile_pick(int mr) {
  if constexpr (NV > kConvMaxNV || kConvMaxRows[NV] == 0) {
    return nullptr;
  } else {
    if (mr == MR) return &conv_tile<MR, NV>;
    if constexpr (MR < kConvMaxRows[NV]) return conv_tile_pick<NV, MR + 1>(mr);
    else return nullptr;
  }
}
GLIA_INLINE ConvTileFn conv_tile_fn(int mr, int nv) {
  if (nv == 4) return conv_tile_pick<4, 1>(mr);
  return nv == 2 ? conv_tile_pick<2, 1>(mr) : conv_tile_pick<1, 1>(mr);
}

}  // namespace glia::cpu::GLIA_ISA_NS
