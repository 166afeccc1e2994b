// Element access and conversion over any dtype. Not for hot paths, except convert_elements.
#pragma once
#include <glia/tensor.h>

#include "base/narrow.h"

namespace glia {

double load_as_double(DType, const void* data, int64_t index);
void store_from_double(DType, void* data, int64_t index, double value);  // bool: value != 0; integers truncate
void convert_elements(DType to, void* dst, DType from, const void* src, int64_t count);

// The format of a type that is_cast_only.
inline NarrowFormat narrow_format(DType t) { return static_cast<NarrowFormat>(static_cast<int>(t) - static_cast<int>(DType::f8e4m3fn)); }

// Calls f with a value-initialised object of the C++ type of `t`, no type that is_cast_only:
// visit_dtype(t, [&](auto tag) { using T = decltype(tag); })
template <class F>
decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::bf16: return f(bfloat16{});
    case DType::f16: return f(float16{});
    case DType::i32: return f(int32_t{});
    case DType::i64: return f(int64_t{});
    case DType::u8: return f(uint8_t{});
    case DType::i8: return f(int8_t{});
    case DType::i16: return f(int16_t{});
    case DType::u16: return f(uint16_t{});
    case DType::u32: return f(uint32_t{});
    case DType::u64: return f(uint64_t{});
    default: break;
  }
  return f(bool{});
}

}  // namespace glia
