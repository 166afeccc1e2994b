#include "tensor/convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace glia {

float to_float(bfloat16 v) { return std::bit_cast<float>(static_cast<uint32_t>(v.bits) << 16); }

bfloat16 to_bfloat16(float v) {
  uint32_t u = std::bit_cast<uint32_t>(v);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((u >> 16) | 0x40)};  // NaN stays a quiet NaN
  return {static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1)) >> 16)};
}

float to_float(float16 v) {
  uint32_t sign = static_cast<uint32_t>(v.bits & 0x8000) << 16, exp = (v.bits >> 10) & 31, man = v.bits & 0x3ff;
  if (exp == 0) return std::bit_cast<float>(sign) + (sign ? -1.f : 1.f) * std::ldexp(static_cast<float>(man), -24);
  if (exp == 31) return std::bit_cast<float>(sign | 0x7f800000u | (man << 13));
  return std::bit_cast<float>(sign | ((exp + 112) << 23) | (man << 13));
}

float16 to_float16(float v) {
  uint32_t u = std::bit_cast<uint32_t>(v);
  uint16_t sign = static_cast<uint16_t>((u >> 16) & 0x8000);
  u &= 0x7fffffffu;
  if (u > 0x7f800000u) return {static_cast<uint16_t>(sign | 0x7e00)};
  if (u >= 0x477ff000u) return {static_cast<uint16_t>(sign | 0x7c00)};  // rounds to infinity
  if (u < 0x38800000u) {                                               // subnormal: count in units of 2^-24
    float scaled = std::ldexp(std::bit_cast<float>(u), 24);
    return {static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(scaled)))};
  }
  u += 0xfffu + ((u >> 13) & 1);
  return {static_cast<uint16_t>(sign | ((u - 0x38000000u) >> 13))};
}

namespace {
template <class T>
double get(T v) {
  if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>) return to_float(v);
  else return static_cast<double>(v);
}
template <class T>
T put(double v) {
  if constexpr (std::is_same_v<T, bfloat16>) return to_bfloat16(static_cast<float>(v));
  else if constexpr (std::is_same_v<T, float16>) return to_float16(static_cast<float>(v));
  else if constexpr (std::is_same_v<T, bool>) return v != 0;
  else if constexpr (std::is_integral_v<T>) {
    if (std::isnan(v)) return 0;
    if (v >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    if (v <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    return static_cast<T>(v);
  } else return static_cast<T>(v);
}
template <class To, class From>
To convert_one(From v) {
  constexpr bool plain_from = std::is_arithmetic_v<From>, plain_to = std::is_arithmetic_v<To>;
  if constexpr (plain_from && plain_to && std::is_integral_v<From> && !std::is_same_v<To, bool>)
    return static_cast<To>(v);  // integers wrap, and int64 stays exact
  else if constexpr (std::is_same_v<From, float> && std::is_same_v<To, double>) return v;
  else return put<To>(get(v));
}
}  // namespace

namespace {
DType as_signed(DType t) {
  switch (t) {
    case DType::u8: return DType::i8;
    case DType::u16: return DType::i16;
    case DType::u32: return DType::i32;
    case DType::u64: return DType::i64;
    default: return t;
  }
}
}  // namespace

// Integers of 4 or 2 bits.
static bool is_part_of_byte(DType t) { return t == DType::i4 || t == DType::u4 || t == DType::i2 || t == DType::u2; }

double load_as_double(DType t, const void* data, int64_t i) {
  if (is_cast_only(t)) return narrow_decode(narrow_format(t), static_cast<const uint8_t*>(data)[i]);
  return visit_dtype(t, [&](auto tag) { return get(static_cast<const decltype(tag)*>(data)[i]); });
}
void store_from_double(DType t, void* data, int64_t i, double v) {
  if (is_cast_only(t)) {
    static_cast<uint8_t*>(data)[i] = narrow_encode(narrow_format(t), static_cast<float>(v));
    return;
  }
  visit_dtype(t, [&](auto tag) { static_cast<decltype(tag)*>(data)[i] = put<decltype(tag)>(v); });
}
void convert_elements(DType to, void* dst, DType from, const void* src, int64_t n) {
  if (to == from || is_cast_only(to) || is_cast_only(from)) {
    if (to == from) std::memcpy(dst, src, static_cast<std::size_t>(n) * dtype_size(to));
    else if (is_part_of_byte(to) && !is_float(from) && from != DType::bool_ && !is_cast_only(from))
      visit_dtype(from, [&](auto tag) {  // the lowest bits, not by way of a float that may not hold them
        using From = decltype(tag);
        if constexpr (std::is_integral_v<From>)
          for (int64_t i = 0; i < n; ++i) store_from_double(to, dst, i, static_cast<int8_t>(static_cast<const From*>(src)[i]));
      });
    else for (int64_t i = 0; i < n; ++i) store_from_double(to, dst, i, load_as_double(from, src, i));
    return;
  }
  // Integers of one width have the same bits: what is read or written as signed serves both.
  if (!is_float(from) && !is_float(to) && to != DType::bool_) to = as_signed(to);
  if (!is_float(from) && !is_float(to) && dtype_size(from) >= dtype_size(to) && to != DType::bool_) from = as_signed(from);
  visit_dtype(to, [&](auto to_tag) {
    visit_dtype(from, [&](auto from_tag) {
      auto* d = static_cast<decltype(to_tag)*>(dst);
      auto* s = static_cast<const decltype(from_tag)*>(src);
      for (int64_t i = 0; i < n; ++i) d[i] = convert_one<decltype(to_tag)>(s[i]);
    });
  });
}

}  // namespace glia
