// Metrics that are the mean of a function of targets and predictions.
#pragma once
#include <glia/metrics.h>

#include <functional>

namespace glia::nn {

struct FunctionMetric : MeanMetric {
  std::string class_, direction_;
  std::function<Value(const Value& y_true, const Value& y_pred)> fn;
  std::function<void(Fields&)> more_fields;  // after name and dtype

  FunctionMetric(std::string metric_name, std::string metric_dtype, std::string class_name, std::string better,
                 std::function<Value(const Value&, const Value&)> function)
      : MeanMetric(std::move(metric_name), std::move(metric_dtype)), class_(std::move(class_name)), direction_(std::move(better)),
        fn(std::move(function)) {}
  std::string class_name() const override { return class_; }
  std::string direction() const override { return direction_; }
  void fields(Fields& f) override;
  void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) override;
};

Value accuracy(Value t, Value p);
Value binary_accuracy(Value t, Value p, double threshold);
Value categorical_accuracy(Value t, Value p);
Value sparse_categorical_accuracy(Value t, Value p);
Value top_k_categorical_accuracy(Value t, Value p, int64_t k);
Value sparse_top_k_categorical_accuracy(Value t, Value p, int64_t k, bool from_sorted_ids);

}  // namespace glia::nn
