// Quantiles: sorted lines, read at places that follow from the number of elements that are not NaN.
#include "ops/quantile.h"

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

// count: float64 (..., 1), the number of elements of each line; q: float64 (quantiles).
Places places(const Value& count, const Value& q, const std::string& method) {
  Value last = count - 1.0, exact = last * q;
  auto index = [&](const Value& v) { return cast(maximum(minimum(v, last), scalar_like(v, 0)), DType::i32); };
  if (method == "lower") return {index(floor(exact)), {}, {}};
  if (method == "higher") return {index(ceil(exact)), {}, {}};
  if (method == "nearest") return {index(round(exact)), {}, {}};
  if (method == "midpoint") return {index(floor(exact)), index(ceil(exact)), scalar_like(count, 0.5)};
  GLIA_CHECK(method == "linear", "quantile: unknown method \"{}\". Expected linear, lower, higher, midpoint or nearest.", method);
  Value low = maximum(ceil(exact) - 1.0, scalar_like(exact, 0)), high = minimum(low + 1.0, maximum(last, scalar_like(last, 0)));
  return {index(low), index(high), stop_gradient(high) - exact};
}

// Keras holds quantiles in float32.
Value constant_q(const std::vector<double>& q, float divisor, const QuantileOptions& o) {
  GLIA_CHECK(!q.empty() && (!o.scalar || q.size() == 1), "quantile: give one quantile or more. Received {}.", q.size());
  Tensor t({static_cast<int64_t>(q.size())});
  for (std::size_t i = 0; i < q.size(); ++i) t.data<float>()[i] = static_cast<float>(q[i]) / divisor;
  return o.scalar ? t.reshape({}) : t;
}

}  // namespace

Value quantile_at(const Value& given, const Value& given_q, Axes axes, const QuantileOptions& o, bool skip_nan) {
  Value x = as_float(given);
  for (int64_t& a : axes) a = front_axis(a, x.rank(), "quantile");
  GLIA_CHECK(given_q.rank() <= 1, "quantile: q must be a number or a vector. Received shape {}.", to_string(given_q.shape()));
  Value q = reshape(cast(given_q, DType::f64), {-1});
  const int64_t wanted = q.dim(0);
  Value y = lines_of(x, axes), nan = isnan(y), sorted = sort(y, -1);
  const Places p = places(sum(cast(logical_not(nan), DType::f64), {-1}, true), q, o.method);
  Value found = take_along_axis(sorted, p.low, -1);  // (lines..., quantiles)
  if (p.high.defined()) {
    Value f = cast(p.fraction, x.dtype());
    found = take_along_axis(sorted, p.high, -1) * (1.0 - f) + found * f;
  }
  Value hopeless = skip_nan ? all(nan, {-1}, true) : any(nan, {-1}, true);
  found = moveaxis(where(hopeless, scalar_like(found, NAN), found), -1, 0);
  Shape shape{wanted};
  const Shape all_axes = x.shape();
  for (std::size_t i = 0; i < all_axes.size(); ++i) {
    const bool reduced = axes.empty() || std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    if (!reduced) shape.push_back(all_axes[i]);
    else if (o.keepdims) shape.push_back(1);
  }
  found = reshape(found, shape);
  return given_q.rank() == 0 ? squeeze(found, {0}) : found;
}

Value quantile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantile_at(x, constant_q(q, 1, o), std::move(axes), o, false);
}
Value nanquantile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantile_at(x, constant_q(q, 1, o), std::move(axes), o, true);
}
Value percentile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantile_at(x, constant_q(q, 100, o), std::move(axes), o, false);
}
Value nanpercentile(const Value& x, const std::vector<double>& q, Axes axes, const QuantileOptions& o) {
  return quantile_at(x, constant_q(q, 100, o), std::move(axes), o, true);
}
Value median(const Value& x, Axes axes, bool keepdims) { return quantile(x, {0.5}, std::move(axes), {.keepdims = keepdims, .scalar = true}); }
Value nanmedian(const Value& x, Axes axes, bool keepdims) { return nanquantile(x, {0.5}, std::move(axes), {.keepdims = keepdims, .scalar = true}); }

}  // namespace glia::ops
