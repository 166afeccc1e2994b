// Activations of keras.activations as functions over values; Activation("name") finds them by name.
//
//   Value y = activations::mish(x);
//   layers::Dense(64, {.activation = "leaky_relu"});
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <glia/config.h>
#include <glia/value.h>

namespace glia::activations {

Value linear(const Value& x);
Value relu(const Value& x, double negative_slope = 0.0, std::optional<double> max_value = {}, double threshold = 0.0);
Value relu6(const Value& x);
Value leaky_relu(const Value& x, double negative_slope = 0.2);
Value elu(const Value& x, double alpha = 1.0);
Value celu(const Value& x, double alpha = 1.0);
Value selu(const Value& x);
Value gelu(const Value& x, bool approximate = false);
Value glu(const Value& x, int64_t axis = -1);
Value sigmoid(const Value& x);
Value log_sigmoid(const Value& x);
Value hard_sigmoid(const Value& x);
Value hard_silu(const Value& x);
Value hard_tanh(const Value& x);
Value hard_shrink(const Value& x, double threshold = 0.5);
Value soft_shrink(const Value& x, double threshold = 0.5);
Value tanh_shrink(const Value& x);
Value threshold(const Value& x, double threshold, double default_value);
Value silu(const Value& x);
Value mish(const Value& x);
Value tanh(const Value& x);
Value exponential(const Value& x);
Value softplus(const Value& x);
Value softsign(const Value& x);
Value squareplus(const Value& x, double b = 4.0);
Value softmax(const Value& x, int64_t axis = -1);
Value log_softmax(const Value& x, int64_t axis = -1);
Value sparsemax(const Value& x, int64_t axis = -1);
Value sparse_plus(const Value& x);
Value sparse_sigmoid(const Value& x);

// Every name that Activation(name) takes.
const std::vector<std::string>& names();

}  // namespace glia::activations
