// Arithmetic on sizes that come from files: an overflow is an answer, not a wrapped number.
//
//   std::optional<uint64_t> bytes = checked_mul(rows, row_bytes);
//   std::optional<uint64_t> all = checked_product(extents, item_bytes);      // of a shape
#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace glia::io {

inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional(r);
}
inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t r;
  return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional(r);
}
// Product of the extents times `unit`; none when one is negative or the product (zeros left out) passes 2^62.
inline std::optional<uint64_t> checked_product(std::span<const int64_t> extents, uint64_t unit = 1) {
  uint64_t r = unit;
  bool zero = false;
  for (int64_t d : extents) {
    if (d < 0) return std::nullopt;
    if (d == 0)
      zero = true;
    else if (__builtin_mul_overflow(r, static_cast<uint64_t>(d), &r) || r > (uint64_t{1} << 62))
      return std::nullopt;
  }
  return zero ? 0 : r;
}

}  // namespace glia::io
