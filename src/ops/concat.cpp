#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/move.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<TensorType> infer_concat(const InferContext& c) {
  TensorType out = c.in[0];
  const auto axis = static_cast<size_t>(normalize_axis(c.attrs.i("axis"), out.rank(), "concatenate"));
  for (size_t i = 1; i < c.in.size(); ++i) {
    GLIA_CHECK(c.in[i].dtype == out.dtype && c.in[i].rank() == out.rank(),
               "concatenate: inputs must agree in dtype and rank. Received {} and {}.", to_string(c.in[0]),
               to_string(c.in[i]));
    for (size_t d = 0; d < out.shape.size(); ++d)
      GLIA_CHECK(d == axis || c.in[i].shape[d] == out.shape[d],
                 "concatenate: shapes must agree except along axis {}. Received {} and {}.", axis, to_string(c.in[0]),
                 to_string(c.in[i]));
    out.shape[axis] += c.in[i].shape[axis];
  }
  return {out};
}

std::optional<KernelPlan> make_concat(const KernelQuery& q, std::string&) {
  const auto axis = static_cast<size_t>(normalize_axis(q.attrs.i("axis"), q.out[0].rank(), "concatenate"));
  const Shape step = row_major_strides(q.out[0].shape);
  const int size = element_bytes(q.out[0].dtype);
  std::vector<Copy> copies;
  int64_t at = 0;
  for (size_t i = 0; i < q.in.size(); ++i) {
    if (q.in[i].elements() > 0)
      copies.push_back({cpu::CopyKernel(q.in[i].shape, row_major_strides(q.in[i].shape), step, size),
                        static_cast<int>(i), 0, at * step[axis]});
    at += q.in[i].shape[axis];
  }
  return copy_plan(std::move(copies), size);
}

const OpDef& concat_op() {
  static const OpDef def{
      .name = "concatenate",
      .doc = "Joins arrays along an existing axis; the other extents must agree.",
      .max_inputs = -1,
      .attrs = {{"axis", int64_t{-1}, "axis to join along"}},
      .infer = infer_concat,
      .vjp = [](const VjpContext& c) -> Values {
        const int64_t axis = c.attrs.i("axis");
        Values r;
        int64_t at = 0;
        for (size_t i = 0; i < c.inputs.size(); ++i) {
          const int64_t n = c.inputs[i].dim(static_cast<int>(axis));
          r.push_back(c.needs[i] ? slice_axis(c.grads[0], axis, at, at + n) : Value());
          at += n;
        }
        return r;
      },
      .kernels = {{"copy", make_concat}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

}  // namespace

OpList concat_ops() { return {&concat_op()}; }

Value concatenate(const Values& xs, int64_t axis) {
  GLIA_CHECK(!xs.empty(), "concatenate: expected at least one array.");
  if (xs.size() == 1) return xs[0];
  DType t = xs[0].dtype();
  for (const Value& x : xs) t = result_type(t, x.dtype());
  Values in;
  for (const Value& x : xs) in.push_back(cast(x, t));
  return apply1(concat_op(), {{"axis", axis}}, in);
}

Value stack(const Values& xs, int64_t axis) {
  GLIA_CHECK(!xs.empty(), "stack: expected at least one array.");
  axis = normalize_axis(axis, xs[0].rank() + 1, "stack");
  Values in;
  for (const Value& x : xs) {
    GLIA_CHECK(x.shape() == xs[0].shape(), "stack: all shapes must agree. Received {} and {}.",
               to_string(xs[0].shape()), to_string(x.shape()));
    in.push_back(expand_dims(x, axis));
  }
  return concatenate(in, axis);
}

Value repeat(const Value& x, int64_t repeats, int64_t axis) {
  axis = normalize_axis(axis, x.rank(), "repeat");
  GLIA_CHECK(repeats >= 0, "repeat: expected at least 0 repeats. Received {}.", repeats);
  Shape wide = x.shape(), out = x.shape();
  wide.insert(wide.begin() + axis + 1, repeats);
  out[static_cast<size_t>(axis)] *= repeats;
  return reshape(broadcast_to(expand_dims(x, axis + 1), wide), out);
}

Value tile(const Value& x, std::vector<int64_t> repeats) {
  Shape shape = x.shape();
  while (shape.size() < repeats.size()) shape.insert(shape.begin(), 1);
  while (repeats.size() < shape.size()) repeats.insert(repeats.begin(), 1);
  Shape apart, wide, out;  // (r0, n0, r1, n1, ...)
  for (size_t i = 0; i < shape.size(); ++i) {
    GLIA_CHECK(repeats[i] >= 0, "tile: repeats must not be negative. Received {}.", repeats[i]);
    apart.insert(apart.end(), {1, shape[i]});
    wide.insert(wide.end(), {repeats[i], shape[i]});
    out.push_back(shape[i] * repeats[i]);
  }
  return reshape(broadcast_to(reshape(x, apart), wide), out);
}

}  // namespace glia::ops
