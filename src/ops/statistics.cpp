// Correlation, distances, counting and membership composed of the basic functions.
#include <glia/ops/statistics.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/compose.h"

namespace glia::ops {
namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();

Value arg_of_numbers(const Value& given, std::optional<int64_t> axis, bool keepdims, bool largest) {
  Value x = axis ? given : reshape(given, {-1});
  const int64_t at = front_axis(axis.value_or(0), x.rank(), largest ? "nanargmax" : "nanargmin");
  auto find = [&](const Value& v) { return largest ? argmax(v, at, keepdims) : argmin(v, at, keepdims); };
  Value found;
  if (is_float(x.dtype())) {
    Value nan = isnan(x);
    found = where(all(nan, {at}, keepdims), Value(Tensor::scalar(-1, DType::i32)), find(where(nan, scalar_like(x, largest ? -kInf : kInf), x)));
  } else {
    found = find(x);
  }
  if (!axis && keepdims) found = reshape(found, Shape(static_cast<std::size_t>(given.rank()), 1));
  return found;
}
}  // namespace

Value nanargmax(const Value& x, std::optional<int64_t> axis, bool keepdims) { return arg_of_numbers(x, axis, keepdims, true); }
Value nanargmin(const Value& x, std::optional<int64_t> axis, bool keepdims) { return arg_of_numbers(x, axis, keepdims, false); }

Value corrcoef(const Value& given) {
  Value x = as_float(given);
  if (x.rank() == 0) return scalar_like(x, NAN);
  if (x.rank() == 1) {  // one variable: a scalar, as NumPy
    Value c = x - mean(x);
    Value v = sum(c * c);
    return clip(v / v, -1, 1);
  }
  Value c = x - mean(x, {-1}, true);
  Value covariance = matmul(c, c, false, true) / static_cast<double>(x.dim(-1) - 1);
  const int64_t n = x.dim(-2);
  Value own = sum(covariance * eye(n, n, 0, x.dtype()), {-1});  // the diagonal
  Value deviation = sqrt(own);
  return clip(covariance / (expand_dims(deviation, -1) * expand_dims(deviation, -2)), -1, 1);
}

Value correlate(const Value& given_a, const Value& given_b, const std::string& mode) {
  GLIA_CHECK(given_a.rank() == 1 && given_b.rank() == 1, "correlate: expected two vectors. Received shapes {} and {}.",
             to_string(given_a.shape()), to_string(given_b.shape()));
  DType t = result_type(given_a.dtype(), given_b.dtype());
  if (t == DType::i64) t = DType::f64;
  if (!is_float(t)) t = DType::f32;
  Value a = cast(given_a, t), b = cast(given_b, t);
  const int64_t n = a.dim(0), m = b.dim(0);
  if (mode != "valid") {
    GLIA_CHECK(mode == "same" || mode == "full", "correlate: unknown mode \"{}\". Expected valid, same or full.", mode);
    a = pad(a, {{m - 1, m - 1}});
  }
  Value y = reshape(conv(reshape(a, {1, -1, 1}), reshape(b, {m, 1, 1})), {-1});
  if (mode != "same") return y;
  const int64_t length = std::max(n, m), start = (n + m - 1 - length) / 2;
  return slice(y, {start}, {length});
}

Value cdist(const Value& given_x, const Value& given_y) {
  GLIA_CHECK(given_x.rank() >= 2 && given_y.rank() >= 2 && given_x.dim(-1) == given_y.dim(-1),
             "cdist: expected (..., n, d) and (..., m, d). Received shapes {} and {}.", to_string(given_x.shape()), to_string(given_y.shape()));
  Value x = as_float(given_x), y = as_float(given_y);
  return sqrt(sum(square(expand_dims(x, -2) - expand_dims(y, -3)), {-1}));
}

Value digitize(const Value& x, const Value& bins) {
  return searchsorted(cast(bins, DType::f32), x.dtype() == DType::f64 ? x : cast(x, DType::f32), "right");
}

