#include <glia/ops.h>
#include <glia/ops/arrays.h>

#include <cstring>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

static const OpDef& reshape_op() {
  static const OpDef def{
      .name = "reshape",
      .doc = "The same elements in row-major order under another shape; one extent may be -1. Costs nothing.",
      .attrs = {{"shape", Ints{}, "new shape", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        Shape shape = c.attrs.ints("shape");
        int64_t known = 1, hole = -1, total = c.in[0].elements();
        for (size_t i = 0; i < shape.size(); ++i) {
          if (shape[i] != -1) {
            known *= shape[i];
            continue;
          }
          GLIA_CHECK(hole < 0, "reshape: only one extent may be -1. Received {}.", glia::to_string(shape));
          hole = static_cast<int64_t>(i);
        }
        if (hole >= 0 && known > 0) shape[hole] = total / known;
        GLIA_CHECK(num_elements(shape) == total, "reshape: cannot reshape {} ({} elements) into {}.",
                   glia::to_string(c.in[0].shape), total, glia::to_string(c.attrs.ints("shape")));
        return {{c.in[0].dtype, shape}};
      },
      .vjp = [](const VjpContext& c) -> Values { return {reshape(c.grads[0], c.inputs[0].shape())}; },
      .traits = {.view = true, .low_precision = true},
  };
  return def;
}

Value reshape(const Value& x, Shape shape) {
  if (x.shape() == shape) return x;
  return apply1(reshape_op(), {{"shape", std::move(shape)}}, {x});
}

Value expand_dims(const Value& x, int64_t axis) {
  Shape s = x.shape();
  axis = normalize_axis(axis, static_cast<int64_t>(s.size()) + 1, "expand_dims");
  s.insert(s.begin() + axis, 1);
  return reshape(x, s);
}

Value squeeze(const Value& x, std::vector<int64_t> axes) {
  Shape s = x.shape(), out;
  axes = normalize_axes(axes, static_cast<int64_t>(s.size()), "squeeze");
  for (int64_t i = 0, a = 0; i < static_cast<int64_t>(s.size()); ++i) {
    bool named = a < static_cast<int64_t>(axes.size()) && axes[a] == i;
    if (named) ++a;
    GLIA_CHECK(!named || s[i] == 1, "squeeze: axis {} of shape {} is not 1.", i, glia::to_string(s));
    if (!named && !(axes.empty() && s[i] == 1)) out.push_back(s[i]);
  }
  return reshape(x, out);
}

static const OpDef& bitcast_op() {
  static const OpDef def{
      .name = "bitcast",
      .doc = "The same bytes as elements of another dtype; where its width differs, the last axis grows or shrinks.",
      .attrs = {{"dtype", std::string(), "Keras name of the result dtype", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        TensorType out{dtype_from_name(c.attrs.s("dtype")), c.in[0].shape};
        const auto from = static_cast<int64_t>(dtype_size(c.in[0].dtype)), to = static_cast<int64_t>(dtype_size(out.dtype));
        GLIA_CHECK(out.dtype != DType::bool_ || c.in[0].dtype == out.dtype, "view: the bits of {} are no bools.", dtype_name(c.in[0].dtype));
        if (from == to) return {out};
        GLIA_CHECK(!out.shape.empty() && out.shape.back() * from % to == 0, "view: the last axis of {} does not hold whole elements of {}.",
                   glia::to_string(c.in[0]), dtype_name(out.dtype));
        out.shape.back() = out.shape.back() * from / to;
        return {out};
      },
      .differentiable = false,
      .kernels = {{"copy",
                   [](const KernelQuery& q, std::string&) -> std::optional<KernelPlan> {
                     KernelPlan plan;
                     plan.params = kernel_params(q.in[0].bytes());
                     plan.fn = [](const KernelArgs& a) {
                       if (a.out[0] != a.in[0]) std::memcpy(a.out[0], a.in[0], a.param<size_t>());
                     };
                     return plan;
                   }}},
      .traits = {.moves = true, .low_precision = true, .in_place = {{0, 0}}},
  };
  return def;
}

Value view(const Value& x, DType dtype) {
  return x.dtype() == dtype ? x : apply1(bitcast_op(), {{"dtype", std::string(dtype_name(dtype))}}, {x});
}

OpList reshape_ops() { return {&reshape_op(), &bitcast_op()}; }

}  // namespace glia::ops
