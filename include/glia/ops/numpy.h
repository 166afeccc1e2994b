// More of keras.ops, composed of the functions beside it: second names, NaN-aware reductions, statistics, stacking, products.
// Each is a few nodes that fuse; gradients come from those.
//
//   Value s = ops::std(x, {0});
//   Value y = ops::nan_to_num(x);
//   Value z = ops::tensordot(a, b, 2);
#pragma once
#include <optional>

#include <glia/value.h>

namespace glia::ops {

// Second names.
Value absolute(const Value& x);
Value fabs(const Value& x);  // integers become float32
Value true_divide(const Value& a, const Value& b);
Value swish(const Value& x);
Value amax(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value amin(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value bitwise_invert(const Value& x);
Value bitwise_left_shift(const Value& a, const Value& b);
Value bitwise_right_shift(const Value& a, const Value& b);
Value copy(const Value& x);
Value real(const Value& x);       // arrays here are real: x itself
Value imag(const Value& x);       // zeros
Value conj(const Value& x);
Value conjugate(const Value& x);
Value isreal(const Value& x);
Value angle(const Value& x);      // 0 for positive numbers, pi for negative ones

// Elementwise.
Value deg2rad(const Value& x);
Value rad2deg(const Value& x);
Value sinc(const Value& x);       // sin(pi x) / (pi x)
Value cbrt(const Value& x);
Value nan_to_num(const Value& x, double nan = 0.0, std::optional<double> posinf = {}, std::optional<double> neginf = {});
Value isposinf(const Value& x);
Value isneginf(const Value& x);
Value signbit(const Value& x);    // true for -0.0 as well
Value fmax(const Value& a, const Value& b);  // the other one where one is NaN
Value fmin(const Value& a, const Value& b);
Value logaddexp2(const Value& a, const Value& b);
Value isclose(const Value& a, const Value& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
Value allclose(const Value& a, const Value& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
Value heaviside(const Value& a, const Value& b);
Value divide_no_nan(const Value& a, const Value& b);  // 0 where b is 0
Value ldexp(const Value& a, const Value& b);          // a * 2^b

// Statistics over axes (all when none are named).
Value var(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);  // biased
Value std(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value ptp(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);  // max - min
Value count_nonzero(const Value& x, std::vector<int64_t> axes = {});               // int32
Value average(const Value& x, std::optional<int64_t> axis = {}, const Value& weights = {});
Value nansum(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanmean(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanmax(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanmin(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanprod(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanvar(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanstd(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nancumsum(const Value& x, int64_t axis);
Value nancumprod(const Value& x, int64_t axis);

// Shape.
Value ravel(const Value& x);
Value fliplr(const Value& x);
Value flipud(const Value& x);
Value hstack(const Values& xs);
Value vstack(const Values& xs);  // along axis 0; vectors are joined, as Keras does on TensorFlow
Value dstack(const Values& xs);
Values array_split(const Value& x, int64_t sections, int64_t axis = 0);  // nearly equal parts
Value append(const Value& a, const Value& b, std::optional<int64_t> axis = {});  // without an axis both are flattened
// k quarter turns. For k = 2 and unequal extents the numbers are those of Keras 3.15 on TensorFlow; flip() both axes for a half turn.
Value rot90(const Value& x, int64_t k = 1, int64_t axis1 = 0, int64_t axis2 = 1);
Value diff(const Value& x, int64_t n = 1, int64_t axis = -1);
Value trapezoid(const Value& y, const Value& x = {}, double dx = 1.0, int64_t axis = -1);
Values meshgrid(const Values& xs, bool matrix_indexing = false);  // indexing "xy", or "ij"
Value zeros_like(const Value& x);
Value ones_like(const Value& x);
Value full_like(const Value& x, double value);
Value identity(int64_t n, DType dtype = DType::f32);

// Products.
Value dot(const Value& a, const Value& b);
Value tensordot(const Value& a, const Value& b, int64_t axes = 2);  // the last of a with the first of b
Value tensordot(const Value& a, const Value& b, std::vector<int64_t> axes_a, std::vector<int64_t> axes_b);
Value outer(const Value& a, const Value& b);
Value inner(const Value& a, const Value& b);
Value vdot(const Value& a, const Value& b);

}  // namespace glia::ops
