// The maximum of a window and the number of its cell: what max pooling and the convolutions that pool share. Include only
// from *.isa.cpp files.
//
//   MaxCell m{load(x), vf::zero()};
//   m.take(load(x + step), vf::set1(1));     // the first of equals stays; NaN wins
//   store(y, m.best), store_taps(argmax, m.tap, vf::W);
#pragma once
#include "kernels/cpu/simd.h"

namespace glia::cpu::GLIA_ISA_NS {

// A vector of taps is held as floats and stored as bytes.
GLIA_INLINE void store_taps(uint8_t* p, vf v, int64_t n) {
#if defined(__AVX512F__)
  if (n == vf::W) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v.v)));
#elif defined(__AVX2__)
  if (n == vf::W) {
    const __m256i i = _mm256_cvtps_epi32(v.v);
    const __m128i s = _mm_packus_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
    return _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(s, s));
  }
#endif
  float t[vf::W];
  store(t, v);
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<uint8_t>(t[i]);
}

struct MaxCell {
  vf best, tap;
  __attribute__((always_inline)) void take(vf v, vf number) {
    const vmask more = v > best, nan = isnan_mask(v);
    tap = select(more, number, tap);
    best = select(nan, v, select(more, v, best));
  }
};

// Of the four cells of a 2x2 window, n lanes. argmax may be null.
GLIA_INLINE void max_square(vf a, vf b, vf c, vf d, float* y, uint8_t* argmax, int64_t n) {
  MaxCell m{a, vf::zero()};
  m.take(b, vf::set1(1));
  m.take(c, vf::set1(2));
  m.take(d, vf::set1(3));
  store_some(y, m.best, n);
  if (argmax) store_taps(argmax, m.tap, n);
}

}  // namespace glia::cpu::GLIA_ISA_NS
