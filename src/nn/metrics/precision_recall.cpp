#include <glia/layer.h>
#include <glia/ops.h>

#include "base/error.h"
#include "nn/losses/reduce.h"
#include "nn/metrics/confusion.h"

namespace glia {
namespace {
using namespace metrics;

std::string auto_name(const std::string& name, const char* class_name) { return name.empty() ? unique_layer_name(class_name) : name; }

void thresholds_field(Fields& f, std::optional<Floats>& thresholds) {  // one threshold is a number in Keras's config
  if (!f.reading() && thresholds && thresholds->size() == 1) f("thresholds", (*thresholds)[0]);
  else f("thresholds", thresholds);
}

void check_thresholds(const std::string& name, const Floats& thresholds) {
  for (double t : thresholds)
    GLIA_CHECK(t >= 0 && t <= 1, "{}: thresholds must lie in [0, 1]. Received {}.", name, t);
}

Value one_or_all(const Value& v) { return v.dim(0) == 1 ? ops::squeeze(v, {0}) : v; }

// TruePositives and its three sisters.
struct CountMetric final : MetricBase {
  std::optional<Floats> thresholds;
  const char* class_;
  Value nn::ConfusionCounts::*which;
  CountMetric(ConfusionOptions o, const char* class_name, Value nn::ConfusionCounts::*count)
      : MetricBase(auto_name(o.name, class_name), o.dtype), thresholds(std::move(o.thresholds)), class_(class_name), which(count) {}
  std::string class_name() const override { return class_; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    thresholds_field(f, thresholds);
  }
  Floats limits() const { return thresholds.value_or(Floats{0.5}); }
  void build(const TensorType&, const TensorType&) override {
    if (!variables.empty()) return;
    check_thresholds(name, limits());
    add_variable("accumulator", {static_cast<int64_t>(limits().size())});
  }
  void update_state(const Value& t, const Value& p, const Value& w) override {
    nn::ConfusionCounts c = nn::count_confusion({name, t, p, w, limits(), {}, {}, false, {}});
    variables[0].assign(variables[0].value() + c.*which);
  }
  Value result() override {
    build({}, {});
    return one_or_all(variables[0].value());
  }
};

struct PrecisionRecallMetric final : MetricBase {
  PrecisionOptions o;
  bool recall;
  PrecisionRecallMetric(PrecisionOptions options, bool is_recall)
      : MetricBase(auto_name(options.name, is_recall ? "Recall" : "Precision"), options.dtype), o(std::move(options)), recall(is_recall) {}
  std::string class_name() const override { return recall ? "Recall" : "Precision"; }
  std::string direction() const override { return "up"; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    thresholds_field(f, o.thresholds);
    f("top_k", o.top_k);
    f("class_id", o.class_id);
  }
  Floats limits() const { return o.thresholds.value_or(Floats{o.top_k ? nn::kNegativeInfinity : 0.5}); }
  void build(const TensorType&, const TensorType&) override {
    if (!variables.empty()) return;
    if (o.thresholds) check_thresholds(name, *o.thresholds);
    int64_t n = static_cast<int64_t>(limits().size());
    add_variable("true_positives", {n});
    add_variable(recall ? "false_negatives" : "false_positives", {n});
  }
  void update_state(const Value& t, const Value& p, const Value& w) override {
    nn::ConfusionCounts c = nn::count_confusion({name, t, p, w, limits(), o.top_k, o.class_id, false, {}});
    variables[0].assign(variables[0].value() + c.true_positives);
    variables[1].assign(variables[1].value() + (recall ? c.false_negatives : c.false_positives));
  }
  Value result() override {
    build({}, {});
    Value hit = variables[0].value();
    return one_or_all(nn::divide_no_nan(hit, hit + variables[1].value()));
  }
};

// The best of one rate where another is at least `value`.
struct AtMetric final : MetricBase {
  AtOptions o;
  double value;
  const char *class_, *value_name;
  AtMetric(double v, AtOptions options, const char* class_name, const char* value_field)
      : MetricBase(auto_name(options.name, class_name), options.dtype), o(std::move(options)), value(v), class_(class_name),
        value_name(value_field) {}
  std::string class_name() const override { return class_; }
  std::string direction() const override { return "up"; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    f("class_id", o.class_id);
    f("num_thresholds", o.num_thresholds);
    f(value_name, value);
  }
  Floats limits() const { return o.num_thresholds == 1 ? Floats{0.5} : nn::even_thresholds(o.num_thresholds); }
  void build(const TensorType&, const TensorType&) override {
    if (!variables.empty()) return;
    GLIA_CHECK(value >= 0 && value <= 1, "{} ({}): {} must lie in [0, 1]. Received {}.", name, class_, value_name, value);
    GLIA_CHECK(o.num_thresholds > 0, "{} ({}): num_thresholds must be positive. Received {}.", name, class_, o.num_thresholds);
    for (const char* v : {"true_positives", "false_positives", "true_negatives", "false_negatives"})
      add_variable(v, {o.num_thresholds});
  }
  void update_state(const Value& t, const Value& p, const Value& w) override {
    nn::ConfusionCounts c = nn::count_confusion({name, t, p, w, limits(), {}, o.class_id, false, {}});
    Value counts[] = {c.true_positives, c.false_positives, c.true_negatives, c.false_negatives};
    for (size_t i = 0; i < 4; ++i) variables[i].assign(variables[i].value() + counts[i]);
  }
  Value result() override {
    build({}, {});
    Value tp = variables[0].value(), fp = variables[1].value(), tn = variables[2].value(), fn = variables[3].value();
    Value sensitivity = nn::divide_no_nan(tp, tp + fn), specificity = nn::divide_no_nan(tn, tn + fp);
    Value precision = nn::divide_no_nan(tp, tp + fp), held, best;
    const std::string_view what = class_;
    if (what == "SensitivityAtSpecificity") held = specificity, best = sensitivity;
    else if (what == "SpecificityAtSensitivity") held = sensitivity, best = specificity;
    else if (what == "PrecisionAtRecall") held = sensitivity, best = precision;
    else held = precision, best = sensitivity;
    return ops::max(ops::where(held >= value, best, ops::scalar_like(best, 0)));
  }
};

}  // namespace

namespace metrics {
using nn::ConfusionCounts;
Metric TruePositives(ConfusionOptions o) {
  return std::make_shared<CountMetric>(std::move(o), "TruePositives", &ConfusionCounts::true_positives);
}
Metric TrueNegatives(ConfusionOptions o) {
  return std::make_shared<CountMetric>(std::move(o), "TrueNegatives", &ConfusionCounts::true_negatives);
}
Metric FalsePositives(ConfusionOptions o) {
  return std::make_shared<CountMetric>(std::move(o), "FalsePositives", &ConfusionCounts::false_positives);
}
Metric FalseNegatives(ConfusionOptions o) {
  return std::make_shared<CountMetric>(std::move(o), "FalseNegatives", &ConfusionCounts::false_negatives);
}
Metric Precision(PrecisionOptions o) { return std::make_shared<PrecisionRecallMetric>(std::move(o), false); }
Metric Recall(RecallOptions o) { return std::make_shared<PrecisionRecallMetric>(std::move(o), true); }
Metric SensitivityAtSpecificity(double specificity, AtOptions o) {
  return std::make_shared<AtMetric>(specificity, std::move(o), "SensitivityAtSpecificity", "specificity");
}
Metric SpecificityAtSensitivity(double sensitivity, AtOptions o) {
  return std::make_shared<AtMetric>(sensitivity, std::move(o), "SpecificityAtSensitivity", "sensitivity");
}
Metric PrecisionAtRecall(double recall, AtOptions o) {
  return std::make_shared<AtMetric>(recall, std::move(o), "PrecisionAtRecall", "recall");
}
Metric RecallAtPrecision(double precision, AtOptions o) {
  return std::make_shared<AtMetric>(precision, std::move(o), "RecallAtPrecision", "precision");
}
}  // namespace metrics
}  // namespace glia
