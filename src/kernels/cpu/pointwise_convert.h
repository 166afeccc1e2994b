// Conversions between element types, element by element. Include only from *.isa.cpp files.
#pragma once
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
    constexpr From end = bits == 64   ? From(18446744073709551616.0)
                         : bits == 63 ? From(9223372036854775808.0)
                                      : From(int64_t{1} << (bits >= 63 ? 0 : bits));
    constexpr From begin = std::is_signed_v<To> ? -end : From(0);
    constexpr To high = static_cast<To>(~uint64_t{0} >> (64 - bits)), low = std::is_signed_v<To> ? To(-high - 1) : To(0);
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

template <class From, class To>
PwFn pick(bool u) {
  return u ? &cast_loop<From, To, true> : &cast_loop<From, To, false>;
}

}  // namespace
}  // namespace glia::cpu::GLIA_ISA_NS