Values histogram(const Value& given, int64_t bins, std::optional<std::pair<double, double>> range) {
  GLIA_CHECK(bins >= 1, "histogram: expected at least one bin. Received {}.", bins);
  Value x = reshape(as_float(given), {-1});
  Value low = range ? scalar_like(x, range->first) : min(x), high = range ? scalar_like(x, range->second) : max(x);
  Value step = (high - low) / static_cast<double>(bins);
  Value edges = low + step * arange(0, static_cast<double>(bins), 1, x.dtype());
  edges = concatenate({edges, reshape(high, {1})}, 0);
  Value inside = logical_and(x >= low, x <= high);
  Value at = bins == 1 ? zeros(x.shape(), DType::i32) : searchsorted(slice(edges, {1}, {bins - 1}), x, "right");
  Value counts = segment_sum(cast(inside, x.dtype()), at, bins);
  return {counts, edges};
}

Value bincount(const Value& given, int64_t length, const Value& weights) {
  GLIA_CHECK(given.rank() == 1 || given.rank() == 2, "bincount: expected rank 1 or 2. Received shape {}.", to_string(given.shape()));
  Value x = given.dtype() == DType::i64 ? given : cast(given, DType::i32);
  Value w = weights.defined() ? weights : ones(x.shape(), DType::i32);
  GLIA_CHECK(w.shape() == x.shape(), "bincount: the weights must have the shape of x. Received {} for {}.", to_string(w.shape()), to_string(x.shape()));
  Value counted = logical_and(x >= 0.0, x < static_cast<double>(length));
  Value flat_weights = reshape(where(counted, w, zero_of(w)), {-1}), place = where(counted, x, zero_of(x));
  const int64_t rows = x.rank() == 1 ? 1 : x.dim(0);
  if (rows > 1) place = place + ramp_along(rows, 0, 2, x.dtype()) * static_cast<double>(length);
  if (length == 0) return zeros(x.rank() == 1 ? Shape{0} : Shape{rows, 0}, w.dtype());
  Value counts = segment_sum(flat_weights, reshape(place, {-1}), rows * length);
  return x.rank() == 1 ? counts : reshape(counts, {rows, length});
}

Value isin(const Value& a, const Value& b, bool invert) {
  const DType t = result_type(a.dtype(), b.dtype());
  if (b.type().elements() == 0) return full(a.shape(), 0, DType::bool_);
  Value found = any(equal(expand_dims(cast(a, t), -1), reshape(cast(b, t), {-1})), {-1});
  return invert ? logical_not(found) : found;
}

Value in_top_k(const Value& targets, const Value& predictions, int64_t k) {
  GLIA_CHECK(targets.rank() == 1 && predictions.rank() == 2 && targets.dim(0) == predictions.dim(0),
             "in_top_k: expected targets (n) and predictions (n, classes). Received shapes {} and {}.", to_string(targets.shape()),
             to_string(predictions.shape()));
  Value index = cast(targets, DType::i32);
  const auto classes = static_cast<double>(predictions.dim(1));
  Value known = logical_and(index >= 0.0, index < classes);
  Value own = take_along_axis(predictions, expand_dims(where(known, index, zero_of(index)), 1), 1);
  Value better = sum(cast(predictions > own, DType::i32), {1});
  // A row whose own prediction is not finite never counts.
  return logical_and(logical_and(known, isfinite(squeeze(own, {1}))), better < static_cast<double>(k));
}

Value argpartition(const Value& x, int64_t kth, int64_t axis) {
  const int64_t at = front_axis(axis, x.rank(), "argpartition"), n = x.dim(static_cast<int>(at));
  GLIA_CHECK(kth >= -n && kth < n, "argpartition: kth {} is out of range for an axis of {}.", kth, n);
  return argsort(x, at);  // a full order is a partition at every place
}

}  // namespace glia::ops
