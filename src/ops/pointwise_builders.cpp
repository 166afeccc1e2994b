// The public elementwise functions: dtype promotion as Keras does it, then one node.
#include <glia/ops.h>
#include <glia/ops/numbers.h>

#include <cmath>
#include <utility>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/pointwise.h"

namespace glia {
namespace {
// A number beside an integer value makes the result float32 when it is not whole, as in Keras.
std::pair<Value, Value> with_number(const Value& a, double b) {
  const bool whole = std::isfinite(b) && b == std::trunc(b);
  if (is_float(a.dtype()) || (whole && a.dtype() != DType::bool_)) return {a, ops::scalar_like(a, b)};
  DType t = whole ? DType::i32 : DType::f32;
  return {ops::cast(a, t), Tensor::scalar(b, t)};
}
}  // namespace

namespace ops {
namespace {

Value emit(const char* op, const Values& in) { return ir::apply1(pointwise_op(op), {}, in); }
Value as_float(const Value& x) { return is_float(x.dtype()) ? x : cast(x, DType::f32); }
Value unary(const char* op, const Value& x) { return emit(op, {x}); }
Value unary_float(const char* op, const Value& x) { return emit(op, {as_float(x)}); }
Value binary(const char* op, const Value& a, const Value& b, bool bool_to_int = false, bool to_float = false) {
  DType t = result_type(a.dtype(), b.dtype());
  if (t == DType::bool_ && bool_to_int) t = DType::i32;
  if (to_float && !is_float(t)) t = DType::f32;
  return emit(op, {cast(a, t), cast(b, t)});
}
Value logical(const char* op, const Value& a, const Value& b) {
  return emit(op, {cast(a, DType::bool_), cast(b, DType::bool_)});
}

}  // namespace

DType result_type(DType a, DType b) {
  if (a == b) return a;
  for (DType t : {a, b})
    GLIA_CHECK(!is_cast_only(t), "Nothing is converted to or from {} by itself. Received {} and {}; cast one of them.", dtype_name(t),
               dtype_name(a), dtype_name(b));
  auto either = [&](DType t) { return a == t || b == t; };
  if (is_float(a) || is_float(b)) {
    if (!is_float(a)) return b;
    if (!is_float(b)) return a;
    if (either(DType::f64)) return DType::f64;
    return DType::f32;  // f32 with a half type, or the two half types together
  }
  const auto is_unsigned = [](DType t) { return t == DType::bool_ || t == DType::u8 || t == DType::u16 || t == DType::u32 || t == DType::u64; };
  if (is_unsigned(a) && is_unsigned(b)) {
    if (either(DType::u64)) return DType::u32;  // Keras knows no uint64 arithmetic
    return a == DType::bool_ || (b != DType::bool_ && dtype_size(a) < dtype_size(b)) ? b : a;
  }
  if (either(DType::u64)) return DType::f32;
  if (is_unsigned(a)) std::swap(a, b);
  if (b == DType::bool_) return a;
  if (!is_unsigned(b)) return dtype_size(a) < dtype_size(b) ? b : a;
  // Signed beside unsigned: the narrowest signed type that holds both.
  const DType holder = b == DType::u8 ? DType::i16 : b == DType::u16 ? DType::i32 : DType::i64;
  return dtype_size(a) < dtype_size(holder) ? holder : a;
}

Value constant(Tensor t) { return Value(std::move(t)); }
Value scalar_like(const Value& x, double v) { return Value(Tensor::scalar(v, x.dtype())); }
Value cast(const Value& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  // A float on the way to 4 or 2 bits would not hold the lowest bits of large integers.
  const bool large = !is_float(x.dtype()) && !is_cast_only(x.dtype()) && dtype_size(x.dtype()) > 1;
  const bool part_of_byte = dtype == DType::i4 || dtype == DType::u4 || dtype == DType::i2 || dtype == DType::u2;
  if (large && part_of_byte) return cast(cast(x, DType::i8), dtype);
  return ir::apply1(ir::find_op("cast"), {{"dtype", std::string(dtype_name(dtype))}}, {x}).with_mask(x.mask());
}

Value add(const Value& a, const Value& b) { 
  if (result_type(a.dtype(), b.dtype()) == DType::bool_) return logical_or(a, b);
  return binary("add", a, b);
}
Value subtract(const Value& a, const Value& b) { return binary("sub", a, b, true); }
Value multiply(const Value& a, const Value& b) {
  if (result_type(a.dtype(), b.dtype()) == DType::bool_) return logical_and(a, b);
  return binary("mul", a, b);
}
Value divide(const Value& a, const Value& b) { return binary("div", a, b, false, true); }
Value floor_divide(const Value& a, const Value& b) {
  if (is_float(result_type(a.dtype(), b.dtype()))) return floor(divide(a, b));
  return binary("floor_div", a, b, true);
}
Value mod(const Value& a, const Value& b) { return binary("mod", a, b, true); }
Value fmod(const Value& a, const Value& b) { return binary("fmod", a, b, true); }
Value power(const Value& a, const Value& b) { return binary("pow", a, b, true); }
Value maximum(const Value& a, const Value& b) { return binary("maximum", a, b); }
Value minimum(const Value& a, const Value& b) { return binary("minimum", a, b); }
Value arctan2(const Value& a, const Value& b) { return binary("atan2", a, b, false, true); }
Value hypot(const Value& a, const Value& b) {
  if (result_type(a.dtype(), b.dtype()) == DType::i64) return binary("hypot", cast(a, DType::f64), cast(b, DType::f64));
  return binary("hypot", a, b, false, true);
}
Value logaddexp(const Value& a, const Value& b) { return binary("logaddexp", a, b, false, true); }
Value squared_difference(const Value& a, const Value& b) { return binary("squared_difference", a, b, true); }
Value negative(const Value& x) { return unary("neg", x); }
Value abs(const Value& x) { return x.dtype() == DType::bool_ ? x : unary("abs", x); }
Value sign(const Value& x) { return unary("sign", x.dtype() == DType::bool_ ? cast(x, DType::i32) : x); }
Value square(const Value& x) { return unary("square", x.dtype() == DType::bool_ ? cast(x, DType::i32) : x); }
Value sqrt(const Value& x) { return unary_float("sqrt", x); }
Value rsqrt(const Value& x) { return unary_float("rsqrt", x); }
Value reciprocal(const Value& x) { return unary_float("reciprocal", x); }
Value clip(const Value& x, double low, double high) {
  return emit("clip", {x, scalar_like(x, low), scalar_like(x, high)});
}
Value clip(const Value& x, const Value& low, const Value& high) {
  return emit("clip", {x, cast(low, x.dtype()), cast(high, x.dtype())});
}

Value exp(const Value& x) { return unary_float("exp", x); }
Value exp2(const Value& x) { return unary_float("exp2", x); }
Value expm1(const Value& x) { return unary_float("expm1", x); }
Value log(const Value& x) { return unary_float("log", x); }
Value log1p(const Value& x) { return unary_float("log1p", x); }
Value log2(const Value& x) { return unary_float("log2", x); }
Value log10(const Value& x) { return unary_float("log10", x); }
Value sin(const Value& x) { return unary_float("sin", x); }
Value cos(const Value& x) { return unary_float("cos", x); }
Value tan(const Value& x) { return unary_float("tan", x); }
Value arcsin(const Value& x) { return unary_float("asin", x); }
Value arccos(const Value& x) { return unary_float("acos", x); }
Value arctan(const Value& x) { return unary_float("atan", x); }
Value sinh(const Value& x) { return unary_float("sinh", x); }
Value cosh(const Value& x) { return unary_float("cosh", x); }
Value tanh(const Value& x) { return unary_float("tanh", x); }
Value arcsinh(const Value& x) { return unary_float("asinh", x); }
Value arccosh(const Value& x) { return unary_float("acosh", x); }
Value arctanh(const Value& x) { return unary_float("atanh", x); }
Value erf(const Value& x) { return unary_float("erf", x); }
Value erfc(const Value& x) { return unary_float("erfc", x); }
Value erfinv(const Value& x) { return unary_float("erfinv", x); }

Value relu(const Value& x) { return unary("relu", x); }
Value sigmoid(const Value& x) { return unary_float("sigmoid", x); }
Value log_sigmoid(const Value& x) { return unary_float("log_sigmoid", x); }
Value softplus(const Value& x) { return unary_float("softplus", x); }
Value silu(const Value& x) { return unary_float("silu", x); }
Value gelu(const Value& x, bool approximate) { return unary_float(approximate ? "gelu_tanh" : "gelu", x); }

Value floor(const Value& x) { return unary_float("floor", x); }
Value ceil(const Value& x) { return unary_float("ceil", x); }
Value round(const Value& x) { return unary("round", x); }
Value trunc(const Value& x) { return is_float(x.dtype()) ? unary("trunc", x) : x; }

Value equal(const Value& a, const Value& b) { return binary("eq", a, b); }
Value not_equal(const Value& a, const Value& b) { return binary("ne", a, b); }
Value less(const Value& a, const Value& b) { return binary("lt", a, b); }
Value less_equal(const Value& a, const Value& b) { return binary("le", a, b); }
Value greater(const Value& a, const Value& b) { return binary("gt", a, b); }
Value greater_equal(const Value& a, const Value& b) { return binary("ge", a, b); }
static Value number(const Value& x) { return x.dtype() == DType::bool_ ? cast(x, DType::i32) : x; }
Value isnan(const Value& x) { return unary("isnan", number(x)); }
Value isinf(const Value& x) { return unary("isinf", number(x)); }
Value isfinite(const Value& x) { return unary("isfinite", number(x)); }
Value logical_and(const Value& a, const Value& b) { return logical("logical_and", a, b); }
Value logical_or(const Value& a, const Value& b) { return logical("logical_or", a, b); }
Value logical_xor(const Value& a, const Value& b) { return logical("logical_xor", a, b); }
Value logical_not(const Value& x) { return emit("logical_not", {cast(x, DType::bool_)}); }
Value bitwise_and(const Value& a, const Value& b) { return binary("bitwise_and", a, b); }
Value bitwise_or(const Value& a, const Value& b) { return binary("bitwise_or", a, b); }
Value bitwise_xor(const Value& a, const Value& b) { return binary("bitwise_xor", a, b); }
Value bitwise_not(const Value& x) { return unary("bitwise_not", x); }
namespace {
// Keras on TensorFlow shifts by 0 to width - 1 places; what lies outside counts as the nearest of these.
Value shifted(const char* op, const Value& a, const Value& b) {
  const DType t = result_type(a.dtype(), b.dtype());
  if (t == DType::bool_) return binary(op, a, b);
  return emit(op, {cast(a, t), clip(cast(b, t), 0, static_cast<double>(8 * dtype_size(t) - 1))});
}
}  // namespace
Value left_shift(const Value& a, const Value& b) { return shifted("shift_left", a, b); }
Value right_shift(const Value& a, const Value& b) { return shifted("shift_right", a, b); }
Value where(const Value& condition, const Value& a, const Value& b) {
  DType t = result_type(a.dtype(), b.dtype());
  return emit("select", {cast(condition, DType::bool_), cast(a, t), cast(b, t)});
}

#define GLIA_NUMBER_SECOND(fn) \
  Value fn(const Value& a, double b) { auto [x, y] = with_number(a, b); return fn(x, y); }
#define GLIA_NUMBER_EITHER(fn) \
  GLIA_NUMBER_SECOND(fn)       \
  Value fn(double a, const Value& b) { auto [x, y] = with_number(b, a); return fn(y, x); }
GLIA_NUMBER_EITHER(power)
GLIA_NUMBER_EITHER(maximum)
GLIA_NUMBER_EITHER(minimum)
GLIA_NUMBER_EITHER(floor_divide)
GLIA_NUMBER_EITHER(mod)
GLIA_NUMBER_SECOND(equal)
GLIA_NUMBER_SECOND(not_equal)
Value where(const Value& condition, const Value& a, double b) { auto [x, y] = with_number(a, b); return where(condition, x, y); }
Value where(const Value& condition, double a, const Value& b) { auto [x, y] = with_number(b, a); return where(condition, y, x); }
Value where(const Value& condition, double a, double b) { return where(condition, Value(Tensor::scalar(a)), b); }

Value stop_gradient(const Value& x) { return ir::apply1(ir::find_op("stop_gradient"), {}, {x}); }

}  // namespace ops

Value operator+(const Value& a, const Value& b) { return ops::add(a, b); }
Value operator-(const Value& a, const Value& b) { return ops::subtract(a, b); }
Value operator*(const Value& a, const Value& b) { return ops::multiply(a, b); }
Value operator/(const Value& a, const Value& b) { return ops::divide(a, b); }
Value operator-(const Value& a) { return ops::negative(a); }

#define GLIA_NUMBER_OPERATOR(op, fn)                                                                          \
  Value operator op(const Value& a, double b) { auto [x, y] = with_number(a, b); return ops::fn(x, y); }
#define GLIA_NUMBER_FIRST(op, fn)                                                                             \
  Value operator op(double a, const Value& b) { auto [x, y] = with_number(b, a); return ops::fn(y, x); }
GLIA_NUMBER_OPERATOR(+, add)
GLIA_NUMBER_OPERATOR(-, subtract)
GLIA_NUMBER_OPERATOR(*, multiply)
GLIA_NUMBER_OPERATOR(/, divide)
GLIA_NUMBER_OPERATOR(>, greater)
GLIA_NUMBER_OPERATOR(<, less)
GLIA_NUMBER_OPERATOR(>=, greater_equal)
GLIA_NUMBER_OPERATOR(<=, less_equal)
GLIA_NUMBER_FIRST(+, add)
GLIA_NUMBER_FIRST(-, subtract)
GLIA_NUMBER_FIRST(*, multiply)
GLIA_NUMBER_FIRST(/, divide)

Value operator>(const Value& a, const Value& b) { return ops::greater(a, b); }
Value operator<(const Value& a, const Value& b) { return ops::less(a, b); }
Value operator>=(const Value& a, const Value& b) { return ops::greater_equal(a, b); }
Value operator<=(const Value& a, const Value& b) { return ops::less_equal(a, b); }

}  // namespace glia
