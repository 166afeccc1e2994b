// Losses over whole sets: Dice and Tversky overlap, Circle, generalised cross-entropy.
#include <glia/losses.h>
#include <glia/ops.h>

#include <cmath>

#include "base/error.h"

namespace glia {
namespace {
using namespace losses;

constexpr double kEpsilon = 1e-7;

void axis_field(Fields& f, std::optional<Ints>& axis) {  // one axis is a number in Keras's config
  if (!f.reading() && axis && axis->size() == 1) f("axis", (*axis)[0]);
  else f("axis", axis);
}

struct DiceLoss final : LossBase {
  std::optional<Ints> axis;
  explicit DiceLoss(DiceOptions o) : LossBase(std::move(o.name), std::move(o.reduction)), axis(std::move(o.axis)) {}
  std::string class_name() const override { return "Dice"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    axis_field(f, axis);
  }
  Value call(const Value& y_true, const Value& p) override {
    Value t = ops::cast(y_true, p.dtype());
    Ints a = axis.value_or(Ints{});
    return 1.0 - 2.0 * ops::sum(t * p, a) / (ops::sum(t, a) + ops::sum(p, a) + kEpsilon);
  }
};

struct TverskyLoss final : LossBase {
  TverskyOptions o;
  explicit TverskyLoss(TverskyOptions options) : LossBase(options.name, options.reduction), o(std::move(options)) {}
  std::string class_name() const override { return "Tversky"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("alpha", o.alpha);
    f("beta", o.beta);
    axis_field(f, o.axis);
  }
  Value call(const Value& y_true, const Value& p) override {
    Value t = ops::cast(y_true, p.dtype());
    Ints a = o.axis.value_or(Ints{});
    Value hit = ops::sum(t * p, a);
    Value first = ops::sum((1.0 - p) * t, a), second = ops::sum(p * (1.0 - t), a);  // weighted as Keras does
    return 1.0 - hit / (hit + first * o.alpha + second * o.beta + kEpsilon);
  }
};

struct CircleLoss final : LossBase {
  CircleOptions o;
  explicit CircleLoss(CircleOptions options) : LossBase(options.name, options.reduction), o(std::move(options)) {}
  std::string class_name() const override { return "Circle"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("gamma", o.gamma);
    f("margin", o.margin);
    f("remove_diagonal", o.remove_diagonal);
  }
  Value call(const Value& y_true, const Value& p) override {
    GLIA_CHECK(p.rank() == 2, "Circle: expected embeddings of shape (batch, units). Received y_pred {}.", to_string(p.shape()));
    int64_t n = p.dim(0);
    Value labels = ops::cast(y_true, DType::i32);
    GLIA_CHECK(num_elements(labels.shape()) == n, "Circle: expected one integer label per row of y_pred {}. Received y_true {}.",
               to_string(p.shape()), to_string(labels.shape()));
    Value same = ops::equal(ops::reshape(labels, {n, 1}), ops::reshape(labels, {1, n}));
    Value positive = same, negative = ops::logical_not(same);
    if (o.remove_diagonal) {
      Tensor off = Tensor::full({n, n}, 1, DType::bool_);
      for (int64_t i = 0; i < n; ++i) off.set_item(i * n + i, 0);
      positive = ops::logical_and(positive, ops::constant(off));
    }
    auto floor_zero = [](const Value& v) { return ops::maximum(v, ops::scalar_like(v, 0)); };
    Value distance = floor_zero(1.0 - ops::matmul(p, p, false, true));
    Value positive_weight = floor_zero((o.margin + distance) * ops::cast(positive, p.dtype()));
    Value negative_weight = floor_zero(((1 + o.margin) - distance) * ops::cast(negative, p.dtype()));
    Value pull = -o.gamma * positive_weight * (o.margin - distance);
    Value push = o.gamma * negative_weight * ((1 - o.margin) - distance);
    Value none = ops::scalar_like(p, -INFINITY);
    auto log_sum = [&](const Value& mask, const Value& v) { return ops::logsumexp(ops::where(mask, v, none), {1}); };
    Value loss = ops::softplus(log_sum(positive, pull) + log_sum(negative, push));
    return loss.with_mask(loss > 0.0);
  }
};

struct GeneralizedLoss final : LossBase {
  double q;
  explicit GeneralizedLoss(CategoricalGeneralizedCrossEntropyOptions o)
      : LossBase(std::move(o.name), std::move(o.reduction)), q(o.q) {}
  std::string class_name() const override { return "CategoricalGeneralizedCrossEntropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("q", q);
  }
  Value call(const Value& y_true, const Value& p) override {
    GLIA_CHECK(q > 0 && q < 1, "CategoricalGeneralizedCrossEntropy: q must lie between 0 and 1. Received {}.", q);
    Value labels = ops::cast(y_true, DType::i64);
    if (labels.rank() == p.rank() && labels.dim(-1) == 1) labels = ops::squeeze(labels, {-1});
    Value hot = ops::one_hot(labels, p.dim(-1), -1, p.dtype());
    Value chosen = ops::sum(p * hot, {-1});
    return (1.0 - ops::power(chosen, ops::scalar_like(p, q))) / q;
  }
};

}  // namespace

namespace losses {
Loss Dice(DiceOptions o) { return std::make_shared<DiceLoss>(std::move(o)); }
Loss Tversky(TverskyOptions o) { return std::make_shared<TverskyLoss>(std::move(o)); }
Loss Circle(CircleOptions o) { return std::make_shared<CircleLoss>(std::move(o)); }
Loss CategoricalGeneralizedCrossEntropy(CategoricalGeneralizedCrossEntropyOptions o) {
  return std::make_shared<GeneralizedLoss>(std::move(o));
}
}  // namespace losses
}  // namespace glia
