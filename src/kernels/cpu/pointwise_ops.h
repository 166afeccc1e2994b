// The one table of pointwise operations. Everything else derives from it: the PwOp enum, names, arity, type rules (used
// by the op layer too), the scalar loops for every type. Vector versions for f32 are named in pointwise_f32.isa.cpp.
//
//   X(name, arity, domain, result, cost, expression of a, b, c (all of type T))
//
// domain: which element types the operands may have:
//   num   f32 f64 i32 i64 u8 i8 (bf16 and f16 compute in f32)    flt  floats only
//   all   num and bool                                            int  i32 i64 u8 i8 bool      log  bool only
// result: same (the operand type) or bool (bool_). cost: rough nanoseconds per 16 elements of f32, for the thread split.
// `select` is the exception: operand a is bool, b and c share a type of domain all, which is the result type.
#pragma once

#define GLIA_POINTWISE_OPS_BUT_SELECT(X)                                                                       \
  /* arithmetic */                                                                                  \
  X(add, 2, num, same, 1, pw::add(a, b))                                                            \
  X(sub, 2, num, same, 1, pw::sub(a, b))                                                            \
  X(mul, 2, num, same, 1, pw::mul(a, b))                                                            \
  X(div, 2, num, same, 2, pw::div(a, b)) /* ints: toward zero, x/0 = 0 */                           \
  X(fma, 3, num, same, 1, pw::add(pw::mul(a, b), c))                                                \
  X(fnma, 3, num, same, 1, pw::sub(c, pw::mul(a, b)))                                               \
  X(lerp, 3, flt, same, 1, a + (b - a) * c)                                                         \
  X(squared_difference, 2, num, same, 1, pw::mul(pw::sub(a, b), pw::sub(a, b)))                     \
  X(neg, 1, num, same, 1, pw::neg(a))                                                               \
  X(abs, 1, num, same, 1, pw::abs(a))                                                               \
  X(sign, 1, num, same, 1, pw::sign(a))                                                             \
  X(square, 1, num, same, 1, pw::mul(a, a))                                                         \
  X(sqrt, 1, flt, same, 3, pw::sqrt(a))                                                             \
  X(rsqrt, 1, flt, same, 4, T(1) / pw::sqrt(a))                                                     \
  X(reciprocal, 1, num, same, 2, pw::div(T(1), a))                                                  \
  X(maximum, 2, all, same, 1, pw::maximum(a, b)) /* NaN if either is */                             \
  X(minimum, 2, all, same, 1, pw::minimum(a, b))                                                    \
  X(clip, 3, num, same, 1, pw::minimum(pw::maximum(a, b), c)) /* x, low, high */                    \
  X(pow, 2, num, same, 20, pw::pow(a, b))                                                           \
  X(mod, 2, num, same, 6, pw::mod(a, b))       /* sign of b (Python) */                             \
  X(fmod, 2, num, same, 6, pw::fmod(a, b))     /* sign of a (C) */                                  \
  X(floor_div, 2, num, same, 3, pw::floor_div(a, b))                                                \
  X(atan2, 2, flt, same, 15, pw::atan2(a, b))                                                       \
  X(hypot, 2, flt, same, 4, pw::hypot(a, b))                                                        \
  /* exponentials and logarithms */                                                                 \
  X(exp, 1, flt, same, 4, pw::exp(a))                                                               \
  X(exp2, 1, flt, same, 5, pw::exp2(a))                                                             \
  X(expm1, 1, flt, same, 6, pw::expm1(a))                                                           \
  X(log, 1, flt, same, 5, pw::log(a))                                                               \
  X(log1p, 1, flt, same, 6, pw::log1p(a))                                                           \
  X(log2, 1, flt, same, 5, pw::log2(a))                                                             \
  X(log10, 1, flt, same, 5, pw::log10(a))                                                           \
  X(logaddexp, 2, flt, same, 12, pw::logaddexp(a, b))                                               \
  /* trigonometric and hyperbolic */                                                                \
  X(sin, 1, flt, same, 10, pw::sin(a))                                                              \
  X(cos, 1, flt, same, 10, pw::cos(a))                                                              \
  X(tan, 1, flt, same, 15, pw::tan(a))                                                              \
  X(asin, 1, flt, same, 15, pw::asin(a))                                                            \
  X(acos, 1, flt, same, 15, pw::acos(a))                                                            \
  X(atan, 1, flt, same, 15, pw::atan(a))                                                            \
  X(sinh, 1, flt, same, 15, pw::sinh(a))                                                            \
  X(cosh, 1, flt, same, 15, pw::cosh(a))                                                            \
  X(tanh, 1, flt, same, 5, pw::tanh(a))                                                             \
  X(asinh, 1, flt, same, 15, pw::asinh(a))                                                          \
  X(acosh, 1, flt, same, 15, pw::acosh(a))                                                          \
  X(atanh, 1, flt, same, 15, pw::atanh(a))                                                          \
  /* special functions and activations */                                                           \
  X(erf, 1, flt, same, 8, pw::erf(a))                                                               \
  X(erfc, 1, flt, same, 20, pw::erfc(a))                                                            \
  X(erfinv, 1, flt, same, 20, pw::erfinv(a))                                                        \
  X(lgamma, 1, flt, same, 40, pw::lgamma(a))                                                        \
  X(digamma, 1, flt, same, 40, pw::digamma(a))                                                      \
  X(sigmoid, 1, flt, same, 5, pw::sigmoid(a))                                                       \
  X(log_sigmoid, 1, flt, same, 10, -pw::softplus(-a))                                               \
  X(softplus, 1, flt, same, 10, pw::softplus(a)) /* log(1 + e^x) */                                 \
  X(silu, 1, flt, same, 5, a * pw::sigmoid(a))                                                      \
  X(relu, 1, num, same, 1, pw::relu(a)) /* NaN stays NaN */                                         \
  X(gelu, 1, flt, same, 9, T(0.5) * a * (T(1) + pw::erf(a * T(0.70710678118654752))))               \
  X(gelu_tanh, 1, flt, same, 7, pw::gelu_tanh(a))                                                   \
  /* gradients worth one instruction: y or x first, then dy */                                      \
  X(relu_grad, 2, num, same, 1, a > T(0) ? b : T(0))         /* x or y, dy */                       \
  X(sigmoid_grad, 2, flt, same, 1, b * a * (T(1) - a))       /* y, dy */                            \
  X(tanh_grad, 2, flt, same, 1, b * (T(1) - a * a))          /* y, dy */                            \
  X(gelu_grad, 2, flt, same, 14, b * pw::dgelu(a))           /* x, dy */                            \
  X(gelu_tanh_grad, 2, flt, same, 10, b * pw::dgelu_tanh(a)) /* x, dy */                            \
  X(silu_grad, 2, flt, same, 7, b * pw::dsilu(a))            /* x, dy */                            \
  /* rounding */                                                                                    \
  X(floor, 1, num, same, 1, pw::floor(a))                                                           \
  X(ceil, 1, num, same, 1, pw::ceil(a))                                                             \
  X(round, 1, num, same, 1, pw::round(a)) /* half to even */                                        \
  X(trunc, 1, num, same, 1, pw::trunc(a))                                                           \
  /* comparisons and tests */                                                                       \
  X(eq, 2, all, bool_, 1, a == b)                                                                   \
  X(ne, 2, all, bool_, 1, a != b)                                                                   \
  X(lt, 2, all, bool_, 1, a < b)                                                                    \
  X(le, 2, all, bool_, 1, a <= b)                                                                   \
  X(gt, 2, all, bool_, 1, a > b)                                                                    \
  X(ge, 2, all, bool_, 1, a >= b)                                                                   \
  X(isnan, 1, num, bool_, 1, a != a)                                                                \
  X(isinf, 1, num, bool_, 1, pw::isinf(a))                                                          \
  X(isfinite, 1, num, bool_, 1, pw::isfinite(a))                                                    \
  X(logical_and, 2, log, bool_, 1, a && b)                                                          \
  X(logical_or, 2, log, bool_, 1, a || b)                                                           \
  X(logical_xor, 2, log, bool_, 1, (a != 0) != (b != 0))                                            \
  X(logical_not, 1, log, bool_, 1, !a)                                                              \
  /* bits; bool counts as one bit */                                                                \
  X(bitwise_and, 2, int, same, 1, T(a & b))                                                         \
  X(bitwise_or, 2, int, same, 1, T(a | b))                                                          \
  X(bitwise_xor, 2, int, same, 1, T(a ^ b))                                                         \
  X(bitwise_not, 1, int, same, 1, pw::bitwise_not(a))                                               \
  X(shift_left, 2, int, same, 1, pw::shift_left(a, b))                                              \
  X(shift_right, 2, int, same, 1, pw::shift_right(a, b)) /* arithmetic; too far: 0 or -1 */

#define GLIA_POINTWISE_OPS(X)      \
  GLIA_POINTWISE_OPS_BUT_SELECT(X) \
  X(select, 3, all, same, 1, a ? b : c)
