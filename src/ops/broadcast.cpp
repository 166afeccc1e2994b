#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/pointwise.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

// Copying with repetition is the pointwise machine's own input pattern: the program is the identity.
static std::optional<KernelPlan> make_broadcast(const KernelQuery& q, std::string&) {
  cpu::PwProgram p;
  p.output(p.input(elem(q.in[0].dtype)));
  const Shape& dims = q.out[0].shape;
  std::vector<std::vector<int64_t>> strides{cpu::pw_broadcast_strides(q.in[0].shape, dims)};
  KernelPlan plan;
  plan.params = kernel_params(cpu::PwKernel(p, dims, strides));
  plan.fn = [](const KernelArgs& a) { a.param<cpu::PwKernel>().run(const_cast<const void* const*>(a.in), a.out); };
  return plan;
}

static const OpDef& broadcast_to_op() {
  static const OpDef def{
      .name = "broadcast_to",
      .doc = "Repeats extents of 1 (and missing leading axes) up to the given shape, as NumPy does.",
      .attrs = {{"shape", Ints{}, "result shape", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const Shape& shape = c.attrs.ints("shape");
        GLIA_CHECK(broadcast_shapes(c.in[0].shape, shape, "broadcast_to") == shape, "broadcast_to: shape {} does not broadcast to {}.",
                   glia::to_string(c.in[0].shape), glia::to_string(shape));
        return {{c.in[0].dtype, shape}};
      },
      .vjp = [](const VjpContext& c) -> Values { return {sum_to(c.grads[0], c.inputs[0].shape())}; },
      .kernels = {{"pointwise", make_broadcast}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

Value broadcast_to(const Value& x, Shape shape) {
  if (x.shape() == shape) return x;
  return apply1(broadcast_to_op(), {{"shape", std::move(shape)}}, {x});
}

Value sum_to(const Value& x, const Shape& shape) {
  Shape from = x.shape();
  if (from == shape) return x;
  std::vector<int64_t> axes;
  size_t extra = from.size() - shape.size();
  for (size_t i = 0; i < from.size(); ++i)
    if (i < extra || (shape[i - extra] == 1 && from[i] != 1)) axes.push_back(static_cast<int64_t>(i));
  return reshape(sum(x, axes, true), shape);
}

OpList broadcast_ops() { return {&broadcast_to_op()}; }

}  // namespace glia::ops
