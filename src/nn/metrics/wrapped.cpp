#include "nn/metrics/wrapped.h"

#include <glia/ops.h>

#include <map>

#include "base/error.h"
#include "nn/losses/functions.h"
#include "nn/losses/reduce.h"

namespace glia {
namespace nn {

void FunctionMetric::fields(Fields& f) {
  MeanMetric::fields(f);
  if (more_fields) more_fields(f);
}

void FunctionMetric::update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) {
  Value values = fn(y_true, y_pred);
  add_values(values, apply_mask(sample_weight, y_pred.mask(), DType::f32, "sum"));
}

namespace {

Value pearson(Value t, Value p, int64_t axis) {
  t = ops::cast(t, p.dtype());
  squeeze_or_expand(t, p);
  auto standard = [&](const Value& v) {
    Value centred = v - ops::mean(v, {axis}, true);
    Value again = centred - ops::mean(centred, {axis}, true);
    return centred / ops::sqrt(ops::mean(ops::square(again), {axis}, true));
  };
  return ops::mean(standard(t) * standard(p), {axis});
}

Value concordance(Value t, Value p, int64_t axis) {
  t = ops::cast(t, p.dtype());
  squeeze_or_expand(t, p);
  auto mean = [&](const Value& v) { return ops::mean(v, {axis}, true); };
  auto variance = [&](const Value& v) { return mean(ops::square(v - mean(v))); };
  Value tm = mean(t), pm = mean(p);
  Value norm = variance(t - tm) + variance(p - pm) + ops::square(tm - pm);
  return ops::mean(2.0 * ((t - pm) * (p - pm)) / (norm + 1e-7), {axis});
}

// Keyword arguments that MeanMetricWrapper passes on; which of them count depends on the function.
struct Keywords {
  std::optional<double> delta, threshold, label_smoothing, alpha, gamma;
  std::optional<int64_t> axis, k, ignore_class;
  std::optional<bool> from_logits, apply_class_balancing, from_sorted_ids;

  template <class F>
  void each(F&& f) {
    f("delta", delta), f("threshold", threshold), f("label_smoothing", label_smoothing), f("alpha", alpha), f("gamma", gamma);
    f("axis", axis), f("k", k), f("ignore_class", ignore_class);
    f("from_logits", from_logits), f("apply_class_balancing", apply_class_balancing), f("from_sorted_ids", from_sorted_ids);
  }
  Focal focal() const {
    return {alpha.value_or(0.25),           gamma.value_or(2),  from_logits.value_or(false),
            label_smoothing.value_or(0), axis.value_or(-1), apply_class_balancing.value_or(false)};
  }
};

using Function = Value (*)(const Value& t, const Value& p, const Keywords& k);
#define GLIA_FN(...) [](const Value& t, const Value& p, [[maybe_unused]] const Keywords& k) { return __VA_ARGS__; }

// The functions of keras.metrics and keras.losses that take arguments, or are no loss.
const std::map<std::string, Function>& own_functions() {
  static const std::map<std::string, Function> all{
      {"accuracy", GLIA_FN(accuracy(t, p))},
      {"binary_accuracy", GLIA_FN(binary_accuracy(t, p, k.threshold.value_or(0.5)))},
      {"categorical_accuracy", GLIA_FN(categorical_accuracy(t, p))},
      {"sparse_categorical_accuracy", GLIA_FN(sparse_categorical_accuracy(t, p))},
      {"top_k_categorical_accuracy", GLIA_FN(top_k_categorical_accuracy(t, p, k.k.value_or(5)))},
      {"sparse_top_k_categorical_accuracy",
       GLIA_FN(sparse_top_k_categorical_accuracy(t, p, k.k.value_or(5), k.from_sorted_ids.value_or(false)))},
      {"pearson_correlation", GLIA_FN(pearson(t, p, k.axis.value_or(-1)))},
      {"concordance_correlation", GLIA_FN(concordance(t, p, k.axis.value_or(-1)))},
      {"huber", GLIA_FN(huber(t, p, k.delta.value_or(1)))},
      {"cosine_similarity", GLIA_FN(-cosine_similarity(t, p, k.axis.value_or(-1)))},
      {"binary_crossentropy",
       GLIA_FN(binary_crossentropy(t, p, k.from_logits.value_or(false), k.label_smoothing.value_or(0), k.axis.value_or(-1)))},
      {"categorical_crossentropy",
       GLIA_FN(categorical_crossentropy(t, p, k.from_logits.value_or(false), k.label_smoothing.value_or(0), k.axis.value_or(-1)))},
      {"sparse_categorical_crossentropy",
       GLIA_FN(sparse_categorical_crossentropy(t, p, k.from_logits.value_or(false), k.ignore_class, k.axis.value_or(-1)))},
      {"binary_focal_crossentropy", GLIA_FN(binary_focal_crossentropy(t, p, k.focal()))},
      {"categorical_focal_crossentropy", GLIA_FN(categorical_focal_crossentropy(t, p, k.focal()))},
  };
  return all;
}
#undef GLIA_FN

struct WrapperMetric final : FunctionMetric {
  std::string fn_name;
  Keywords keywords;
  explicit WrapperMetric(metrics::MeanMetricWrapperOptions o) : FunctionMetric(o.name, o.dtype, "MeanMetricWrapper", "", {}), fn_name(o.fn) {
    bind();
  }
  void bind() {
    auto it = own_functions().find(fn_name);
    if (it != own_functions().end()) {
      fn = [this, f = it->second](const Value& t, const Value& p) { return f(t, p, keywords); };
      return;
    }
    LossFunction f = find_loss_function(fn_name);
    GLIA_CHECK(f != nullptr,
               "MeanMetricWrapper: unknown function '{}'. Name one of keras.losses or keras.metrics, or use metrics::custom.", fn_name);
    fn = f;
  }
  void fields(Fields& f) override {
    FunctionMetric::fields(f);
    f("fn", fn_name);
    keywords.each([&](const char* name, auto& value) {
      if (f.reading() || value) f(name, value);
    });
    if (f.reading()) bind();
  }
};

}  // namespace
}  // namespace nn

