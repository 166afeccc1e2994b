#include <glia/ops.h>

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

OpList reshape_ops() { return {&reshape_op()}; }

}  // namespace glia::ops
