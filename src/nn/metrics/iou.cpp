#include <glia/layer.h>
#include <glia/metrics.h>
#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"


namespace glia {
namespace {
using namespace metrics;

enum class Kind { iou, mean, one_hot, one_hot_mean, binary };

// Intersection over union of classes, from a confusion matrix of all samples so far.
struct IoUMetric final : MetricBase {
  IoUOptions o;
  Kind which;
  double threshold = 0.5;  // binary only
  IoUMetric(IoUOptions options, Kind k) : MetricBase("", options.dtype), o(std::move(options)), which(k) {
    name = o.name.empty() ? unique_layer_name(class_name()) : o.name;
  }
  std::string class_name() const override {
    static const char* const names[] = {"IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "BinaryIoU"};
    return names[static_cast<size_t>(which)];
  }
  std::string direction() const override { return "up"; }
  bool all_classes() const { return which == Kind::mean || which == Kind::one_hot_mean; }
  bool one_hot() const { return which == Kind::one_hot || which == Kind::one_hot_mean; }

  void fields(Fields& f) override {
    MetricBase::fields(f);
    if (which == Kind::binary) {
      f("target_class_ids", o.target_class_ids);
      f("threshold", threshold);
      return;
    }
    f("num_classes", o.num_classes);
    if (!all_classes()) f("target_class_ids", o.target_class_ids);
    f("ignore_class", o.ignore_class);
    if (!one_hot()) f("sparse_y_true", o.sparse_y_true);
    f("sparse_y_pred", o.sparse_y_pred);
    f("axis", o.axis);
  }

  Ints targets() const {
    if (!all_classes()) return o.target_class_ids;
    Ints all;
    for (int64_t i = 0; i < o.num_classes; ++i) all.push_back(i);
    return all;
  }
  void build(const TensorType&, const TensorType&) override {
    if (!variables.empty()) return;
    for (int64_t id : targets())
      GLIA_CHECK(id >= 0 && id < o.num_classes, "{} ({}): the target class {} is out of range [0, {}).", name, class_name(), id,
                 o.num_classes);
    add_variable("total_confusion_matrix", {o.num_classes, o.num_classes});
  }

  void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) override {
    DType d = variables[0].dtype();
    Value t = y_true, p = y_pred;
    if (which == Kind::binary) p = ops::cast(p, DType::f32) >= threshold;
    if (!o.sparse_y_true || one_hot()) t = ops::argmax(t, o.axis);
    if (!o.sparse_y_pred) p = ops::argmax(p, o.axis);
    t = ops::reshape(ops::cast(t, d), {-1});
    p = ops::reshape(ops::cast(p, d), {-1});
    GLIA_CHECK(t.shape() == p.shape(), "{} ({}): y_true {} and y_pred {} hold different numbers of labels.", name, class_name(),
               to_string(y_true.shape()), to_string(y_pred.shape()));
    Value w = sample_weight.defined() ? ops::cast(sample_weight, d) : ops::constant(Tensor::scalar(1, d));
    if (w.rank() > 1) w = ops::reshape(w, {-1});
    w = ops::broadcast_to(w, t.shape());
    Value zero = ops::scalar_like(t, 0), classes = ops::scalar_like(t, static_cast<double>(o.num_classes));
    auto inside = [&](const Value& v) { return ops::logical_and(v >= zero, v < classes); };
    Value valid = ops::logical_and(inside(t), inside(p));
    if (o.ignore_class)
      valid = ops::logical_and(valid, ops::not_equal(t, ops::scalar_like(t, static_cast<double>(*o.ignore_class))));
    Value cell = ops::where(valid, t, zero) * classes + ops::where(valid, p, zero);
    Value counts = ops::segment_sum(ops::where(valid, w, zero), ops::cast(cell, DType::i32), o.num_classes * o.num_classes);
    variables[0].assign(variables[0].value() + ops::reshape(counts, {o.num_classes, o.num_classes}));
  }

  Value result() override {
    build({}, {});
    Value matrix = variables[0].value();
    Value diagonal = ops::sum(matrix * ops::eye(o.num_classes, o.num_classes, 0, matrix.dtype()), {1});
    Value unions = ops::sum(matrix, {0}) + ops::sum(matrix, {1}) - diagonal;
    Ints ids = targets();
    Value index = ops::constant(Tensor::from_vector<int64_t>({static_cast<int64_t>(ids.size())}, ids));
    Value hit = ops::cast(ops::take(diagonal, index), DType::f32), all = ops::cast(ops::take(unions, index), DType::f32);
    Value valid = all > 1e-9;
    Value each = ops::where(valid, hit / (all + 1e-7), ops::scalar_like(hit, 0));
    return ops::sum(each) / (ops::sum(ops::cast(valid, DType::f32)) + 1e-7);
  }
};

}  // namespace

namespace metrics {
Metric IoU(IoUOptions o) { return std::make_shared<IoUMetric>(std::move(o), Kind::iou); }
Metric BinaryIoU(BinaryIoUOptions o) {
  IoUOptions i;
  i.num_classes = 2;
  i.target_class_ids = std::move(o.target_class_ids);
  i.name = std::move(o.name);
  i.dtype = std::move(o.dtype);
  auto m = std::make_shared<IoUMetric>(std::move(i), Kind::binary);
  m->threshold = o.threshold;
  return m;
}
Metric MeanIoU(MeanIoUOptions o) {
  IoUOptions i{o.num_classes, {}, std::move(o.name), std::move(o.dtype), o.ignore_class, o.sparse_y_true, o.sparse_y_pred, o.axis};
  return std::make_shared<IoUMetric>(std::move(i), Kind::mean);
}
Metric OneHotIoU(OneHotIoUOptions o) {
  IoUOptions i{o.num_classes, std::move(o.target_class_ids), std::move(o.name), std::move(o.dtype), o.ignore_class,
               false, o.sparse_y_pred, o.axis};
  return std::make_shared<IoUMetric>(std::move(i), Kind::one_hot);
}
Metric OneHotMeanIoU(OneHotMeanIoUOptions o) {
  IoUOptions i{o.num_classes, {}, std::move(o.name), std::move(o.dtype), o.ignore_class, false, o.sparse_y_pred, o.axis};
  return std::make_shared<IoUMetric>(std::move(i), Kind::one_hot_mean);
}
}  // namespace metrics
}  // namespace glia
