#include "nn/layers/activation.h"

#include <cmath>

namespace glia::nn {

void ActivationLayer::fields(Fields& f) {
  Layer::fields(f);
  f("activation", activation);
}

void ReLU::fields(Fields& f) {
  Layer::fields(f);
  f("max_value", o.max_value);
  f("negative_slope", o.negative_slope);
  f("threshold", o.threshold);
}
Value ReLU::call(const Value& x) {
  GLIA_CHECK(o.max_value.value_or(0) >= 0 && o.negative_slope >= 0 && o.threshold >= 0,
             "{}: max_value, negative_slope and threshold must not be negative. Received {}, {} and {}.", title(),
             o.max_value.value_or(0), o.negative_slope, o.threshold);
  // Keras's ReluLayer: below the threshold the slope applies, above it x itself, at most max_value.
  if (o.threshold == 0 && o.negative_slope == 0) return o.max_value ? ops::minimum(ops::relu(x), ops::scalar_like(x, *o.max_value)) : ops::relu(x);
  if (o.threshold == 0 && !o.max_value) return ops::leaky_relu(x, o.negative_slope);  // at 0 the slope is the gradient
  Value above = o.threshold == 0 ? ops::relu(x) : ops::where(x > o.threshold, x, ops::scalar_like(x, 0));
  if (o.max_value) above = ops::minimum(above, ops::scalar_like(x, *o.max_value));
  if (o.negative_slope == 0) return above;
  return above - ops::relu(o.threshold - x) * o.negative_slope;
}

void LeakyReLU::fields(Fields& f) {
  Layer::fields(f);
  f("negative_slope", o.negative_slope);
}
Value LeakyReLU::call(const Value& x) {
  GLIA_CHECK(o.negative_slope >= 0, "{}: negative_slope must not be negative. Received {}.", title(), o.negative_slope);
  return ops::where(x > 0.0, x, x * o.negative_slope);
}

void ELU::fields(Fields& f) {
  Layer::fields(f);
  f("alpha", o.alpha);
}
Value ELU::call(const Value& x) {
  return ops::where(x > 0.0, x, ops::expm1(ops::minimum(x, ops::scalar_like(x, 0))) * o.alpha);
}

void PReLU::fields(Fields& f) {
  Layer::fields(f);
  o.alpha_initializer.field(f, "alpha_initializer");
  o.alpha_regularizer.field(f, "alpha_regularizer");
  o.alpha_constraint.field(f, "alpha_constraint");
  std::optional<Ints> axes;
  if (!o.shared_axes.empty()) axes = o.shared_axes;
  f("shared_axes", axes);
  o.shared_axes = axes.value_or(Ints{});
}
void PReLU::build(const std::vector<Shape>& in) {
  check_min_rank(title(), in[0], 2);
  Shape shape(in[0].begin() + 1, in[0].end());
  for (int64_t a : o.shared_axes) {
    GLIA_CHECK(a >= 1 && a < static_cast<int64_t>(in[0].size()), "{}: shared axis {} is out of range for shape {}. Axes count from 1.",
               title(), a, to_string(in[0]));
    shape[a - 1] = 1;
  }
  alpha = add_weight("alpha", shape, o.alpha_initializer, weight_options(o.alpha_regularizer, o.alpha_constraint));
}
Value PReLU::call(const Value& x) { return ops::relu(x) - ops::cast(alpha.value(), x.dtype()) * ops::relu(-x); }

void Softmax::fields(Fields& f) {
  Layer::fields(f);
  axis_field(f, "axis", o.axis);
}
Values Softmax::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  Value x = inputs[0], mask = options.mask;
  Shape shape = x.shape();
  if (mask.defined()) {
    Shape m = mask.shape();
    bool fits = m.size() <= shape.size();
    for (size_t i = 0; fits && i < m.size(); ++i) {
      int64_t have = m[m.size() - 1 - i];
      fits = have == 1 || have == shape[shape.size() - 1 - i];
    }
    GLIA_CHECK(fits, "{}: the mask must be broadcastable to the input. Received a mask of shape {} for an input of shape {}.",
               title(), to_string(m), to_string(shape));
    if (mask.dtype() != DType::bool_) mask = mask > 0.5;
    x = ops::where(mask, x, ops::scalar_like(x, x.dtype() == DType::f16 ? -30000.0 : -1e9));
  }
  Value y;
  if (o.axis.size() == 1) y = ops::softmax(x, o.axis[0]);
  else {
    Value e = ops::exp(x - ops::stop_gradient(ops::max(x, o.axis, true)));
    y = e / ops::sum(e, o.axis, true);
  }
  if (mask.defined()) y = ops::where(mask, y, ops::scalar_like(y, 0));
  return {y};
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef Activation(glia::Activation activation, PlainOptions options) {
  auto l = nn::make_with<nn::ActivationLayer>(std::move(options));
  l->activation = std::move(activation);
  return LayerRef(l);
}
LayerRef ReLU(ReLUOptions options) { return LayerRef(nn::make_with<nn::ReLU>(std::move(options))); }
LayerRef LeakyReLU(LeakyReLUOptions options) { return LayerRef(nn::make_with<nn::LeakyReLU>(std::move(options))); }
LayerRef ELU(ELUOptions options) { return LayerRef(nn::make_with<nn::ELU>(std::move(options))); }
LayerRef PReLU(PReLUOptions options) { return LayerRef(nn::make_with<nn::PReLU>(std::move(options))); }
LayerRef Softmax(SoftmaxOptions options) { return LayerRef(nn::make_with<nn::Softmax>(std::move(options))); }

}  // namespace glia::layers
