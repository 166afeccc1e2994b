#include <glia/ops.h>

#include "nn/losses/reduce.h"
#include "nn/metrics/wrapped.h"

namespace glia {
namespace nn {
namespace {
Value as_f32(const Value& hit) { return ops::cast(hit, DType::f32); }

// Whether the label's score is among the k largest: fewer than k are greater, so that ties count as hits.
Value in_top_k(const Value& labels, const Value& p, int64_t k) {
  Value score = ops::take_along_axis(p, ops::expand_dims(labels, -1), -1);
  Value greater = ops::sum(ops::cast(p > score, DType::i32), {-1});
  return ops::logical_and(greater < ops::scalar_like(greater, static_cast<double>(k)), ops::isfinite(ops::squeeze(score, {-1})));
}
}  // namespace

Value accuracy(Value t, Value p) {
  t = ops::cast(t, p.dtype());
  squeeze_or_expand(t, p);
  return as_f32(ops::equal(t, p));
}
Value binary_accuracy(Value t, Value p, double threshold) {
  squeeze_or_expand(t, p);
  return as_f32(ops::equal(t, ops::cast(p > threshold, t.dtype())));
}
Value categorical_accuracy(Value t, Value p) {
  t = ops::argmax(t, -1);
  Shape shape = t.shape();
  if (t.rank() == p.rank()) t = ops::squeeze(t, {-1});
  return ops::reshape(as_f32(ops::equal(t, ops::argmax(p, -1))), shape);
}
Value sparse_categorical_accuracy(Value t, Value p) {
  if (t.rank() == p.rank() && t.dim(-1) == 1) t = ops::squeeze(t, {-1});
  DType d = p.dtype() == DType::f64 ? DType::f64 : DType::f32;  // half types cannot tell labels above 256 apart
  Value hit = as_f32(ops::equal(ops::cast(t, d), ops::cast(ops::argmax(p, -1), d)));
  return hit.rank() > 1 && hit.dim(-1) == 1 ? ops::squeeze(hit, {-1}) : hit;
}
Value sparse_top_k_categorical_accuracy(Value t, Value p, int64_t k, bool from_sorted_ids) {
  Shape shape = t.shape();
  if (p.rank() > 2) p = ops::reshape(p, {-1, p.dim(-1)});
  if (t.rank() > 1) t = ops::reshape(t, {-1});
  Value hit;
  if (from_sorted_ids) {
    Value first = ops::slice_axis(p, 1, 0, k);
    hit = ops::any(ops::equal(ops::expand_dims(ops::cast(t, p.dtype()), 1), first), {1});
  } else {
    hit = in_top_k(ops::cast(t, DType::i32), p, k);
  }
  return ops::reshape(as_f32(hit), shape);
}
Value top_k_categorical_accuracy(Value t, Value p, int64_t k) {
  return sparse_top_k_categorical_accuracy(ops::argmax(t, -1), p, k, false);
}
}  // namespace nn

namespace metrics {
using nn::FunctionMetric;

Metric Accuracy(AccuracyOptions o) { return std::make_shared<FunctionMetric>(o.name, o.dtype, "Accuracy", "up", nn::accuracy); }
Metric BinaryAccuracy(BinaryAccuracyOptions o) {
  auto threshold = std::make_shared<double>(o.threshold);
  auto m = std::make_shared<FunctionMetric>(o.name, o.dtype, "BinaryAccuracy", "up", [threshold](const Value& t, const Value& p) {
    return nn::binary_accuracy(t, p, *threshold);
  });
  m->more_fields = [threshold](Fields& f) { f("threshold", *threshold); };
  return m;
}
Metric CategoricalAccuracy(CategoricalAccuracyOptions o) {
  return std::make_shared<FunctionMetric>(o.name, o.dtype, "CategoricalAccuracy", "up", nn::categorical_accuracy);
}
Metric SparseCategoricalAccuracy(SparseCategoricalAccuracyOptions o) {
  return std::make_shared<FunctionMetric>(o.name, o.dtype, "SparseCategoricalAccuracy", "up", nn::sparse_categorical_accuracy);
}
Metric TopKCategoricalAccuracy(TopKCategoricalAccuracyOptions o) {
  auto k = std::make_shared<int64_t>(o.k);
  auto m = std::make_shared<FunctionMetric>(o.name, o.dtype, "TopKCategoricalAccuracy", "up", [k](const Value& t, const Value& p) {
    return nn::top_k_categorical_accuracy(t, p, *k);
  });
  m->more_fields = [k](Fields& f) { f("k", *k); };
  return m;
}
Metric SparseTopKCategoricalAccuracy(SparseTopKCategoricalAccuracyOptions options) {
  auto o = std::make_shared<SparseTopKCategoricalAccuracyOptions>(options);
  auto m = std::make_shared<FunctionMetric>(o->name, o->dtype, "SparseTopKCategoricalAccuracy", "up",
                                            [o](const Value& t, const Value& p) {
                                              return nn::sparse_top_k_categorical_accuracy(t, p, o->k, o->from_sorted_ids);
                                            });
  m->more_fields = [o](Fields& f) {
    f("k", o->k);
    if (f.reading() || o->from_sorted_ids) f("from_sorted_ids", o->from_sorted_ids);
  };
  return m;
}
}  // namespace metrics
}  // namespace glia
