// Largest, smallest and product of the rows of each segment, and updates of entries by index.
#include <glia/ops/arrays.h>

#include <limits>

#include "ops/compose.h"
#include "ops/op_list.h"
#include "ops/segment.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

template <class T>
void reduce_segments(const std::string& mode, const Tensor& data, const Tensor& ids, const Tensor& out) {
  using Limits = std::numeric_limits<T>;
  const int64_t rows = ids.size(), segments = out.dim(0), inner = segments > 0 ? out.size() / segments : 0;
  const T start = mode == "max" ? Limits::lowest() : mode == "min" ? Limits::max() : T(1);
  T* y = out.data<T>();
  const T* x = data.data<T>();
  std::fill(y, y + out.size(), start);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t s = ids.dtype() == DType::i64 ? ids.data<int64_t>()[r] : ids.data<int32_t>()[r];
    if (s < 0 || s >= segments) continue;
    T* to = y + s * inner;
    const T* from = x + r * inner;
    if (mode == "max")
      for (int64_t i = 0; i < inner; ++i) to[i] = from[i] > to[i] || from[i] != from[i] ? from[i] : to[i];
    else if (mode == "min")
      for (int64_t i = 0; i < inner; ++i) to[i] = from[i] < to[i] || from[i] != from[i] ? from[i] : to[i];
    else
      for (int64_t i = 0; i < inner; ++i) to[i] = static_cast<T>(to[i] * from[i]);
  }
}

void reference(const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
  visit_dtype(in[0].dtype(), [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) reduce_segments<T>(a.s("mode"), in[0], in[1], out[0]);
  });
}

std::vector<TensorType> infer(const InferContext& c) {
  const std::string& mode = c.attrs.s("mode");
  GLIA_CHECK(mode == "max" || mode == "min" || mode == "prod", "segment_reduce: unknown mode \"{}\". Expected max, min or prod.", mode);
  GLIA_CHECK(c.in[1].dtype == DType::i32 || c.in[1].dtype == DType::i64, "segment_reduce: segment_ids must be int32 or int64. Received {}.",
             to_string(c.in[1]));
  GLIA_CHECK(c.in[1].rank() == 1 && c.in[0].rank() >= 1 && c.in[0].shape[0] == c.in[1].shape[0],
             "segment_reduce: expected data (n, ...) and segment_ids (n). Received {} and {}.", to_string(c.in[0]), to_string(c.in[1]));
  GLIA_CHECK(c.in[0].dtype != DType::bool_ && c.in[0].dtype != DType::bf16 && c.in[0].dtype != DType::f16,
             "segment_reduce: expected float32, float64 or integers. Received {}.", to_string(c.in[0]));
  GLIA_CHECK(c.attrs.i("num_segments") >= 0, "segment_reduce: num_segments must not be negative. Received {}.", c.attrs.i("num_segments"));
  TensorType out = c.in[0];
  out.shape[0] = c.attrs.i("num_segments");
  return {out};
}

Value reduce(const Value& data, const Value& ids, int64_t segments, const std::string& mode);

// Rows of `per_segment` for each row of data; zeros for ids that were left out.
Value spread(const Value& per_segment, const Value& ids, int64_t segments) {
  Value known = logical_and(ids >= 0.0, ids < static_cast<double>(segments));
  Value rows = take(per_segment, where(known, ids, zero_of(ids)), 0);
  Shape shape(static_cast<std::size_t>(rows.rank()), 1);
  shape[0] = rows.dim(0);
  return where(reshape(known, shape), rows, zero_of(rows));
}
// Sums per segment, without the rows whose id is left out.
Value sums(const Value& data, const Value& ids, int64_t segments) {
  Value known = logical_and(ids >= 0.0, ids < static_cast<double>(segments));
  Shape shape(static_cast<std::size_t>(data.rank()), 1);
  shape[0] = data.dim(0);
  return segment_sum(where(reshape(known, shape), data, zero_of(data)), where(known, ids, zero_of(ids)), segments);
}

// The rows that hold the extreme share its gradient. Products: without the row's own factor, also where that is 0.
Values vjp(const VjpContext& c) {
  const int64_t n = c.attrs.i("num_segments");
  const Value &x = c.inputs[0], &ids = c.inputs[1], &g = c.grads[0];
  if (!is_float(x.dtype()) || n == 0) return {Value(), Value()};
  if (c.attrs.s("mode") != "prod") {
    Value chosen = cast(equal(x, spread(c.outputs[0], ids, n)), x.dtype());
    Value count = maximum(sums(chosen, ids, n), scalar_like(x, 1));
    return {spread(g / count, ids, n) * chosen, Value()};
  }
  Value zero = equal(x, zero_of(x)), others = where(zero, scalar_like(x, 1), x);
  Value zeros_in = sums(cast(zero, x.dtype()), ids, n), product = reduce(others, ids, n, "prod");
  Value single = where(spread(zeros_in, ids, n) > 1.0, zero_of(x), spread(product, ids, n));
  Value partial = where(zero, single, spread(c.outputs[0], ids, n) / others);
  return {spread(g, ids, n) * partial, Value()};
}

