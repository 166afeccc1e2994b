// The vector of floats that kernels are written with; include only from *.isa.cpp files. One type `vf` per instruction
// set, with the same operations: W lanes (1 scalar, 4 NEON, 8 AVX2, 16 AVX-512) and partial loads and stores of the
// first n lanes (0 <= n <= W; lanes beyond n read as 0 and are never touched in memory).
//
//   vf acc = vf::zero();
//   for (int64_t i = 0; i < n; i += vf::W) acc = fma(load(x + i), load(y + i), acc);
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define GLIA_INLINE static inline __attribute__((always_inline))

namespace glia::cpu::GLIA_ISA_NS {

#if defined(__AVX512F__)
struct vf {
  static constexpr int W = 16;
  __m512 v;
  __attribute__((always_inline)) static inline vf zero() { return {_mm512_setzero_ps()}; }
  __attribute__((always_inline)) static inline vf set1(float x) { return {_mm512_set1_ps(x)}; }
};
struct vmask { __mmask16 m; };
GLIA_INLINE __mmask16 lanes(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xffff : (1u << n) - 1); }
GLIA_INLINE vf load(const float* p) { return {_mm512_loadu_ps(p)}; }
GLIA_INLINE vf load(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(lanes(n), p)}; }
GLIA_INLINE void store(float* p, vf a) { _mm512_storeu_ps(p, a.v); }
GLIA_INLINE void store(float* p, vf a, int64_t n) { _mm512_mask_storeu_ps(p, lanes(n), a.v); }
GLIA_INLINE vf operator+(vf a, vf b) { return {_mm512_add_ps(a.v, b.v)}; }
GLIA_INLINE vf operator-(vf a, vf b) { return {_mm512_sub_ps(a.v, b.v)}; }
GLIA_INLINE vf operator*(vf a, vf b) { return {_mm512_mul_ps(a.v, b.v)}; }
GLIA_INLINE vf operator/(vf a, vf b) { return {_mm512_div_ps(a.v, b.v)}; }
GLIA_INLINE vf fma(vf a, vf b, vf c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }    // a*b + c
GLIA_INLINE vf fnma(vf a, vf b, vf c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a*b
GLIA_INLINE vf vmax(vf a, vf b) { return {_mm512_max_ps(a.v, b.v)}; }  // b where either is NaN
GLIA_INLINE vf vmin(vf a, vf b) { return {_mm512_min_ps(a.v, b.v)}; }
GLIA_INLINE vf vsqrt(vf a) { return {_mm512_sqrt_ps(a.v)}; }
GLIA_INLINE vf vabs(vf a) { return {_mm512_abs_ps(a.v)}; }
GLIA_INLINE vf vround(vf a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
GLIA_INLINE vmask operator<(vf a, vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
GLIA_INLINE vmask operator>(vf a, vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
GLIA_INLINE vmask operator==(vf a, vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
GLIA_INLINE vmask isnan_mask(vf a) { return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)}; }
GLIA_INLINE vf select(vmask m, vf a, vf b) { return {_mm512_mask_blend_ps(m.m, b.v, a.v)}; }  // m ? a : b
GLIA_INLINE vf scale2(vf a, vf n) { return {_mm512_scalef_ps(a.v, n.v)}; }  // a * 2^n, n whole
GLIA_INLINE vf vsplit(vf a, vf* e) {  // a normal and positive: a = m * 2^e with m in [1, 2)
  e->v = _mm512_getexp_ps(a.v);
  return {_mm512_getmant_ps(a.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero)};
}
GLIA_INLINE bool any(vmask m) { return m.m != 0; }
GLIA_INLINE vf pow2_bits(vf z) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(z.v), 23))}; }
GLIA_INLINE vf div_normal(vf a, vf b) {  // a / b within 0.51 ulp where a, b, a / b and 1 / b are normal numbers
  __m512 y = _mm512_rcp14_ps(b.v), q = _mm512_mul_ps(a.v, y);
  return {_mm512_fmadd_ps(_mm512_fnmadd_ps(q, b.v, a.v), y, q)};
}
GLIA_INLINE float hsum(vf a) { return _mm512_reduce_add_ps(a.v); }
GLIA_INLINE float hmax(vf a) { return _mm512_reduce_max_ps(a.v); }
GLIA_INLINE vf load_bf16(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16))};
}
GLIA_INLINE vf xor_bits(vf a, vf b) {
  return {_mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}
GLIA_INLINE vf and_bits(vf a, vf b) {
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}

#elif defined(__AVX2__)
struct vf {
  static constexpr int W = 8;
  __m256 v;
  __attribute__((always_inline)) static inline vf zero() { return {_mm256_setzero_ps()}; }
  __attribute__((always_inline)) static inline vf set1(float x) { return {_mm256_set1_ps(x)}; }
};
struct vmask { __m256 m; };
GLIA_INLINE __m256i lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GLIA_INLINE vf load(const float* p) { return {_mm256_loadu_ps(p)}; }
GLIA_INLINE vf load(const float* p, int64_t n) { return {_mm256_maskload_ps(p, lanes(n))}; }
GLIA_INLINE void store(float* p, vf a) { _mm256_storeu_ps(p, a.v); }
GLIA_INLINE void store(float* p, vf a, int64_t n) { _mm256_maskstore_ps(p, lanes(n), a.v); }
GLIA_INLINE vf operator+(vf a, vf b) { return {_mm256_add_ps(a.v, b.v)}; }
GLIA_INLINE vf operator-(vf a, vf b) { return {_mm256_sub_ps(a.v, b.v)}; }
GLIA_INLINE vf operator*(vf a, vf b) { return {_mm256_mul_ps(a.v, b.v)}; }
GLIA_INLINE vf operator/(vf a, vf b) { return {_mm256_div_ps(a.v, b.v)}; }
GLIA_INLINE vf fma(vf a, vf b, vf c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
GLIA_INLINE vf fnma(vf a, vf b, vf c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
GLIA_INLINE vf vmax(vf a, vf b) { return {_mm256_max_ps(a.v, b.v)}; }
GLIA_INLINE vf vmin(vf a, vf b) { return {_mm256_min_ps(a.v, b.v)}; }
GLIA_INLINE vf vsqrt(vf a) { return {_mm256_sqrt_ps(a.v)}; }
GLIA_INLINE vf xor_bits(vf a, vf b) { return {_mm256_xor_ps(a.v, b.v)}; }
GLIA_INLINE vf and_bits(vf a, vf b) { return {_mm256_and_ps(a.v, b.v)}; }
GLIA_INLINE vf vabs(vf a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.f), a.v)}; }
GLIA_INLINE vf vround(vf a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
GLIA_INLINE vmask operator<(vf a, vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
GLIA_INLINE vmask operator>(vf a, vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
GLIA_INLINE vmask operator==(vf a, vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
GLIA_INLINE vmask isnan_mask(vf a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
GLIA_INLINE vf select(vmask m, vf a, vf b) { return {_mm256_blendv_ps(b.v, a.v, m.m)}; }
GLIA_INLINE vf scale2(vf a, vf n) {  // in two halves, so that results may be subnormal or infinite
  __m256i i = _mm256_cvtps_epi32(n.v), h = _mm256_srai_epi32(i, 1), r = _mm256_sub_epi32(i, h);
  __m256i bias = _mm256_set1_epi32(127);
  __m256 s1 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(h, bias), 23));
  __m256 s2 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(r, bias), 23));
  return {_mm256_mul_ps(_mm256_mul_ps(a.v, s1), s2)};
}
GLIA_INLINE vf vsplit(vf a, vf* e) {
  __m256i i = _mm256_castps_si256(a.v);
  e->v = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(i, 23), _mm256_set1_epi32(127)));
  i = _mm256_or_si256(_mm256_and_si256(i, _mm256_set1_epi32(0x7fffff)), _mm256_set1_epi32(0x3f800000));
  return {_mm256_castsi256_ps(i)};
}
GLIA_INLINE bool any(vmask m) { return _mm256_movemask_ps(m.m) != 0; }
GLIA_INLINE vf pow2_bits(vf z) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(z.v), 23))}; }
GLIA_INLINE vf div_normal(vf a, vf b) { return a / b; }
GLIA_INLINE float hsum(vf a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GLIA_INLINE float hmax(vf a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GLIA_INLINE vf load_bf16(const uint16_t* p) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p)), 16))};
}

