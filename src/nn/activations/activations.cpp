#include <glia/activations.h>
#include <glia/ops.h>
#include <glia/ops/activations.h>

#include <map>

#include "base/error.h"

namespace glia {
namespace activations {
namespace {

Value zero_like(const Value& x) { return ops::scalar_like(x, 0); }

}  // namespace

Value linear(const Value& x) { return x; }

Value relu(const Value& x, double negative_slope, std::optional<double> max_value, double threshold) {
  if (negative_slope == 0 && !max_value && threshold == 0) return ops::relu(x);
  if (negative_slope != 0 && !max_value && threshold == 0) return leaky_relu(x, negative_slope);
  Value y = threshold != 0 ? ops::where(x > threshold, x, zero_like(x)) : ops::relu(x);
  if (max_value) y = *max_value == 6 && threshold == 0 ? relu6(x) : ops::clip(y, 0, *max_value);
  if (negative_slope != 0) y = y - negative_slope * ops::relu(threshold - x);
  return y;
}
Value relu6(const Value& x) { return ops::relu6(x); }
Value leaky_relu(const Value& x, double negative_slope) { return ops::leaky_relu(x, negative_slope); }
Value elu(const Value& x, double alpha) { return ops::elu(x, alpha); }
Value celu(const Value& x, double alpha) { return ops::celu(x, alpha); }
Value selu(const Value& x) { return ops::selu(x); }
Value gelu(const Value& x, bool approximate) { return ops::gelu(x, approximate); }
Value glu(const Value& x, int64_t axis) { return ops::glu(x, axis); }
Value sigmoid(const Value& x) { return ops::sigmoid(x); }
Value log_sigmoid(const Value& x) { return ops::log_sigmoid(x); }
Value hard_sigmoid(const Value& x) { return ops::hard_sigmoid(x); }
Value hard_silu(const Value& x) { return ops::hard_silu(x); }
Value hard_tanh(const Value& x) { return ops::hard_tanh(x); }
Value hard_shrink(const Value& x, double threshold) { return ops::hard_shrink(x, threshold); }
Value soft_shrink(const Value& x, double threshold) { return ops::soft_shrink(x, threshold); }
Value tanh_shrink(const Value& x) { return ops::tanh_shrink(x); }
Value threshold(const Value& x, double threshold, double default_value) { return ops::threshold(x, threshold, default_value); }
Value silu(const Value& x) { return ops::silu(x); }
Value mish(const Value& x) { return x * ops::tanh(ops::softplus(x)); }
Value tanh(const Value& x) { return ops::tanh(x); }
Value exponential(const Value& x) { return ops::exp(x); }
Value softplus(const Value& x) { return ops::softplus(x); }
Value softsign(const Value& x) { return ops::softsign(x); }
Value squareplus(const Value& x, double b) { return ops::squareplus(x, b); }
Value softmax(const Value& x, int64_t axis) { return ops::softmax(x, axis); }
Value log_softmax(const Value& x, int64_t axis) { return ops::log_softmax(x, axis); }
Value sparsemax(const Value& x, int64_t axis) { return ops::sparsemax(x, axis); }
Value sparse_plus(const Value& x) { return ops::sparse_plus(x); }
Value sparse_sigmoid(const Value& x) { return ops::sparse_sigmoid(x); }

namespace {
using Fn = Value (*)(const Value&);
const std::map<std::string, Fn>& table() {
  static const std::map<std::string, Fn> all{
      {"linear", linear},
      {"relu", [](const Value& x) { return ops::relu(x); }},
      {"relu6", relu6},
      {"leaky_relu", [](const Value& x) { return leaky_relu(x); }},
      {"elu", [](const Value& x) { return elu(x); }},
      {"celu", [](const Value& x) { return celu(x); }},
      {"selu", selu},
      {"gelu", [](const Value& x) { return gelu(x); }},
      {"glu", [](const Value& x) { return glu(x); }},
      {"sigmoid", sigmoid},
      {"log_sigmoid", log_sigmoid},
      {"hard_sigmoid", hard_sigmoid},
      {"hard_silu", hard_silu},
      {"hard_swish", hard_silu},
      {"hard_tanh", hard_tanh},
      {"hard_shrink", [](const Value& x) { return hard_shrink(x); }},
      {"soft_shrink", [](const Value& x) { return soft_shrink(x); }},
      {"tanh_shrink", tanh_shrink},
      {"silu", silu},
      {"swish", silu},
      {"mish", mish},
      {"tanh", tanh},
      {"exponential", exponential},
      {"softplus", softplus},
      {"softsign", softsign},
      {"squareplus", [](const Value& x) { return squareplus(x); }},
      {"softmax", [](const Value& x) { return softmax(x); }},
      {"log_softmax", [](const Value& x) { return log_softmax(x); }},
      {"sparsemax", [](const Value& x) { return sparsemax(x); }},
      {"sparse_plus", sparse_plus},
      {"sparse_sigmoid", sparse_sigmoid},
  };
  return all;
}
}  // namespace

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> r;
    for (auto& [name, fn] : table()) r.push_back(name);
    return r;
  }();
  return all;
}

}  // namespace activations

Activation::Activation(std::string name) : name_(std::move(name)) {
  if (name_.empty()) name_ = "linear";
  auto it = activations::table().find(name_);
  if (it == activations::table().end()) throw_error("Unknown activation '{}'.{}", name_, did_you_mean(name_, activations::names()));
  if (name_ == "swish") name_ = "silu";  // Keras's names for the functions behind the aliases
  if (name_ == "hard_swish") name_ = "hard_silu";
  if (name_ != "linear") fn_ = it->second;
}

}  // namespace glia
