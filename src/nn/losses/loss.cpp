#include <glia/losses.h>
#include <glia/ops.h>

#include "base/error.h"
#include "nn/class_list.h"
#include "nn/losses/reduce.h"

namespace glia {

namespace {
const std::vector<std::string> kReductions{"sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"};

void check_reduction(const std::string& name, const std::string& reduction) {
  for (const std::string& r : kReductions)
    if (r == reduction) return;
  throw_error("{}: unknown reduction '{}'.{}", name, reduction, did_you_mean(reduction, kReductions));
}

struct CustomLoss final : LossBase {
  std::function<Value(const Value&, const Value&)> fn;
  std::string class_name() const override { return "LossFunctionWrapper"; }
  Value call(const Value& t, const Value& p) override { return fn(ops::cast(t, p.dtype()), p); }
};

// What goes wrong inside names the loss and both sides.
Value call_named(LossBase& loss, const Value& t, const Value& p) {
  try {
    return loss.call(t, p);
  } catch (const Error& e) {
    if (std::string_view(e.what()).starts_with(loss.name)) throw;
    throw_error("{}: cannot be computed from y_true {} and y_pred {}: {} Targets must fit the shape of the model's output.", loss.name, to_string(t.shape()),
                to_string(p.shape()), e.what());
  }
}
}  // namespace

LossBase::LossBase(std::string loss_name, std::string loss_reduction) : name(std::move(loss_name)), reduction(std::move(loss_reduction)) {
  check_reduction(name, reduction);
}

void LossBase::fields(Fields& f) {
  f("name", name);
  std::optional<std::string> r = reduction;  // Keras also writes null for "none"
  f("reduction", r);
  reduction = r.value_or("none");
  if (f.reading()) check_reduction(name, reduction);
}

Value LossBase::operator()(const Value& y_true, const Value& y_pred, const Value& sample_weight) {
  Value t = y_true, p = y_pred;
  if (p.dtype() != DType::f64 && p.dtype() != DType::f32) p = ops::cast(p, DType::f32);
  nn::squeeze_or_expand(t, p);
  Value values = call_named(*this, t, p);
  Value mask = y_pred.mask();
  if (values.mask().defined()) mask = mask.defined() ? ops::logical_and(mask, values.mask()) : values.mask();
  try {
    return nn::reduce_weighted(values, sample_weight, mask, reduction);
  } catch (const Error& e) {
    throw Error(name + ": " + e.what());
  }
}

namespace losses {
Loss custom(std::string name, std::function<Value(const Value&, const Value&)> fn) {
  auto p = std::make_shared<CustomLoss>();
  p->name = std::move(name);
  p->fn = std::move(fn);
  return p;
}
}  // namespace losses

Loss resolve_loss(const std::string& name, const TensorType& y_true, const TensorType& y_pred) {
  if (name == "crossentropy" || name == "ce") {
    int64_t classes = y_pred.shape.empty() ? 1 : y_pred.shape.back();
    bool last_is_one = !y_true.shape.empty() && y_true.shape.back() == 1;
    if (classes == 1) return losses::BinaryCrossentropy();
    if (y_true.rank() < y_pred.rank() || last_is_one) return losses::SparseCategoricalCrossentropy();
    return losses::CategoricalCrossentropy();
  }
  if (!find_class_by_name(LossBase::kind, name)) {
    std::vector<std::string> known = known_names(LossBase::kind);
    known.insert(known.end(), {"crossentropy", "ce"});
    throw_error("Unknown loss '{}'.{}", name, did_you_mean(name, known));
  }
  return Loss(name);
}

}  // namespace glia
