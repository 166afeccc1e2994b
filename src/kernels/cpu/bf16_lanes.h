// Vectors of bfloat16: 16 values between memory and f32 lanes, and pairs of rows interleaved as VDPBF16PS reads them.
// Include only from the translation units compiled for AVX512-BF16 (cmake/GliaLibrary.cmake).
//
//   vf v = widen(p);            narrow(to, v);           // 16 values
//   vf t = widen(p, 5);         narrow(to, t, 5);        // some of them; the others read as zero
#pragma once
#include "kernels/cpu/simd.h"

namespace glia::cpu::GLIA_ISA_NS {

GLIA_INLINE __mmask16 some_lanes(int64_t n) { return n >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << n) - 1); }
GLIA_INLINE __m256i load_halves(const uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
GLIA_INLINE __m256i load_halves(const uint16_t* p, int64_t n) { return _mm256_maskz_loadu_epi16(some_lanes(n), p); }
GLIA_INLINE vf widen(__m256i x) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))}; }
GLIA_INLINE vf widen(const uint16_t* p) { return widen(load_halves(p)); }
GLIA_INLINE vf widen(const uint16_t* p, int64_t n) { return widen(load_halves(p, n)); }
GLIA_INLINE __m256i narrow(vf x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x.v)); }
GLIA_INLINE void narrow(uint16_t* p, vf v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(v)); }
GLIA_INLINE void narrow(uint16_t* p, vf v, int64_t n) { _mm256_mask_storeu_epi16(p, some_lanes(n), narrow(v)); }

// Under the names of the float ones (simd.h), for code that serves both.
GLIA_INLINE vf load_some(const uint16_t* p, int64_t n) { return widen(p, n); }
GLIA_INLINE void store_some(uint16_t* p, vf v, int64_t n) { narrow(p, v, n); }

// Lane i: low half a[i], high half b[i].
GLIA_INLINE void store_pairs(void* to, __m256i a, __m256i b) {
  _mm512_storeu_si512(to, _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16)));
}

}  // namespace glia::cpu::GLIA_ISA_NS
