// Gathering rows, and summing rows by index: each is the other's gradient.
#include <glia/ops.h>

#include <cstring>

#include "base/error.h"
#include "base/thread_pool.h"
#include "ir/graph.h"
#include "kernels/cpu/copy.h"
#include "ops/axis.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

void check_index_type(const OpDef& op, const TensorType& t) {
  GLIA_CHECK(t.dtype == DType::i32 || t.dtype == DType::i64, "{}: indices must be int32 or int64. Received {}.",
             op.name, to_string(t));
}
int64_t index_value(cpu::Elem type, const void* index, int64_t j) {
  return type == cpu::Elem::i32 ? static_cast<const int32_t*>(index)[j] : static_cast<const int64_t*>(index)[j];
}
void check_index(const char* op, cpu::Elem type, const void* index, int64_t count, int64_t n) {
  const int64_t bad = cpu::find_bad_index(type, index, count, n);
  if (bad >= 0)
    throw_error("{}: index {} at position {} is out of range for {} entries. Expected 0 to {}; an Embedding needs an input_dim above its largest id.", op, index_value(type, index, bad), bad,
                n, n - 1);
}

// ---- take ----

struct TakeParams {
  AxisSplit split;
  int64_t count, inner_bytes;
  cpu::Elem index;
};
std::optional<KernelPlan> make_take(const KernelQuery& q, std::string&) {
  TakeParams p{split_at(q.in[0].shape, q.attrs.i("axis")), q.in[1].elements(), 0, elem(q.in[1].dtype)};
  p.inner_bytes = p.split.inner * static_cast<int64_t>(dtype_size(q.in[0].dtype));
  KernelPlan plan;
  plan.params = kernel_params(p);
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<TakeParams>();
    check_index("take", p.index, a.in[1], p.count, p.split.n);
    cpu::take({a.in[0], a.in[1], p.index, a.out[0], p.split.outer, p.split.n, p.count, p.inner_bytes});
  };
  return plan;
}

Values vjp_take(const VjpContext& c) {
  const int64_t axis = normalize_axis(c.attrs.i("axis"), c.inputs[0].rank(), "take"), k = c.inputs[1].rank();
  Value g = c.grads[0];  // (lead..., index axes..., rest...) -> index axes first
  std::vector<int64_t> order;
  for (int64_t i = 0; i < k; ++i) order.push_back(axis + i);
  for (int64_t i = 0; i < g.rank(); ++i)
    if (i < axis || i >= axis + k) order.push_back(i);
  return {moveaxis(segment_sum(transpose(g, order), c.inputs[1], c.inputs[0].dim(static_cast<int>(axis))), 0, axis),
          Value()};
}

const OpDef& take_op() {
  static const OpDef def{
      .name = "take",
      .doc =
          "Entries of x along an axis picked by integer indices: the axis is replaced by the axes of the indices. "
          "Negative "
          "indices count from the end; out of range is an error.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"axis", int64_t{0}, "axis to pick from"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_index_type(c.op, c.in[1]);
        const int64_t axis = normalize_axis(c.attrs.i("axis"), c.in[0].rank(), "take");
        TensorType out = c.in[0];
        out.shape.erase(out.shape.begin() + axis);
        out.shape.insert(out.shape.begin() + axis, c.in[1].shape.begin(), c.in[1].shape.end());
        return {out};
      },
      .vjp = vjp_take,
      .kernels = {{"rows", make_take}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

// ---- segment_sum ----

struct SegmentParams {
  int64_t segments, count, inner;
  cpu::Elem type, index;
};
std::optional<KernelPlan> make_segment_sum(const KernelQuery& q, std::string& refusal) {
  const DType t = q.in[0].dtype;
  if (t != DType::f32 && t != DType::f64 && t != DType::i32 && t != DType::i64 && t != DType::u32 && t != DType::u64) {
    refusal = "sums float32, float64 and integers of 32 and 64 bits";
    return {};
  }
  const int64_t segments = q.attrs.i("num_segments");
  int64_t inner = 1;
  for (size_t i = 1; i < q.out[0].shape.size(); ++i) inner *= q.out[0].shape[i];
  SegmentParams p{segments, q.in[1].elements(), inner, elem(t), elem(q.in[1].dtype)};
  KernelPlan plan;
  plan.params = kernel_params(p);
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<SegmentParams>();
    check_index("segment_sum", p.index, a.in[1], p.count, p.segments);
    cpu::scatter_add(p.type, {nullptr, a.in[1], p.index, a.in[0], a.out[0], p.segments, p.count, p.inner});
  };
  return plan;
}

const OpDef& segment_sum_op() {
  static const OpDef def{
      .name = "segment_sum",
      .doc =
          "data (index axes..., rest...), indices (index axes...) -> out (num_segments, rest...) with out[s] the sum "
          "of data "
          "where the index is s, added in order.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"num_segments", int64_t{0}, "rows of the result", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_index_type(c.op, c.in[1]);
        const auto k = static_cast<size_t>(c.in[1].rank());
        GLIA_CHECK(c.in[0].shape.size() >= k &&
                       std::equal(c.in[1].shape.begin(), c.in[1].shape.end(), c.in[0].shape.begin()),
                   "segment_sum: data must begin with the axes of the indices. Received data {} and indices {}.",
                   to_string(c.in[0]), to_string(c.in[1]));
        GLIA_CHECK(c.attrs.i("num_segments") >= 0, "segment_sum: num_segments must not be negative.");
        TensorType out = c.in[0];
        out.shape.erase(out.shape.begin(), out.shape.begin() + static_cast<std::ptrdiff_t>(k));
        out.shape.insert(out.shape.begin(), c.attrs.i("num_segments"));
        return {out};
      },
      .vjp = [](const VjpContext& c) -> Values {
        return {take(c.grads[0], c.inputs[1], 0), Value()};
      },
      .kernels = {{"rows", make_segment_sum}},
  };
  return def;
}

