// Element types as the kernels see them. Same order and values as glia::DType (the ops room asserts it), so a cast
// between the two enums is the whole conversion; kernels include only base/ and so cannot name DType.
#pragma once
#include <cstdint>

namespace glia::cpu {

enum class Elem : uint8_t {
  f32, f64, bf16, f16, i32, i64, u8, i8, bool_, i16, u16, u32, u64,  // bool is stored as u8, 0 or 1
  f8e4m3fn, f8e5m2, f8e4m3fnuz, f8e5m2fnuz, f8e8m0fnu, f4e2m1fn, i4, u4, i2, u2  // only stored and cast: NarrowFormat
};
constexpr int kElemCount = 23;

constexpr int elem_size(Elem t) {
  constexpr int size[kElemCount] = {4, 8, 2, 2, 4, 8, 1, 1, 1, 2, 2, 4, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  return size[static_cast<int>(t)];
}
constexpr bool elem_is_float(Elem t) { return t <= Elem::f16; }
constexpr bool elem_is_half(Elem t) { return t == Elem::bf16 || t == Elem::f16; }
constexpr bool elem_is_narrow(Elem t) { return t >= Elem::f8e4m3fn; }
// The type that values are held and computed in: f32 for the half and the narrow types, else the type itself.
constexpr Elem compute_elem(Elem t) { return elem_is_half(t) || elem_is_narrow(t) ? Elem::f32 : t; }
constexpr bool elem_held_in_f32(Elem t) { return t != Elem::f32 && compute_elem(t) == Elem::f32; }
// The signed integer of the same bits.
constexpr Elem elem_as_signed(Elem t) {
  return t == Elem::u8 ? Elem::i8 : t == Elem::u16 ? Elem::i16 : t == Elem::u32 ? Elem::i32 : t == Elem::u64 ? Elem::i64 : t;
}

}  // namespace glia::cpu
