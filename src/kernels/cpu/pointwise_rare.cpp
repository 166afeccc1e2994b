// The types that few programs hold, compiled once for every machine: int16 whole, unsigned types where the sign shows, and the
// types that are only stored and cast.
#define GLIA_ISA_NS rare
#include "base/narrow.h"
#include "kernels/cpu/pointwise_convert.h"
#include "kernels/cpu/pointwise_loops.h"

namespace glia::cpu {
namespace rare {
namespace {

template <class T>
PwFn unsigned_function(PwOp op, int u) {
  switch (op) {
    case PwOp::div: return pw_pick<T, Pw_div>(u);
    case PwOp::abs: return pw_pick<T, Pw_abs>(u);
    case PwOp::sign: return pw_pick<T, Pw_sign>(u);
    case PwOp::reciprocal: return pw_pick<T, Pw_reciprocal>(u);
    case PwOp::maximum: return pw_pick<T, Pw_maximum>(u);
    case PwOp::minimum: return pw_pick<T, Pw_minimum>(u);
    case PwOp::clip: return pw_pick<T, Pw_clip>(u);
    case PwOp::pow: return pw_pick<T, Pw_pow>(u);
    case PwOp::mod: return pw_pick<T, Pw_mod>(u);
    case PwOp::fmod: return pw_pick<T, Pw_fmod>(u);
    case PwOp::floor_div: return pw_pick<T, Pw_floor_div>(u);
    case PwOp::relu: return pw_pick<T, Pw_relu>(u);
    case PwOp::relu_grad: return pw_pick<T, Pw_relu_grad>(u);
    case PwOp::lt: return pw_pick<T, Pw_lt>(u);
    case PwOp::le: return pw_pick<T, Pw_le>(u);
    case PwOp::gt: return pw_pick<T, Pw_gt>(u);
    case PwOp::ge: return pw_pick<T, Pw_ge>(u);
    case PwOp::shift_left: return pw_pick<T, Pw_shift_left>(u);
    case PwOp::shift_right: return pw_pick<T, Pw_shift_right>(u);
    default: return nullptr;
  }
}

template <class From>
PwFn pick_to(Elem to, bool u) {
  switch (to) {
    case Elem::f32: return pick<From, float>(u);
    case Elem::f64: return pick<From, double>(u);
    case Elem::i8: return pick<From, int8_t>(u);
    case Elem::i16: return pick<From, int16_t>(u);
    case Elem::i32: return pick<From, int32_t>(u);
    case Elem::i64: return pick<From, int64_t>(u);
    case Elem::bool_: return pick<From, Bool>(u);
    default: return nullptr;
  }
}
template <class From>
PwFn pick_unsigned(Elem to, bool u) {
  switch (to) {
    case Elem::i16: return pick<From, int16_t>(u);
    case Elem::u16: return pick<From, uint16_t>(u);
    case Elem::u32: return pick<From, uint32_t>(u);
    case Elem::u64: return pick<From, uint64_t>(u);
    default: return nullptr;
  }
}

template <NarrowFormat F, bool U>
void decode_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<float*>(dst)[i] = narrow_decode(F, static_cast<const uint8_t*>(src)[U ? 0 : i]);
}
template <NarrowFormat F, bool U>
void encode_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<uint8_t*>(dst)[i] = narrow_encode(F, static_cast<const float*>(src)[U ? 0 : i]);
}
template <NarrowFormat F, bool U>
void narrow_round_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    static_cast<float*>(dst)[i] = narrow_decode(F, narrow_encode(F, static_cast<const float*>(src)[U ? 0 : i]));
}

enum class Way { decode, encode, round };
template <NarrowFormat F>
PwFn narrow_function(Way way, bool u) {
  if (way == Way::decode) return u ? &decode_loop<F, true> : &decode_loop<F, false>;
  if (way == Way::encode) return u ? &encode_loop<F, true> : &encode_loop<F, false>;
  return u ? &narrow_round_loop<F, true> : &narrow_round_loop<F, false>;
}
PwFn narrow_function(Elem t, Way way, bool u) {
  switch (t) {
    case Elem::f8e4m3fn: return narrow_function<NarrowFormat::f8e4m3fn>(way, u);
    case Elem::f8e5m2: return narrow_function<NarrowFormat::f8e5m2>(way, u);
    case Elem::f8e4m3fnuz: return narrow_function<NarrowFormat::f8e4m3fnuz>(way, u);
    case Elem::f8e5m2fnuz: return narrow_function<NarrowFormat::f8e5m2fnuz>(way, u);
    case Elem::f8e8m0fnu: return narrow_function<NarrowFormat::f8e8m0fnu>(way, u);
    case Elem::f4e2m1fn: return narrow_function<NarrowFormat::f4e2m1fn>(way, u);
    case Elem::i4: return narrow_function<NarrowFormat::i4>(way, u);
    case Elem::u4: return narrow_function<NarrowFormat::u4>(way, u);
    case Elem::i2: return narrow_function<NarrowFormat::i2>(way, u);
    case Elem::u2: return narrow_function<NarrowFormat::u2>(way, u);
    default: return nullptr;
  }
}

}  // namespace
}  // namespace rare

PwFn pw_function_rare(PwOp op, Elem t, int u) {
  switch (t) {
    case Elem::i16: return rare::pw_find_function<int16_t>(op, u);
    case Elem::u16: return rare::unsigned_function<uint16_t>(op, u);
    case Elem::u32: return rare::unsigned_function<uint32_t>(op, u);
    case Elem::u64: return rare::unsigned_function<uint64_t>(op, u);
    default: return nullptr;
  }
}

PwFn pw_cast_rare(Elem from, Elem to, bool u) {
  switch (from) {
    case Elem::f32: return rare::pick_unsigned<float>(to, u);
    case Elem::f64: return rare::pick_unsigned<double>(to, u);
    case Elem::i8: return rare::pick_unsigned<int8_t>(to, u);
    case Elem::u8: return rare::pick_unsigned<uint8_t>(to, u);
    case Elem::i32: return rare::pick_unsigned<int32_t>(to, u);
    case Elem::i64: return rare::pick_unsigned<int64_t>(to, u);
    case Elem::bool_: return rare::pick_unsigned<rare::Bool>(to, u);
    case Elem::i16: return rare::pick_to<int16_t>(to, u);
    case Elem::u16: return rare::pick_to<uint16_t>(to, u);
    case Elem::u32: return rare::pick_to<uint32_t>(to, u);
    case Elem::u64: return rare::pick_to<uint64_t>(to, u);
    default: return nullptr;
  }
}

PwFn pw_narrow_cast(Elem from, Elem to, bool u) {
  return elem_is_narrow(from) ? rare::narrow_function(from, rare::Way::decode, u) : rare::narrow_function(to, rare::Way::encode, u);
}
PwFn pw_narrow_round(Elem t, bool u) { return rare::narrow_function(t, rare::Way::round, u); }

}  // namespace glia::cpu