#elif defined(__aarch64__) && !defined(GLIA_SIMD_SCALAR)
#define GLIA_NEON 1
struct vf {
  static constexpr int W = 4;
  float32x4_t v;
  __attribute__((always_inline)) static inline vf zero() { return {vdupq_n_f32(0)}; }
  __attribute__((always_inline)) static inline vf set1(float x) { return {vdupq_n_f32(x)}; }
};
struct vmask { uint32x4_t m; };
GLIA_INLINE vf load(const float* p) { return {vld1q_f32(p)}; }
GLIA_INLINE vf load(const float* p, int64_t n) {
  float t[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; ++i) t[i] = p[i];
  return load(t);
}
GLIA_INLINE void store(float* p, vf a) { vst1q_f32(p, a.v); }
GLIA_INLINE void store(float* p, vf a, int64_t n) {
  float t[4];
  vst1q_f32(t, a.v);
  for (int64_t i = 0; i < n; ++i) p[i] = t[i];
}
GLIA_INLINE vf operator+(vf a, vf b) { return {vaddq_f32(a.v, b.v)}; }
GLIA_INLINE vf operator-(vf a, vf b) { return {vsubq_f32(a.v, b.v)}; }
GLIA_INLINE vf operator*(vf a, vf b) { return {vmulq_f32(a.v, b.v)}; }
GLIA_INLINE vf operator/(vf a, vf b) { return {vdivq_f32(a.v, b.v)}; }
GLIA_INLINE vf fma(vf a, vf b, vf c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
GLIA_INLINE vf fnma(vf a, vf b, vf c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
GLIA_INLINE vf select(vmask m, vf a, vf b) { return {vbslq_f32(m.m, a.v, b.v)}; }
GLIA_INLINE vmask operator<(vf a, vf b) { return {vcltq_f32(a.v, b.v)}; }
GLIA_INLINE vmask operator>(vf a, vf b) { return {vcgtq_f32(a.v, b.v)}; }
GLIA_INLINE vmask operator==(vf a, vf b) { return {vceqq_f32(a.v, b.v)}; }
GLIA_INLINE vmask isnan_mask(vf a) { return {vmvnq_u32(vceqq_f32(a.v, a.v))}; }
GLIA_INLINE vf vmax(vf a, vf b) { return select(a > b, a, b); }
GLIA_INLINE vf vmin(vf a, vf b) { return select(a < b, a, b); }
GLIA_INLINE vf vsqrt(vf a) { return {vsqrtq_f32(a.v)}; }
GLIA_INLINE vf vabs(vf a) { return {vabsq_f32(a.v)}; }
GLIA_INLINE vf vround(vf a) { return {vrndnq_f32(a.v)}; }
GLIA_INLINE vf xor_bits(vf a, vf b) {
  return {vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
GLIA_INLINE vf and_bits(vf a, vf b) {
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
GLIA_INLINE vf scale2(vf a, vf n) {
  int32x4_t i = vcvtq_s32_f32(n.v), h = vshrq_n_s32(i, 1), r = vsubq_s32(i, h), bias = vdupq_n_s32(127);
  float32x4_t s1 = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(h, bias), 23));
  float32x4_t s2 = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(r, bias), 23));
  return {vmulq_f32(vmulq_f32(a.v, s1), s2)};
}
GLIA_INLINE vf vsplit(vf a, vf* e) {
  int32x4_t i = vreinterpretq_s32_f32(a.v);
  e->v = vcvtq_f32_s32(vsubq_s32(vshrq_n_s32(i, 23), vdupq_n_s32(127)));
  i = vorrq_s32(vandq_s32(i, vdupq_n_s32(0x7fffff)), vdupq_n_s32(0x3f800000));
  return {vreinterpretq_f32_s32(i)};
}
GLIA_INLINE bool any(vmask m) { return vmaxvq_u32(m.m) != 0; }
GLIA_INLINE vf pow2_bits(vf z) { return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(z.v), 23))}; }
GLIA_INLINE vf div_normal(vf a, vf b) { return a / b; }
GLIA_INLINE float hsum(vf a) { return vaddvq_f32(a.v); }
GLIA_INLINE float hmax(vf a) { return vmaxvq_f32(a.v); }
GLIA_INLINE vf load_bf16(const uint16_t* p) { return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))}; }

