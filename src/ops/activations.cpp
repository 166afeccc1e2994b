// Activation functions composed of pointwise ops.
#include <glia/ops/activations.h>

#include <cmath>

#include "ops/compose.h"
#include "ops/op_list.h"

namespace glia::ops {
namespace {
Value at_most_zero(const Value& x) { return minimum(x, zero_of(x)); }
}  // namespace

// The gradient is zero at both ends and is multiplied by the mask, as TensorFlow's: NaN where it is infinite outside.
static const ir::OpDef& relu6_op() {
  static const ir::OpDef def{
      .name = "relu6",
      .doc = "min(max(x, 0), 6), elementwise.",
      .infer = [](const ir::InferContext& c) -> std::vector<TensorType> { return {c.in[0]}; },
      .vjp = [](const ir::VjpContext& c) -> Values {
        const Value &x = c.inputs[0], &g = c.grads[0];
        return {g * cast(logical_and(x > 0.0, x < 6.0), g.dtype())};
      },
      .decompose = [](const ir::Attrs&, const Values& in) -> Values { return {where(in[0] >= 6.0, scalar_like(in[0], 6), relu(in[0]))}; },
      .traits = {.low_precision = true},
  };
  return def;
}
Value relu6(const Value& x) { return ir::apply1(relu6_op(), {}, {x}); }
OpList activation_ops() { return {&relu6_op()}; }
Value leaky_relu(const Value& x, double negative_slope) { return where(x > 0.0, x, negative_slope * x); }
// The exponentials see at most zero, so that no infinity meets a zero gradient. NaN goes the way of positive numbers.
Value elu(const Value& x, double alpha) { return where(x < 0.0, alpha * expm1(at_most_zero(x)), x); }
// At 0 both parts have a gradient, as Keras on TensorFlow.
Value celu(const Value& x, double alpha) { return maximum(x, zero_of(x)) + alpha * expm1(at_most_zero(x) / alpha); }
Value selu(const Value& x) {
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  // Keras takes the right-hand slope where exp(x) - 1 rounds to zero.
  return kScale * where(x <= -0x1p-25, kAlpha * expm1(at_most_zero(x)), x);
}
Value softsign(const Value& x) {
  Value huge = isinf(x), finite = where(huge, zero_of(x), x);  // no infinity in the quotient: its gradient there is 0
  return where(huge, scalar_like(x, NAN), finite / (1.0 + abs(finite)));
}
Value hard_sigmoid(const Value& x) { return relu6(x + 3.0) / 6.0; }
Value hard_silu(const Value& x) { return x * hard_sigmoid(x); }
Value hard_swish(const Value& x) { return hard_silu(x); }
Value hard_tanh(const Value& x) { return clip(x, -1, 1); }
Value hard_shrink(const Value& x, double threshold) { return where(abs(x) > threshold, x, zero_of(x)); }
Value soft_shrink(const Value& x, double threshold) {
  return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, zero_of(x)));
}
Value tanh_shrink(const Value& x) { return x - tanh(x); }
Value threshold(const Value& x, double threshold, double default_value) {
  return where(x > threshold, x, scalar_like(x, default_value));
}
Value squareplus(const Value& x, double b) { return (x + sqrt(square(x) + b)) / 2.0; }
Value sparse_plus(const Value& x) { return where(x <= -1.0, zero_of(x), where(x < 1.0, 0.25 * square(x + 1.0), x)); }
Value sparse_sigmoid(const Value& x) {
  return where(x <= -1.0, zero_of(x), where(x >= 1.0, scalar_like(x, 1), 0.5 * (x + 1.0)));
}
Value glu(const Value& x, int64_t axis) {
  GLIA_CHECK(x.dim(static_cast<int>(axis)) % 2 == 0, "glu: the extent of axis {} must be even. Received shape {}.", axis,
             to_string(x.shape()));
  Values halves = split(x, 2, axis);
  return halves[0] * sigmoid(halves[1]);
}
Value sparsemax(const Value& x, int64_t axis) {
  const int64_t at = front_axis(axis, x.rank(), "sparsemax"), n = x.dim(static_cast<int>(at));
  Value sorted = -sort(-x, at), total = cumsum(sorted, at);
  Value k = ramp_along(n, at, x.rank(), x.dtype()) + 1.0;
  Value support = (sorted - (total - 1.0) / k) > 0.0;
  // Keras 3.15 sums the running sums of the support here, where the paper sums its elements; kept for equal numbers.
  Value count = sum(cast(support, x.dtype()), {at}, true);
  Value tau = (sum(where(support, total, zero_of(total)), {at}, true) - 1.0) / count;
  return relu(x - tau);
}

}  // namespace glia::ops