namespace metrics {
using nn::FunctionMetric;
using std::make_shared;

Metric custom(std::string name, std::function<Value(const Value&, const Value&)> fn) {
  return make_shared<FunctionMetric>(std::move(name), "float32", "MeanMetricWrapper", "", std::move(fn));
}
Metric MeanMetricWrapper(MeanMetricWrapperOptions o) { return make_shared<nn::WrapperMetric>(std::move(o)); }

#define GLIA_FUNCTION_METRIC(Class, function, better)                                                      \
  Metric Class(Class##Options o) {                                                                         \
    return make_shared<FunctionMetric>(o.name, o.dtype, #Class, better,                                    \
                                       [](const Value& t, const Value& p) { return nn::function(t, p); }); \
  }
GLIA_FUNCTION_METRIC(MeanSquaredError, mean_squared_error, "down")
GLIA_FUNCTION_METRIC(MeanAbsoluteError, mean_absolute_error, "down")
GLIA_FUNCTION_METRIC(MeanAbsolutePercentageError, mean_absolute_percentage_error, "down")
GLIA_FUNCTION_METRIC(MeanSquaredLogarithmicError, mean_squared_logarithmic_error, "down")
GLIA_FUNCTION_METRIC(LogCoshError, log_cosh, "down")
GLIA_FUNCTION_METRIC(KLDivergence, kl_divergence, "")
GLIA_FUNCTION_METRIC(Poisson, poisson, "")
GLIA_FUNCTION_METRIC(Hinge, hinge, "down")
GLIA_FUNCTION_METRIC(SquaredHinge, squared_hinge, "down")
GLIA_FUNCTION_METRIC(CategoricalHinge, categorical_hinge, "down")
#undef GLIA_FUNCTION_METRIC

Metric CosineSimilarity(CosineSimilarityOptions options) {
  auto axis = make_shared<int64_t>(options.axis);
  auto m = make_shared<FunctionMetric>(options.name, options.dtype, "CosineSimilarity", "up",
                                       [axis](const Value& t, const Value& p) { return nn::cosine_similarity(t, p, *axis); });
  m->more_fields = [axis](Fields& f) {
    if (f.reading() || *axis != -1) f("axis", *axis);  // Keras's config leaves it out
  };
  return m;
}
Metric PearsonCorrelation(PearsonCorrelationOptions options) {
  auto axis = make_shared<int64_t>(options.axis);
  auto m = make_shared<FunctionMetric>(options.name, options.dtype, "PearsonCorrelation", "up",
                                       [axis](const Value& t, const Value& p) { return nn::pearson(t, p, *axis); });
  m->more_fields = [axis](Fields& f) { f("axis", *axis); };
  return m;
}
Metric ConcordanceCorrelation(ConcordanceCorrelationOptions options) {
  auto axis = make_shared<int64_t>(options.axis);
  auto m = make_shared<FunctionMetric>(options.name, options.dtype, "ConcordanceCorrelation", "up",
                                       [axis](const Value& t, const Value& p) { return nn::concordance(t, p, *axis); });
  m->more_fields = [axis](Fields& f) { f("axis", *axis); };
  return m;
}
Metric BinaryCrossentropy(BinaryCrossentropyOptions options) {
  auto o = make_shared<BinaryCrossentropyOptions>(options);
  auto m = make_shared<FunctionMetric>(o->name, o->dtype, "BinaryCrossentropy", "down", [o](const Value& t, const Value& p) {
    return nn::binary_crossentropy(t, p, o->from_logits, o->label_smoothing);
  });
  m->more_fields = [o](Fields& f) {
    f("from_logits", o->from_logits);
    f("label_smoothing", o->label_smoothing);
  };
  return m;
}
Metric CategoricalCrossentropy(CategoricalCrossentropyOptions options) {
  auto o = make_shared<CategoricalCrossentropyOptions>(options);
  auto m = make_shared<FunctionMetric>(o->name, o->dtype, "CategoricalCrossentropy", "down", [o](const Value& t, const Value& p) {
    return nn::categorical_crossentropy(t, p, o->from_logits, o->label_smoothing, o->axis);
  });
  m->more_fields = [o](Fields& f) {
    f("from_logits", o->from_logits);
    f("label_smoothing", o->label_smoothing);
    f("axis", o->axis);
  };
  return m;
}
Metric SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions options) {
  auto o = make_shared<SparseCategoricalCrossentropyOptions>(options);
  auto m = make_shared<FunctionMetric>(o->name, o->dtype, "SparseCategoricalCrossentropy", "down", [o](const Value& t, const Value& p) {
    return nn::sparse_categorical_crossentropy(t, p, o->from_logits, o->ignore_class, o->axis);
  });
  m->more_fields = [o](Fields& f) {
    f("from_logits", o->from_logits);
    f("ignore_class", o->ignore_class);
    f("axis", o->axis);
  };
  return m;
}
}  // namespace metrics
}  // namespace glia
