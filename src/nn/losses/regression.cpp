#include <cmath>

#include "base/error.h"
#include "nn/losses/functions.h"
#include "nn/losses/reduce.h"
#include "nn/normalize.h"

namespace glia::nn {
namespace {

constexpr double kEpsilon = 1e-7;

// As convert_to_tensor(y_true, dtype=y_pred.dtype) and squeeze_or_expand_to_same_rank.
void match(Value& t, Value& p) {
  t = ops::cast(t, p.dtype());
  squeeze_or_expand(t, p);
}

Value last_mean(const Value& v) { return ops::mean(v, {-1}); }
Value at_least(const Value& v, double low) { return ops::maximum(v, ops::scalar_like(v, low)); }

Value to_hinge_labels(const Value& t) {  // {0, 1} -> {-1, 1}; other labels stay
  Value zero = ops::equal(t, ops::scalar_like(t, 0)), one = ops::equal(t, ops::scalar_like(t, 1));
  return ops::where(ops::all(ops::logical_or(zero, one)), 2.0 * t - 1.0, t);
}

}  // namespace

Value mean_squared_error(Value t, Value p) {
  match(t, p);
  return last_mean(ops::square(t - p));
}
Value mean_absolute_error(Value t, Value p) {
  match(t, p);
  return last_mean(ops::abs(t - p));
}
Value mean_absolute_percentage_error(Value t, Value p) {
  match(t, p);
  return 100.0 * last_mean(ops::abs((t - p) / at_least(ops::abs(t), kEpsilon)));
}
Value mean_squared_logarithmic_error(Value t, Value p) {
  match(t, p);
  auto log = [](const Value& v) { return ops::log(at_least(v, kEpsilon) + 1.0); };
  return last_mean(ops::square(log(p) - log(t)));
}
Value cosine_similarity(Value t, Value p, int64_t axis) {
  match(t, p);
  return ops::sum(l2_normalize(t, {axis}) * l2_normalize(p, {axis}), {axis});
}
Value huber(Value t, Value p, double delta) {
  match(t, p);
  Value error = p - t, magnitude = ops::abs(error);
  return last_mean(ops::where(magnitude <= delta, 0.5 * ops::square(error), delta * magnitude - 0.5 * delta * delta));
}
Value log_cosh(Value t, Value p) {
  match(t, p);
  Value x = p - t;
  return last_mean(x + ops::softplus(x * -2.0) - std::log(2.0));
}
Value hinge(Value t, Value p) {
  t = ops::cast(t, p.dtype());
  return last_mean(at_least(1.0 - to_hinge_labels(t) * p, 0));
}
Value squared_hinge(Value t, Value p) {
  t = ops::cast(t, p.dtype());
  return last_mean(ops::square(at_least(1.0 - to_hinge_labels(t) * p, 0)));
}
Value categorical_hinge(Value t, Value p) {
  t = ops::cast(t, p.dtype());
  Value positive = ops::sum(t * p, {-1}), negative = ops::max((1.0 - t) * p, {-1});
  return at_least(negative - positive + 1.0, 0);
}
Value kl_divergence(Value t, Value p) {
  t = ops::clip(ops::cast(t, p.dtype()), kEpsilon, 1);
  p = ops::clip(p, kEpsilon, 1);
  return ops::sum(t * ops::log(t / p), {-1});
}
Value poisson(Value t, Value p) {
  t = ops::cast(t, p.dtype());
  return last_mean(p - t * ops::log(p + kEpsilon));
}

LossFunction find_loss_function(const std::string& name) {
  struct Entry { const char* name; LossFunction fn; };
  static const Entry entries[] = {
      {"mean_squared_error", [](auto& t, auto& p) { return mean_squared_error(t, p); }},
      {"mean_absolute_error", [](auto& t, auto& p) { return mean_absolute_error(t, p); }},
      {"mean_absolute_percentage_error", [](auto& t, auto& p) { return mean_absolute_percentage_error(t, p); }},
      {"mean_squared_logarithmic_error", [](auto& t, auto& p) { return mean_squared_logarithmic_error(t, p); }},
      {"cosine_similarity", [](auto& t, auto& p) { return -cosine_similarity(t, p); }},
      {"huber", [](auto& t, auto& p) { return huber(t, p); }},
      {"log_cosh", [](auto& t, auto& p) { return log_cosh(t, p); }},
      {"hinge", [](auto& t, auto& p) { return hinge(t, p); }},
      {"squared_hinge", [](auto& t, auto& p) { return squared_hinge(t, p); }},
      {"categorical_hinge", [](auto& t, auto& p) { return categorical_hinge(t, p); }},
      {"kl_divergence", [](auto& t, auto& p) { return kl_divergence(t, p); }},
      {"poisson", [](auto& t, auto& p) { return poisson(t, p); }},
      {"binary_crossentropy", [](auto& t, auto& p) { return binary_crossentropy(t, p); }},
      {"categorical_crossentropy", [](auto& t, auto& p) { return categorical_crossentropy(t, p); }},
      {"sparse_categorical_crossentropy", [](auto& t, auto& p) { return sparse_categorical_crossentropy(t, p); }},
      {"binary_focal_crossentropy", [](auto& t, auto& p) { return binary_focal_crossentropy(t, p, {}); }},
      {"categorical_focal_crossentropy", [](auto& t, auto& p) { return categorical_focal_crossentropy(t, p, {}); }},
  };
  for (const Entry& e : entries)
    if (name == e.name) return e.fn;
  return nullptr;
}

}  // namespace glia::nn
