#include <glia/metrics.h>
#include <glia/ops.h>

#include "base/error.h"

namespace glia {
namespace {
using namespace metrics;

constexpr double kEpsilon = 1e-7;

// (1 + beta^2) precision recall / (beta^2 precision + recall), per class or averaged.
struct FScoreMetric final : MetricBase {
  FBetaScoreOptions o;
  bool f1;
  FScoreMetric(FBetaScoreOptions options, bool is_f1) : MetricBase(options.name, options.dtype), o(std::move(options)), f1(is_f1) {}
  std::string class_name() const override { return f1 ? "F1Score" : "FBetaScore"; }
  std::string direction() const override { return "up"; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    f("average", o.average);
    if (!f1) f("beta", o.beta);
    f("threshold", o.threshold);
  }
  bool micro() const { return o.average && *o.average == "micro"; }

  void build(const TensorType& y_true, const TensorType& y_pred) override {
    if (!variables.empty()) return;
    GLIA_CHECK(y_pred.rank() == 2 && y_true.rank() == 2,
               "{} ({}): expected targets and predictions of shape (batch, classes). Received y_true {} and y_pred {}.", name,
               class_name(), to_string(y_true.shape), to_string(y_pred.shape));
    GLIA_CHECK(!o.average || micro() || *o.average == "macro" || *o.average == "weighted",
               "{} ({}): expected average \"micro\", \"macro\", \"weighted\" or none. Received \"{}\".", name, class_name(),
               o.average.value_or(""));
    GLIA_CHECK(o.beta > 0, "{} ({}): beta must be positive. Received {}.", name, class_name(), o.beta);
    GLIA_CHECK(!o.threshold || (*o.threshold > 0 && *o.threshold <= 1), "{} ({}): the threshold must lie in (0, 1]. Received {}.", name,
               class_name(), o.threshold.value_or(0));
    Shape shape = micro() ? Shape{} : Shape{y_pred.shape[1]};
    for (const char* v : {"true_positives", "false_positives", "false_negatives", "intermediate_weights"}) add_variable(v, shape);
  }

  void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) override {
    DType d = variables[0].dtype();
    Value t = ops::cast(y_true, d), p = ops::cast(y_pred, d);
    Value positive = o.threshold ? p > *o.threshold : ops::logical_and(p >= ops::max(p, {-1}, true), ops::abs(p) > 1e-9);
    p = ops::cast(positive, d);
    auto add = [&](size_t i, Value v) {
      if (sample_weight.defined()) v = v * ops::expand_dims(ops::cast(sample_weight, d), 1);
      variables[i].assign(variables[i].value() + (micro() ? ops::sum(v) : ops::sum(v, {0})));
    };
    add(0, p * t);
    add(1, p * (1.0 - t));
    add(2, (1.0 - p) * t);
    add(3, t);
  }

  Value result() override {
    GLIA_CHECK(!variables.empty(), "{} ({}): result() before the first update.", name, class_name());
    Value tp = variables[0].value(), fp = variables[1].value(), fn = variables[2].value(), weight = variables[3].value();
    Value precision = tp / (tp + fp + kEpsilon), recall = tp / (tp + fn + kEpsilon);
    double square = o.beta * o.beta;
    Value score = precision * recall / (square * precision + recall + kEpsilon) * (1 + square);
    if (!o.average) return score;
    if (*o.average == "weighted") return ops::sum(score * (weight / (ops::sum(weight) + kEpsilon)));
    return ops::mean(score);
  }
};

}  // namespace

Metric metrics::FBetaScore(FBetaScoreOptions o) { return std::make_shared<FScoreMetric>(std::move(o), false); }
Metric metrics::F1Score(F1ScoreOptions o) {
  FBetaScoreOptions b{std::move(o.average), 1.0, o.threshold, std::move(o.name), std::move(o.dtype)};
  return std::make_shared<FScoreMetric>(std::move(b), true);
}

}  // namespace glia
