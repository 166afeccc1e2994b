#include "kernels/cpu/halves.h"
#include "kernels/cpu/pointwise_convert.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

template <class Half, bool U>
void round_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  float* d = static_cast<float*>(dst);
  const float* s = static_cast<const float*>(src);
  const float s0 = U ? *s : 0.f;
  GLIA_IVDEP
  for (int64_t i = 0; i < n; ++i) d[i] = convert<float>(convert<Half>(U ? s0 : s[i]));
}

void narrow_loop(void* dst, const void* src, const void*, const void*, int64_t n) {
  uint16_t* d = static_cast<uint16_t*>(dst);
  const float* s = static_cast<const float*>(src);
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W) store_half(d + i, load(s + i), vf::W);
  if (i < n) store_half(d + i, load(s + i, n - i), n - i);
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
      if (to == Elem::bf16) return u ? &cast_loop<float, Bf16, true> : &narrow_loop;
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
    default: break;  // pw_cast_rare and pw_narrow_cast have the others
  }
  return nullptr;
}

PwFn pw_round_function(Elem half, bool u) {
  if (half == Elem::bf16) return u ? &round_loop<Bf16, true> : &round_loop<Bf16, false>;
  return u ? &round_loop<F16, true> : &round_loop<F16, false>;
}

}  // namespace glia::cpu::GLIA_ISA_NS
