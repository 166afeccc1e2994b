#include <glia/ops.h>

#include "base/error.h"
#include "nn/losses/reduce.h"
#include "nn/metrics/wrapped.h"

namespace glia {
namespace {
using namespace metrics;

struct RootMeanSquaredErrorMetric final : MeanMetric {
  explicit RootMeanSquaredErrorMetric(RootMeanSquaredErrorOptions o) : MeanMetric(std::move(o.name), std::move(o.dtype)) {}
  std::string class_name() const override { return "RootMeanSquaredError"; }
  std::string direction() const override { return "down"; }
  void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) override {
    Value p = y_pred, t = ops::cast(y_true, p.dtype());
    nn::squeeze_or_expand(t, p);
    add_values(ops::square(p - t), sample_weight);
  }
  Value result() override { return ops::sqrt(MeanMetric::result()); }
};

// Coefficient of determination per output, from running sums.
struct R2ScoreMetric final : MetricBase {
  R2ScoreOptions o;
  explicit R2ScoreMetric(R2ScoreOptions options) : MetricBase(options.name, options.dtype), o(std::move(options)) {}
  std::string class_name() const override { return "R2Score"; }
  std::string direction() const override { return "up"; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    f("class_aggregation", o.class_aggregation);
    f("num_regressors", o.num_regressors);
  }
  void build(const TensorType& y_true, const TensorType& y_pred) override {
    if (!variables.empty()) return;
    GLIA_CHECK(y_pred.rank() == 2 && y_true.rank() >= 1 && y_true.rank() <= 2,
               "{} (R2Score): expected targets and predictions of shape (batch, outputs). Received y_true {} and y_pred {}.", name,
               to_string(y_true.shape), to_string(y_pred.shape));
    GLIA_CHECK(!o.class_aggregation || *o.class_aggregation == "uniform_average" || *o.class_aggregation == "variance_weighted_average",
               "{} (R2Score): expected class_aggregation \"uniform_average\", \"variance_weighted_average\" or none. Received \"{}\".",
               name, o.class_aggregation.value_or(""));
    add_variable("num_samples", {});
    for (const char* v : {"squared_sum", "sum", "residual", "count"}) add_variable(v, {y_pred.shape[1]});
  }
  void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) override {
    DType d = variables[0].dtype();
    Value t = ops::cast(y_true, d), p = ops::cast(y_pred, d);
    nn::squeeze_or_expand(t, p);
    Value w = sample_weight.defined() ? ops::cast(sample_weight, d) : ops::constant(Tensor::scalar(1, d));
    if (w.rank() == 1) w = ops::expand_dims(w, 1);
    w = ops::broadcast_to(w, t.shape());
    auto add = [&](int i, const Value& v) { variables[i].assign(variables[i].value() + v); };
    add(2, ops::sum(t * w, {0}));
    add(1, ops::sum(t * (t * w), {0}));
    add(3, ops::sum(ops::square(t - p) * w, {0}));
    add(4, ops::sum(w, {0}));
    add(0, ops::constant(Tensor::scalar(static_cast<double>(num_elements(t.shape())), d)));
  }
  Value result() override {
    GLIA_CHECK(!variables.empty(), "{} (R2Score): result() before the first update.", name);
    auto v = [&](int i) { return variables[i].value(); };
    Value total = v(1) - v(2) * (v(2) / v(4));
    Value score = 1.0 - v(3) / total;
    score = ops::where(ops::isinf(score), ops::scalar_like(score, 0), score);
    if (o.class_aggregation && *o.class_aggregation == "uniform_average") score = ops::mean(score);
    else if (o.class_aggregation) score = ops::sum(total * score) / ops::sum(total);
    if (o.num_regressors == 0) return score;
    // Adjusted by the number of regressors, where there are more samples than that.
    Value n = v(0), spare = n - 1.0 - static_cast<double>(o.num_regressors);
    Value enough = spare > 0.0;
    Value adjusted = 1.0 - (1.0 - score) * (n - 1.0) / ops::where(enough, spare, ops::scalar_like(spare, 1));
    return ops::where(enough, adjusted, score);
  }
};

}  // namespace

Metric metrics::RootMeanSquaredError(RootMeanSquaredErrorOptions o) {
  return std::make_shared<RootMeanSquaredErrorMetric>(std::move(o));
}
Metric metrics::R2Score(R2ScoreOptions o) { return std::make_shared<R2ScoreMetric>(std::move(o)); }

}  // namespace glia
