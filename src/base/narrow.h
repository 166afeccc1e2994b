// The formats of less than a byte's worth of numbers: 8-bit and 4-bit floats, 4-bit and 2-bit integers. Arrays hold one element
// in each byte; nothing computes in these types, values are decoded to float32 (exactly) and rounded on the way back.
//
//   float x = narrow_decode(NarrowFormat::f8e4m3fn, 0x38);            // 1.0
//   uint8_t code = narrow_encode(NarrowFormat::f8e5m2, 3e9f);         // infinity: beyond the largest number
//
// Sources: OCP 8-bit Floating Point Specification (E4M3, E5M2), Noune et al. 2022 (the "fnuz" forms), OCP Microscaling
// Formats (MX) v1.0 (E8M0, E2M1).
#pragma once
#include <cstdint>

namespace glia {

// In the order of the dtypes behind DType::u64, which use them.
enum class NarrowFormat : uint8_t { f8e4m3fn, f8e5m2, f8e4m3fnuz, f8e5m2fnuz, f8e8m0fnu, f4e2m1fn, i4, u4, i2, u2 };
constexpr int kNarrowFormats = 10;

float narrow_decode(NarrowFormat, uint8_t code);
// Floats: to the nearest, ties to even; beyond the largest number infinity or, without one, NaN (f4e2m1fn: the largest; NaN is 0).
// Integers: toward zero, then the low bits; NaN and infinities are 0.
uint8_t narrow_encode(NarrowFormat, float);
// The largest finite number, beyond which saturating conversions do not go.
float narrow_largest(NarrowFormat);

}  // namespace glia
