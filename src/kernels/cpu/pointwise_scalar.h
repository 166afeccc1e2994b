// Scalar functions behind the expressions of pointwise_ops.h, for float, double and the integer types. Include only from
// *.isa.cpp. Everything is static: builtins and libm, no inline std functions (see isa.h).
#pragma once
#include <cstdint>
#include <math.h>
#include <type_traits>

#ifndef GLIA_INLINE
#define GLIA_INLINE static inline __attribute__((always_inline))
#endif
// Iterations touch only their own index (operands may be the destination itself), so loops vectorise without checks.
#if defined(__clang__)
#define GLIA_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define GLIA_IVDEP _Pragma("GCC ivdep")
#endif

namespace glia::cpu::GLIA_ISA_NS::pw {

template <class T> constexpr bool is_int = std::is_integral_v<T>;
// Unsigned type wide enough that the wrapped result is the two's complement one.
template <class T> using Wrap = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

#define GLIA_PW_LIBM(name)                                  \
  GLIA_INLINE float name(float a) { return __builtin_##name##f(a); } \
  GLIA_INLINE double name(double a) { return __builtin_##name(a); }
GLIA_PW_LIBM(sqrt) GLIA_PW_LIBM(exp) GLIA_PW_LIBM(exp2) GLIA_PW_LIBM(expm1) GLIA_PW_LIBM(log) GLIA_PW_LIBM(log1p)
GLIA_PW_LIBM(log2) GLIA_PW_LIBM(log10) GLIA_PW_LIBM(sin) GLIA_PW_LIBM(cos) GLIA_PW_LIBM(tan) GLIA_PW_LIBM(asin)
GLIA_PW_LIBM(acos) GLIA_PW_LIBM(atan) GLIA_PW_LIBM(sinh) GLIA_PW_LIBM(cosh) GLIA_PW_LIBM(tanh) GLIA_PW_LIBM(asinh)
GLIA_PW_LIBM(acosh) GLIA_PW_LIBM(atanh) GLIA_PW_LIBM(erf) GLIA_PW_LIBM(erfc)
#undef GLIA_PW_LIBM

GLIA_INLINE float atan2(float a, float b) { return __builtin_atan2f(a, b); }
GLIA_INLINE double atan2(double a, double b) { return __builtin_atan2(a, b); }
GLIA_INLINE float hypot(float a, float b) { return __builtin_hypotf(a, b); }
GLIA_INLINE double hypot(double a, double b) { return __builtin_hypot(a, b); }

template <class T> GLIA_INLINE T add(T a, T b) {
  if constexpr (is_int<T>) return static_cast<T>(static_cast<Wrap<T>>(a) + static_cast<Wrap<T>>(b));
  else return a + b;
}
template <class T> GLIA_INLINE T sub(T a, T b) {
  if constexpr (is_int<T>) return static_cast<T>(static_cast<Wrap<T>>(a) - static_cast<Wrap<T>>(b));
  else return a - b;
}
template <class T> GLIA_INLINE T mul(T a, T b) {
  if constexpr (is_int<T>) return static_cast<T>(static_cast<Wrap<T>>(a) * static_cast<Wrap<T>>(b));
  else return a * b;
}
template <class T> GLIA_INLINE T neg(T a) {
  if constexpr (is_int<T>) return sub(T(0), a);
  else return -a;
}
template <class T> GLIA_INLINE T abs(T a) {
  if constexpr (std::is_same_v<T, float>) return __builtin_fabsf(a);
  else if constexpr (std::is_same_v<T, double>) return __builtin_fabs(a);
  else return a < T(0) ? neg(a) : a;
}
template <class T> GLIA_INLINE T sign(T a) {
  if constexpr (is_int<T>) return static_cast<T>((a > T(0)) - (a < T(0)));
  else return a > 0 ? T(1) : a < 0 ? T(-1) : a;  // keeps NaN and the sign of zero
}
template <class T> GLIA_INLINE T div(T a, T b) {
  if constexpr (is_int<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) if (b == T(-1)) return neg(a);  // the lowest value would overflow
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}
template <class T> GLIA_INLINE T maximum(T a, T b) { return (a > b || a != a) ? a : b; }
template <class T> GLIA_INLINE T minimum(T a, T b) { return (a < b || a != a) ? a : b; }
template <class T> GLIA_INLINE T relu(T a) { return a < T(0) ? T(0) : a; }
template <class T> GLIA_INLINE bool isinf(T a) {
  if constexpr (is_int<T>) return false;
  else return abs(a) == static_cast<T>(__builtin_inf());
}
template <class T> GLIA_INLINE bool isfinite(T a) {
  if constexpr (is_int<T>) return true;
  else return abs(a) < static_cast<T>(__builtin_inf());
}

#define GLIA_PW_ROUNDING(name, builtin)                                                       \
  template <class T> GLIA_INLINE T name(T a) {                                                \
    if constexpr (std::is_same_v<T, float>) return __builtin_##builtin##f(a);                 \
    else if constexpr (std::is_same_v<T, double>) return __builtin_##builtin(a);              \
    else return a;                                                                            \
  }
GLIA_PW_ROUNDING(floor, floor)
GLIA_PW_ROUNDING(ceil, ceil)
GLIA_PW_ROUNDING(trunc, trunc)
GLIA_PW_ROUNDING(round, rint)  // the rounding mode is "to nearest even" throughout the library
#undef GLIA_PW_ROUNDING

template <class T> static T pow(T a, T b) {
  if constexpr (std::is_same_v<T, float>) return __builtin_powf(a, b);
  else if constexpr (std::is_same_v<T, double>) return __builtin_pow(a, b);
  else {
    if constexpr (std::is_signed_v<T>)
      if (b < 0) return a == 1 ? T(1) : a == T(-1) ? ((b & 1) ? T(-1) : T(1)) : T(0);
    T r = 1;
    for (T e = b; e > 0; e = static_cast<T>(e >> 1)) {
      if (e & 1) r = mul(r, a);
      a = mul(a, a);
    }
    return r;
  }
}
template <class T> GLIA_INLINE T fmod(T a, T b) {
  if constexpr (std::is_same_v<T, float>) return __builtin_fmodf(a, b);
  else if constexpr (std::is_same_v<T, double>) return __builtin_fmod(a, b);
  else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) if (b == T(-1)) return 0;
    return static_cast<T>(a % b);
  }
}
template <class T> GLIA_INLINE T mod(T a, T b) {
  T r = fmod(a, b);
  if constexpr (is_int<T>) return (r != 0 && ((r < 0) != (b < 0))) ? add(r, b) : r;
  else if (r == 0) return b < 0 ? T(-0.0) : T(0);
  else return ((r < 0) != (b < 0)) ? r + b : r;
}
template <class T> GLIA_INLINE T floor_div(T a, T b) {
  if constexpr (is_int<T>) {
    T q = div(a, b), r = fmod(a, b);
    return (r != 0 && ((r < 0) != (b < 0))) ? static_cast<T>(q - 1) : q;
  } else {  // as NumPy: consistent with mod even where a / b rounds up to a whole number
    if (b == 0) return a / b;
    T r = fmod(a, b), q = (a - r) / b;
    if (r != 0 && ((b < 0) != (r < 0))) q -= 1;
    if (q == 0) return a / b < 0 ? T(-0.0) : T(0);
    T whole = floor(q);
    return q - whole > T(0.5) ? whole + 1 : whole;
  }
}

template <class T> GLIA_INLINE T bitwise_not(T a) { return static_cast<T>(~a); }
template <class T> GLIA_INLINE T shift_left(T a, T b) {
  constexpr int bits = 8 * static_cast<int>(sizeof(T));
  return (b < 0 || b >= static_cast<T>(bits)) ? T(0) : static_cast<T>(static_cast<Wrap<T>>(a) << b);
}
template <class T> GLIA_INLINE T shift_right(T a, T b) {
  constexpr int bits = 8 * static_cast<int>(sizeof(T));
  return static_cast<T>(a >> ((b < 0 || b >= static_cast<T>(bits)) ? bits - 1 : static_cast<int>(b))) &
         (std::is_signed_v<T> || !(b < 0 || b >= static_cast<T>(bits)) ? static_cast<T>(~T(0)) : T(0));
}

template <class T> GLIA_INLINE T sigmoid(T a) {
  T e = exp(-abs(a)), r = T(1) / (T(1) + e);
  return a < 0 ? e * r : r;  // NaN falls through: r is NaN
}
template <class T> GLIA_INLINE T softplus(T a) { return (a > 0 ? a : a != a ? a : T(0)) + log1p(exp(-abs(a))); }
template <class T> GLIA_INLINE T logaddexp(T a, T b) {
  T m = maximum(a, b), d = abs(a - b);
  return m == b && a == b ? m + T(0.69314718055994531) : m + log1p(exp(-d));
}
constexpr double kGeluC = 0.79788456080286536;  // sqrt(2 / pi)
constexpr double kInvSqrt2Pi = 0.39894228040143268;
template <class T> GLIA_INLINE T gelu_tanh(T a) {
  return T(0.5) * a * (T(1) + tanh(T(kGeluC) * (a + T(0.044715) * a * a * a)));
}
template <class T> GLIA_INLINE T dgelu(T a) {
  return T(0.5) * (T(1) + erf(a * T(0.70710678118654752))) + a * T(kInvSqrt2Pi) * exp(T(-0.5) * a * a);
}
template <class T> GLIA_INLINE T dgelu_tanh(T a) {
  T t = tanh(T(kGeluC) * (a + T(0.044715) * a * a * a));
  return T(0.5) * (T(1) + t) + T(0.5) * a * (T(1) - t * t) * T(kGeluC) * (T(1) + T(3 * 0.044715) * a * a);
}
template <class T> GLIA_INLINE T dsilu(T a) {
  T s = sigmoid(a);
  return s * (T(1) + a * (T(1) - s));
}

// Inverse of erf: Winitzki's closed form (2008), then Halley steps; erfc keeps the tails exact.
static double erfinv64(double x) {
  double ax = __builtin_fabs(x);
  if (!(ax < 1)) return ax == 1 ? x * __builtin_inf() : __builtin_nan("");
  if (ax == 0) return x;
  constexpr double k = 0.147, two_over_pi_k = 2 / (3.14159265358979323846 * k);
  double l = __builtin_log1p(-ax * ax), h = two_over_pi_k + 0.5 * l;
  double y = __builtin_sqrt(__builtin_sqrt(h * h - l / k) - h);
  for (int i = 0; i < 3; ++i) {
    double err = ax > 0.5 ? (1 - ax) - __builtin_erfc(y) : __builtin_erf(y) - ax;
    double u = err / (1.1283791670955126 * __builtin_exp(-y * y));
    y -= u / (1 + y * u);
  }
  return x < 0 ? -y : y;
}
[[maybe_unused]] static float erfinv(float a) { return static_cast<float>(erfinv64(a)); }
[[maybe_unused]] static double erfinv(double a) { return erfinv64(a); }
[[maybe_unused]] static double lgamma(double a) {
  int sign;
  return ::lgamma_r(a, &sign);
}
[[maybe_unused]] static float lgamma(float a) { return static_cast<float>(lgamma(static_cast<double>(a))); }
// Digamma: reflection for negatives, recurrence up to 10, then the asymptotic series (DLMF 5.11.2).
[[maybe_unused]] static double digamma(double x) {
  double r = 0;
  if (x <= 0) {
    if (x == __builtin_floor(x)) return __builtin_nan("");
    r = -3.14159265358979323846 / __builtin_tan(3.14159265358979323846 * x);
    x = 1 - x;
  }
  for (; x < 10; x += 1) r -= 1 / x;
  double i = 1 / (x * x);
  double s = i * (1.0 / 12 - i * (1.0 / 120 - i * (1.0 / 252 - i * (1.0 / 240 - i * (1.0 / 132)))));
  return r + __builtin_log(x) - 0.5 / x - s;
}
[[maybe_unused]] static float digamma(float a) { return static_cast<float>(digamma(static_cast<double>(a))); }

// Halves: bf16 rounds to nearest even by integer arithmetic; f16 handles subnormals and overflow by scaling.
GLIA_INLINE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
GLIA_INLINE float of_bits(uint32_t u) { return __builtin_bit_cast(float, u); }
GLIA_INLINE float from_bf16(uint16_t h) { return of_bits(static_cast<uint32_t>(h) << 16); }
GLIA_INLINE uint16_t to_bf16(float x) {
  uint32_t u = bits_of(x), r = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return static_cast<uint16_t>(x != x ? ((u >> 16) | 0x40) : r);
}
GLIA_INLINE float from_f16(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, rest = h & 0x7fff;
  // 2^112 moves the exponent from bias 15 to 127 and makes subnormals normal; infinities and NaN get the top exponent.
  float v = of_bits(rest << 13) * 0x1p112f;
  uint32_t u = bits_of(v) | (rest >= 0x7c00 ? 0x7f800000u : 0u);
  return of_bits(u | sign);
}
GLIA_INLINE uint16_t to_f16(float x) {
  uint32_t u = bits_of(x), sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
  // Normal range: add half of the last kept bit (to even), rebias. Subnormal: adding 0.5 lines the bits up.
  uint32_t normal = (a - 0x38000000 + 0xfff + ((a >> 13) & 1)) >> 13;
  uint32_t sub = bits_of(of_bits(a) + 0.5f) - 0x3f000000;
  uint32_t r = a < 0x38800000 ? sub : normal;
  r = a >= 0x477ff000 ? 0x7c00 : r;
  r = a > 0x7f800000 ? 0x7e00 : r;
  return static_cast<uint16_t>(r | sign);
}

}  // namespace glia::cpu::GLIA_ISA_NS::pw
