#include "nn/layers/regularization.h"

#include <cmath>

#include "nn/layers/random.h"

namespace glia::nn {
namespace {

void check_rate(const std::string& title, const char* what, double rate) {
  GLIA_CHECK(rate >= 0 && rate <= 1, "{}: {} must lie between 0 and 1. Received {}.", title, what, rate);
}

Shape noise_extents(const std::string& title, const Ints& given, const Shape& shape) {
  if (given.empty()) return shape;
  GLIA_CHECK(given.size() == shape.size(), "{}: noise_shape needs one extent per axis of the input. Received {} for input shape {}.",
             title, to_string(given), to_string(shape));
  Shape r = given;
  for (size_t i = 0; i < r.size(); ++i)
    if (r[i] < 0) r[i] = shape[i];
  return r;
}

}  // namespace

Value dropout(const Value& x, double rate, const Shape& noise_shape, const std::optional<int64_t>& seed) {
  if (rate <= 0) return x;
  if (rate >= 1) return x * 0.0;
  return random_dropout(x, rate, noise_shape, seed);
}

void Dropout::fields(Fields& f) {
  Layer::fields(f);
  f("rate", rate);
  f("seed", o.seed);
  std::optional<Ints> shape;
  if (!o.noise_shape.empty()) shape = o.noise_shape;
  f("noise_shape", shape);
  o.noise_shape = shape.value_or(Ints{});
}
Values Dropout::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  check_rate(title(), "rate", rate);
  const Value& x = inputs[0];
  if (!training(options) || rate == 0) return {x};
  Shape shape = noise_extents(title(), o.noise_shape, x.shape());
  if (kind_ == "Dropout") return {dropout(x, rate, shape, o.seed)};
  // Klambauer et al., "Self-normalizing neural networks": dropped units take selu's negative limit, then an affine map
  // restores mean and variance.
  const double limit = -1.6732632423543772 * 1.0507009873554805;
  const double a = 1 / std::sqrt((1 - rate) * (1 + rate * limit * limit)), b = -a * limit * rate;
  Value keep = random_uniform(shape, DType::f32, o.seed) >= rate;
  return {ops::where(keep, x, ops::scalar_like(x, limit)) * a + b};
}

void SpatialDropout::fields(Fields& f) {
  f("rate", rate);
  f("seed", o.seed);
  f("name", name_);
  f("dtype", dtype_policy_);
  if (f.reading()) f("trainable", trainable_);
  if (spatial_ > 1) f("data_format", o.data_format);
}
void SpatialDropout::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], static_cast<size_t>(spatial_) + 2, "(batch, spatial axes, channels)");
  check_data_format(title(), o.data_format);
}
Values SpatialDropout::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  check_rate(title(), "rate", rate);
  const Value& x = inputs[0];
  if (!training(options) || rate == 0) return {x};
  Shape shape = x.shape();
  bool first = spatial_ > 1 && is_channels_first(o.data_format);
  for (int i = 0; i < spatial_; ++i) shape[(first ? 2 : 1) + i] = 1;
  return {dropout(x, rate, shape, o.seed)};
}

void GaussianNoise::fields(Fields& f) {
  Layer::fields(f);
  f(multiplies_ ? "rate" : "stddev", amount);
  f("seed", o.seed);
}
Values GaussianNoise::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  check_rate(title(), multiplies_ ? "rate" : "stddev", amount);
  const Value& x = inputs[0];
  if (!training(options) || amount == 0) return {x};
  if (!multiplies_) return {x + ops::cast(random_normal(x.shape(), DType::f32, o.seed, 0, amount), x.dtype())};
  return {x * ops::cast(random_normal(x.shape(), DType::f32, o.seed, 1, std::sqrt(amount / (1 - amount))), x.dtype())};
}

void ActivityRegularization::fields(Fields& f) {
  Layer::fields(f);
  f("l1", o.l1);
  f("l2", o.l2);
}
Value ActivityRegularization::call(const Value& x) {
  Value term;
  if (o.l1 != 0) term = ops::sum(ops::abs(x)) * o.l1;
  if (o.l2 != 0) {
    Value square = ops::sum(ops::square(x)) * o.l2;
    term = term.defined() ? term + square : square;
  }
  if (term.defined()) add_loss(term * (1.0 / static_cast<double>(std::max<int64_t>(1, x.dim(0)))));
  return x;
}

}  // namespace glia::nn

namespace glia::layers {

static LayerRef dropout_layer(const char* kind, double rate, DropoutOptions options) {
  auto l = nn::make_with<nn::Dropout>(std::move(options), kind);
  l->rate = rate;
  return LayerRef(l);
}
LayerRef Dropout(double rate, DropoutOptions options) { return dropout_layer("Dropout", rate, std::move(options)); }
LayerRef AlphaDropout(double rate, DropoutOptions options) { return dropout_layer("AlphaDropout", rate, std::move(options)); }

static LayerRef spatial_dropout(int spatial, double rate, SpatialDropoutOptions options) {
  auto l = nn::make_with<nn::SpatialDropout>(std::move(options), spatial);
  l->rate = rate;
  return LayerRef(l);
}
LayerRef SpatialDropout1D(double rate, SpatialDropoutOptions options) { return spatial_dropout(1, rate, std::move(options)); }
LayerRef SpatialDropout2D(double rate, SpatialDropoutOptions options) { return spatial_dropout(2, rate, std::move(options)); }
LayerRef SpatialDropout3D(double rate, SpatialDropoutOptions options) { return spatial_dropout(3, rate, std::move(options)); }

static LayerRef noise(bool multiplies, double amount, NoiseOptions options) {
  auto l = nn::make_with<nn::GaussianNoise>(std::move(options), multiplies);
  l->amount = amount;
  return LayerRef(l);
}
LayerRef GaussianNoise(double stddev, NoiseOptions options) { return noise(false, stddev, std::move(options)); }
LayerRef GaussianDropout(double rate, NoiseOptions options) { return noise(true, rate, std::move(options)); }

LayerRef ActivityRegularization(ActivityRegularizationOptions options) {
  return LayerRef(nn::make_with<nn::ActivityRegularization>(std::move(options)));
}

}  // namespace glia::layers
