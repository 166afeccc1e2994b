// From a class's options struct to the common part every optimizer keeps.
#pragma once
#include <glia/layer.h>
#include <glia/optimizers.h>

namespace glia::nn {

template <class Options>
OptimizerOptions common_options(const Options& o, const char* class_name) {
  OptimizerOptions c;
  c.learning_rate = o.learning_rate;
  c.weight_decay = o.weight_decay;
  c.clipnorm = o.clipnorm;
  c.clipvalue = o.clipvalue;
  c.global_clipnorm = o.global_clipnorm;
  c.use_ema = o.use_ema;
  c.ema_momentum = o.ema_momentum;
  c.ema_overwrite_frequency = o.ema_overwrite_frequency;
  c.loss_scale_factor = o.loss_scale_factor;
  c.gradient_accumulation_steps = o.gradient_accumulation_steps;
  c.name = o.name.empty() ? unique_layer_name(class_name) : o.name;
  return c;
}

// 1 - beta where Keras computes it in the weight's dtype: 1 - float(0.9) is not float(0.1).
inline double complement(double beta, DType dtype) { return dtype == DType::f64 ? 1 - beta : static_cast<double>(1.0f - static_cast<float>(beta)); }

// The square of a gradient as Keras on TensorFlow takes it. The gradient of a table whose rows were looked up is a list
// of rows there (IndexedSlices), one per occurrence, and is squared row by row before rows of one index are added: a
// token that occurs twice counts g1^2 + g2^2 instead of (g1 + g2)^2. Every other gradient is simply squared.
Value square_gradient(const Value& gradient);
Value gradient_magnitude(const Value& gradient);  // the same with |g| for the square

}  // namespace glia::nn
