#include "kernels/cpu/pointwise_fn.h"
#include "kernels/cpu/pointwise_scalar.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

struct Bool { uint8_t v; };
struct Bf16 { uint16_t bits; };
struct F16 { uint16_t bits; };

template <class To, class From>
GLIA_INLINE To convert(From x) {
  if constexpr (std::is_same_v<To, From>) return x;
  else if constexpr (std::is_same_v<From, Bool>) return static_cast<To>(x.v);
  else if constexpr (std::is_same_v<From, Bf16>) return pw::from_bf16(x.bits);
  else if constexpr (std::is_same_v<From, F16>) return pw::from_f16(x.bits);
  else if constexpr (std::is_same_v<To, Bool>) return {static_cast<uint8_t>(x != From(0))};
  else if constexpr (std::is_same_v<To, Bf16>) return {pw::to_bf16(x)};
  else if constexpr (std::is_same_v<To, F16>) return {pw::to_f16(x)};
  else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    constexpr int bits = 8 * static_cast<int>(sizeof(To)) - (std::is_signed_v<To> ? 1 : 0);
    constexpr From end = bits >= 63 ? From(9223372036854775808.0) : From(int64_t{1} << (bits >= 63 ? 0 : bits));
    constexpr From begin = std::is_signed_v<To> ? -end : From(0);
    constexpr To high = static_cast<To>((uint64_t{1} << bits) - 1), low = std::is_signed_v<To> ? To(-high - 1) : To(0);
    return x >= end ? high : x >= begin ? static_cast<To>(x) : x < begin ? low : To(0);
  } else {
    return static_cast<To>(x);
  }
}

template <class From, class To, bool U>
void cast_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  To* d = static_cast<To*>(dst);
  const From* s = static_cast<const From*>(src);
  if constexpr (U) {
    const To v = convert<To>(*s);
    for (int64_t i = 0; i < n; ++i) d[i] = v;
  } else {
    GLIA_IVDEP
    for (int64_t i = 0; i < n; ++i) d[i] = convert<To>(s[i]);
  }
}

template <class Half, bool U>
void round_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  float* d = static_cast<float*>(dst);
  const float* s = static_cast<const float*>(src);
  const float s0 = U ? *s : 0.f;
  GLIA_IVDEP
  for (int64_t i = 0; i < n; ++i) d[i] = convert<float>(convert<Half>(U ? s0 : s[i]));
}

template <class From, class To>
PwFn pick(bool u) {
  return u ? &cast_loop<From, To, true> : &cast_loop<From, To, false>;
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
      if (to == Elem::bf16) return pick<float, Bf16>(u);
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
  }
  return nullptr;
}

PwFn pw_round_function(Elem half, bool u) {
  if (half == Elem::bf16) return u ? &round_loop<Bf16, true> : &round_loop<Bf16, false>;
  return u ? &round_loop<F16, true> : &round_loop<F16, false>;
}

}  // namespace glia::cpu::GLIA_ISA_NS
