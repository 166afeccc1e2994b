#include "kernels/cpu/gemm_bf16_dp.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include <cstring>

#if defined(__clang__)
#define GLIA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GLIA_UNROLL _Pragma("GCC unroll 32")
#endif

namespace glia::cpu {

namespace {

template <int MR, int NV>
void tile(const uint16_t* a, int64_t lda, int64_t a_step, const uint16_t* b, int64_t ldb, float* c, int64_t ldc, int64_t pairs,
          bool accumulate) {
  __m512 acc[MR][NV];
  GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
    acc[i][v] = accumulate ? _mm512_loadu_ps(c + i * ldc + v * 16) : _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k, a += a_step, b += ldb) {
    __m512bh x[NV];
    GLIA_UNROLL for (int v = 0; v < NV; ++v) x[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + v * 32));
    GLIA_UNROLL for (int i = 0; i < MR; ++i) {
      int32_t pair;
      std::memcpy(&pair, a + i * lda, 4);
      const __m512bh y = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      GLIA_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = _mm512_dpbf16_ps(acc[i][v], y, x[v]);
    }
  }
  GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
    _mm512_storeu_ps(c + i * ldc + v * 16, acc[i][v]);
}

using TileFn = void (*)(const uint16_t*, int64_t, int64_t, const uint16_t*, int64_t, float*, int64_t, int64_t, bool);
constexpr TileFn kTiles[4][6] = {{tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>, tile<5, 1>, tile<6, 1>},
                                 {tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>, tile<5, 2>, tile<6, 2>},
                                 {tile<1, 3>, tile<2, 3>, tile<3, 3>, tile<4, 3>, tile<5, 3>, tile<6, 3>},
                                 {tile<1, 4>, tile<2, 4>, tile<3, 4>, tile<4, 4>, tile<5, 4>, tile<6, 4>}};

}  // namespace

void bf16_tile(int rows, int nv, const uint16_t* a, int64_t lda, int64_t a_step, const uint16_t* b, int64_t ldb, float* c, int64_t ldc,
               int64_t pairs, bool accumulate) {
  kTiles[nv - 1][rows - 1](a, lda, a_step, b, ldb, c, ldc, pairs, accumulate);
}

}  // namespace glia::cpu

#else
namespace glia::cpu {
void bf16_tile(int, int, const uint16_t*, int64_t, int64_t, const uint16_t*, int64_t, float*, int64_t, int64_t, bool) {}
}  // namespace glia::cpu
#endif
