#include <glia/layer.h>
#include <glia/ops.h>
#include <glia/optimizers.h>

#include "base/error.h"
#include "nn/trace.h"

namespace glia {
namespace {

struct LossScale final : OptimizerBase {
  optimizers::LossScaleOptimizerOptions o;
  Optimizer inner;
  Variable step_counter, dynamic_scale;
  std::vector<Variable> all;

  LossScale(Optimizer inner_optimizer, optimizers::LossScaleOptimizerOptions options) : o(std::move(options)), inner(std::move(inner_optimizer)) {
    common.name = o.name.empty() ? unique_layer_name("LossScaleOptimizer") : o.name;
    common.learning_rate = 0.0;
    if (inner) inner->common.loss_scale_factor.reset();
  }
  std::string class_name() const override { return "LossScaleOptimizer"; }
  void fields(Fields& f) override {
    f("name", common.name);
    inner.field(f, "inner_optimizer");
    f("initial_scale", o.initial_scale);
    f("dynamic_growth_steps", o.dynamic_growth_steps);
  }
  OptimizerBase& wrapped() const {
    GLIA_CHECK(inner, "{} (LossScaleOptimizer): it has no inner optimizer.", common.name);
    return *inner;
  }

  void build_slots(const std::vector<Variable>& vars) override {
    step_counter = add_variable(Tensor::scalar(0, DType::i64), "step_counter");
    dynamic_scale = add_variable(Tensor::scalar(o.initial_scale), "dynamic_scale");
    wrapped().build(vars);
    slots_ = wrapped().variables();  // update_where keeps them, the count among them, when a step is skipped
    variables_.insert(variables_.end(), slots_.begin(), slots_.end());
  }
  void update_step(const Value&, const Variable&, size_t) override {}

  // Steps whose gradients are not finite change nothing but the scale, which is halved.
  void apply(const Values& grads, const std::vector<Variable>& vars) override {
    if (!built_) build(vars);
    if (!Trace::current()) return OptimizerBase::apply(grads, vars);
    Value scale = dynamic_scale.value(), finite;
    Values unscaled;
    for (const Value& g : grads) {
      if (!g.defined()) {
        unscaled.emplace_back();
        continue;
      }
      Value ok = ops::all(ops::isfinite(g));
      finite = finite.defined() ? ops::logical_and(finite, ok) : ok;
      unscaled.push_back(g / ops::cast(scale, g.dtype()));
    }
    GLIA_CHECK(finite.defined(), "{}: no gradients for any of the {} variables. Does the loss depend on the weights?", common.name, vars.size());
    update_where(finite, vars, [&] { wrapped().apply(unscaled, vars); });
    Value count = step_counter.value(), zero = ops::scalar_like(count, 0);
    Value grown = ops::equal(count, ops::scalar_like(count, static_cast<double>(o.dynamic_growth_steps - 1)));
    step_counter.assign(ops::where(ops::logical_and(finite, ops::logical_not(grown)), count + 1.0, zero));
    dynamic_scale.assign(ops::where(finite, ops::where(grown, scale * 2.0, scale), scale * 0.5));
  }

  Value scale_loss(const Value& loss) override {
    if (!built_) return loss * o.initial_scale;
    return loss * ops::cast(dynamic_scale.value(), loss.dtype());
  }
  OptimizerBase* wrapped_optimizer() override { return inner.ptr().get(); }
  double learning_rate() override { return wrapped().learning_rate(); }
  void set_learning_rate(double value) override { wrapped().set_learning_rate(value); }
  int64_t iterations() override { return wrapped().iterations(); }
  void finalize_variable_values(const std::vector<Variable>& vars) override { wrapped().finalize_variable_values(vars); }
};

}  // namespace

Optimizer optimizers::LossScaleOptimizer(Optimizer inner, LossScaleOptimizerOptions o) {
  return std::make_shared<LossScale>(std::move(inner), std::move(o));
}

}  // namespace glia
