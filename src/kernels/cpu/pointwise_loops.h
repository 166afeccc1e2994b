// Loops of the pointwise machine over one element type T, made from the table. Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/pointwise_fn.h"
#include "kernels/cpu/pointwise_scalar.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

#define PW_RESULT_same(T) T
#define PW_RESULT_bool_(T) uint8_t
#define X(name, arity_, domain, result, cost, ...)                                        \
  struct Pw_##name {                                                                      \
    static constexpr int arity = arity_;                                                  \
    template <class T>                                                                    \
    static inline __attribute__((always_inline)) PW_RESULT_##result(T)                    \
        apply([[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T c) {         \
      return static_cast<PW_RESULT_##result(T)>(__VA_ARGS__);                             \
    }                                                                                     \
    template <class T> using Result = PW_RESULT_##result(T);                              \
  };
GLIA_POINTWISE_OPS_BUT_SELECT(X)
#undef X

template <class T, class Op, int U>
void pw_loop(void* dst, const void* pa, const void* pb, const void* pc, int64_t n) {
  using R = typename Op::template Result<T>;
  R* d = static_cast<R*>(dst);
  const T* a = static_cast<const T*>(pa);
  if constexpr (Op::arity == 1) {
    GLIA_IVDEP
    for (int64_t i = 0; i < n; ++i) d[i] = Op::template apply<T>(a[i], T(), T());
  } else if constexpr (Op::arity == 2) {
    const T* b = static_cast<const T*>(pb);
    const T a0 = (U & 1) ? *a : T(), b0 = (U & 2) ? *b : T();
    GLIA_IVDEP
    for (int64_t i = 0; i < n; ++i) d[i] = Op::template apply<T>((U & 1) ? a0 : a[i], (U & 2) ? b0 : b[i], T());
  } else {
    const T *b = static_cast<const T*>(pb), *c = static_cast<const T*>(pc);
    const T a0 = (U & 1) ? *a : T(), b0 = (U & 2) ? *b : T(), c0 = (U & 4) ? *c : T();
    GLIA_IVDEP
    for (int64_t i = 0; i < n; ++i)
      d[i] = Op::template apply<T>((U & 1) ? a0 : a[i], (U & 2) ? b0 : b[i], (U & 4) ? c0 : c[i]);
  }
}

template <class T, int U>
void pw_select_loop(void* dst, const void* pa, const void* pb, const void* pc, int64_t n) {
  T* d = static_cast<T*>(dst);
  const uint8_t* a = static_cast<const uint8_t*>(pa);
  const T *b = static_cast<const T*>(pb), *c = static_cast<const T*>(pc);
  const uint8_t a0 = (U & 1) ? *a : uint8_t();
  const T b0 = (U & 2) ? *b : T(), c0 = (U & 4) ? *c : T();
  GLIA_IVDEP
  for (int64_t i = 0; i < n; ++i) {
    T y = (U & 2) ? b0 : b[i], z = (U & 4) ? c0 : c[i];
    d[i] = ((U & 1) ? a0 : a[i]) ? y : z;
  }
}

template <class T, class Op>
PwFn pw_pick(int u) {
  if constexpr (Op::arity == 1) return u == 0 ? &pw_loop<T, Op, 0> : nullptr;
  else if constexpr (Op::arity == 2)
    return u == 0 ? &pw_loop<T, Op, 0> : u == 1 ? &pw_loop<T, Op, 1> : u == 2 ? &pw_loop<T, Op, 2> : nullptr;
  else
    switch (u) {
      case 0: return &pw_loop<T, Op, 0>;
      case 1: return &pw_loop<T, Op, 1>;
      case 2: return &pw_loop<T, Op, 2>;
      case 3: return &pw_loop<T, Op, 3>;
      case 4: return &pw_loop<T, Op, 4>;
      case 5: return &pw_loop<T, Op, 5>;
      case 6: return &pw_loop<T, Op, 6>;
      default: return nullptr;
    }
}
template <class T>
PwFn pw_pick_select(int u) {
  switch (u) {
    case 0: return &pw_select_loop<T, 0>;
    case 1: return &pw_select_loop<T, 1>;
    case 2: return &pw_select_loop<T, 2>;
    case 3: return &pw_select_loop<T, 3>;
    case 4: return &pw_select_loop<T, 4>;
    case 5: return &pw_select_loop<T, 5>;
    case 6: return &pw_select_loop<T, 6>;
    default: return nullptr;
  }
}

// Which domains a type belongs to. (u8 stands for itself and, in pw_function_bool, for bool.)
template <class T> constexpr bool pw_has_num = true;
template <class T> constexpr bool pw_has_flt = !std::is_integral_v<T>;
template <class T> constexpr bool pw_has_all = true;
template <class T> constexpr bool pw_has_int = std::is_integral_v<T>;
template <class T> constexpr bool pw_has_log = false;

template <class T>
PwFn pw_find_function(PwOp op, int u) {
  switch (op) {
    case PwOp::select: return pw_pick_select<T>(u);
#define X(name, arity, domain, ...)                                     \
    case PwOp::name:                                                    \
      if constexpr (pw_has_##domain<T>)                                   \
        return pw_pick<T, Pw_##name>(u);                                \
      else                                                              \
        return nullptr;
    GLIA_POINTWISE_OPS_BUT_SELECT(X)
#undef X
    default: return nullptr;
  }
}

}  // namespace
}  // namespace glia::cpu::GLIA_ISA_NS