// ---- along an axis ----

struct AlongParams {
  AxisSplit data;  // x, or the result of the sum
  int64_t count;   // extent of the index array along the axis
  cpu::Elem index;
  int size;
  bool f64;
};
AlongParams along_params(const KernelQuery& q, const Shape& data, const TensorType& index, DType type) {
  const int64_t axis = normalize_axis(q.attrs.i("axis"), static_cast<int64_t>(data.size()), q.op.name);
  return {split_at(data, axis), index.shape[static_cast<size_t>(axis)], elem(index.dtype),
          static_cast<int>(dtype_size(type)), type == DType::f64};
}
template <class F>
void for_positions(const AlongParams& p, const void* index,
                   F&& f) {  // f(element of the index array, element of the data)
  parallel_for(p.data.outer, [&](int64_t o) {
    for (int64_t j = 0; j < p.count; ++j)
      for (int64_t i = 0; i < p.data.inner; ++i) {
        const int64_t at = (o * p.count + j) * p.data.inner + i, v = index_value(p.index, index, at);
        f(at, (o * p.data.n + (v < 0 ? v + p.data.n : v)) * p.data.inner + i);
      }
  });
}
template <class T>
void gather_along(const AlongParams& p, const void* index, const void* x, void* y) {
  for_positions(p, index, [&](int64_t at, int64_t from) { static_cast<T*>(y)[at] = static_cast<const T*>(x)[from]; });
}
template <class T>
void scatter_along(const AlongParams& p, const void* index, const void* x, void* y) {
  std::memset(y, 0, static_cast<size_t>(p.data.outer * p.data.n * p.data.inner) * sizeof(T));
  for_positions(p, index, [&](int64_t at, int64_t to) { static_cast<T*>(y)[to] += static_cast<const T*>(x)[at]; });
}

std::optional<KernelPlan> make_take_along(const KernelQuery& q, std::string&) {
  KernelPlan plan;
  plan.params = kernel_params(along_params(q, q.in[0].shape, q.in[1], q.in[0].dtype));
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<AlongParams>();
    check_index("take_along_axis", p.index, a.in[1], p.data.outer * p.count * p.data.inner, p.data.n);
    if (p.size == 1)
      gather_along<uint8_t>(p, a.in[1], a.in[0], a.out[0]);
    else if (p.size == 2)
      gather_along<uint16_t>(p, a.in[1], a.in[0], a.out[0]);
    else if (p.size == 4)
      gather_along<uint32_t>(p, a.in[1], a.in[0], a.out[0]);
    else
      gather_along<uint64_t>(p, a.in[1], a.in[0], a.out[0]);
  };
  return plan;
}
std::optional<KernelPlan> make_add_along(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 && q.in[0].dtype != DType::f64) {
    refusal = "sums float32 and float64";
    return {};
  }
  KernelPlan plan;
  plan.params = kernel_params(along_params(q, q.out[0].shape, q.in[1], q.in[0].dtype));
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<AlongParams>();
    check_index("add_along_axis", p.index, a.in[1], p.data.outer * p.count * p.data.inner, p.data.n);
    p.f64 ? scatter_along<double>(p, a.in[1], a.in[0], a.out[0])
          : scatter_along<float>(p, a.in[1], a.in[0], a.out[0]);
  };
  return plan;
}

void check_along(const InferContext& c, const TensorType& data) {
  check_index_type(c.op, c.in[1]);
  const int64_t axis = normalize_axis(c.attrs.i("axis"), data.rank(), c.op.name);
  bool fits = c.in[1].rank() == data.rank();
  for (int64_t i = 0; fits && i < data.rank(); ++i)
    fits = i == axis || data.shape[static_cast<size_t>(i)] == c.in[1].shape[static_cast<size_t>(i)];
  GLIA_CHECK(fits, "{}: data and indices must agree except along axis {}. Received {} and {}.", c.op.name, axis,
             to_string(data), to_string(c.in[1]));
}

