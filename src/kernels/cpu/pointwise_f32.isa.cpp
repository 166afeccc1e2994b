#include "kernels/cpu/pointwise_loops.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

GLIA_INLINE vf c(double x) { return vf::set1(static_cast<float>(x)); }
GLIA_INLINE vf nan_or(vf x, vf y) { return select(isnan_mask(x), x, y); }
GLIA_INLINE vf vsoftplus(vf x) {
  return select(x > vf::zero(), x, nan_or(x, vf::zero())) + vlog1p(vexp(-vabs(x)));
}
GLIA_INLINE vf gelu_tanh_arg(vf x) { return c(pw::kGeluC) * x * fma(c(0.044715) * x, x, c(1)); }
GLIA_INLINE vf vdgelu(vf x) {
  vf cdf = c(0.5) * (c(1) + verf(x * c(0.70710678118654752)));
  return fma(x * c(pw::kInvSqrt2Pi), vexp(c(-0.5) * x * x), cdf);
}
GLIA_INLINE vf vdgelu_tanh(vf x) {
  vf t = vtanh(gelu_tanh_arg(x)), du = c(pw::kGeluC) * fma(c(3 * 0.044715) * x, x, c(1));
  return c(0.5) * fma(x * fnma(t, t, c(1)), du, c(1) + t);
}
GLIA_INLINE vf vdsilu(vf x) {
  vf s = vsigmoid(x);
  return s * fma(x, c(1) - s, c(1));
}

// f32 operations written with vectors, where the compiler's own loop would call libm.
#define GLIA_POINTWISE_VECTOR_F32(X)                                             \
  X(exp, vexp(a))                                                                \
  X(expm1, vexpm1(a))                                                            \
  X(log, vlog(a))                                                                \
  X(log1p, vlog1p(a))                                                            \
  X(log2, vlog(a) * c(1.4426950408889634))                                       \
  X(log10, vlog(a) * c(0.43429448190325183))                                     \
  X(sin, vsin(a))                                                                \
  X(cos, vcos(a))                                                                \
  X(tanh, vtanh(a))                                                              \
  X(erf, verf(a))                                                                \
  X(sigmoid, vsigmoid(a))                                                        \
  X(log_sigmoid, -vsoftplus(-a))                                                 \
  X(softplus, vsoftplus(a))                                                      \
  X(silu, a * vsigmoid(a))                                                       \
  X(gelu, c(0.5) * a * (c(1) + verf(a * c(0.70710678118654752))))                \
  X(gelu_tanh, c(0.5) * a * (c(1) + vtanh(gelu_tanh_arg(a))))                    \
  X(gelu_grad, b * vdgelu(a))                                                    \
  X(gelu_tanh_grad, b * vdgelu_tanh(a))                                          \
  X(silu_grad, b * vdsilu(a))                                                    \
  X(pow, vpow(a, b))

#define X(name, ...)                                                             \
  struct Vf_##name {                                                             \
    static constexpr int arity = Pw_##name::arity;                               \
    static inline __attribute__((always_inline)) vf apply([[maybe_unused]] vf a, [[maybe_unused]] vf b) { return __VA_ARGS__; } \
  };
GLIA_POINTWISE_VECTOR_F32(X)
#undef X

template <class Op, int U>
void vf_loop(void* dst, const void* pa, const void* pb, const void*, int64_t n) {
  constexpr bool two = Op::arity == 2;
  float* d = static_cast<float*>(dst);
  const float *a = static_cast<const float*>(pa), *b = static_cast<const float*>(pb);
  const vf a0 = (U & 1) ? vf::set1(*a) : vf::zero(), b0 = (U & 2) ? vf::set1(*b) : vf::zero();
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W)
    store(d + i, Op::apply((U & 1) ? a0 : load(a + i), !two || (U & 2) ? b0 : load(b + i)));
  if (int64_t rest = n - i; rest > 0)
    store(d + i, Op::apply((U & 1) ? a0 : load(a + i, rest), !two || (U & 2) ? b0 : load(b + i, rest)), rest);
}

template <class Op>
PwFn vf_pick(int u) {
  if (u == 0) return &vf_loop<Op, 0>;
  if constexpr (Op::arity == 2) {
    if (u == 1) return &vf_loop<Op, 1>;
    if (u == 2) return &vf_loop<Op, 2>;
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