#else
struct vf {
  static constexpr int W = 1;
  float v;
  __attribute__((always_inline)) static inline vf zero() { return {0.f}; }
  __attribute__((always_inline)) static inline vf set1(float x) { return {x}; }
};
struct vmask { bool m; };
GLIA_INLINE vf load(const float* p) { return {*p}; }
GLIA_INLINE vf load(const float* p, int64_t n) { return {n > 0 ? *p : 0.f}; }
GLIA_INLINE void store(float* p, vf a) { *p = a.v; }
GLIA_INLINE void store(float* p, vf a, int64_t n) { if (n > 0) *p = a.v; }
GLIA_INLINE vf operator+(vf a, vf b) { return {a.v + b.v}; }
GLIA_INLINE vf operator-(vf a, vf b) { return {a.v - b.v}; }
GLIA_INLINE vf operator*(vf a, vf b) { return {a.v * b.v}; }
GLIA_INLINE vf operator/(vf a, vf b) { return {a.v / b.v}; }
GLIA_INLINE vf fma(vf a, vf b, vf c) { return {a.v * b.v + c.v}; }
GLIA_INLINE vf fnma(vf a, vf b, vf c) { return {c.v - a.v * b.v}; }
GLIA_INLINE vf vmax(vf a, vf b) { return {a.v > b.v ? a.v : b.v}; }
GLIA_INLINE vf vmin(vf a, vf b) { return {a.v < b.v ? a.v : b.v}; }
GLIA_INLINE vf vsqrt(vf a) { return {__builtin_sqrtf(a.v)}; }
GLIA_INLINE vf vabs(vf a) { return {__builtin_fabsf(a.v)}; }
GLIA_INLINE vf vround(vf a) { return {__builtin_nearbyintf(a.v)}; }
GLIA_INLINE vmask operator<(vf a, vf b) { return {a.v < b.v}; }
GLIA_INLINE vmask operator>(vf a, vf b) { return {a.v > b.v}; }
GLIA_INLINE vmask operator==(vf a, vf b) { return {a.v == b.v}; }
GLIA_INLINE vmask isnan_mask(vf a) { return {a.v != a.v}; }
GLIA_INLINE vf select(vmask m, vf a, vf b) { return m.m ? a : b; }
GLIA_INLINE vf scale2(vf a, vf n) { return {__builtin_ldexpf(a.v, n.v == n.v ? static_cast<int>(n.v) : 0)}; }
GLIA_INLINE float hsum(vf a) { return a.v; }
GLIA_INLINE float hmax(vf a) { return a.v; }
GLIA_INLINE uint32_t float_bits(float x) { uint32_t u; std::memcpy(&u, &x, 4); return u; }
GLIA_INLINE float bits_float(uint32_t u) { float x; std::memcpy(&x, &u, 4); return x; }
GLIA_INLINE vf vsplit(vf a, vf* e) {
  uint32_t u = float_bits(a.v);
  e->v = static_cast<float>(static_cast<int>((u >> 23) & 0xff) - 127);
  return {bits_float((u & 0x7fffff) | 0x3f800000)};
}
GLIA_INLINE bool any(vmask m) { return m.m; }
GLIA_INLINE vf pow2_bits(vf z) { return {bits_float(float_bits(z.v) << 23)}; }
GLIA_INLINE vf div_normal(vf a, vf b) { return a / b; }
GLIA_INLINE vf xor_bits(vf a, vf b) { return {bits_float(float_bits(a.v) ^ float_bits(b.v))}; }
GLIA_INLINE vf and_bits(vf a, vf b) { return {bits_float(float_bits(a.v) & float_bits(b.v))}; }
GLIA_INLINE vf load_bf16(const uint16_t* p) { return {bits_float(static_cast<uint32_t>(*p) << 16)}; }
#endif

GLIA_INLINE vf operator-(vf a) { return xor_bits(a, vf::set1(-0.f)); }

// The first n lanes, n mostly W or more: all of them then.
GLIA_INLINE vf load_some(const float* p, int64_t n) { return n >= vf::W ? load(p) : load(p, n); }
GLIA_INLINE void store_some(float* p, vf v, int64_t n) { n >= vf::W ? store(p, v) : store(p, v, n); }

}  // namespace glia::cpu::GLIA_ISA_NS
