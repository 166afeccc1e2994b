#include "kernels/cpu/softmax.h"

#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/axis.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<TensorType> infer_softmax(const InferContext& c) {
  GLIA_CHECK(is_float(c.in[0].dtype), "{}: expected floating point. Received {}.", c.op.name, to_string(c.in[0]));
  GLIA_CHECK(c.in[0].rank() > 0, "{}: expected at least one axis. Received a scalar.", c.op.name);
  normalize_axis(c.attrs.i("axis"), c.in[0].rank(), c.op.name);
  GLIA_CHECK(c.in.size() < 2 || c.in[0] == c.in[1], "{}: both inputs must have one type. Received {} and {}.",
             c.op.name, to_string(c.in[0]), to_string(c.in[1]));
  return {c.in[0]};
}

bool is_log(const OpDef& op) { return op.name.starts_with("log_"); }

struct SoftmaxParams {
  AxisSplit split;
  bool log;
  cpu::Elem type;
  decltype(&cpu::scalar::softmax) forward;
  decltype(&cpu::scalar::softmax_grad) backward;
};

std::optional<KernelPlan> make_rows(const KernelQuery& q, std::string& refusal) {
  const DType t = q.in[0].dtype;
  if (t != DType::f32 && t != DType::f64) {
    refusal = "needs float32 or float64";
    return {};
  }
  SoftmaxParams p{split_at(q.in[0].shape, q.attrs.i("axis")), is_log(q.op), elem(t), GLIA_ISA_SELECT(softmax),
                  GLIA_ISA_SELECT(softmax_grad)};
  KernelPlan plan;
  plan.params = kernel_params(p);
  if (q.in.size() == 1) {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<SoftmaxParams>();
      p.forward(p.type, {a.in[0], a.out[0], p.split.outer, p.split.n, p.split.inner, p.log});
    };
  } else {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<SoftmaxParams>();
      p.backward(p.type, {a.in[0], a.in[1], a.out[0], p.split.outer, p.split.n, p.split.inner, p.log});
    };
  }
  return plan;
}

Values decompose_softmax(const Attrs& attrs, const Values& in) {
  const Ints axis{attrs.i("axis")};
  Value e = exp(in[0] - stop_gradient(max(in[0], axis, true)));
  return {e / sum(e, axis, true)};
}
Values decompose_log_softmax(const Attrs& attrs, const Values& in) {
  const Ints axis{attrs.i("axis")};
  Value d = in[0] - stop_gradient(max(in[0], axis, true));
  return {d - log(sum(exp(d), axis, true))};
}
// y and dy -> dx
Values decompose_grad(const Attrs& attrs, const Values& in) {
  return {in[0] * (in[1] - sum(in[0] * in[1], {attrs.i("axis")}, true))};
}
Values decompose_log_grad(const Attrs& attrs, const Values& in) {
  return {in[1] - exp(in[0]) * sum(in[1], {attrs.i("axis")}, true)};
}

const OpDef& softmax_grad_op(bool log) {
  auto make = [](const char* name, Values (*decompose)(const Attrs&, const Values&)) {
    return OpDef{.name = name,
                 .doc = "Gradient for the input of a softmax, from its result y and the gradient dy.",
                 .min_inputs = 2,
                 .max_inputs = 2,
                 .attrs = {{"axis", int64_t{-1}, "axis that was normalised"}},
                 .infer = infer_softmax,
                 .decompose = decompose,
                 .kernels = {{"rows", make_rows}},
                 .traits = {.in_place = {{1, 0}}}};
  };
  static const OpDef plain = make("softmax_grad", decompose_grad),
                     logarithm = make("log_softmax_grad", decompose_log_grad);
  return log ? logarithm : plain;
}

const OpDef& softmax_op(bool log) {
  auto make = [](const char* name, const char* doc, Values (*decompose)(const Attrs&, const Values&),
                 Values (*vjp)(const VjpContext&)) {
    return OpDef{.name = name,
                 .doc = doc,
                 .attrs = {{"axis", int64_t{-1}, "axis to normalise"}},
                 .infer = infer_softmax,
                 .vjp = vjp,
                 .decompose = decompose,
                 .kernels = {{"rows", make_rows}},
                 .traits = {.in_place = {{0, 0}}}};
  };
  static const OpDef plain = make("softmax", "exp(x) / sum(exp(x)) along an axis, computed from x - max(x).",
                                  decompose_softmax, [](const VjpContext& c) -> Values {
                                    return {apply1(softmax_grad_op(false), c.attrs, {c.outputs[0], c.grads[0]})};
                                  });
  static const OpDef logarithm = make("log_softmax", "x - log(sum(exp(x))) along an axis, computed from x - max(x).",
                                      decompose_log_softmax, [](const VjpContext& c) -> Values {
                                        return {apply1(softmax_grad_op(true), c.attrs, {c.outputs[0], c.grads[0]})};
                                      });
  return log ? logarithm : plain;
}

Value as_float(const Value& x) { return is_float(x.dtype()) ? x : cast(x, DType::f32); }

}  // namespace

OpList softmax_ops() {
  return {&softmax_op(false), &softmax_op(true), &softmax_grad_op(false), &softmax_grad_op(true)};
}

Value softmax(const Value& x, int64_t axis) { return apply1(softmax_op(false), {{"axis", axis}}, {as_float(x)}); }
Value log_softmax(const Value& x, int64_t axis) { return apply1(softmax_op(true), {{"axis", axis}}, {as_float(x)}); }

Value logsumexp(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  Value f = as_float(x), m = stop_gradient(max(f, axes, true));
  Value finite = where(isfinite(m), m, scalar_like(f, 0));  // rows of -inf stay -inf
  Value s = log(sum(exp(f - finite), axes, true)) + finite;
  return keepdims ? s : sum(s, axes, false);
}

}  // namespace glia::ops