const OpDef& segment_reduce_op() {
  static const OpDef def{
      .name = "segment_reduce",
      .doc = "data (n, rest...), segment_ids (n) -> (num_segments, rest...): largest, smallest or product of the rows of each id; ids "
             "outside of the range are left out.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"num_segments", int64_t{0}, "rows of the result", true}, {"mode", std::string("max"), "max, min or prod"}},
      .infer = infer,
      .vjp = vjp,
      .reference = reference,
  };
  return def;
}

Value reduce(const Value& data, const Value& ids, int64_t segments, const std::string& mode) {
  const DType t = data.dtype();
  Value x = t == DType::bool_ ? cast(data, DType::i32) : t == DType::bf16 || t == DType::f16 ? cast(data, DType::f32) : data;
  Value index = ids.dtype() == DType::i64 ? ids : cast(ids, DType::i32);
  if (index.rank() > 1) {
    Shape shape{index.type().elements()};
    const Shape old = x.shape();
    shape.insert(shape.end(), old.begin() + index.rank(), old.end());
    x = reshape(x, shape);
    index = reshape(index, {-1});
  }
  Value y = apply1(segment_reduce_op(), {{"num_segments", segments}, {"mode", mode}}, {x, index});
  return t == DType::bf16 || t == DType::f16 ? cast(y, t) : y;
}

Value extreme(const Value& data, const Value& ids, int64_t segments, const std::string& mode, bool sorted) {
  Value y = reduce(data, ids, segments, mode);
  if (!sorted) return y;
  Value rows = segment_sum(ones(ids.shape(), DType::i32), ids, segments);
  Shape shape(static_cast<std::size_t>(y.rank()), 1);
  shape[0] = segments;
  return where(reshape(rows, shape) > 0.0, y, zero_of(y));
}

}  // namespace

OpList segment_ops() { return {&segment_reduce_op()}; }

Value unsorted_segment_sum(const Value& data, const Value& ids, int64_t n) {
  if (ids.rank() == 1) return sums(data, ids.dtype() == DType::i64 ? ids : cast(ids, DType::i32), n);
  Shape shape{ids.type().elements()};
  const Shape old = data.shape();
  shape.insert(shape.end(), old.begin() + ids.rank(), old.end());
  return unsorted_segment_sum(reshape(data, shape), reshape(ids, {-1}), n);
}
Value segment_max(const Value& data, const Value& ids, int64_t n, bool sorted) { return extreme(data, ids, n, "max", sorted); }
Value segment_min(const Value& data, const Value& ids, int64_t n, bool sorted) { return extreme(data, ids, n, "min", sorted); }
Value segment_prod(const Value& data, const Value& ids, int64_t n) { return reduce(data, ids, n, "prod"); }

Value scatter_update(const Value& x, const Value& indices, const Value& updates, const std::string& reduction) {
  const int64_t k = indices.dim(-1);
  GLIA_CHECK(indices.rank() >= 1 && k >= 1 && k <= x.rank(),
             "scatter_update: the last axis of indices must be between 1 and the rank of x. Received {} for {}.", to_string(indices.type()),
             to_string(x.type()));
  Value at = indices.dtype() == DType::i64 ? indices : cast(indices, DType::i32), flat;
  int64_t rows = 1, inner = 1;
  for (int64_t i = k; i-- > 0;) {  // row-major position in the first k axes
    Value part = squeeze(slice_axis(at, -1, i, i + 1), {-1});
    const auto n = static_cast<double>(x.dim(static_cast<int>(i)));
    part = where(part < 0.0, part + n, part) * static_cast<double>(rows);
    flat = flat.defined() ? flat + part : part;
    rows *= x.dim(static_cast<int>(i));
  }
  for (int64_t i = k; i < x.rank(); ++i) inner *= x.dim(static_cast<int>(i));
  flat = reshape(flat, {-1});
  const int64_t count = flat.dim(0);
  Value old = reshape(x, {rows, inner}), v = reshape(cast(updates, x.dtype()), {count, inner}), y;
  if (reduction.empty()) {
    Value last = segment_max(arange(0, static_cast<double>(count)), flat, rows);  // the update that counts, or a negative number
    Value written = last >= 0.0;
    y = where(expand_dims(written, 1), take(v, where(written, last, zero_of(last)), 0), old);
  } else if (reduction == "add") {
    y = old + cast(segment_sum(v, flat, rows), x.dtype());
  } else if (reduction == "max") {
    y = maximum(old, segment_max(v, flat, rows));
  } else if (reduction == "min") {
    y = minimum(old, segment_min(v, flat, rows));
  } else {
    GLIA_CHECK(reduction == "mul", "scatter_update: unknown reduction \"{}\". Expected \"\", add, max, min or mul.", reduction);
    y = old * segment_prod(v, flat, rows);
  }
  return reshape(y, x.shape());
}

}  // namespace glia::ops
