#include <glia/layer.h>
#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"
#include "nn/losses/reduce.h"
#include "nn/metrics/confusion.h"

namespace glia {
namespace {
using namespace metrics;

// Area under the ROC, precision-recall or precision-recall-gain curve by Riemann sums over thresholds.
struct AUCMetric final : MetricBase {
  AUCOptions o;
  explicit AUCMetric(AUCOptions options)
      : MetricBase(options.name.empty() ? unique_layer_name("AUC") : options.name, options.dtype), o(std::move(options)) {}
  std::string class_name() const override { return "AUC"; }
  std::string direction() const override { return "up"; }
  void fields(Fields& f) override {
    MetricBase::fields(f);
    f("num_thresholds", o.num_thresholds);
    f("curve", o.curve);
    f("summation_method", o.summation_method);
    f("multi_label", o.multi_label);
    f("num_labels", o.num_labels);
    f("label_weights", o.label_weights);
    f("from_logits", o.from_logits);
    if (f.reading() || o.thresholds) f("thresholds", o.thresholds);
  }

  Floats limits() const {
    Floats t = nn::even_thresholds(o.num_thresholds);
    if (o.thresholds) {
      t = *o.thresholds;
      std::sort(t.begin(), t.end());
      t.insert(t.begin(), 0.0);
      t.push_back(1.0);
    }
    t.front() = -1e-7;
    t.back() = 1 + 1e-7;
    return t;
  }
  int64_t count() const { return o.thresholds ? static_cast<int64_t>(o.thresholds->size()) + 2 : o.num_thresholds; }

  void build(const TensorType&, const TensorType& y_pred) override {
    if (!variables.empty()) return;
    auto known = [&](const char* what, std::string& v, std::initializer_list<const char*> names, bool upper) {
      for (char& c : v) c = static_cast<char>(upper ? std::toupper(c) : std::tolower(c));
      for (const char* n : names)
        if (v == n) return;
      throw_error("{} (AUC): unknown {} \"{}\". Expected one of {}.", name, what, v, fmt::join(names, ", "));
    };
    known("curve", o.curve, {"ROC", "PR", "PRGAIN"}, true);
    known("summation_method", o.summation_method, {"interpolation", "minoring", "majoring"}, false);
    GLIA_CHECK(count() > 1, "{} (AUC): num_thresholds must be greater than 1. Received {}.", name, o.num_thresholds);
    Shape shape{count()};
    if (o.multi_label) {
      GLIA_CHECK(y_pred.rank() == 2 || o.num_labels, "{} (AUC): multi_label expects y_pred of shape (batch, labels). Received {}.", name,
                 to_string(y_pred.shape));
      shape.push_back(y_pred.rank() == 2 ? y_pred.shape[1] : *o.num_labels);
    }
    for (const char* v : {"true_positives", "false_positives", "true_negatives", "false_negatives"}) add_variable(v, shape);
  }

  void update_state(const Value& t, const Value& y_pred, const Value& w) override {
    Value p = o.from_logits ? ops::sigmoid(y_pred) : y_pred;
    nn::ConfusionCounts c = nn::count_confusion({name, t, p, w, limits(), {}, {}, o.multi_label, o.label_weights});
    Value counts[] = {c.true_positives, c.false_positives, c.true_negatives, c.false_negatives};
    for (size_t i = 0; i < 4; ++i) variables[i].assign(variables[i].value() + counts[i]);
  }

  Value head(const Value& v) const { return ops::slice_axis(v, 0, 0, count() - 1); }
  Value tail(const Value& v) const { return ops::slice_axis(v, 0, 1); }

  // Davis and Goadrich 2006: between thresholds true positives grow linearly with all positives.
  Value interpolated_pr(const Value& tp, const Value& fp, const Value& fn) const {
    Value zero = ops::scalar_like(tp, 0), p = tp + fp;
    Value dtp = head(tp) - tail(tp), dp = head(p) - tail(p);
    Value slope = nn::divide_no_nan(dtp, ops::maximum(dp, zero));
    Value intercept = tail(tp) - slope * tail(p);
    Value both = ops::logical_and(head(p) > 0.0, tail(p) > 0.0);
    Value ratio = ops::where(both, nn::divide_no_nan(head(p), ops::maximum(tail(p), zero)), ops::scalar_like(tp, 1));
    return nn::divide_no_nan(slope * (dtp + intercept * ops::log(ratio)), ops::maximum(tail(tp) + tail(fn), zero));
  }

  Value over_labels(const Value& terms) const {
    if (!o.multi_label) return ops::sum(terms);
    Value each = ops::sum(terms, {0});
    if (!o.label_weights) return ops::mean(each);
    Tensor w = Tensor::from_vector<double>({static_cast<int64_t>(o.label_weights->size())}, *o.label_weights).astype(each.dtype());
    Value weights = ops::constant(w);
    return nn::divide_no_nan(ops::sum(each * weights), ops::sum(weights));
  }

  Value result() override {
    if (variables.empty()) {
      GLIA_CHECK(!o.multi_label || o.num_labels, "{} (AUC): result() before the first update.", name);
      build({}, {});
    }
    Value tp = variables[0].value(), fp = variables[1].value(), tn = variables[2].value(), fn = variables[3].value();
    if (o.curve == "PR" && o.summation_method == "interpolation") return over_labels(interpolated_pr(tp, fp, fn));
    Value recall = nn::divide_no_nan(tp, tp + fn), x, y;
    if (o.curve == "ROC") {
      x = nn::divide_no_nan(fp, fp + tn);
      y = recall;
    } else if (o.curve == "PR") {
      x = recall;
      y = nn::divide_no_nan(tp, tp + fp);
    } else {  // Flach and Kull 2015
      Value scale = nn::divide_no_nan(tp + fn, tn + fp), none = ops::equal(tp, ops::scalar_like(tp, 0)), zero = ops::scalar_like(tp, 0);
      x = ops::where(none, zero, 1.0 - scale * nn::divide_no_nan(fn, tp));
      x = ops::maximum(x, zero);
      y = ops::where(none, ops::scalar_like(tp, 1), 1.0 - scale * nn::divide_no_nan(fp, tp));
    }
    Value heights = o.summation_method == "interpolation" ? (head(y) + tail(y)) / 2.0
                    : o.summation_method == "minoring"    ? ops::minimum(head(y), tail(y))
                                                          : ops::maximum(head(y), tail(y));
    return over_labels((head(x) - tail(x)) * heights);
  }
};

}  // namespace

Metric metrics::AUC(AUCOptions o) { return std::make_shared<AUCMetric>(std::move(o)); }

}  // namespace glia
