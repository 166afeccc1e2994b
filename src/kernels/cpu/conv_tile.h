// The register tile of the convolutions: MR pixels x NV vectors of output channels, sums held in registers while
// three loops of taps and one over the channels run. Include only from *.isa.cpp files.
//
//   ConvTile t{...};
//   conv_tiles(2)[14 - 1](t);   // 2 vectors, 14 pixels
#pragma once
#include "kernels/cpu/conv_tile_args.h"
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

// The results of a tile: where they lie and how vectors of them are read and written. Here f32; conv_bf16_dp.cpp has bfloat16.
struct ConvResultF32 {
  GLIA_INLINE float* at(const ConvTile& t) { return t.out; }
  GLIA_INLINE vf read(const float* p) { return load(p); }
  GLIA_INLINE vf read(const float* p, int64_t n) { return load(p, n); }
  GLIA_INLINE void write(float* p, vf v) { store(p, v); }
  GLIA_INLINE void write(float* p, vf v, int64_t n) { store(p, v, n); }
};

template <int MR, int NV, class Result>
GLIA_INLINE void conv_tile_finish(const ConvTile& t, vf (&acc)[MR][NV]) {
  constexpr int W = vf::W;
  // Copies: vector stores may alias anything, and every field would be read again after each of them.
  auto* const out = Result::at(t);
  const int64_t step = t.out_step, tail = t.cols - (NV - 1) * W;  // lanes of the last vector
  const bool full = tail == W;
  if (const float* bias = t.bias) {
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
      vf x = full || v < NV - 1 ? load(bias + v * W) : load(bias + v * W, tail);
      GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) acc[i][v] = acc[i][v] + x;
    }
  }
  if (t.has_residual) {
    const auto* residual = out + t.residual;
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) {
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
        const auto* r = residual + i * step + v * W;
        acc[i][v] = acc[i][v] + (full || v < NV - 1 ? Result::read(r) : Result::read(r, tail));
      }
    }
  }
  if (t.act == Act::relu) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i)
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = vmax(vf::zero(), acc[i][v]);  // NaN stays NaN
  }
  auto* o = out;
  if (full) {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i, o += step) {
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) Result::write(o + v * W, acc[i][v]);
    }
  } else {
    GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i, o += step) {
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
        if (v < NV - 1) Result::write(o + v * W, acc[i][v]);
        else Result::write(o + v * W, acc[i][v], tail);
      }
    }
  }
}

// The arithmetic of a tile: here all in f32.
struct ConvMathF32 : ConvResultF32 {
  GLIA_INLINE vf madd(vf x, vf w, vf sum) { return fma(x, w, sum); }
};

// One step of k. Pixel pointers go in groups of three, so that x86 addresses them as p, p + s, p + 2s.
template <int MR, int NV, class Math>
GLIA_INLINE void conv_tile_step(const float* const (&p)[(MR + 2) / 3], int64_t step, const float* b,
                                vf (&acc)[MR][NV]) {
  vf w[NV];
  GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) w[v] = load(b + v * vf::W);
  GLIA_CONV_UNROLL for (int i = 0; i < MR; ++i) {
    vf x = vf::set1(p[i / 3][(i % 3) * step]);
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = Math::madd(x, w[v], acc[i][v]);
  }
}

// Tiles with few sums keep U sets of them, taking k in turns, to cover the latency of the FMA.
template <int MR, int NV, class Math>
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
            conv_tile_step<MR, NV, Math>(p, step, b, acc[u]);
            GLIA_CONV_UNROLL for (int g = 0; g < P; ++g) ++p[g];
            b += NV * vf::W;
          }
        }
        if constexpr (U > 1) {
          for (; k > 0; --k) {
            conv_tile_step<MR, NV, Math>(p, step, b, acc[0]);
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
  conv_tile_finish<MR, NV, Math>(t, acc[0]);
}

// Kernels for 1, 2, ... rows: conv_tiles(nv)[rows - 1].
template <class Math, int NV, int... I>
struct ConvTileTable {
  static constexpr ConvTileFn fn[] = {&conv_tile<I, NV, Math>...};
};
template <class Math, int NV, int N, int... I>
struct ConvTileTableOf : ConvTileTableOf<Math, NV, N - 1, N, I...> {};
template <class Math, int NV, int... I>
struct ConvTileTableOf<Math, NV, 0, I...> : ConvTileTable<Math, NV, I...> {};

template <class Math = ConvMathF32>
GLIA_INLINE const ConvTileFn* conv_tiles(int nv) {
  if constexpr (kConvMaxRows[4] > 0)
    if (nv == 4) return ConvTileTableOf<Math, 4, kConvMaxRows[4]>::fn;
  return nv == 2 ? ConvTileTableOf<Math, 2, kConvMaxRows[2]>::fn : ConvTileTableOf<Math, 1, kConvMaxRows[1]>::fn;
}

}  // namespace glia::cpu::GLIA_ISA_NS
