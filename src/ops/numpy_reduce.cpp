// Statistics and NaN-aware reductions composed of the plain ones.
#include <glia/ops.h>

#include <cmath>
#include <limits>

#include "ops/compose.h"

namespace glia::ops {
namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();
// x with its NaNs replaced; arrays of other types have none.
Value without_nan(const Value& x, double value) { return is_float(x.dtype()) ? where(isnan(x), scalar_like(x, value), x) : x; }
Value count_numbers(const Value& x, const Axes& axes, bool keepdims) {
  return sum(cast(logical_not(isnan(x)), x.dtype()), axes, keepdims);
}
}  // namespace

Value amax(const Value& x, Axes axes, bool keepdims) { return max(x, std::move(axes), keepdims); }
Value amin(const Value& x, Axes axes, bool keepdims) { return min(x, std::move(axes), keepdims); }

Value var(const Value& given, Axes axes, bool keepdims) {
  Value x = as_float(given);
  return mean(square(x - mean(x, axes, true)), axes, keepdims);
}
Value std(const Value& x, Axes axes, bool keepdims) { return sqrt(var(x, std::move(axes), keepdims)); }
Value ptp(const Value& x, Axes axes, bool keepdims) { return max(x, axes, keepdims) - min(x, axes, keepdims); }
Value count_nonzero(const Value& x, Axes axes) {
  return sum(cast(not_equal(x, scalar_like(x, 0)), DType::i32), std::move(axes), false);
}
Value average(const Value& given, std::optional<int64_t> axis, const Value& weights) {
  Value x = as_float(given);
  const Axes axes = axis ? Axes{*axis} : Axes{};
  if (!weights.defined()) return mean(x, axes);
  x = cast(x, result_type(x.dtype(), weights.dtype()));
  Value w = cast(weights, x.dtype());
  if (w.rank() == 1 && x.rank() > 1) {  // along the axis
    GLIA_CHECK(axis, "average: weights of rank 1 need an axis. Received x of shape {}.", to_string(x.shape()));
    Shape shape(static_cast<std::size_t>(x.rank()), 1);
    shape[static_cast<std::size_t>(*axis < 0 ? *axis + x.rank() : *axis)] = w.dim(0);
    w = reshape(w, shape);
  }
  return sum(x * w, axes) / sum(broadcast_to(w, x.shape()), axes);
}

Value nansum(const Value& x, Axes axes, bool keepdims) { return sum(without_nan(x, 0), std::move(axes), keepdims); }
Value nanprod(const Value& x, Axes axes, bool keepdims) { return prod(without_nan(x, 1), std::move(axes), keepdims); }
Value nanmean(const Value& given, Axes axes, bool keepdims) {
  Value x = as_float(given);
  return nansum(x, axes, keepdims) / count_numbers(x, axes, keepdims);
}
// NaN where there is nothing but NaN.
Value nanmax(const Value& x, Axes axes, bool keepdims) {
  if (!is_float(x.dtype())) return max(x, std::move(axes), keepdims);
  Value y = max(without_nan(x, -kInf), axes, keepdims);
  return where(equal(count_numbers(x, axes, keepdims), scalar_like(x, 0)), scalar_like(x, NAN), y);
}
Value nanmin(const Value& x, Axes axes, bool keepdims) {
  if (!is_float(x.dtype())) return min(x, std::move(axes), keepdims);
  Value y = min(without_nan(x, kInf), axes, keepdims);
  return where(equal(count_numbers(x, axes, keepdims), scalar_like(x, 0)), scalar_like(x, NAN), y);
}
Value nanvar(const Value& given, Axes axes, bool keepdims) {
  Value x = as_float(given);
  Value deviation = without_nan(x - nanmean(x, axes, true), 0);
  return sum(square(deviation), axes, keepdims) / count_numbers(x, axes, keepdims);
}
Value nanstd(const Value& x, Axes axes, bool keepdims) { return sqrt(nanvar(x, std::move(axes), keepdims)); }
Value nancumsum(const Value& x, int64_t axis) { return cumsum(without_nan(x, 0), axis); }
Value nancumprod(const Value& x, int64_t axis) { return cumprod(without_nan(x, 1), axis); }

}  // namespace glia::ops
