// The loss classes over the functions of losses/functions.h. Each is its options, its class name and one call.
#include <glia/losses.h>
#include <glia/ops.h>

#include "nn/losses/functions.h"

namespace glia {
namespace {
using namespace losses;

// A loss whose config is name and reduction only.
template <class Options>
struct Plain final : LossBase {
  const char* class_;
  Value (*fn_)(Value, Value);
  Plain(Options o, const char* class_name, Value (*fn)(Value, Value))
      : LossBase(std::move(o.name), std::move(o.reduction)), class_(class_name), fn_(fn) {}
  std::string class_name() const override { return class_; }
  Value call(const Value& t, const Value& p) override { return fn_(t, p); }
};

struct CosineLoss final : LossBase {
  int64_t axis;
  explicit CosineLoss(CosineSimilarityOptions o) : LossBase(std::move(o.name), std::move(o.reduction)), axis(o.axis) {}
  std::string class_name() const override { return "CosineSimilarity"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    if (f.reading() || axis != -1) f("axis", axis);  // Keras's config leaves it out
  }
  Value call(const Value& t, const Value& p) override { return -nn::cosine_similarity(t, p, axis); }
};

struct HuberLoss final : LossBase {
  double delta;
  explicit HuberLoss(HuberOptions o) : LossBase(std::move(o.name), std::move(o.reduction)), delta(o.delta) {}
  std::string class_name() const override { return "Huber"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("delta", delta);
  }
  Value call(const Value& t, const Value& p) override { return nn::huber(t, p, delta); }
};

struct BinaryCrossentropyLoss final : LossBase {
  BinaryCrossentropyOptions o;
  explicit BinaryCrossentropyLoss(BinaryCrossentropyOptions options) : LossBase(options.name, options.reduction), o(options) {}
  std::string class_name() const override { return "BinaryCrossentropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("axis", o.axis);
  }
  Value call(const Value& t, const Value& p) override {
    return nn::binary_crossentropy(t, p, o.from_logits, o.label_smoothing, o.axis);
  }
};

struct CategoricalCrossentropyLoss final : LossBase {
  CategoricalCrossentropyOptions o;
  explicit CategoricalCrossentropyLoss(CategoricalCrossentropyOptions options)
      : LossBase(options.name, options.reduction), o(options) {}
  std::string class_name() const override { return "CategoricalCrossentropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("axis", o.axis);
  }
  Value call(const Value& t, const Value& p) override {
    return nn::categorical_crossentropy(t, p, o.from_logits, o.label_smoothing, o.axis);
  }
};

struct SparseCategoricalCrossentropyLoss final : LossBase {
  SparseCategoricalCrossentropyOptions o;
  explicit SparseCategoricalCrossentropyLoss(SparseCategoricalCrossentropyOptions options)
      : LossBase(options.name, options.reduction), o(options) {}
  std::string class_name() const override { return "SparseCategoricalCrossentropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("from_logits", o.from_logits);
    f("ignore_class", o.ignore_class);
    if (f.reading() || o.axis != -1) f("axis", o.axis);  // new in Keras 3.14
  }
  Value call(const Value& t, const Value& p) override {
    return nn::sparse_categorical_crossentropy(t, p, o.from_logits, o.ignore_class, o.axis);
  }
};

struct BinaryFocalLoss final : LossBase {
  BinaryFocalCrossentropyOptions o;
  explicit BinaryFocalLoss(BinaryFocalCrossentropyOptions options) : LossBase(options.name, options.reduction), o(options) {}
  std::string class_name() const override { return "BinaryFocalCrossentropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("axis", o.axis);
    f("apply_class_balancing", o.apply_class_balancing);
    f("alpha", o.alpha);
    f("gamma", o.gamma);
  }
  Value call(const Value& t, const Value& p) override {
    return nn::binary_focal_crossentropy(
        t, p, {o.alpha, o.gamma, o.from_logits, o.label_smoothing, o.axis, o.apply_class_balancing});
  }
};

struct CategoricalFocalLoss final : LossBase {
  CategoricalFocalCrossentropyOptions o;
  explicit CategoricalFocalLoss(CategoricalFocalCrossentropyOptions options) : LossBase(options.name, options.reduction), o(options) {}
  std::string class_name() const override { return "CategoricalFocalCrossentropy"; }
  void fields(Fields& f) override {
    LossBase::fields(f);
    f("from_logits", o.from_logits);
    f("label_smoothing", o.label_smoothing);
    f("axis", o.axis);
    f("alpha", o.alpha);
    f("gamma", o.gamma);
  }
  Value call(const Value& t, const Value& p) override {
    return nn::categorical_focal_crossentropy(t, p, {o.alpha, o.gamma, o.from_logits, o.label_smoothing, o.axis});
  }
};

}  // namespace

std::optional<int64_t> nn::ignored_class(const LossBase& loss) {
  const auto* sparse = dynamic_cast<const SparseCategoricalCrossentropyLoss*>(&loss);
  return sparse ? sparse->o.ignore_class : std::nullopt;
}

namespace losses {

#define GLIA_PLAIN_LOSS(Class, fn) \
  Loss Class(Class##Options o) { return std::make_shared<Plain<Class##Options>>(std::move(o), #Class, nn::fn); }
GLIA_PLAIN_LOSS(MeanSquaredError, mean_squared_error)
GLIA_PLAIN_LOSS(MeanAbsoluteError, mean_absolute_error)
GLIA_PLAIN_LOSS(MeanAbsolutePercentageError, mean_absolute_percentage_error)
GLIA_PLAIN_LOSS(MeanSquaredLogarithmicError, mean_squared_logarithmic_error)
GLIA_PLAIN_LOSS(LogCosh, log_cosh)
GLIA_PLAIN_LOSS(Hinge, hinge)
GLIA_PLAIN_LOSS(SquaredHinge, squared_hinge)
GLIA_PLAIN_LOSS(CategoricalHinge, categorical_hinge)
GLIA_PLAIN_LOSS(KLDivergence, kl_divergence)
GLIA_PLAIN_LOSS(Poisson, poisson)
#undef GLIA_PLAIN_LOSS

Loss CosineSimilarity(CosineSimilarityOptions o) { return std::make_shared<CosineLoss>(std::move(o)); }
Loss Huber(HuberOptions o) { return std::make_shared<HuberLoss>(std::move(o)); }
Loss BinaryCrossentropy(BinaryCrossentropyOptions o) { return std::make_shared<BinaryCrossentropyLoss>(std::move(o)); }
Loss CategoricalCrossentropy(CategoricalCrossentropyOptions o) { return std::make_shared<CategoricalCrossentropyLoss>(std::move(o)); }
Loss SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions o) {
  return std::make_shared<SparseCategoricalCrossentropyLoss>(std::move(o));
}
Loss BinaryFocalCrossentropy(BinaryFocalCrossentropyOptions o) { return std::make_shared<BinaryFocalLoss>(std::move(o)); }
Loss CategoricalFocalCrossentropy(CategoricalFocalCrossentropyOptions o) { return std::make_shared<CategoricalFocalLoss>(std::move(o)); }

}  // namespace losses
}  // namespace glia
