#include "nn/layers/norm.h"

#include <glia/initializers.h>

#include <algorithm>

namespace glia::nn {
namespace {

DType at_least_f32(DType t) { return t == DType::f64 ? DType::f64 : DType::f32; }

Ints sorted_axes(const std::string& title, Ints axes, int rank) {
  for (int64_t& a : axes) {
    GLIA_CHECK(a >= -rank && a < rank, "{}: axis {} is out of range for an input of rank {}.", title, a, rank);
    a = positive_axis(a, rank);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}
bool trailing(const Ints& axes, int rank) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != rank - static_cast<int>(axes.size()) + static_cast<int>(i)) return false;
  return true;
}
Shape extents(const Shape& shape, const Ints& axes) {
  Shape r;
  for (int64_t a : axes) r.push_back(shape[static_cast<size_t>(a)]);
  return r;
}
// A weight over `axes` shaped so that it broadcasts against an array of shape `shape`.
Value spread(const Value& w, const Shape& shape, const Ints& axes) {
  Shape s(shape.size(), 1);
  for (int64_t a : axes) s[static_cast<size_t>(a)] = shape[static_cast<size_t>(a)];
  return ops::reshape(w, s);
}
Value value_or_none(const Variable& v, DType t) { return v.defined() ? ops::cast(v.value(), t) : Value(); }

}  // namespace

// ---- BatchNormalization ---------------------------------------------------------------------------------------------------

void BatchNormalization::fields(Fields& f) {
  Layer::fields(f);
  f("axis", o.axis);
  f("momentum", o.momentum);
  f("epsilon", o.epsilon);
  f("center", o.center);
  f("scale", o.scale);
  o.beta_initializer.field(f, "beta_initializer");
  o.gamma_initializer.field(f, "gamma_initializer");
  o.moving_mean_initializer.field(f, "moving_mean_initializer");
  o.moving_variance_initializer.field(f, "moving_variance_initializer");
  o.beta_regularizer.field(f, "beta_regularizer");
  o.gamma_regularizer.field(f, "gamma_regularizer");
  o.beta_constraint.field(f, "beta_constraint");
  o.gamma_constraint.field(f, "gamma_constraint");
  f("synchronized", o.synchronized);
  f("renorm", o.renorm);
  f("renorm_clipping", o.renorm_clipping);
  f("renorm_momentum", o.renorm_momentum);
}

void BatchNormalization::build(const std::vector<Shape>& in) {
  int rank = static_cast<int>(in[0].size());
  int64_t axis = sorted_axes(title(), {o.axis}, rank)[0], n = in[0][static_cast<size_t>(axis)];
  GLIA_CHECK(n >= 0, "{}: axis {} of the input must be known. Received shape {}.", title(), o.axis, to_string(in[0]));
  Shape s{n};
  DType t = at_least_f32(variable_dtype());
  auto weight = [&](const char* name, const Initializer& init, VariableOptions v) {
    v.dtype = t;
    return add_weight(name, s, init, v);
  };
  VariableOptions state{.trainable = false};
  if (o.scale) gamma = weight("gamma", o.gamma_initializer, weight_options(o.gamma_regularizer, o.gamma_constraint));
  if (o.center) beta = weight("beta", o.beta_initializer, weight_options(o.beta_regularizer, o.beta_constraint));
  moving_mean = weight("moving_mean", o.moving_mean_initializer, state);
  moving_variance = weight("moving_variance", o.moving_variance_initializer, state);
  if (!o.renorm) return;
  auto root = [&](const Variable& v) { v.tensor().copy_from(ops::sqrt(Value(v.tensor().clone())).tensor()); };
  moving_stddev_ = weight("moving_stddev", o.moving_variance_initializer, state);
  renorm_mean_ = weight("renorm_mean", o.moving_mean_initializer, state);
  renorm_stddev_ = weight("renorm_stddev", o.moving_variance_initializer, state);
  root(moving_stddev_);
  root(renorm_stddev_);
}

Values BatchNormalization::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  DType t = at_least_f32(inputs[0].dtype());
  Value x = ops::cast(inputs[0], t);
  int64_t axis = positive_axis(o.axis, x.rank());
  GLIA_CHECK(axis >= 0 && axis < x.rank() && x.dim(static_cast<int>(axis)) == moving_mean.shape()[0],
             "{}: axis {} of the input must have {} channels, for which the layer was built. Received shape {}.", title(), o.axis,
             moving_mean.shape()[0], to_string(x.shape()));
  GLIA_CHECK(!options.mask.defined() || options.mask.rank() == x.rank() - 1,
             "{}: the mask must have one axis less than the input. Received a mask of shape {} for an input of shape {}.", title(),
             options.mask.defined() ? to_string(options.mask.shape()) : "", to_string(x.shape()));
  Value g = value_or_none(gamma, t), b = value_or_none(beta, t), y;
  if (training(options) && trainable_) y = train(x, options.mask, axis, g, b);
  else
    y = ops::batch_normalization(x, ops::cast(moving_mean.value(), t), ops::cast(moving_variance.value(), t), axis, b, g, o.epsilon);
  return {ops::cast(y, compute_dtype())};
}

