// The cross-entropies. As Keras on TensorFlow: probabilities that come straight from a softmax or sigmoid are traced back
// to the logits, which is exact and lets the fused kernel work; others are clipped to [1e-7, 1 - 1e-7].
#include "base/error.h"
#include "ir/graph.h"
#include "nn/losses/functions.h"

#include <glia/ops.h>

namespace glia::nn {
namespace {

constexpr double kEpsilon = 1e-7;

int64_t normal_axis(int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

// The input of the sigmoid or the softmax (along any axis) that made y, looking through casts between floats; else undefined. Keras on
// TensorFlow takes either for the logits of every crossentropy: a softmax beside binary_crossentropy counts as if it were not there.
Value logits_of(const Value& y) {
  if (y.is_concrete() || !y.defined()) return {};
  const auto& g = y.graph();
  ir::Ref at{y.node(), y.output()};
  for (;;) {
    const ir::Node& n = g->nodes[static_cast<size_t>(at.node)];
    if (!n.op) return {};
    if (n.op->name == "sigmoid" || n.op->name == "softmax") return ops::cast(ir::to_value(g, n.inputs[0]), y.dtype());
    if (n.op->name != "cast" || !is_float(g->type(n.inputs[0]).dtype)) return {};
    at = n.inputs[0];
  }
}

void check_same(const char* who, const Value& t, const Value& p) {
  GLIA_CHECK(t.shape() == p.shape(), "{}: expected y_true and y_pred of the same shape. Received y_true {} and y_pred {}.", who,
             to_string(t.shape()), to_string(p.shape()));
}

Value smooth_classes(const Value& t, double s) {
  return s == 0 ? t : t * (1 - s) + s / static_cast<double>(t.dim(-1));
}
Value smooth_binary(const Value& t, double s) { return s == 0 ? t : t * (1 - s) + 0.5 * s; }

Value binary_from_probabilities(const Value& t, const Value& given) {
  Value p = ops::clip(given, kEpsilon, 1 - kEpsilon);
  return -(t * ops::log(p) + (1.0 - t) * ops::log(1.0 - p));
}
// max(x, 0) - x t + log(1 + exp(-|x|)), tf.nn.sigmoid_cross_entropy_with_logits; its slope at 0 is that of the right side.
Value binary_from_logits(const Value& t, const Value& x) {
  Value positive = x >= 0.0, zero = ops::scalar_like(x, 0);
  return ops::where(positive, x, zero) - x * t + ops::softplus(ops::where(positive, -x, x));
}

}  // namespace

Value binary_crossentropy(Value t, Value p, bool from_logits, double label_smoothing, int64_t axis) {
  t = smooth_binary(ops::cast(t, p.dtype()), label_smoothing);
  check_same("binary_crossentropy", t, p);
  Value logits = logits_of(p);
  if (!logits.defined() && from_logits) logits = p;
  return ops::mean(logits.defined() ? binary_from_logits(t, logits) : binary_from_probabilities(t, p), {axis});
}

Value categorical_crossentropy(Value t, Value p, bool from_logits, double label_smoothing, int64_t axis) {
  t = smooth_classes(ops::cast(t, p.dtype()), label_smoothing);
  check_same("categorical_crossentropy", t, p);
  Value logits = logits_of(p);
  if (!logits.defined() && from_logits) logits = p;
  if (logits.defined()) return ops::categorical_crossentropy(t, logits, true, axis);
  p = ops::clip(p / ops::sum(p, {axis}, true), kEpsilon, 1 - kEpsilon);
  return -ops::sum(t * ops::log(p), {axis});
}

Value sparse_categorical_crossentropy(Value t, Value p, bool from_logits, std::optional<int64_t> ignore_class, int64_t axis) {
  GLIA_CHECK(normal_axis(axis, p.rank()) == p.rank() - 1, "sparse_categorical_crossentropy: only axis=-1 is supported. Received {}.",
             axis);
  if (t.rank() == p.rank() && t.dim(-1) == 1) t = ops::squeeze(t, {-1});
  Shape expected = p.shape();
  expected.pop_back();
  GLIA_CHECK(t.shape() == expected,
             "sparse_categorical_crossentropy: expected integer labels of shape {} for y_pred {}. Received y_true {}.{}",
             to_string(expected), to_string(p.shape()), to_string(t.shape()),
             t.shape() == p.shape() ? " One-hot labels need categorical_crossentropy." : "");
  if (t.dtype() != DType::i64 && t.dtype() != DType::i32) t = ops::cast(t, is_float(t.dtype()) ? DType::i64 : DType::i32);
  Value logits = logits_of(p);
  if (!logits.defined()) logits = from_logits ? p : ops::log(ops::clip(p, kEpsilon, 1 - kEpsilon));
  Value loss = ops::sparse_cross_entropy_with_logits(logits, t, ignore_class ? &*ignore_class : nullptr);
  if (!ignore_class) return loss;
  return loss.with_mask(ops::not_equal(t, ops::scalar_like(t, static_cast<double>(*ignore_class))));
}

Value binary_focal_crossentropy(Value t, Value p, const Focal& o) {
  t = smooth_binary(ops::cast(t, p.dtype()), o.label_smoothing);
  check_same("binary_focal_crossentropy", t, p);
  Value logits = o.from_logits ? p : logits_of(p);
  if (o.from_logits) p = ops::sigmoid(p);
  Value bce = logits.defined() ? binary_from_logits(t, logits) : binary_from_probabilities(t, p);
  Value right = t * p + (1.0 - t) * (1.0 - p);
  Value focal = ops::power(1.0 - right, ops::scalar_like(p, o.gamma)) * bce;
  if (o.class_balancing) focal = (t * o.alpha + (1.0 - t) * (1 - o.alpha)) * focal;
  return ops::mean(focal, {o.axis});
}

Value categorical_focal_crossentropy(Value t, Value p, const Focal& o) {
  t = smooth_classes(ops::cast(t, p.dtype()), o.label_smoothing);
  check_same("categorical_focal_crossentropy", t, p);
  if (o.from_logits) p = ops::softmax(p, o.axis);
  p = ops::clip(p / ops::sum(p, {o.axis}, true), kEpsilon, 1 - kEpsilon);
  Value weight = ops::power(1.0 - p, ops::scalar_like(p, o.gamma)) * o.alpha;
  return ops::sum(weight * -t * ops::log(p), {o.axis});
}

}  // namespace glia::nn
