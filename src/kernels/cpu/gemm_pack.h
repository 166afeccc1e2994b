// Packing for matrix products: panels of B (transposed where B is stored n x k) and dense blocks of A.
// Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/gemm_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

#if defined(__AVX512F__)
// dst[j * ldd + i] = src[i * lds + j] for i < rows <= 16, j < cols <= 16; i in [rows, 16) is written as 0.
GLIA_INLINE void transpose_square(const float* src, int64_t lds, int64_t rows, int64_t cols, float* dst, int64_t ldd) {
  __m512 r[16], t[16];
  __mmask16 mask = lanes(cols);
  GLIA_UNROLL for (int i = 0; i < 16; ++i)
    r[i] = i < rows ? _mm512_maskz_loadu_ps(mask, src + i * lds) : _mm512_setzero_ps();
  GLIA_UNROLL for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  GLIA_UNROLL for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {  // r[4g + i]: column i of every 128-bit lane, rows 4g..4g+3
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
  GLIA_UNROLL for (int j = 0; j < 16; ++j)
    if (j < cols) _mm512_storeu_ps(dst + j * ldd, r[j]);
}
#elif defined(__AVX2__)
GLIA_INLINE void transpose_square(const float* src, int64_t lds, int64_t rows, int64_t cols, float* dst, int64_t ldd) {
  __m256 r[8], t[8];
  GLIA_UNROLL for (int i = 0; i < 8; ++i)
    r[i] = i >= rows ? _mm256_setzero_ps() : cols == 8 ? _mm256_loadu_ps(src + i * lds) : load(src + i * lds, cols).v;
  GLIA_UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  GLIA_UNROLL for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
  GLIA_UNROLL for (int j = 0; j < 8; ++j)
    if (j < cols) _mm256_storeu_ps(dst + j * ldd, t[j]);
}
#else
GLIA_INLINE void transpose_square(const float* src, int64_t lds, int64_t rows, int64_t cols, float* dst, int64_t ldd) {
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < vf::W; ++i) dst[j * ldd + i] = i < rows ? src[i * lds + j] : 0.f;
}
#endif

// dst[kk * width + j] = op(B)(kk, j) for kk < k, j < cols; columns up to the next whole vector are 0.
// b points at the first element of the block as stored.
static inline void pack_panel(const float* b, int64_t ldb, bool trans, int64_t k, int64_t cols, float* dst, int64_t width) {
  constexpr int64_t W = vf::W;
  if (trans) {
    for (int64_t j = 0; j < cols; j += W)
      for (int64_t kk = 0; kk < k; kk += W)
        transpose_square(b + j * ldb + kk, ldb, min64(W, cols - j), min64(W, k - kk), dst + kk * width + j, width);
    return;
  }
  const int64_t whole = cols / W * W;
  for (int64_t kk = 0; kk < k; ++kk, b += ldb, dst += width) {
    for (int64_t j = 0; j < whole; j += W) store(dst + j, load(b + j));
    if (whole < cols) store(dst + whole, load(b + whole, cols - whole));
  }
}

// A dense copy of rows x cols floats with rows ldd apart.
static inline void copy_block(const float* src, int64_t lds, int64_t rows, int64_t cols, float* dst, int64_t ldd) {
  constexpr int64_t W = vf::W;
  const int64_t whole = cols / W * W;
  for (int64_t i = 0; i < rows; ++i, src += lds, dst += ldd) {
    for (int64_t j = 0; j < whole; j += W) store(dst + j, load(src + j));
    for (int64_t j = whole; j < cols; ++j) dst[j] = src[j];
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
