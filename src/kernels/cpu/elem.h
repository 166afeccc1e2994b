// Element types as the kernels see them. Same order and values as glia::DType (the ops room asserts it), so a cast
// between the two enums is the whole conversion; kernels include only base/ and so cannot name DType.
#pragma once
#include <cstdint>

namespace glia::cpu {

enum class Elem : uint8_t { f32, f64, bf16, f16, i32, i64, u8, i8, bool_ };  // bool is stored as u8, 0 or 1
constexpr int kElemCount = 9;

constexpr int elem_size(Elem t) {
  constexpr int size[kElemCount] = {4, 8, 2, 2, 4, 8, 1, 1, 1};
  return size[static_cast<int>(t)];
}
constexpr bool elem_is_float(Elem t) { return t <= Elem::f16; }
constexpr bool elem_is_half(Elem t) { return t == Elem::bf16 || t == Elem::f16; }
// The type arithmetic happens in: f32 for the half types, else the type itself.
constexpr Elem compute_elem(Elem t) { return elem_is_half(t) ? Elem::f32 : t; }

}  // namespace glia::cpu
