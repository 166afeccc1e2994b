// Vectors of bfloat16 on every instruction set: a float vector from and to memory, rounded as pw::to_bf16 does (nearest, ties to
// even, NaN stays NaN). Compilers pack 16-bit results badly. Include only from *.isa.cpp files.
//
//   vf x = load_half(p, n);  store_half(to, x, n);    // the first n lanes, n <= vf::W
#pragma once
#include "kernels/cpu/simd.h"

namespace glia::cpu::GLIA_ISA_NS {

GLIA_INLINE float widen_half(uint16_t h) {
  const uint32_t u = static_cast<uint32_t>(h) << 16;
  float x;
  __builtin_memcpy(&x, &u, 4);
  return x;
}
GLIA_INLINE uint16_t round_half(float x) {
  uint32_t u;
  __builtin_memcpy(&u, &x, 4);
  const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, quiet = (u >> 16) | 0x40u;
  return static_cast<uint16_t>(x != x ? quiet : rounded);
}

#if defined(__AVX512F__)
GLIA_INLINE __m512i rounded_halves(__m512 v) {  // in the low half of each lane
  const __m512i x = _mm512_castps_si512(v), high = _mm512_srli_epi32(x, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i r = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(x, odd), _mm512_set1_epi32(0x7fff)), 16);
  return _mm512_mask_or_epi32(r, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), high, _mm512_set1_epi32(0x40));
}
GLIA_INLINE vf widen_halves(__m256i x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))}; }
GLIA_INLINE vf load_half(const uint16_t* p, int64_t n) {
  if (n >= 16) return widen_halves(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return widen_halves(_mm256_maskz_loadu_epi16(lanes(n), p));
}
GLIA_INLINE void store_half(uint16_t* p, vf x, int64_t n) {
  const __m256i h = _mm512_cvtepi32_epi16(rounded_halves(x.v));
  if (n >= 16) _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), h);
  else _mm256_mask_storeu_epi16(p, lanes(n), h);
}
#elif defined(__AVX2__)
GLIA_INLINE __m256i rounded_halves(__m256 v) {
  const __m256i x = _mm256_castps_si256(v), high = _mm256_srli_epi32(x, 16);
  const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
  const __m256i r = _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(x, odd), _mm256_set1_epi32(0x7fff)), 16);
  const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
  return _mm256_blendv_epi8(r, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
}
GLIA_INLINE vf load_half(const uint16_t* p, int64_t n) {
  alignas(16) uint16_t some[8] = {};
  if (n < 8) {
    for (int64_t i = 0; i < n; ++i) some[i] = p[i];
    p = some;
  }
  return load_bf16(p);
}
GLIA_INLINE void store_half(uint16_t* p, vf x, int64_t n) {
  const __m256i wide = rounded_halves(x.v);
  const __m128i h = _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  if (n >= 8) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), h);
  alignas(16) uint16_t all[8];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), h);
  for (int64_t i = 0; i < n; ++i) p[i] = all[i];
}
#else
GLIA_INLINE vf load_half(const uint16_t* p, int64_t n) {
  float x[vf::W] = {};
  for (int64_t i = 0; i < vf::W && i < n; ++i) x[i] = widen_half(p[i]);
  return load(x);
}
GLIA_INLINE void store_half(uint16_t* p, vf v, int64_t n) {
  float x[vf::W];
  store(x, v);
  for (int64_t i = 0; i < vf::W && i < n; ++i) p[i] = round_half(x[i]);
}
#endif

}  // namespace glia::cpu::GLIA_ISA_NS
