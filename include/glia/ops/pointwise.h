// Elementwise operations, named and promoted as keras.ops does; NumPy broadcasting. Each works on symbolic and concrete
// values alike and is differentiable unless it returns bool or integers.
//
//   Value y = ops::relu(x * w + b);
//   Value m = ops::where(x > 0.0, x, ops::exp(x) - 1.0);
#pragma once
#include <glia/value.h>

namespace glia {
namespace ops {

Value constant(Tensor t);
Value scalar_like(const Value& x, double v);  // a scalar of x's dtype
Value cast(const Value& x, DType dtype);

// Arithmetic. Operands of different dtypes are promoted: bool < integers < floats, as keras.backend.result_type.
Value add(const Value& a, const Value& b);
Value subtract(const Value& a, const Value& b);
Value multiply(const Value& a, const Value& b);
Value divide(const Value& a, const Value& b);         // true division: integers give float32
Value floor_divide(const Value& a, const Value& b);
Value mod(const Value& a, const Value& b);            // sign of b
Value fmod(const Value& a, const Value& b);           // sign of a
Value power(const Value& a, const Value& b);
Value maximum(const Value& a, const Value& b);        // NaN if either is
Value minimum(const Value& a, const Value& b);
Value arctan2(const Value& a, const Value& b);
Value hypot(const Value& a, const Value& b);
Value logaddexp(const Value& a, const Value& b);
Value squared_difference(const Value& a, const Value& b);
Value negative(const Value& x);
Value abs(const Value& x);
Value sign(const Value& x);
Value square(const Value& x);
Value sqrt(const Value& x);
Value rsqrt(const Value& x);
Value reciprocal(const Value& x);
Value clip(const Value& x, double low, double high);
Value clip(const Value& x, const Value& low, const Value& high);

// Exponentials, logarithms, trigonometry; integers are cast to float32 first.
Value exp(const Value& x);
Value exp2(const Value& x);
Value expm1(const Value& x);
Value log(const Value& x);
Value log1p(const Value& x);
Value log2(const Value& x);
Value log10(const Value& x);
Value sin(const Value& x);
Value cos(const Value& x);
Value tan(const Value& x);
Value arcsin(const Value& x);
Value arccos(const Value& x);
Value arctan(const Value& x);
Value sinh(const Value& x);
Value cosh(const Value& x);
Value tanh(const Value& x);
Value arcsinh(const Value& x);
Value arccosh(const Value& x);
Value arctanh(const Value& x);
Value erf(const Value& x);
Value erfc(const Value& x);
Value erfinv(const Value& x);

// Activations.
Value relu(const Value& x);
Value sigmoid(const Value& x);
Value log_sigmoid(const Value& x);
Value softplus(const Value& x);
Value silu(const Value& x);
Value gelu(const Value& x, bool approximate = true);  // keras.ops.gelu's default; the activation "gelu" is exact

// Rounding.
Value floor(const Value& x);
Value ceil(const Value& x);
Value round(const Value& x);  // half to even
Value trunc(const Value& x);

// Comparisons and logic: bool results.
Value equal(const Value& a, const Value& b);
Value not_equal(const Value& a, const Value& b);
Value less(const Value& a, const Value& b);
Value less_equal(const Value& a, const Value& b);
Value greater(const Value& a, const Value& b);
Value greater_equal(const Value& a, const Value& b);
Value isnan(const Value& x);
Value isinf(const Value& x);
Value isfinite(const Value& x);
Value logical_and(const Value& a, const Value& b);
Value logical_or(const Value& a, const Value& b);
Value logical_xor(const Value& a, const Value& b);
Value logical_not(const Value& x);
Value bitwise_and(const Value& a, const Value& b);
Value bitwise_or(const Value& a, const Value& b);
Value bitwise_xor(const Value& a, const Value& b);
Value bitwise_not(const Value& x);
Value left_shift(const Value& a, const Value& b);
Value right_shift(const Value& a, const Value& b);
Value where(const Value& condition, const Value& a, const Value& b);

Value stop_gradient(const Value& x);  // identity with zero gradient
DType result_type(DType a, DType b);  // keras.backend.result_type for the dtypes that Glia has

}  // namespace ops

Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator-(const Value& a);
Value operator+(const Value& a, double b);  // the number takes the value's dtype
Value operator-(const Value& a, double b);
Value operator*(const Value& a, double b);
Value operator/(const Value& a, double b);
Value operator+(double a, const Value& b);
Value operator-(double a, const Value& b);
Value operator*(double a, const Value& b);
Value operator/(double a, const Value& b);
Value operator>(const Value& a, const Value& b);
Value operator<(const Value& a, const Value& b);
Value operator>=(const Value& a, const Value& b);
Value operator<=(const Value& a, const Value& b);
Value operator>(const Value& a, double b);
Value operator<(const Value& a, double b);
Value operator>=(const Value& a, double b);
Value operator<=(const Value& a, double b);

}  // namespace glia