Value BatchNormalization::train(const Value& x, const Value& mask, int64_t axis, const Value& g, const Value& b) {
  Ints rest;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != axis) rest.push_back(i);
  Value mean, variance, y;
  if (!mask.defined() && !o.renorm && axis == x.rank() - 1) {  // fused
    ops::BatchNorm r = ops::batch_norm_training(x, g, b, o.epsilon);
    mean = r.mean, variance = r.variance, y = r.y;
  } else {
    if (mask.defined()) {
      Value keep = ops::broadcast_to(ops::expand_dims(ops::cast(mask, DType::bool_), -1), x.shape()), zero = ops::scalar_like(x, 0);
      Value n = ops::sum(ops::cast(keep, x.dtype()), rest, true) + 1e-7;
      mean = ops::sum(ops::where(keep, x, zero), rest, true) / n;
      variance = ops::reshape(ops::sum(ops::square(ops::where(keep, x - mean, zero)), rest, true) / n, moving_mean.shape());
      mean = ops::reshape(mean, moving_mean.shape());
    } else {
      Values m = ops::moments(x, rest);
      mean = m[0], variance = m[1];
    }
    if (o.renorm) return renormalise(x, axis, mean, variance, g, b);
    y = ops::batch_normalization(x, mean, variance, axis, b, g, o.epsilon);
  }
  auto average = [&](const Variable& v, const Value& now) {
    v.assign(ops::cast(v.value(), now.dtype()) * o.momentum + ops::stop_gradient(now) * (1.0 - o.momentum));
  };
  average(moving_mean, mean);
  average(moving_variance, variance);
  return y;
}

// Ioffe 2017: r and d bring the batch's statistics to the moving ones; they are constants for the gradient.
Value BatchNormalization::renormalise(const Value& x, int64_t axis, const Value& mean, const Value& variance, Value g, Value b) {
  auto limit = [&](const char* key) {
    auto it = o.renorm_clipping.find(key);
    return it == o.renorm_clipping.end() ? std::optional<double>() : it->second;
  };
  Value stddev = ops::sqrt(variance + o.epsilon), root = ops::sqrt(ops::scalar_like(x, o.epsilon));
  Value old_stddev = ops::maximum(renorm_stddev_.value(), root);
  Value r = stddev / old_stddev, d = (mean - renorm_mean_.value()) / old_stddev;
  if (auto v = limit("rmin")) r = ops::maximum(r, ops::scalar_like(r, *v));
  if (auto v = limit("rmax")) r = ops::minimum(r, ops::scalar_like(r, *v));
  if (auto v = limit("dmax")) d = ops::clip(d, -*v, *v);
  r = ops::stop_gradient(r), d = ops::stop_gradient(d);
  Value scale = g.defined() ? r * g : r, shift = g.defined() ? d * g : d;
  if (b.defined()) shift = shift + b;
  Value y = ops::batch_normalization(x, mean, variance, axis, shift, scale, o.epsilon);
  auto average = [&](const Variable& v, const Value& now, double momentum) {
    Value next = v.value() * momentum + ops::stop_gradient(now) * (1.0 - momentum);
    v.assign(next);
    return next;
  };
  average(renorm_mean_, mean, o.renorm_momentum);
  average(renorm_stddev_, stddev, o.renorm_momentum);
  average(moving_mean, mean, o.momentum);
  Value s = average(moving_stddev_, stddev, o.momentum);
  moving_variance.assign(ops::relu(s * s - o.epsilon));
  return y;
}

// ---- LayerNormalization ---------------------------------------------------------------------------------------------------

