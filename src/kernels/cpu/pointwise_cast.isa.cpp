#include "kernels/cpu/pointwise_convert.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace glia::cpu::GLIA_ISA_NS {
namespace {

template <class Half, bool U>
void round_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  float* d = static_cast<float*>(dst);
  const float* s = static_cast<const float*>(src);
  const float s0 = U ? *s : 0.f;
  GLIA_IVDEP
  for (int64_t i = 0; i < n; ++i) d[i] = convert<float>(convert<Half>(U ? s0 : s[i]));
}

// The bits of pw::to_bf16, 16 floats at a time: compilers pack 16-bit results badly.
#if defined(__AVX512F__)
GLIA_INLINE __m512i rounded_halves(__m512 v) {  // in the low half of each lane
  const __m512i x = _mm512_castps_si512(v), high = _mm512_srli_epi32(x, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i r = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(x, odd), _mm512_set1_epi32(0x7fff)), 16);
  return _mm512_mask_or_epi32(r, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), high, _mm512_set1_epi32(0x40));
}
#elif defined(__AVX2__)
GLIA_INLINE __m256i rounded_halves(__m256 v) {
  const __m256i x = _mm256_castps_si256(v), high = _mm256_srli_epi32(x, 16);
  const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
  const __m256i r = _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(x, odd), _mm256_set1_epi32(0x7fff)), 16);
  const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
  return _mm256_blendv_epi8(r, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
}
#endif

void narrow_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  uint16_t* d = static_cast<uint16_t*>(dst);
  const float* s = static_cast<const float*>(src);
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(d + i), _mm512_cvtepi32_epi16(rounded_halves(_mm512_loadu_ps(s + i))));
#elif defined(__AVX2__)
  for (; i + 16 <= n; i += 16) {
    const __m256i both = _mm256_packus_epi32(rounded_halves(_mm256_loadu_ps(s + i)), rounded_halves(_mm256_loadu_ps(s + i + 8)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(d + i), _mm256_permute4x64_epi64(both, 0xd8));
  }
#endif
  for (; i < n; ++i) d[i] = pw::to_bf16(s[i]);
}

void round_bf16_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  float* d = static_cast<float*>(dst);
  const float* s = static_cast<const float*>(src);
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16)
    _mm512_storeu_ps(d + i, _mm512_castsi512_ps(_mm512_slli_epi32(rounded_halves(_mm512_loadu_ps(s + i)), 16)));
#elif defined(__AVX2__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(d + i, _mm256_castsi256_ps(_mm256_slli_epi32(rounded_halves(_mm256_loadu_ps(s + i)), 16)));
#endif
  for (; i < n; ++i) d[i] = pw::from_bf16(pw::to_bf16(s[i]));
}

template <class From>
PwFn pick_to(Elem to, bool u) {
  switch (to) {
    case Elem::f32: return pick<From, float>(u);
    case Elem::f64: return pick<From, double>(u);
    case Elem::i32: return pick<From, int32_t>(u);
    case Elem::i64: return pick<From, int64_t>(u);
    case Elem::u8: return pick<From, uint8_t>(u);
    case Elem::i8: return pick<From, int8_t>(u);
    case Elem::bool_: return pick<From, Bool>(u);
    default: return nullptr;
  }
}

}  // namespace

PwFn pw_cast_function(Elem from, Elem to, bool u) {
  switch (from) {
    case Elem::f32:
      if (to == Elem::bf16) return u ? &cast_loop<float, Bf16, true> : &narrow_loop;
      if (to == Elem::f16) return pick<float, F16>(u);
      return pick_to<float>(to, u);
    case Elem::f64: return pick_to<double>(to, u);
    case Elem::bf16: return to == from ? pick<Bf16, Bf16>(u) : to == Elem::f32 ? pick<Bf16, float>(u) : nullptr;
    case Elem::f16: return to == from ? pick<F16, F16>(u) : to == Elem::f32 ? pick<F16, float>(u) : nullptr;
    case Elem::i32: return pick_to<int32_t>(to, u);
    case Elem::i64: return pick_to<int64_t>(to, u);
    case Elem::u8: return pick_to<uint8_t>(to, u);
    case Elem::i8: return pick_to<int8_t>(to, u);
    case Elem::bool_: return pick_to<Bool>(to, u);
    default: break;  // pw_cast_rare and pw_narrow_cast have the others
  }
  return nullptr;
}

PwFn pw_round_function(Elem half, bool u) {
  if (half == Elem::bf16) return u ? &round_loop<Bf16, true> : &round_bf16_loop;
  return u ? &round_loop<F16, true> : &round_loop<F16, false>;
}

}  // namespace glia::cpu::GLIA_ISA_NS
