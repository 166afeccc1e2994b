// Elementwise functions composed of others; names and edge cases as keras.ops on TensorFlow.
#include <glia/ops.h>

#include "ops/compose.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace glia::ops {
namespace {
constexpr double kPi = std::numbers::pi;
double largest(DType t) {
  if (t == DType::f64) return std::numeric_limits<double>::max();
  if (t == DType::f16) return 65504.0;
  return t == DType::bf16 ? 3.3895313892515355e38 : static_cast<double>(std::numeric_limits<float>::max());
}
}  // namespace

Value absolute(const Value& x) { return abs(x); }
Value fabs(const Value& x) { return abs(as_float(x)); }
Value true_divide(const Value& a, const Value& b) { return divide(a, b); }
Value swish(const Value& x) { return silu(x); }
Value bitwise_invert(const Value& x) { return bitwise_not(x); }
Value bitwise_left_shift(const Value& a, const Value& b) { return left_shift(a, b); }
Value bitwise_right_shift(const Value& a, const Value& b) { return right_shift(a, b); }
Value copy(const Value& x) { return x; }
Value real(const Value& x) { return x; }
Value imag(const Value& x) { return zeros(x.shape(), x.dtype()); }
Value conj(const Value& x) { return x; }
Value conjugate(const Value& x) { return x; }
Value isreal(const Value& x) { return full(x.shape(), 1, DType::bool_); }
Value angle(const Value& given) {
  Value x = as_float(given);
  return where(less(x, scalar_like(x, 0)), scalar_like(x, kPi), scalar_like(x, 0));  // 0 for NaN, as TensorFlow
}

namespace {
Value as_wide_float(const Value& x) { return x.dtype() == DType::i64 ? cast(x, DType::f64) : as_float(x); }
}  // namespace
Value deg2rad(const Value& x) { return as_wide_float(x) * (kPi / 180.0); }
Value rad2deg(const Value& x) { return as_wide_float(x) * (180.0 / kPi); }
Value sinc(const Value& given) {
  Value x = as_float(given);
  Value scaled = x * kPi;  // as in Keras on TensorFlow the gradient at 0 is NaN
  return where(equal(x, scalar_like(x, 0)), scalar_like(x, 1), sin(scaled) / scaled);
}
Value cbrt(const Value& given) {
  Value x = given.dtype() == DType::i64 ? cast(given, DType::f64) : as_float(given);
  return sign(x) * power(abs(x), scalar_like(x, 1.0 / 3.0));
}
Value nan_to_num(const Value& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  if (!is_float(x.dtype())) return x;
  const double top = largest(x.dtype());
  Value y = where(isnan(x), scalar_like(x, nan), x);
  y = where(isposinf(x), scalar_like(x, posinf.value_or(top)), y);
  return where(isneginf(x), scalar_like(x, neginf.value_or(-top)), y);
}
Value isposinf(const Value& x) { return logical_and(isinf(x), greater(x, scalar_like(x, 0))); }
Value isneginf(const Value& x) { return logical_and(isinf(x), less(x, scalar_like(x, 0))); }
Value signbit(const Value& x) {
  Value negative_number = less(x, scalar_like(x, 0));
  if (!is_float(x.dtype())) return negative_number;
  Value zero = equal(x, scalar_like(x, 0));
  return logical_or(negative_number, logical_and(zero, less(reciprocal(x), scalar_like(x, 0))));
}
Value fmax(const Value& a, const Value& b) {
  if (!is_float(result_type(a.dtype(), b.dtype()))) return maximum(a, b);
  return where(isnan(a), b, where(isnan(b), a, maximum(a, b)));
}
Value fmin(const Value& a, const Value& b) {
  if (!is_float(result_type(a.dtype(), b.dtype()))) return minimum(a, b);
  return where(isnan(a), b, where(isnan(b), a, minimum(a, b)));
}
Value logaddexp2(const Value& a, const Value& b) {
  const DType both = result_type(a.dtype(), b.dtype()), t = is_float(both) ? both : DType::f32;
  return logaddexp(cast(a, t) * std::numbers::ln2, cast(b, t) * std::numbers::ln2) / std::numbers::ln2;
}
Value isclose(const Value& given_a, const Value& given_b, double rtol, double atol, bool equal_nan) {
  const DType t = result_type(given_a.dtype(), given_b.dtype());
  Value a = cast(given_a, t), b = cast(given_b, t);
  if (!is_float(t)) return equal(a, b);
  Value close = less_equal(abs(a - b), abs(b) * rtol + atol);  // so two infinities are not close, as in Keras on TensorFlow
  return equal_nan ? logical_or(close, logical_and(isnan(a), isnan(b))) : close;
}
Value allclose(const Value& a, const Value& b, double rtol, double atol, bool equal_nan) {
  return all(isclose(a, b, rtol, atol, equal_nan));
}
Value heaviside(const Value& a, const Value& b) {
  DType t = result_type(a.dtype(), b.dtype());
  if (!is_float(t)) t = t == DType::i64 ? DType::f64 : DType::f32;
  Value x = cast(a, t), zero = scalar_like(x, 0);
  return where(less(x, zero), zero, where(greater(x, zero), scalar_like(x, 1), cast(b, t)));
}
Value divide_no_nan(const Value& a, const Value& b) {
  Value zero = equal(b, scalar_like(b, 0)), safe = where(zero, scalar_like(b, 1), b);
  Value q = divide(a, safe);
  return where(zero, scalar_like(q, 0), q);
}
Value ldexp(const Value& a, const Value& b) { return as_float(a) * exp2(cast(b, as_float(a).dtype())); }

}  // namespace glia::ops
