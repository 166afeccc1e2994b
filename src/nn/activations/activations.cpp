#include <glia/activations.h>
#include <glia/ops.h>

#include <map>

#include "base/error.h"

namespace glia {
namespace activations {
namespace {

Value zero_like(const Value& x) { return ops::scalar_like(x, 0); }
Value at_most_zero(const Value& x) { return ops::minimum(x, zero_like(x)); }

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
// Its gradient is zero at both ends, as TensorFlow's.
Value relu6(const Value& x) { return ops::where(x >= 6.0, ops::scalar_like(x, 6), ops::relu(x)); }
Value leaky_relu(const Value& x, double negative_slope) { return ops::where(x > 0.0, x, negative_slope * x); }
// The exponentials see at most zero, so that no infinity meets a zero gradient.
Value elu(const Value& x, double alpha) { return ops::where(x >= 0.0, x, alpha * ops::expm1(at_most_zero(x))); }
Value celu(const Value& x, double alpha) { return ops::where(x >= 0.0, x, alpha * ops::expm1(at_most_zero(x) / alpha)); }
Value selu(const Value& x) {  // Klambauer et al. 2017
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  // Keras takes the right-hand slope where exp(x) - 1 rounds to zero.
  return kScale * ops::where(x > -0x1p-25, x, kAlpha * ops::expm1(at_most_zero(x)));
}
Value gelu(const Value& x, bool approximate) { return ops::gelu(x, approximate); }
Value glu(const Value& x, int64_t axis) {
  GLIA_CHECK(x.dim(static_cast<int>(axis)) % 2 == 0, "glu: the extent of axis {} must be even. Received shape {}.", axis,
             to_string(x.shape()));
  Values halves = ops::split(x, 2, axis);
  return halves[0] * ops::sigmoid(halves[1]);
}
Value sigmoid(const Value& x) { return ops::sigmoid(x); }
Value log_sigmoid(const Value& x) { return ops::log_sigmoid(x); }
Value hard_sigmoid(const Value& x) { return relu6(x + 3.0) / 6.0; }
Value hard_silu(const Value& x) { return x * hard_sigmoid(x); }
Value hard_tanh(const Value& x) { return ops::clip(x, -1, 1); }
Value hard_shrink(const Value& x, double threshold) { return ops::where(ops::abs(x) > threshold, x, zero_like(x)); }
Value soft_shrink(const Value& x, double threshold) {
  return ops::where(x > threshold, x - threshold, ops::where(x < -threshold, x + threshold, zero_like(x)));
}
Value tanh_shrink(const Value& x) { return x - ops::tanh(x); }
Value threshold(const Value& x, double threshold, double default_value) {
  return ops::where(x > threshold, x, ops::scalar_like(x, default_value));
}
Value silu(const Value& x) { return ops::silu(x); }
Value mish(const Value& x) { return x * ops::tanh(ops::softplus(x)); }
Value tanh(const Value& x) { return ops::tanh(x); }
Value exponential(const Value& x) { return ops::exp(x); }
Value softplus(const Value& x) { return ops::softplus(x); }
Value softsign(const Value& x) { return x / (1.0 + ops::abs(x)); }
Value squareplus(const Value& x, double b) { return (x + ops::sqrt(ops::square(x) + b)) / 2.0; }
Value softmax(const Value& x, int64_t axis) { return ops::softmax(x, axis); }
Value log_softmax(const Value& x, int64_t axis) { return ops::log_softmax(x, axis); }

Value sparsemax(const Value& x, int64_t axis) {  // Martins and Astudillo 2016
  int64_t rank = x.rank(), at = axis < 0 ? axis + rank : axis, n = x.dim(static_cast<int>(at));
  Value sorted = -ops::sort(-x, at), total = ops::cumsum(sorted, at);
  Shape along(static_cast<size_t>(rank), 1);
  along[static_cast<size_t>(at)] = n;
  Value k = ops::reshape(ops::arange(1, static_cast<double>(n) + 1, 1, x.dtype()), along);
  Value support = (sorted - (total - 1.0) / k) > 0.0;
  // Keras 3.15 sums the running sums of the support here, where the paper sums its elements; kept for equal numbers.
  Value count = ops::sum(ops::cast(support, x.dtype()), {at}, true);
  Value tau = (ops::sum(ops::where(support, total, zero_like(total)), {at}, true) - 1.0) / count;
  return ops::relu(x - tau);
}
Value sparse_plus(const Value& x) {
  return ops::where(x <= -1.0, zero_like(x), ops::where(x < 1.0, 0.25 * ops::square(x + 1.0), x));
}
Value sparse_sigmoid(const Value& x) {
  return ops::where(x <= -1.0, zero_like(x), ops::where(x >= 1.0, ops::scalar_like(x, 1), 0.5 * (x + 1.0)));
}

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
