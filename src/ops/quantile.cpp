// Quantiles: sorted lines, read at places that follow from the number of elements that are not NaN.
#include <glia/ops/statistics.h>

#include <algorithm>
#include <cmath>

#include "ops/compose.h"

namespace glia::ops {
namespace {

// x with the named axes moved to the end and flattened: (others..., n).
Value lines_of(const Value& x, const Axes& axes) {
  if (axes.empty()) return reshape(x, {-1});
  Axes order;
  Shape shape;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) order.push_back(i), shape.push_back(x.dim(static_cast<int>(i)));
  order.insert(order.end(), axes.begin(), axes.end());
  shape.push_back(-1);
  return reshape(transpose(x, order), shape);
}

struct Places {
  Value low, high, fraction;  // int32 indices and the weight of the lower one
};

// count: float64 (..., 1), the number of elements of each line.
Places places(const Value& count, double q, const std::string& method) {
  Value last = count - 1.0, exact = last * q;
  auto index = [&](const Value& v) { return cast(maximum(minimum(v, last), scalar_like(v, 0)), DType::i32); };
  if (method == "lower") return {index(floor(exact)), {}, {}};
  if (method == "higher") return {index(ceil(exact)), {}, {}};
  if (method == "nearest") return {index(round(exact)), {}, {}};
  if (method == "midpoint") return {index(floor(exact)), index(ceil(exact)), scalar_like(count, 0.5)};
  GLIA_CHECK(method == "linear", "quantile: unknown method \"{}\". Expected linear, lower, higher, midpoint or nearest.", method);
  Value low = maximum(ceil(exact) - 1.0, scalar_like(exact, 0)), high = minimum(low + 1.0, maximum(last, scalar_like(last, 0)));
  return {index(low), index(high), high - exact};
}

Value quantiles(const Value& given, const std::vector<double>& q, Axes axes, const QuantileOptions& o, bool skip_nan) {
  Value x = as_float(given);
  for (int64_t& a : axes) a = front_axis(a, x.rank(), "quantile");
  GLIA_CHECK(!q.empty() && (!o.scalar || q.size() == 1), "quantile: give one quantile or more. Received {}.", q.size());
  Value y = lines_of(x, axes), nan = isnan(y), sorted = sort(y, -1);
  Value count = sum(cast(logical_not(nan), DType::f64), {-1}, true);
  Values parts;
  for (double v : q) {
    const Places p = places(count, v, o.method);
    Value low = take_along_axis(sorted, p.low, -1);
    if (p.high.defined()) {
      Value f = cast(p.fraction, x.dtype());
      low = take_along_axis(sorted, p.high, -1) * (1.0 - f) + low * f;
    }
    parts.push_back(squeeze(low, {-1}));
  }
  Value hopeless = skip_nan ? all(nan, {-1}) : any(nan, {-1});
  for (Value& v : parts) v = where(hopeless, scalar_like(v, NAN), v);
  if (o.keepdims) {
    Shape kept = x.shape();
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (axes.empty() || std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end()) kept[i] = 1;
    for (Value& v : parts) v = reshape(v, kept);
  }
  return o.scalar ? parts[0] : stack(parts, 0);
}

// Keras holds quantiles in float32.
std::vector<double> as_float32(std::vector<double> q, float divisor = 1) {
  for (double& v : q) v = static_cast<double>(static_cast<float>(v) / divisor);
  return q;
}

}  // namespace

Value quantile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantiles(x, as_float32(q), std::move(axes), o, false);
}
Value nanquantile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantiles(x, as_float32(q), std::move(axes), o, true);
}
Value percentile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantiles(x, as_float32(q, 100), std::move(axes), o, false);
}
Value nanpercentile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantiles(x, as_float32(q, 100), std::move(axes), o, true);
}
Value median(const Value& x, Axes axes, bool keepdims) {
  return quantiles(x, {0.5}, std::move(axes), {.keepdims = keepdims, .scalar = true}, false);
}
Value nanmedian(const Value& x, Axes axes, bool keepdims) {
  return quantiles(x, {0.5}, std::move(axes), {.keepdims = keepdims, .scalar = true}, true);
}

}  // namespace glia::ops
