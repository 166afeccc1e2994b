// Philox4x32-10 for many counters at once. Words come out in the order of
// base/philox.h: element e is word e % 4 of counter e / 4. Included by random.cpp and *.isa.cpp, so everything is
// static.
#pragma once
#include <cstdint>
#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels/cpu/random.h"

namespace glia::cpu {
namespace {

constexpr int64_t kPhiloxBlock = 64;  // counters of one call: 256 words

#if defined(__AVX512F__)
struct Words {
  static constexpr int W = 16;
  __m512i v;
  static inline Words load(const uint32_t* p) { return {_mm512_loadu_si512(p)}; }
  static inline Words all(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
  inline void store(uint32_t* p) const { _mm512_storeu_si512(p, v); }
};
inline Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline void mul_wide(Words a, uint32_t m, Words* high, Words* low) {  // even and odd lanes apart, then together
  const __m512i k = _mm512_set1_epi32(static_cast<int>(m)), even = _mm512_mul_epu32(a.v, k);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), k);
  high->v = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
  low->v = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}
#elif defined(__AVX2__)
struct Words {
  static constexpr int W = 8;
  __m256i v;
  static inline Words load(const uint32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static inline Words all(uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
  inline void store(uint32_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
};
inline Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline void mul_wide(Words a, uint32_t m, Words* high, Words* low) {
  const __m256i k = _mm256_set1_epi32(static_cast<int>(m)), even = _mm256_mul_epu32(a.v, k);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), k);
  high->v = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  low->v = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}
#else
struct Words {
  static constexpr int W = 1;
  uint32_t v;
  static inline Words load(const uint32_t* p) { return {*p}; }
  static inline Words all(uint32_t x) { return {x}; }
  inline void store(uint32_t* p) const { *p = v; }
};
inline Words operator^(Words a, Words b) { return {a.v ^ b.v}; }
inline void mul_wide(Words a, uint32_t m, Words* high, Words* low) {
  const uint64_t p = uint64_t{m} * a.v;
  high->v = static_cast<uint32_t>(p >> 32);
  low->v = static_cast<uint32_t>(p);
}
#endif

// counter = {index low, index high, step, stream}
inline void philox_words(const RandomKey& key, uint64_t first, uint32_t* words) {
  uint32_t a[kPhiloxBlock], b[kPhiloxBlock], c[kPhiloxBlock], d[kPhiloxBlock];
  for (int64_t i = 0; i < kPhiloxBlock; ++i) {
    const uint64_t at = first + static_cast<uint64_t>(i);
    a[i] = static_cast<uint32_t>(at);
    b[i] = static_cast<uint32_t>(at >> 32);
    c[i] = static_cast<uint32_t>(key.step);
    d[i] = static_cast<uint32_t>(key.stream);
  }
  uint32_t k0 = static_cast<uint32_t>(key.seed), k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int64_t i = 0; i < kPhiloxBlock; i += Words::W) {
    Words wa = Words::load(a + i), wb = Words::load(b + i), wc = Words::load(c + i), wd = Words::load(d + i);
    uint32_t r0 = k0, r1 = k1;
    for (int round = 0; round < 10; ++round, r0 += 0x9E3779B9, r1 += 0xBB67AE85) {
      Words ph, pl, qh, ql;
      mul_wide(wa, 0xD2511F53, &ph, &pl);
      mul_wide(wc, 0xCD9E8D57, &qh, &ql);
      wa = qh ^ wb ^ Words::all(r0);
      wc = ph ^ wd ^ Words::all(r1);
      wb = ql;
      wd = pl;
    }
    wa.store(a + i), wb.store(b + i), wc.store(c + i), wd.store(d + i);
  }
  for (int64_t i = 0; i < kPhiloxBlock; ++i) {
    words[4 * i] = a[i];
    words[4 * i + 1] = b[i];
    words[4 * i + 2] = c[i];
    words[4 * i + 3] = d[i];
  }
}

}  // namespace
}  // namespace glia::cpu
