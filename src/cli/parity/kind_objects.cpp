// Kinds whose line holds one object {class_name, config}: loss, metric, schedule, regularizer, constraint, initializer.
#include <glia/function.h>
#include <glia/losses.h>
#include <glia/metrics.h>
#include <glia/ops.h>
#include <glia/schedules.h>
#include <glia/variable.h>

#include <cmath>

#include "base/error.h"
#include "cli/parity/kinds.h"
#include "cli/parity/objects.h"

namespace glia::parity {
namespace {

Value array_or_none(const json& line, const char* key) {
  if (!line.contains(key) || line[key].is_null()) return {};
  return to_tensor(line[key]);
}

}  // namespace

void run_loss(const json& line, Check& check) {
  auto loss = make_object<LossBase>(line.at("loss"));
  Value y_true = array_or_none(line, "y_true"), y_pred = array_or_none(line, "y_pred"), weight = array_or_none(line, "sample_weight");
  auto f = compile_function([&](const Values& v) {
    Value value = (*loss)(y_true, v[0], weight);
    return Values{value, gradients({value}, {v[0]})[0]};
  });
  Values got = f({y_pred});
  check.tensor("value", got[0].tensor(), line.at("value"), tolerance(line));
  if (line.contains("grad_pred") && !line["grad_pred"].is_null())
    check.tensor("grad_pred", got[1].tensor(), line["grad_pred"], gradient_tolerance(line));
}

void run_metric(const json& line, Check& check) {
  auto metric = make_object<MetricBase>(line.at("metric"));
  int step = 0;
  for (const json& u : line.at("updates")) {
    metric->update(array_or_none(u, "y_true"), array_or_none(u, "y_pred"), array_or_none(u, "sample_weight"));
    check.tensor(fmt::format("result_after[{}]", step++), metric->result().tensor(), u.at("result_after"), tolerance(line));
  }
}

void run_schedule(const json& line, Check& check) {
  auto schedule = make_object<ScheduleBase>(line.at("schedule"));
  std::vector<float> values;
  for (const json& s : line.at("steps")) {
    Value step = Tensor::scalar(s.get<double>(), DType::i64);
    values.push_back(static_cast<float>((*schedule)(step).tensor().item()));
  }
  Tensor got = Tensor::from_vector<float>({static_cast<int64_t>(values.size())}, values);
  check.tensor("values", got, line.at("values"), tolerance(line));
}

void run_regularizer(const json& line, Check& check) {
  auto regularizer = make_object<RegularizerBase>(line.at("regularizer"));
  check.tensor("value", (*regularizer)(to_tensor(line.at("x"))).tensor(), line.at("value"), tolerance(line));
}

void run_constraint(const json& line, Check& check) {
  auto constraint = make_object<ConstraintBase>(line.at("constraint"));
  check.tensor("y", (*constraint)(to_tensor(line.at("x"))).tensor(), line.at("y"), tolerance(line));
}

void run_initializer(const json& line, Check& check) {
  auto initializer = make_object<InitializerBase>(line.at("initializer"));
  Tensor t = (*initializer)(to_shape(line.at("shape")), DType::f32);
  if (line.contains("value")) return check.tensor("value", t, line["value"], tolerance(line));
  double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < t.size(); ++i) {
    const double v = t.item(i);
    sum += v;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const double n = static_cast<double>(t.size()), mean = sum / n;
  for (int64_t i = 0; i < t.size(); ++i) squares += (t.item(i) - mean) * (t.item(i) - mean);
  check.that(t.shape() == to_shape(line["shape"]), "shape", to_string(t.shape()));
  check.number("mean", mean, to_number(line.at("mean")), tolerance(line));
  check.number("std", std::sqrt(squares / n), to_number(line.at("std")), tolerance(line));
  if (line.contains("min") && !line["min"].is_null())
    check.that(low >= to_number(line["min"]), "min", fmt::format("{} is below {}", low, to_number(line["min"])));
  if (line.contains("max") && !line["max"].is_null())
    check.that(high <= to_number(line["max"]), "max", fmt::format("{} is above {}", high, to_number(line["max"])));
}

}  // namespace glia::parity
