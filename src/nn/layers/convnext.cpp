#include "nn/layers/convnext.h"

#include <glia/initializers.h>

#include "nn/layers/random.h"

namespace glia::nn {

void LayerScale::fields(Fields& f) {
  Layer::fields(f);
  f("init_values", init_values);
  f("projection_dim", projection_dim);
}
void LayerScale::build(const std::vector<Shape>& in) {
  GLIA_CHECK(projection_dim > 0 && in[0].back() == projection_dim, "{}: projection_dim ({}) must be the last extent of the input. Received shape {}.",
             title(), projection_dim, to_string(in[0]));
  gamma = add_weight("variable", {projection_dim}, initializers::Constant(init_values));
}

void StochasticDepth::fields(Fields& f) {
  Layer::fields(f);
  f("drop_path_rate", drop_path_rate);
}
Values StochasticDepth::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  const Value& x = inputs[0];
  GLIA_CHECK(drop_path_rate >= 0 && drop_path_rate < 1, "{}: drop_path_rate must lie in [0, 1). Received {}.", title(), drop_path_rate);
  if (!training(options) || drop_path_rate == 0) return {x};
  Shape noise(static_cast<size_t>(x.rank()), 1);
  noise[0] = x.dim(0);
  return {random_dropout(x, drop_path_rate, noise, {})};
}

void CustomScaleLayer::fields(Fields& f) {
  Layer::fields(f);
  f("scale", scale);
}
Values CustomScaleLayer::call(const Values& inputs, const CallOptions&) {
  check_input_count(title(), inputs.size(), 2);
  return {inputs[0] + inputs[1] * scale};
}

}  // namespace glia::nn
