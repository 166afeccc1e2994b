#include <glia/ops.h>

#include "base/error.h"
#include "nn/optimizers/make.h"

namespace glia {
namespace {

struct SGDOptimizer final : OptimizerBase {
  optimizers::SGDOptions o;
  std::vector<Variable> momentums;
  explicit SGDOptimizer(optimizers::SGDOptions options) : OptimizerBase(nn::common_options(options, "SGD")), o(std::move(options)) {}
  std::string class_name() const override { return "SGD"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("momentum", o.momentum);
    f("nesterov", o.nesterov);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    GLIA_CHECK(o.momentum >= 0 && o.momentum <= 1, "{} (SGD): momentum must lie in [0, 1]. Received {}.", common.name, o.momentum);
    if (o.momentum != 0) momentums = add_slots(vars, {"momentum"})[0];
  }
  // The learning rate is inside the velocity (unlike PyTorch): v = mu v - lr g.
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value step = g * rate(w);
    if (o.momentum == 0) return w.assign(w.value() - step);
    Value m = momentums[i].value() * o.momentum - step;
    momentums[i].assign(m);
    w.assign(w.value() + (o.nesterov ? m * o.momentum - step : m));
  }
};

struct RMSpropOptimizer final : OptimizerBase {
  optimizers::RMSpropOptions o;
  std::vector<Variable> velocities, momentums, averages;
  explicit RMSpropOptimizer(optimizers::RMSpropOptions options)
      : OptimizerBase(nn::common_options(options, "RMSprop")), o(std::move(options)) {}
  std::string class_name() const override { return "RMSprop"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("rho", o.rho);
    f("momentum", o.momentum);
    f("epsilon", o.epsilon);
    f("centered", o.centered);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    velocities = add_slots(vars, {"velocity"})[0];
    if (o.momentum > 0) momentums = add_slots(vars, {"momentum"})[0];
    if (o.centered) averages = add_slots(vars, {"average_gradient"})[0];
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value v = velocities[i].value() * o.rho + nn::square_gradient(g) * (1 - o.rho);
    velocities[i].assign(v);
    Value denominator = v + o.epsilon;
    if (o.centered) {
      Value a = averages[i].value() * o.rho + g * (1 - o.rho);
      averages[i].assign(a);
      denominator = v - ops::square(a) + o.epsilon;
    }
    Value increment = rate(w) * g / ops::sqrt(denominator);
    if (o.momentum > 0) {
      increment = momentums[i].value() * o.momentum + increment;
      momentums[i].assign(increment);
    }
    w.assign(w.value() - increment);
  }
};

struct AdagradOptimizer final : OptimizerBase {
  optimizers::AdagradOptions o;
  std::vector<Variable> accumulators;
  explicit AdagradOptimizer(optimizers::AdagradOptions options)
      : OptimizerBase(nn::common_options(options, "Adagrad")), o(std::move(options)) {}
  std::string class_name() const override { return "Adagrad"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("initial_accumulator_value", o.initial_accumulator_value);
    f("epsilon", o.epsilon);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    accumulators = add_slots(vars, {"accumulator"}, o.initial_accumulator_value)[0];
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value a = accumulators[i].value() + nn::square_gradient(g);
    accumulators[i].assign(a);
    w.assign(w.value() - rate(w) * g / ops::sqrt(a + o.epsilon));
  }
};

struct AdadeltaOptimizer final : OptimizerBase {
  optimizers::AdadeltaOptions o;
  std::vector<std::vector<Variable>> slots;  // accumulated gradients, accumulated updates
  explicit AdadeltaOptimizer(optimizers::AdadeltaOptions options)
      : OptimizerBase(nn::common_options(options, "Adadelta")), o(std::move(options)) {}
  std::string class_name() const override { return "Adadelta"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("rho", o.rho);
    f("epsilon", o.epsilon);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    slots = add_slots(vars, {"accumulated_grad", "accumulated_delta_var"});
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    auto rms = [&](const Value& x) { return ops::sqrt(x + o.epsilon); };
    Value grads = slots[0][i].value() * o.rho + nn::square_gradient(g) * (1 - o.rho), deltas = slots[1][i].value();
    slots[0][i].assign(grads);
    Value delta = -(rms(deltas) * g / rms(grads));
    slots[1][i].assign(deltas * o.rho + ops::square(delta) * (1 - o.rho));
    w.assign(w.value() + rate(w) * delta);
  }
};

struct LionOptimizer final : OptimizerBase {
  optimizers::LionOptions o;
  std::vector<Variable> momentums;
  explicit LionOptimizer(optimizers::LionOptions options) : OptimizerBase(nn::common_options(options, "Lion")), o(std::move(options)) {}
  std::string class_name() const override { return "Lion"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    GLIA_CHECK(o.beta_1 > 0 && o.beta_1 <= 1, "{} (Lion): beta_1 must lie in (0, 1]. Received {}.", common.name, o.beta_1);
    momentums = add_slots(vars, {"momentum"})[0];
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value m = momentums[i].value();
    w.assign(w.value() - rate(w) * ops::sign(m * o.beta_1 + g * nn::complement(o.beta_1, w.dtype())));
    momentums[i].assign(m * o.beta_2 + g * nn::complement(o.beta_2, w.dtype()));
  }
};

}  // namespace

namespace optimizers {
Optimizer SGD(SGDOptions o) { return std::make_shared<SGDOptimizer>(std::move(o)); }
Optimizer RMSprop(RMSpropOptions o) { return std::make_shared<RMSpropOptimizer>(std::move(o)); }
Optimizer Adagrad(AdagradOptions o) { return std::make_shared<AdagradOptimizer>(std::move(o)); }
Optimizer Adadelta(AdadeltaOptions o) { return std::make_shared<AdadeltaOptimizer>(std::move(o)); }
Optimizer Lion(LionOptions o) { return std::make_shared<LionOptimizer>(std::move(o)); }
}  // namespace optimizers
}  // namespace glia