void LayerNormalization::fields(Fields& f) {
  Layer::fields(f);
  axis_field(f, "axis", o.axis);
  f("epsilon", o.epsilon);
  f("center", o.center);
  f("scale", o.scale);
  f("rms_scaling", o.rms_scaling);
  o.beta_initializer.field(f, "beta_initializer");
  o.gamma_initializer.field(f, "gamma_initializer");
  o.beta_regularizer.field(f, "beta_regularizer");
  o.gamma_regularizer.field(f, "gamma_regularizer");
  o.beta_constraint.field(f, "beta_constraint");
  o.gamma_constraint.field(f, "gamma_constraint");
}
void LayerNormalization::build(const std::vector<Shape>& in) {
  Shape s = extents(in[0], sorted_axes(title(), o.axis, static_cast<int>(in[0].size())));
  if (o.scale || o.rms_scaling) gamma = add_weight("gamma", s, o.gamma_initializer, weight_options(o.gamma_regularizer, o.gamma_constraint));
  if (o.center && !o.rms_scaling) beta = add_weight("beta", s, o.beta_initializer, weight_options(o.beta_regularizer, o.beta_constraint));
}
Value LayerNormalization::call(const Value& input) {
  DType t = at_least_f32(input.dtype());
  Value x = ops::cast(input, t), g = value_or_none(gamma, t), b = value_or_none(beta, t), y;
  Ints axes = sorted_axes(title(), o.axis, x.rank());
  if (trailing(axes, x.rank()) && !o.rms_scaling) {
    y = ops::layer_norm(x, g, b, o.epsilon, static_cast<int64_t>(axes.size()));
  } else {
    Values m = ops::moments(x, axes, true);
    Value inv = ops::rsqrt(m[1] + o.epsilon);
    if (g.defined()) inv = inv * spread(g, x.shape(), axes);
    y = o.rms_scaling ? x * inv : (x - m[0]) * inv;
    if (b.defined()) y = y + spread(b, x.shape(), axes);
  }
  return ops::cast(y, compute_dtype());
}

// ---- GroupNormalization ---------------------------------------------------------------------------------------------------

void GroupNormalization::fields(Fields& f) {
  Layer::fields(f);
  f("groups", o.groups);
  f("axis", o.axis);
  f("epsilon", o.epsilon);
  f("center", o.center);
  f("scale", o.scale);
  o.beta_initializer.field(f, "beta_initializer");
  o.gamma_initializer.field(f, "gamma_initializer");
  o.beta_regularizer.field(f, "beta_regularizer");
  o.gamma_regularizer.field(f, "gamma_regularizer");
  o.beta_constraint.field(f, "beta_constraint");
  o.gamma_constraint.field(f, "gamma_constraint");
}
void GroupNormalization::build(const std::vector<Shape>& in) {
  int64_t axis = sorted_axes(title(), {o.axis}, static_cast<int>(in[0].size()))[0], n = in[0][static_cast<size_t>(axis)];
  if (o.groups == -1) o.groups = n;
  GLIA_CHECK(n > 0 && o.groups > 0 && n % o.groups == 0,
             "{}: axis {} must have a known number of channels that groups ({}) divides. Received shape {}.", title(), o.axis,
             o.groups, to_string(in[0]));
  if (o.scale) gamma = add_weight("gamma", {n}, o.gamma_initializer, weight_options(o.gamma_regularizer, o.gamma_constraint));
  if (o.center) beta = add_weight("beta", {n}, o.beta_initializer, weight_options(o.beta_regularizer, o.beta_constraint));
}
Value GroupNormalization::call(const Value& input) {
  DType t = at_least_f32(input.dtype());
  Shape shape = input.shape();
  int64_t axis = positive_axis(o.axis, input.rank());
  check_min_rank(title(), shape, 2);
  Shape split = shape, weight(shape.size() + 1, 1);
  split[static_cast<size_t>(axis)] /= o.groups;
  split.insert(split.begin() + axis, o.groups);
  weight[static_cast<size_t>(axis)] = o.groups;
  weight[static_cast<size_t>(axis) + 1] = split[static_cast<size_t>(axis) + 1];
  Ints rest;
  for (int64_t i = 1; i < static_cast<int64_t>(split.size()); ++i)
    if (i != axis) rest.push_back(i);
  Value x = ops::reshape(ops::cast(input, t), split);
  Values m = ops::moments(x, rest, true);
  Value inv = ops::rsqrt(m[1] + o.epsilon);
  if (gamma.defined()) inv = inv * ops::reshape(ops::cast(gamma.value(), t), weight);
  Value shift = -m[0] * inv;
  if (beta.defined()) shift = shift + ops::reshape(ops::cast(beta.value(), t), weight);
  return ops::cast(ops::reshape(x * inv + shift, shape), compute_dtype());
}

// ---- RMSNormalization, UnitNormalization ----------------------------------------------------------------------------------

