// Spaced numbers, windows, rounding to decimals, casts.
#include <glia/ops/arrays.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/compose.h"

namespace glia::ops {

Value linspace(const Value& start, const Value& stop, int64_t num, bool endpoint, int64_t axis) {
  GLIA_CHECK(num >= 0, "linspace: num must not be negative. Received {}.", num);
  DType t = result_type(start.dtype(), stop.dtype());
  if (!is_float(t)) t = DType::f32;
  const Shape shape = (cast(start, t) + cast(stop, t)).shape();
  Value low = broadcast_to(cast(start, t), shape), high = broadcast_to(cast(stop, t), shape);
  const auto rank = static_cast<int64_t>(shape.size()) + 1, at = front_axis(axis, rank, "linspace");
  low = expand_dims(low, at), high = expand_dims(high, at);
  if (num == 0) return slice_axis(low, at, 0, 0);
  const double steps = static_cast<double>(endpoint ? num - 1 : num);
  if (num == 1) return low;
  Value step = (high - low) / steps;
  Value last = endpoint ? high : high - step;
  // As TensorFlow: equal steps from the start, the last element exactly.
  step = (last - low) / static_cast<double>(num - 1);
  Value inner = low + step * ramp_along(num - 1, at, rank, t);
  return concatenate({inner, last}, at);
}

Value logspace(const Value& start, const Value& stop, int64_t num, bool endpoint, double base, int64_t axis) {
  Value exponents = linspace(start, stop, num, endpoint, axis);
  return power(scalar_like(exponents, base), exponents);
}

Value geomspace(const Value& start, const Value& stop, int64_t num, bool endpoint, int64_t axis) {
  Value low = as_float(start), high = as_float(stop);
  const DType t = result_type(low.dtype(), high.dtype());
  const double ln10 = std::log(10.0);
  Value y = logspace(log(abs(cast(low, t))) / ln10, log(abs(cast(high, t))) / ln10, num, endpoint, 10, axis);
  Value direction = broadcast_to(sign(cast(low, t)), (low + high).shape());
  return y * expand_dims(direction, front_axis(axis, y.rank(), "geomspace"));
}

Value empty(Shape shape, DType dtype) { return zeros(std::move(shape), dtype); }
Value empty_like(const Value& x) { return zeros(x.shape(), x.dtype()); }

namespace {
template <class F>
Value window(int64_t n, const char* name, F f) {
  GLIA_CHECK(n >= 0, "{}: the number of samples must not be negative. Received {}.", name, n);
  Tensor w({n});
  for (int64_t i = 0; i < n; ++i) w.set_item(i, n == 1 ? 1.0 : f(static_cast<double>(i) / static_cast<double>(n - 1)));
  return w;
}
}  // namespace

Value bartlett(int64_t n) {
  return window(n, "bartlett", [](double x) { return x <= 0.5 ? 2 * x : 2 - 2 * x; });
}
Value blackman(int64_t n) {
  return window(n, "blackman", [](double x) { return 0.42 - 0.5 * std::cos(2 * M_PI * x) + 0.08 * std::cos(4 * M_PI * x); });
}
Value hamming(int64_t n) {
  return window(n, "hamming", [](double x) { return 0.54 - 0.46 * std::cos(2 * M_PI * x); });
}
Value hanning(int64_t n) {
  return window(n, "hanning", [](double x) { return 0.5 - 0.5 * std::cos(2 * M_PI * x); });
}

Value round(const Value& x, int64_t decimals) {
  if (decimals == 0) return round(x);
  if (!is_float(x.dtype()) && decimals > 0) return x;
  Value factor = scalar_like(as_float(x), std::pow(10.0, static_cast<double>(decimals)));
  return cast(round(as_float(x) * factor) / factor, x.dtype());
}

namespace {
std::pair<double, double> range_of(DType t) {
  switch (t) {
    case DType::u8: return {0, 255};
    case DType::i8: return {-128, 127};
    case DType::i16: return {-32768, 32767};
    case DType::u16: return {0, 65535};
    case DType::u32: return {0, 4294967295.0};
    case DType::u64: return {0, 18446744073709551615.0};
    case DType::i32: return {-2147483648.0, 2147483647.0};
    case DType::i64: return {-9223372036854775808.0, 9223372036854775807.0};
    case DType::bool_: return {0, 1};
    case DType::f16: return {-65504, 65504};
    case DType::bf16: return {-3.3895313892515355e38, 3.3895313892515355e38};
    case DType::f32: return {-3.4028234663852886e38, 3.4028234663852886e38};
    default: return {-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  }
}
}  // namespace

Value saturate_cast(const Value& x, DType dtype) {
  const auto [low, high] = range_of(dtype);
  const auto [own_low, own_high] = range_of(x.dtype());
  Value y = x;
  if (x.dtype() == DType::bool_) return cast(x, dtype);
  const double from = std::max(low, own_low);
  double to = std::min(high, own_high);
  // The largest int32 is no float32: take the largest float32 below it.
  if (x.dtype() == DType::f32 && to < own_high && static_cast<double>(static_cast<float>(to)) > high)
    to = static_cast<double>(std::nextafter(static_cast<float>(to), 0.0f));
  if (from > own_low || to < own_high) y = clip(x, from, to);
  return cast(y, dtype);
}

}  // namespace glia::ops
