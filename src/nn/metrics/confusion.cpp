#include "nn/metrics/confusion.h"

#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "nn/losses/reduce.h"

namespace glia::nn {
namespace {

bool evenly_distributed(const Floats& thresholds, double& low_end) {
  size_t n = thresholds.size();
  low_end = thresholds.empty() ? 0 : thresholds[0];
  if (n < 3) return false;
  for (size_t i = 0; i < n; ++i) {
    double want = static_cast<double>(i) / static_cast<double>(n - 1);
    if (std::abs(thresholds[i] - want) > 1.5e-7 + 1e-5 * want) return false;
  }
  return true;
}

// Only the k largest of the last axis stay; the others fall below every threshold.
Value keep_top_k(const Value& p, int64_t k) {
  Value index = ops::top_k(p, k)[1];
  Value mask = ops::sum(ops::one_hot(index, p.dim(-1), -1, p.dtype()), {-2});
  return p * mask + kNegativeInfinity * (1.0 - mask);
}

Value only_class(const std::string& where, const Value& v, int64_t id) {
  GLIA_CHECK(v.rank() > 1, "{}: class_id needs predictions of shape (samples, classes). Received shape {}.", where, to_string(v.shape()));
  GLIA_CHECK(id >= 0 && id < v.dim(-1), "{}: class_id {} is out of range for shape {}.", where, id, to_string(v.shape()));
  return ops::slice_axis(v, v.rank() - 1, id, id + 1);
}

// Evenly spread thresholds: each prediction falls into one bucket; counts are sums over the buckets above.
ConfusionCounts count_by_buckets(const Value& t, const Value& given, const Value& weights, int64_t n, bool below_all, bool multi_label) {
  Value p = ops::clip(given, 0, 1);
  Value bucket = ops::ceil(p * static_cast<double>(n - 1));  // 1 + the last threshold that p exceeds
  if (below_all) bucket = ops::maximum(bucket, ops::scalar_like(bucket, 1));
  Value index = ops::cast(bucket, DType::i32);
  Value positives = t * weights, negatives = (1.0 - t) * weights;
  int64_t labels = multi_label ? t.dim(1) : 1, slots = n + 1;
  if (multi_label) {  // buckets of one label after those of the label before
    Value offset = ops::arange(0, static_cast<double>(labels * slots), static_cast<double>(slots), DType::i32);
    index = index + ops::reshape(offset, {1, labels});
  }
  index = ops::reshape(index, {-1});
  auto above = [&](const Value& v) {
    Value sums = ops::reshape(ops::segment_sum(ops::reshape(v, {-1}), index, labels * slots), {labels, slots});
    Value counts = ops::cumsum(ops::slice_axis(sums, 1, 1), 1, false, true);  // slot 0: below every threshold
    return multi_label ? ops::transpose(counts) : ops::reshape(counts, {n});
  };
  ConfusionCounts r;
  r.true_positives = above(positives);
  r.false_positives = above(negatives);
  auto total = [&](const Value& v) { return multi_label ? ops::sum(v, {0}) : ops::sum(v); };
  r.false_negatives = total(positives) - r.true_positives;
  r.true_negatives = total(negatives) - r.false_positives;
  return r;
}

ConfusionCounts count_by_comparing(const Value& t, const Value& p, const Value& weights, const Floats& thresholds, bool multi_label) {
  int64_t n = static_cast<int64_t>(thresholds.size());
  Tensor limits = Tensor::from_vector<double>({n}, thresholds).astype(p.dtype());
  Shape data = multi_label ? Shape{1, t.dim(0), t.dim(1)} : Shape{1, -1};
  Value above = ops::reshape(p, data) > ops::reshape(ops::constant(limits), multi_label ? Shape{n, 1, 1} : Shape{n, 1});
  Value label = ops::cast(ops::reshape(t, data), DType::bool_), weight = ops::reshape(weights, data);
  auto count = [&](const Value& hit) { return ops::sum(ops::where(hit, weight, ops::scalar_like(weight, 0)), {1}); };
  Value not_label = ops::logical_not(label), below = ops::logical_not(above);
  return {count(ops::logical_and(label, above)), count(ops::logical_and(not_label, above)),
          count(ops::logical_and(not_label, below)), count(ops::logical_and(label, below))};
}

}  // namespace

Floats even_thresholds(int64_t n) {
  Floats r;
  for (int64_t i = 0; i < n; ++i) r.push_back(static_cast<double>(i) / static_cast<double>(std::max<int64_t>(1, n - 1)));
  return r;
}

ConfusionCounts count_confusion(ConfusionInput in) {
  DType d = in.y_pred.dtype() == DType::f64 ? DType::f64 : DType::f32;
  Value t = ops::cast(in.y_true, d), p = ops::cast(in.y_pred, d);
  squeeze_or_expand(p, t);
  Value w;
  if (in.sample_weight.defined()) {
    w = ops::expand_dims(ops::cast(in.sample_weight, d), -1);
    if (w.rank() == t.rank() + 1) w = ops::squeeze(w, {-1});
  }
  if (in.top_k) p = keep_top_k(p, *in.top_k);
  if (in.class_id) {
    t = only_class(in.where, t, *in.class_id);
    p = only_class(in.where, p, *in.class_id);
  }
  GLIA_CHECK(t.shape() == p.shape(), "{}: expected y_true and y_pred of the same shape. Received y_true {} and y_pred {}.", in.where,
             to_string(t.shape()), to_string(p.shape()));
  Value weights = w.defined() ? ops::broadcast_to(w, p.shape()) : ops::broadcast_to(ops::scalar_like(p, 1), p.shape());
  if (in.label_weights && !in.multi_label) {
    Tensor lw = Tensor::from_vector<double>({static_cast<int64_t>(in.label_weights->size())}, *in.label_weights).astype(d);
    weights = weights * ops::expand_dims(ops::constant(lw), 0);
  }
  t = ops::cast(ops::cast(t, DType::bool_), d);
  double low_end = 0;
  int64_t n = static_cast<int64_t>(in.thresholds.size());
  if (evenly_distributed(in.thresholds, low_end)) return count_by_buckets(t, p, weights, n, low_end < 0, in.multi_label);
  return count_by_comparing(t, p, weights, in.thresholds, in.multi_label);
}

}  // namespace glia::nn
