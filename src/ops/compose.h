// Small helpers that composed functions share.
#pragma once
#include <glia/ops.h>

#include "base/error.h"

namespace glia::ops {

using Axes = std::vector<int64_t>;

inline Value as_float(const Value& x) { return is_float(x.dtype()) ? x : cast(x, DType::f32); }
inline Value zero_of(const Value& x) { return scalar_like(x, 0); }
// The axis counted from the front; throws Error where it does not exist.
inline int64_t front_axis(int64_t axis, int64_t rank, const char* where) {
  GLIA_CHECK(axis >= -rank && axis < rank, "{}: axis {} does not exist in an array of rank {}.", where, axis, rank);
  return axis < 0 ? axis + rank : axis;
}
// 0, 1, ..., n - 1 along one axis of a shape that is 1 elsewhere.
inline Value ramp_along(int64_t n, int64_t axis, int64_t rank, DType t = DType::i32) {
  Shape shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = n;
  return reshape(arange(0, static_cast<double>(n), 1, t), shape);
}
// Constant int32 indices.
inline Value index_vector(const std::vector<int32_t>& v, Shape shape = {}) {
  if (shape.empty()) shape = {static_cast<int64_t>(v.size())};
  return Value(Tensor::from_vector<int32_t>(std::move(shape), v));
}

}  // namespace glia::ops