const OpDef& take_along_op();
const OpDef& add_along_op() {
  static const OpDef def{
      .name = "add_along_axis",
      .doc =
          "out[..., indices[..., j, ...], ...] += data[..., j, ...] along an axis of n entries, from zeros; the "
          "gradient of take_along_axis.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"axis", int64_t{-1}, "axis of the indices"},
                {"n", int64_t{0}, "extent of the result along it", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(c.in[0].shape == c.in[1].shape,
                   "add_along_axis: data and indices must have one shape. Received {} and {}.", to_string(c.in[0]),
                   to_string(c.in[1]));
        TensorType out = c.in[0];
        out.shape[static_cast<size_t>(normalize_axis(c.attrs.i("axis"), out.rank(), "add_along_axis"))] =
            c.attrs.i("n");
        check_along(c, out);
        return {out};
      },
      .vjp = [](const VjpContext& c) -> Values {
        return {apply1(take_along_op(), {{"axis", c.attrs.i("axis")}}, {c.grads[0], c.inputs[1]}), Value()};
      },
      .kernels = {{"loop", make_add_along}},
  };
  return def;
}

const OpDef& take_along_op() {
  static const OpDef def{
      .name = "take_along_axis",
      .doc = "out[..., j, ...] = x[..., indices[..., j, ...], ...] along an axis; the other extents agree.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"axis", int64_t{-1}, "axis of the indices"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_along(c, c.in[0]);
        return {{c.in[0].dtype, c.in[1].shape}};
      },
      .vjp = [](const VjpContext& c) -> Values {
        const int64_t axis = normalize_axis(c.attrs.i("axis"), c.inputs[0].rank(), "take_along_axis");
        return {apply1(add_along_op(), {{"axis", axis}, {"n", c.inputs[0].dim(static_cast<int>(axis))}},
                       {c.grads[0], c.inputs[1]}),
                Value()};
      },
      .kernels = {{"loop", make_take_along}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

Value as_index(const Value& i, const char* op) {
  GLIA_CHECK(!is_float(i.dtype()) || i.dtype() == DType::f32, "{}: indices must be integers. Received {}.", op,
             to_string(i.type()));
  return i.dtype() == DType::i32 || i.dtype() == DType::i64 ? i : cast(i, DType::i32);
}

}  // namespace

OpList take_ops() { return {&take_op(), &segment_sum_op(), &take_along_op(), &add_along_op()}; }

Value take(const Value& x, const Value& indices, int64_t axis) {
  return apply1(take_op(), {{"axis", axis}}, {x, as_index(indices, "take")});
}

Value segment_sum(const Value& data, const Value& indices, int64_t num_segments) {
  const DType t = data.dtype();
  const bool narrow = !is_float(t) && dtype_size(t) < 4;  // added as int32
  Value sums = apply1(segment_sum_op(), {{"num_segments", num_segments}}, {narrow ? cast(data, DType::i32) : data, as_index(indices, "segment_sum")});
  return t == DType::bool_ ? sums : cast(sums, t);
}

Value take_along_axis(const Value& x, const Value& indices, int64_t axis) {
  GLIA_CHECK(x.rank() == indices.rank(),
             "take_along_axis: x and indices must have the same rank. Received {} and {}.", to_string(x.type()),
             to_string(indices.type()));
  axis = normalize_axis(axis, x.rank(), "take_along_axis");
  const auto at = static_cast<size_t>(axis);
  Shape xs = x.shape(), is = indices.shape();
  const int64_t n = xs[at], k = is[at];
  xs[at] = is[at] = 1;
  Shape both = broadcast_shapes(xs, is, "take_along_axis"), wide = both;
  both[at] = n, wide[at] = k;
  return apply1(take_along_op(), {{"axis", axis}},
                {broadcast_to(x, both), broadcast_to(as_index(indices, "take_along_axis"), wide)});
}

Value scatter_add(const Value& x, const Value& indices, const Value& updates) {
  return x + cast(segment_sum(updates, indices, x.dim(0)), x.dtype());
}

Value scatter(const Value& indices, const Value& values, Shape shape) {
  const int64_t k = indices.dim(-1);
  GLIA_CHECK(indices.rank() >= 1 && k >= 1 && k <= static_cast<int64_t>(shape.size()),
             "scatter: the last axis of indices must be between 1 and the rank of the result. Received {} for {}.",
             to_string(indices.type()), to_string(shape));
  Value at = as_index(indices, "scatter"), flat;
  int64_t rows = 1;
  for (int64_t i = k; i-- > 0;) {  // row-major position in the first k axes
    Value part = squeeze(slice_axis(at, -1, i, i + 1), {-1});
    const auto n = static_cast<double>(shape[static_cast<size_t>(i)]);
    part = where(part < 0.0, part + n, part) * static_cast<double>(rows);
    flat = flat.defined() ? flat + part : part;
    rows *= shape[static_cast<size_t>(i)];
  }
  return reshape(segment_sum(values, flat, rows), shape);
}

}  // namespace glia::ops
