#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/reduce.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

Ints reduced_axes(const Attrs& attrs, int64_t rank, std::string_view op) {
  Ints axes = normalize_axes(attrs.ints("axes"), rank, op);
  if (axes.empty())
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  return axes;
}

std::vector<TensorType> infer_reduce(const InferContext& c) {
  GLIA_CHECK(c.op.name != "reduce_mean" || is_float(c.in[0].dtype), "mean: expected floating point. Received {}.",
             to_string(c.in[0]));
  Ints axes = reduced_axes(c.attrs, c.in[0].rank(), c.op.name);
  Shape out;
  for (int64_t i = 0, a = 0; i < c.in[0].rank(); ++i) {
    bool gone = a < static_cast<int64_t>(axes.size()) && axes[a] == i;
    if (gone) ++a;
    if (!gone)
      out.push_back(c.in[0].shape[i]);
    else if (c.attrs.b("keepdims"))
      out.push_back(1);
  }
  return {{c.in[0].dtype, out}};
}

// Walks every element of `in` together with the flat index of the output cell it belongs to.
template <class F>
void for_each_reduced(const Attrs& attrs, const Shape& shape, F&& f) {
  int64_t rank = static_cast<int64_t>(shape.size());
  Ints axes = reduced_axes(attrs, rank, "reduce");
  Shape out_stride(rank, 0), index(rank, 0);
  int64_t stride = 1;
  for (int64_t i = rank - 1; i >= 0; --i) {
    if (std::find(axes.begin(), axes.end(), i) != axes.end()) continue;
    out_stride[i] = stride;
    stride *= shape[i];
  }
  for (int64_t n = num_elements(shape), flat = 0, out = 0; flat < n; ++flat) {
    f(flat, out);
    for (int64_t d = rank - 1; d >= 0; --d) {
      out += out_stride[d];
      if (++index[d] < shape[d]) break;
      out -= out_stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

template <double (*Combine)(double, double)>
void reference_reduce(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out, double start) {
  std::vector<double> acc(static_cast<size_t>(out[0].size()), start);
  for_each_reduced(attrs, in[0].shape(), [&](int64_t i, int64_t o) { acc[o] = Combine(acc[o], in[0].item(i)); });
  for (int64_t i = 0; i < out[0].size(); ++i) out[0].set_item(i, acc[i]);
}
double plus(double a, double b) { return a + b; }
double times(double a, double b) { return a * b; }
double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }

// Gradients need the reduced value with its axes kept, so that it broadcasts against the input.
Value with_axes(const VjpContext& c, const Value& v) {
  Shape shape = c.inputs[0].shape();
  for (int64_t a : reduced_axes(c.attrs, static_cast<int64_t>(shape.size()), "reduce")) shape[a] = 1;
  return reshape(v, shape);
}
double reduced_count(const Attrs& attrs, const Shape& shape) {
  double n = 1;
  for (int64_t a : reduced_axes(attrs, static_cast<int64_t>(shape.size()), "reduce"))
    n *= static_cast<double>(shape[static_cast<size_t>(a)]);
  return n;
}
void reference_mean(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  reference_reduce<plus>(attrs, in, out, 0);
  for (int64_t i = 0; i < out[0].size(); ++i)
    out[0].set_item(i, out[0].item(i) / reduced_count(attrs, in[0].shape()));
}
Values vjp_mean(const VjpContext& c) {
  return {broadcast_to(with_axes(c, c.grads[0]) * (1 / reduced_count(c.attrs, c.inputs[0].shape())),
                       c.inputs[0].shape())};
}
Values vjp_sum(const VjpContext& c) { return {broadcast_to(with_axes(c, c.grads[0]), c.inputs[0].shape())}; }
// Ties share the gradient equally, as TensorFlow does.
Values vjp_extreme(const VjpContext& c) {
  Value hit = cast(equal(c.inputs[0], with_axes(c, c.outputs[0])), c.grads[0].dtype());
  Value count = sum(hit, reduced_axes(c.attrs, c.inputs[0].rank(), "reduce"), true);
  return {hit / count * with_axes(c, c.grads[0])};
}
// The product of the other elements: that of all nonzero ones over x, or, beside a single zero, only the zero's own.
Values vjp_prod(const VjpContext& c) {
  const Value& x = c.inputs[0];
  const std::vector<int64_t> axes = reduced_axes(c.attrs, x.rank(), "reduce");
  Value zero = equal(x, scalar_like(x, 0));
  Value filled = where(zero, scalar_like(x, 1), x);
  Value zeros = sum(cast(zero, x.dtype()), axes, true);
  Value others = prod(filled, axes, true) / filled;
  Value only_zero = logical_and(zero, equal(zeros, scalar_like(x, 1)));
  Value used = logical_or(only_zero, equal(zeros, scalar_like(x, 0)));
  return {with_axes(c, c.grads[0]) * where(used, others, scalar_like(x, 0))};
}

// ---- kernels ----

cpu::ReduceOp kernel_op(std::string_view name) {
  using cpu::ReduceOp;
  for (auto [op, n] : {std::pair{ReduceOp::sum, "reduce_sum"},
                       {ReduceOp::mean, "reduce_mean"},
                       {ReduceOp::max, "reduce_max"},
                       {ReduceOp::min, "reduce_min"},
                       {ReduceOp::prod, "reduce_prod"},
                       {ReduceOp::any, "reduce_any"},
                       {ReduceOp::all, "reduce_all"},
                       {ReduceOp::argmax, "argmax"},
                       {ReduceOp::argmin, "argmin"}})
    if (name == n) return op;
  GLIA_ASSERT(false, std::string(name));
  return ReduceOp::sum;
}

std::optional<KernelPlan> make_reduce(const KernelQuery& q, std::string& refusal) {
  const cpu::ReduceOp op = kernel_op(q.op.name);
  const cpu::Elem type = elem(q.in[0].dtype);
  if (!cpu::ReduceKernel::supports(op, type)) {
    refusal = "not for " + std::string(dtype_name(q.in[0].dtype));
    return {};
  }
  const int64_t rank = q.in[0].rank();
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  const bool arg = op == cpu::ReduceOp::argmax || op == cpu::ReduceOp::argmin;
  for (int64_t a :
       arg ? Ints{normalize_axis(q.attrs.i("axis"), rank, q.op.name)} : reduced_axes(q.attrs, rank, q.op.name))
    reduced[static_cast<size_t>(a)] = true;
  cpu::ReduceKernel k(op, type, q.in[0].shape, reduced);
  KernelPlan plan;
  plan.workspace = static_cast<size_t>(k.workspace());
  plan.params = kernel_params(std::move(k));
  plan.fn = [](const KernelArgs& a) { a.param<cpu::ReduceKernel>().run(a.in[0], a.out[0], a.work); };
  return plan;
}

const OpDef& arg_op(bool largest) {
  auto make_arg = [](const char* name, const char* doc) {
    OpDef def;
    def.name = name;
    def.doc = doc;
    def.attrs = {{"axis", int64_t{-1}, "axis to search"}, {"keepdims", false, "keep the axis with extent 1"}};
    def.infer = [](const InferContext& c) -> std::vector<TensorType> {
      GLIA_CHECK(c.in[0].rank() > 0, "{}: expected at least one axis. Received a scalar.", c.op.name);
      const auto axis = static_cast<size_t>(normalize_axis(c.attrs.i("axis"), c.in[0].rank(), c.op.name));
      TensorType out{DType::i32, c.in[0].shape};
      GLIA_CHECK(out.shape[axis] != 0, "{}: axis {} of {} is empty.", c.op.name, axis, to_string(c.in[0]));
      out.shape[axis] = 1;
      if (!c.attrs.b("keepdims")) out.shape.erase(out.shape.begin() + static_cast<std::ptrdiff_t>(axis));
      return {out};
    };
    def.differentiable = false;
    def.kernels = {{"reduce", make_reduce}};
    return def;
  };
  static const OpDef high = make_arg(
      "argmax", "int32 index of the largest element along an axis; the first of equals, NaN counts as largest.");
  static const OpDef low = make_arg(
      "argmin", "int32 index of the smallest element along an axis; the first of equals, NaN counts as smallest.");
  return largest ? high : low;
}

OpDef make(const char* name, const char* doc, Values (*vjp)(const VjpContext&),
           void (*reference)(const Attrs&, std::span<const Tensor>, std::span<const Tensor>)) {
  OpDef def;
  def.name = name;
  def.doc = doc;
  def.attrs = {{"axes", Ints{}, "axes to reduce; empty means all"},
               {"keepdims", false, "keep reduced axes with extent 1"}};
  def.infer = infer_reduce;
  def.vjp = vjp;
  def.differentiable = vjp != nullptr;
  def.reference = reference;
  def.kernels = {{"reduce", make_reduce}};
  return def;
}

const OpDef& reduce_op(const std::string& name) { return find_op(name); }
Value reduce(const char* name, const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return apply1(reduce_op(name), {{"axes", std::move(axes)}, {"keepdims", keepdims}}, {x});
}

}  // namespace

OpList reduce_ops() {
  static const OpDef defs[] = {
      make("reduce_sum", "Sum over axes.", vjp_sum,
           [](auto& a, auto in, auto out) { reference_reduce<plus>(a, in, out, 0); }),
      make("reduce_mean", "Mean over axes, of floats.", vjp_mean, reference_mean),
      make("reduce_max", "Largest element over axes.", vjp_extreme,
           [](auto& a, auto in, auto out) { reference_reduce<larger>(a, in, out, -INFINITY); }),
      make("reduce_min", "Smallest element over axes.", vjp_extreme,
           [](auto& a, auto in, auto out) { reference_reduce<smaller>(a, in, out, INFINITY); }),
      make("reduce_prod", "Product over axes.", vjp_prod,
           [](auto& a, auto in, auto out) { reference_reduce<times>(a, in, out, 1); }),
      make("reduce_any", "True where any element is, over axes.", nullptr,
           [](auto& a, auto in, auto out) { reference_reduce<larger>(a, in, out, 0); }),
      make("reduce_all", "True where all elements are, over axes.", nullptr,
           [](auto& a, auto in, auto out) { reference_reduce<smaller>(a, in, out, 1); }),
  };
  OpList list;
  for (auto& d : defs) list.push_back(&d);
  list.push_back(&arg_op(true));
  list.push_back(&arg_op(false));
  return list;
}

// Small integers are summed and multiplied as int32, unsigned ones as uint32.
static Value counted(const Value& x) {
  switch (x.dtype()) {
    case DType::bool_:
    case DType::i8:
    case DType::i16: return cast(x, DType::i32);
    case DType::u8:
    case DType::u16: return cast(x, DType::u32);
    default: return x;
  }
}
Value sum(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_sum", counted(x), std::move(axes), keepdims);
}
Value mean(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_mean", is_float(x.dtype()) ? x : cast(x, DType::f32), std::move(axes), keepdims);
}
Value max(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_max", x, std::move(axes), keepdims);
}
Value min(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_min", x, std::move(axes), keepdims);
}
Value prod(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_prod", counted(x), std::move(axes), keepdims);
}
Value any(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_any", cast(x, DType::bool_), std::move(axes), keepdims);
}
Value all(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  return reduce("reduce_all", cast(x, DType::bool_), std::move(axes), keepdims);
}

// NaNs are passed over, as TensorFlow does.
Value argmax(const Value& x, int64_t axis, bool keepdims) {
  Value v = is_float(x.dtype()) ? where(isnan(x), scalar_like(x, -INFINITY), x) : x;
  return apply1(arg_op(true), {{"axis", axis}, {"keepdims", keepdims}}, {v});
}
Value argmin(const Value& x, int64_t axis, bool keepdims) {
  Value v = is_float(x.dtype()) ? where(isnan(x), scalar_like(x, INFINITY), x) : x;
  return apply1(arg_op(false), {{"axis", axis}, {"keepdims", keepdims}}, {v});
}

}  // namespace glia::ops
