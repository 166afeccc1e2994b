#include "kernels/cpu/pointwise_loops.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

GLIA_INLINE vf k(double x) { return vf::set1(static_cast<float>(x)); }
GLIA_INLINE vf nan_or(vf x, vf y) { return select(isnan_mask(x), x, y); }
GLIA_INLINE vf vsoftplus(vf x) {
  return select(x > vf::zero(), x, nan_or(x, vf::zero())) + vlog1p(vexp(-vabs(x)));
}
constexpr double kLn2 = 0.69314718055994531;
GLIA_INLINE vf vlogaddexp(vf x, vf y) {
  vf m = nan_or(x, nan_or(y, vmax(x, y)));
  return m + select(x == y, k(kLn2), vlog1p(vexp(-vabs(x - y))));  // equal infinities have no difference
}
GLIA_INLINE vf vexp2(vf x) {
  x = vmin(k(129), vmax(k(-160), x));
  vf n = vround(x);
  return scale2(exp_in_range((x - n) * k(kLn2)), n);
}
GLIA_INLINE vf half_exp(vf x) {  // exp(x) / 2 without early overflow
  vf h = vexp(k(0.5) * x);
  return k(0.5) * h * h;
}
GLIA_INLINE vf vcosh(vf x) {
  vf h = half_exp(vabs(x));
  return h + k(0.25) / h;
}
GLIA_INLINE vf vsinh(vf x) {
  vf a = vabs(x), m = vexpm1(a);
  vf y = select(a > k(20), half_exp(a), k(0.5) * (m + m / (m + k(1))));
  return nan_or(x, copy_sign_of(x, y));
}
GLIA_INLINE vf vasinh(vf x) {
  vf a = vabs(x), a2 = a * a;
  vf y = select(a > k(1e4), vlog(a) + k(kLn2), vlog1p(a + a2 / (k(1) + vsqrt(k(1) + a2))));
  return nan_or(x, copy_sign_of(x, y));
}
GLIA_INLINE vf vacosh(vf x) {
  vf t = x - k(1);
  vf y = select(x > k(1e4), vlog(x) + k(kLn2), vlog1p(t + vsqrt(t * (t + k(2)))));
  return select(x < k(1), k(__builtin_nanf("")), y);
}
GLIA_INLINE vf vatanh(vf x) {
  vf a = vabs(x);
  return nan_or(x, copy_sign_of(x, k(0.5) * vlog1p((a + a) / (k(1) - a))));
}
GLIA_INLINE vf gelu_tanh_arg(vf x) { return k(pw::kGeluC) * x * fma(k(0.044715) * x, x, k(1)); }
GLIA_INLINE vf vdgelu_tanh(vf x) {
  vf t = vtanh(gelu_tanh_arg(x)), du = k(pw::kGeluC) * fma(k(3 * 0.044715) * x, x, k(1));
  return k(0.5) * fma(x * fnma(t, t, k(1)), du, k(1) + t);
}
GLIA_INLINE vf vdsilu(vf x) {
  vf s = vsigmoid(x);
  return s * fma(x, k(1) - s, k(1));
}

// f32 operations written with vectors, where the compiler's own loop would call libm.
#define GLIA_POINTWISE_VECTOR_F32(X)                                             \
  X(clip, nan_or(c, nan_or(b, vmin(c, vmax(b, a)))))                                  \
  X(logaddexp, vlogaddexp(a, b))                                                 \
  X(exp, vexp(a))                                                                \
  X(exp2, vexp2(a))                                                              \
  X(tan, vsin(a) / vcos(a))                                                      \
  X(sinh, vsinh(a))                                                              \
  X(cosh, vcosh(a))                                                              \
  X(asinh, vasinh(a))                                                            \
  X(acosh, vacosh(a))                                                            \
  X(atanh, vatanh(a))                                                            \
  X(expm1, vexpm1(a))                                                            \
  X(log, vlog(a))                                                                \
  X(log1p, vlog1p(a))                                                            \
  X(log2, vlog(a) * k(1.4426950408889634))                                       \
  X(log10, vlog(a) * k(0.43429448190325183))                                     \
  X(sin, vsin(a))                                                                \
  X(cos, vcos(a))                                                                \
  X(tanh, vtanh(a))                                                              \
  X(erf, verf(a))                                                                \
  X(sigmoid, vsigmoid(a))                                                        \
  X(log_sigmoid, -vsoftplus(-a))                                                 \
  X(softplus, vsoftplus(a))                                                      \
  X(silu, a * vsigmoid(a))                                                       \
  X(gelu, vgelu(a))                                                              \
  X(gelu_tanh, k(0.5) * a * (k(1) + vtanh(gelu_tanh_arg(a))))                    \
  X(gelu_grad, b * vgelu_grad(a))                                                \
  X(gelu_tanh_grad, b * vdgelu_tanh(a))                                          \
  X(silu_grad, b * vdsilu(a))                                                    \
  X(pow, vpow(a, b))

#define X(name, ...)                                                             \
  struct Vf_##name {                                                             \
    static constexpr int arity = Pw_##name::arity;                               \
    static inline __attribute__((always_inline)) vf apply([[maybe_unused]] vf a, [[maybe_unused]] vf b, [[maybe_unused]] vf c) { return __VA_ARGS__; } \
  };
GLIA_POINTWISE_VECTOR_F32(X)
#undef X

template <class Op, int U>
void vf_loop(void* dst, const void* pa, const void* pb, const void* pc, int64_t n) {
  constexpr bool still_b = Op::arity < 2 || (U & 2), still_c = Op::arity < 3 || (U & 4);
  float* d = static_cast<float*>(dst);
  const float *a = static_cast<const float*>(pa), *b = static_cast<const float*>(pb), *c = static_cast<const float*>(pc);
  const vf a0 = (U & 1) ? vf::set1(*a) : vf::zero(), b0 = (U & 2) ? vf::set1(*b) : vf::zero();
  const vf c0 = (U & 4) ? vf::set1(*c) : vf::zero();
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W)
    store(d + i, Op::apply((U & 1) ? a0 : load(a + i), still_b ? b0 : load(b + i), still_c ? c0 : load(c + i)));
  if (int64_t r = n - i; r > 0)
    store(d + i, Op::apply((U & 1) ? a0 : load(a + i, r), still_b ? b0 : load(b + i, r), still_c ? c0 : load(c + i, r)), r);
}

template <class Op>
PwFn vf_pick(int u) {
  if (u == 0) return &vf_loop<Op, 0>;
  if constexpr (Op::arity >= 2) {
    if (u == 1) return &vf_loop<Op, 1>;
    if (u == 2) return &vf_loop<Op, 2>;
  }
  if constexpr (Op::arity == 3) {
    if (u == 3) return &vf_loop<Op, 3>;
    if (u == 4) return &vf_loop<Op, 4>;
    if (u == 5) return &vf_loop<Op, 5>;
    if (u == 6) return &vf_loop<Op, 6>;
  }
  return nullptr;
}

}  // namespace

PwFn pw_function_f32(PwOp op, int uniform) {
  switch (op) {
#define X(name, ...) \
    case PwOp::name: return vf_pick<Vf_##name>(uniform);
    GLIA_POINTWISE_VECTOR_F32(X)
#undef X
    default: return pw_find_function<float>(op, uniform);
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
