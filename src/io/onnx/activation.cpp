// Activations, and the normalised exponentials.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

Operands import_celu(Node& n) {
  const double a = n.f("alpha", 1.0);
  return elementwise(n, [&](const Value& x) {
    return ops::relu(x) + ops::minimum(scalar(0, x.dtype()), (ops::exp(x / a) - 1.0) * a);
  });
}
Operands import_elu(Node& n) {
  const double a = n.f("alpha", 1.0);
  return elementwise(n, [&](const Value& x) { return ops::where(x > 0.0, x, ops::expm1(x) * a); });
}
Operands import_selu(Node& n) {
  const double a = n.f("alpha", 1.67326319217681884765625), g = n.f("gamma", 1.05070102214813232421875);
  return elementwise(n, [&](const Value& x) { return ops::where(x > 0.0, x, (ops::exp(x) - 1.0) * a) * g; });
}
Operands import_leaky_relu(Node& n) {
  const double a = n.f("alpha", 0.01);
  return elementwise(n, [&](const Value& x) { return ops::where(x < 0.0, x * a, x); });
}
Operands import_prelu(Node& n) {
  Operand slope = n.operand(1);
  const Shape s = slope.shape();
  // Before opset 7 a vector of slopes was one per channel.
  if (n.opset() < 7 && s.size() == 1 && s[0] > 1 && n.operand(0).rank() > 2) {
    Shape per_channel(static_cast<size_t>(n.operand(0).rank()) - 1, 1);
    per_channel[0] = s[0];
    slope = Operand(ops::reshape(slope.logical(), per_channel));
  }
  return {pointwise({n.operand(0), slope}, [](const Values& v) {
    return ops::where(ops::less(v[0], ops::scalar_like(v[0], 0)), v[0] * v[1], v[0]);
  })};
}
Operands import_hard_sigmoid(Node& n) {
  const double a = n.f("alpha", 0.2), b = n.f("beta", 0.5);
  return elementwise(n, [&](const Value& x) { return ops::clip(x * a + b, 0.0, 1.0); });
}
Operands import_hard_swish(Node& n) {
  return elementwise(n, [](const Value& x) { return x * ops::clip(x * (1.0 / 6.0) + 0.5, 0.0, 1.0); });
}
Operands import_thresholded_relu(Node& n) {
  const double a = n.f("alpha", 1.0);
  return elementwise(n, [&](const Value& x) { return ops::where(x > a, x, ops::scalar_like(x, 0)); });
}
Operands import_shrink(Node& n) {
  const double bias = n.f("bias", 0.0), lambda = n.f("lambd", 0.5);
  const DType t = n.operand(0).dtype();
  return elementwise(n, [&](const Value& x0) {
    const Value x = is_float(t) ? x0 : ops::cast(x0, DType::f32);
    return ops::cast(ops::where(x < -lambda, x + bias, ops::where(x > lambda, x - bias, ops::scalar_like(x, 0))), t);
  });
}
Operands import_softsign(Node& n) {
  return elementwise(n, [](const Value& x) { return x / (ops::abs(x) + 1.0); });
}
Operands import_mish(Node& n) {
  return elementwise(n, [](const Value& x) { return x * ops::tanh(ops::softplus(x)); });
}
Operands import_gelu(Node& n) {
  const bool approximate = n.s("approximate", "none") == "tanh";
  return elementwise(n, [&](const Value& x) { return ops::gelu(x, approximate); });
}
Value swish(const Value& x, double alpha) { return alpha == 1.0 ? ops::silu(x) : x * ops::sigmoid(x * alpha); }
Operands import_swish(Node& n) {
  const double a = n.f("alpha", 1.0);
  return elementwise(n, [&](const Value& x) { return swish(x, a); });
}
Operands import_swiglu(Node& n) {
  const double a = n.f("alpha", 1.0);
  return {pointwise({n.operand(0), n.operand(1)}, [&](const Values& v) { return swish(v[0], a) * v[1]; })};
}

// From opset 13 along one axis; before, over everything from `axis` on.
template <Value (*F)(const Value&, int64_t)>
Operands normalized(Node& n) {
  const Operand& x = n.operand(0);
  if (n.opset() >= 13) {
    const int64_t axis = n.axis(n.i("axis", -1), x.rank());
    return {Operand(F(x.stored(), x.stored_axis(axis)), x.axes())};
  }
  const int64_t axis = n.axis(n.i("axis", 1), x.rank());
  const Shape s = x.shape();
  int64_t rows = 1;
  for (int64_t i = 0; i < axis; ++i) rows *= s[static_cast<size_t>(i)];
  if (axis + 1 == x.rank()) return {F(x.logical(), -1)};
  const int64_t columns = rows ? num_elements(s) / rows : 0;
  return {ops::reshape(F(ops::reshape(x.logical(), {rows, columns}), -1), s)};
}
// 1 at the first maximum, else 0.
Value hardmax(const Value& x, int64_t axis) {
  return ops::one_hot(ops::argmax(x, axis), x.dim(static_cast<int>(axis)), axis, x.dtype());
}

}  // namespace

OperatorList activation_operators() {
  return {{"Celu", 12, import_celu},
          {"Elu", 1, import_elu},
          {"Gelu", 20, import_gelu},
          {"HardSigmoid", 1, import_hard_sigmoid},
          {"HardSwish", 14, import_hard_swish},
          {"Hardmax", 1, normalized<hardmax>},
          {"LeakyRelu", 1, import_leaky_relu},
          {"LogSoftmax", 1, normalized<ops::log_softmax>},
          {"Mish", 18, import_mish},
          {"PRelu", 1, import_prelu},
          {"Relu", 1, unary<ops::relu>},
          {"Selu", 1, import_selu},
          {"Shrink", 9, import_shrink},
          {"Sigmoid", 1, unary<ops::sigmoid>},
          {"Softmax", 1, normalized<ops::softmax>},
          {"Softplus", 1, unary<ops::softplus>},
          {"Softsign", 1, import_softsign},
          {"SwiGLU", 28, import_swiglu},
          {"Swish", 24, import_swish},
          {"Tanh", 1, unary<ops::tanh>},
          {"ThresholdedRelu", 10, import_thresholded_relu}};
}

}  // namespace glia::onnx