void RMSNormalization::fields(Fields& f) {
  Layer::fields(f);
  axis_field(f, "axis", o.axis);
  f("epsilon", o.epsilon);
}
void RMSNormalization::build(const std::vector<Shape>& in) {
  scale = add_weight("scale", extents(in[0], sorted_axes(title(), o.axis, static_cast<int>(in[0].size()))), "ones");
}
Value RMSNormalization::call(const Value& input) {
  DType t = at_least_f32(input.dtype());
  Value x = ops::cast(input, t), s = ops::cast(scale.value(), t), y;
  Ints axes = sorted_axes(title(), o.axis, x.rank());
  if (trailing(axes, x.rank())) y = ops::rms_norm(x, s, o.epsilon, static_cast<int64_t>(axes.size()));
  else y = x * ops::rsqrt(ops::mean(ops::square(x), axes, true) + o.epsilon) * spread(s, x.shape(), axes);
  return ops::cast(y, input.dtype());
}

void UnitNormalization::fields(Fields& f) {
  Layer::fields(f);
  axis_field(f, "axis", o.axis);
}
Value UnitNormalization::call(const Value& x) {
  Value sum = ops::sum(ops::square(x), sorted_axes(title(), o.axis, x.rank()), true);
  return x * ops::rsqrt(ops::maximum(sum, ops::scalar_like(sum, 1e-24)));  // the norm is at least 1e-12
}

// ---- SpectralNormalization ------------------------------------------------------------------------------------------------

void SpectralNormalization::fields(Fields& f) {
  Layer::fields(f);
  std::shared_ptr<Configurable> p = layer.ptr();
  f.object("layer", "layer", p);
  layer = LayerRef(std::static_pointer_cast<Layer>(p));
  f("power_iterations", o.power_iterations);
}
void SpectralNormalization::build(const std::vector<Shape>& in) {
  GLIA_CHECK(layer, "{}: a layer to wrap is needed, e.g. SpectralNormalization(layers::Dense(8)).", title());
  GLIA_CHECK(o.power_iterations > 0, "{}: power_iterations must be positive. Received {}.", title(), o.power_iterations);
  if (sublayers().empty()) track(layer);
  layer->build_once(in);
  for (const Variable& v : layer->own_variables())
    if (v.name() == "kernel" || v.name() == "embeddings") kernel_ = v;
  GLIA_CHECK(kernel_.defined(), "{}: the wrapped layer {} has neither a kernel nor embeddings.", title(), layer->name());
  track(kernel_);  // Keras lists it first
  vector_u = add_weight("vector_u", {1, kernel_.shape().back()}, initializers::TruncatedNormal({.stddev = 0.02}), {.trainable = false, .dtype = kernel_.dtype()});
}
Values SpectralNormalization::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  if (training(options)) {
    Value k = kernel_.value(), w = ops::reshape(k, {-1, kernel_.shape().back()}), u = vector_u.value(), v;
    auto unit = [](const Value& x) {
      return x * ops::minimum(ops::rsqrt(ops::sum(ops::square(x))), ops::scalar_like(x, 1e7));
    };
    for (int64_t i = 0; i < o.power_iterations; ++i) {
      v = unit(ops::matmul(u, w, false, true));
      u = unit(ops::matmul(v, w));
    }
    u = ops::stop_gradient(u), v = ops::stop_gradient(v);
    Value sigma = ops::sum(ops::matmul(v, w) * u);
    Value zero = ops::all(ops::equal(k, ops::scalar_like(k, 0)));  // a kernel of zeros stays
    vector_u.assign(ops::where(zero, vector_u.value(), u));
    // The normalised kernel is the weight from here on: its gradient is the weight's, not that of the division.
    kernel_.assign(ops::stop_gradient(ops::where(zero, k, k / sigma)) + (k - ops::stop_gradient(k)));
  }
  return {ops::cast(layer(inputs[0], options), inputs[0].dtype())};
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef BatchNormalization(BatchNormalizationOptions options) {
  return LayerRef(nn::make_with<nn::BatchNormalization>(std::move(options)));
}
LayerRef LayerNormalization(LayerNormalizationOptions options) {
  return LayerRef(nn::make_with<nn::LayerNormalization>(std::move(options)));
}
LayerRef GroupNormalization(GroupNormalizationOptions options) {
  return LayerRef(nn::make_with<nn::GroupNormalization>(std::move(options)));
}
LayerRef RMSNormalization(RMSNormalizationOptions options) { return LayerRef(nn::make_with<nn::RMSNormalization>(std::move(options))); }
LayerRef UnitNormalization(UnitNormalizationOptions options) {
  return LayerRef(nn::make_with<nn::UnitNormalization>(std::move(options)));
}
LayerRef SpectralNormalization(LayerRef layer, SpectralNormalizationOptions options) {
  auto l = nn::make_with<nn::SpectralNormalization>(std::move(options));
  l->layer = std::move(layer);
  return LayerRef(l);
}

}  // namespace glia::layers
