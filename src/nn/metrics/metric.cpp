#include <glia/metrics.h>
#include <glia/ops.h>

#include "base/error.h"
#include "nn/class_list.h"
#include "nn/losses/reduce.h"

namespace glia {

MetricBase::MetricBase(std::string metric_name, std::string metric_dtype) : name(std::move(metric_name)), dtype(std::move(metric_dtype)) {}

void MetricBase::fields(Fields& f) {
  f("name", name);
  f("dtype", dtype);
}

Variable MetricBase::add_variable(const std::string& variable_name, const Shape& shape) {
  // As in Keras the sums of a half-precision metric stay float32.
  DType d = dtype_from_name(dtype == "int" ? "int64" : dtype);
  if (d == DType::bf16 || d == DType::f16) d = DType::f32;
  Variable v(Tensor::zeros(shape, d), {.name = variable_name, .trainable = false, .dtype = d, .regularizer = {}, .constraint = {}});
  variables.push_back(v);
  return v;
}

void MetricBase::reset_state() {
  for (const Variable& v : variables) v.assign(ops::constant(Tensor::zeros(v.shape(), v.dtype())));
}

void MetricBase::update(const Value& y_true, const Value& y_pred, const Value& sample_weight) {
  build(y_true.type(), y_pred.defined() ? y_pred.type() : TensorType{});
  update_state(y_true, y_pred, sample_weight);
}

// ---- Mean -------------------------------------------------------------------------------------------------------------

namespace nn {
SampleValues to_samplewise(const Value& given, const Value& sample_weight, bool by_mean, DType dtype) {
  auto reduce = [&](const Value& v, int from) {
    std::vector<int64_t> axes;
    for (int i = from; i < v.rank(); ++i) axes.push_back(i);
    if (axes.empty()) return v;
    return by_mean ? ops::mean(v, axes) : ops::sum(v, axes);
  };
  Value values = ops::cast(given, dtype), weight;
  if (sample_weight.defined()) {
    weight = apply_mask(ops::cast(sample_weight, dtype), given.mask(), dtype, "sum");
    squeeze_or_expand(values, weight);
    int weight_rank = weight.rank();
    if (values.rank() > weight_rank) values = reduce(values, weight_rank);
    weight = ops::broadcast_to(weight, values.shape());
    values = values * weight;
    if (weight_rank > 1) weight = reduce(weight, 1);
  }
  return {values.rank() > 1 ? reduce(values, 1) : values, weight};
}
}  // namespace nn

MeanMetric::MeanMetric(std::string n, std::string d) : MetricBase(std::move(n), std::move(d)) {}

void MeanMetric::build(const TensorType&, const TensorType&) {
  if (!variables.empty()) return;
  add_variable("total", {});
  add_variable("count", {});
}

void MeanMetric::add_values(const Value& values, const Value& sample_weight) {
  build({}, {});
  DType d = variables[0].dtype();
  nn::SampleValues s = nn::to_samplewise(values, sample_weight, true, d);
  Value total = ops::sum(s.values);
  int64_t samples = s.values.rank() >= 1 ? s.values.dim(0) : 1;
  Value count = s.weight.defined() ? ops::sum(s.weight) : ops::constant(Tensor::scalar(static_cast<double>(samples), d));
  variables[0].assign(variables[0].value() + total);
  variables[1].assign(variables[1].value() + count);
}

void MeanMetric::update_state(const Value& values, const Value&, const Value& sample_weight) { add_values(values, sample_weight); }

Value MeanMetric::result() {
  build({}, {});
  return nn::divide_no_nan(variables[0].value(), variables[1].value());
}

namespace {
struct SumMetric final : MetricBase {
  explicit SumMetric(metrics::SumOptions o) : MetricBase(std::move(o.name), std::move(o.dtype)) {}
  std::string class_name() const override { return "Sum"; }
  void build(const TensorType&, const TensorType&) override {
    if (variables.empty()) add_variable("total", {});
  }
  void update_state(const Value& values, const Value&, const Value& sample_weight) override {
    build({}, {});
    nn::SampleValues s = nn::to_samplewise(values, sample_weight, false, variables[0].dtype());
    variables[0].assign(variables[0].value() + ops::sum(s.values));
  }
  Value result() override {
    build({}, {});
    return variables[0].value();
  }
};
}  // namespace

Metric metrics::Mean(MeanOptions o) { return std::make_shared<MeanMetric>(std::move(o.name), std::move(o.dtype)); }
Metric metrics::Sum(SumOptions o) { return std::make_shared<SumMetric>(std::move(o)); }

// ---- names ------------------------------------------------------------------------------------------------------------

Metric resolve_metric(const std::string& name, const TensorType& y_true, const TensorType& y_pred) {
  Metric m;
  int64_t classes = y_pred.shape.empty() ? 1 : y_pred.shape.back();
  bool last_is_one = !y_true.shape.empty() && y_true.shape.back() == 1;
  bool binary = classes == 1, sparse = y_true.rank() < y_pred.rank() || (last_is_one && classes > 1);
  if (name == "accuracy" || name == "acc")
    m = binary ? metrics::BinaryAccuracy() : sparse ? metrics::SparseCategoricalAccuracy() : metrics::CategoricalAccuracy();
  else if (name == "crossentropy" || name == "ce")
    m = binary ? metrics::BinaryCrossentropy() : sparse ? metrics::SparseCategoricalCrossentropy() : metrics::CategoricalCrossentropy();
  else if (find_class_by_name(MetricBase::kind, name)) m = Metric(name);
  if (!m) {
    std::vector<std::string> known = known_names(MetricBase::kind);
    known.insert(known.end(), {"accuracy", "acc"});
    throw_error("Unknown metric '{}'.{}", name, did_you_mean(name, known));
  }
  m->name = name;
  return m;
}

}  // namespace glia
