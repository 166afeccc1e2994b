#include <glia/ops.h>
#include <glia/optimizers.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/trace.h"

namespace glia {
namespace {

Variable weight(std::initializer_list<double> values, const std::string& name = "w") {
  VariableOptions o;
  o.name = name;
  return Variable(Tensor::from({static_cast<int64_t>(values.size())}, values), std::move(o));
}
Value gradient(std::initializer_list<double> values) { return Tensor::from({static_cast<int64_t>(values.size())}, values); }

std::vector<std::string> names(const Optimizer& o) {
  std::vector<std::string> r;
  for (const Variable& v : o->variables()) r.push_back(v.name());
  return r;
}

TEST(Optimizers, VariablesInKerasOrder) {
  std::vector<Variable> w{weight({1}, "a"), weight({2}, "b")};
  Optimizer adam = optimizers::Adam({.amsgrad = true, .use_ema = true, .gradient_accumulation_steps = 2});
  adam->build(w);
  EXPECT_EQ(names(adam), (std::vector<std::string>{"iteration", "learning_rate", "a_average", "b_average", "a_gradient_accumulator",
                                                   "b_gradient_accumulator", "a_momentum", "a_velocity", "b_momentum", "b_velocity",
                                                   "a_velocity_hat", "b_velocity_hat"}));
  Optimizer rms = optimizers::RMSprop({.learning_rate = optimizers::schedules::CosineDecay(), .momentum = 0.5, .centered = true});
  rms->build(w);
  EXPECT_EQ(names(rms), (std::vector<std::string>{"iteration", "a_velocity", "b_velocity", "a_momentum", "b_momentum",
                                                  "a_average_gradient", "b_average_gradient"}));
}

TEST(Optimizers, AccumulationAppliesTheMeanEveryThird) {
  Variable w = weight({1});
  Optimizer sgd = optimizers::SGD({.learning_rate = 0.5, .gradient_accumulation_steps = 3});
  for (int i = 1; i <= 10; ++i) sgd->apply({gradient({static_cast<double>(i)})}, {w});
  EXPECT_FLOAT_EQ(static_cast<float>(w.tensor().item()), 1 - 0.5f * (2 + 5 + 8));
  EXPECT_EQ(sgd->iterations(), 3);  // updates, not calls
}

TEST(Optimizers, MissingGradientsLeaveTheirWeights) {
  Variable a = weight({1}), b = weight({2});
  Optimizer sgd = optimizers::SGD({.learning_rate = 1});
  sgd->apply({Value(), gradient({1})}, {a, b});
  EXPECT_EQ(a.tensor().item(), 1);
  EXPECT_EQ(b.tensor().item(), 1);
  EXPECT_THROW(sgd->apply({Value(), Value()}, {a, b}), Error);
}

TEST(Optimizers, LearningRateIsAVariable) {
  Variable w = weight({1});
  Optimizer sgd = optimizers::SGD({.learning_rate = 0.5});
  sgd->apply({gradient({1})}, {w});
  sgd->set_learning_rate(0.25);  // the compiled step reads it
  sgd->apply({gradient({1})}, {w});
  EXPECT_FLOAT_EQ(static_cast<float>(w.tensor().item()), 0.25f);
  EXPECT_EQ(sgd->learning_rate(), 0.25);
}

TEST(Optimizers, ScheduleCountsSteps) {
  Variable w = weight({0});
  Optimizer sgd = optimizers::SGD({.learning_rate = optimizers::schedules::PiecewiseConstantDecay({.boundaries = {1}, .values = {1, 0.5}})});
  for (int i = 0; i < 3; ++i) sgd->apply({gradient({1})}, {w});
  EXPECT_FLOAT_EQ(static_cast<float>(w.tensor().item()), -2.5f);  // steps 0 and 1 at 1, step 2 at 0.5
  EXPECT_EQ(sgd->learning_rate(), 0.5);
  try {
    sgd->set_learning_rate(1);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(std::string(e.what()).substr(std::string(e.what()).find(':')).c_str(),
                 ": the learning rate is a schedule (PiecewiseConstantDecay) and cannot be set. Make the optimizer with a number instead.");
  }
}

TEST(Optimizers, LossScaleSkipsWhatIsNotFinite) {
  Variable w = weight({1});
  Optimizer o = optimizers::LossScaleOptimizer(optimizers::SGD({.learning_rate = 1}), {.initial_scale = 8, .dynamic_growth_steps = 2});
  o->apply({gradient({8})}, {w});
  EXPECT_EQ(w.tensor().item(), 0);  // 8 / 8
  o->apply({gradient({INFINITY})}, {w});
  EXPECT_EQ(w.tensor().item(), 0);
  EXPECT_EQ(o->iterations(), 1);
  EXPECT_EQ(o->scale_loss(Tensor::scalar(1)).tensor().item(), 4);  // halved
  o->apply({gradient({4})}, {w});
  o->apply({gradient({4})}, {w});
  EXPECT_EQ(w.tensor().item(), -2);
  EXPECT_EQ(o->scale_loss(Tensor::scalar(1)).tensor().item(), 8);  // doubled after two good steps
}

TEST(Optimizers, EachPartOfAModelHasItsOwn) {
  Variable a = weight({1}, "encoder/kernel"), b = weight({1}, "head/kernel"), c = weight({1}, "head/bias");
  Optimizer slow = optimizers::SGD({.learning_rate = 0.25, .momentum = 0.5, .name = "slow"}), rest = optimizers::SGD({.learning_rate = 1, .name = "rest"});
  Optimizer both = optimizers::MultiOptimizer(optimizers::OptimizerMap{rest, {{".*encoder.*", slow}}});
  both->apply({gradient({1}), gradient({2}), gradient({3})}, {a, b, c});
  EXPECT_EQ(a.tensor().item(), 0.75);
  EXPECT_EQ(b.tensor().item(), -1);
  EXPECT_EQ(c.tensor().item(), -2);
  EXPECT_EQ(both->iterations(), 1);
  EXPECT_EQ(slow->iterations(), 1);
  EXPECT_EQ(both->optimizers().size(), 2u);
  EXPECT_EQ(names(both), (std::vector<std::string>{"iteration", "learning_rate", "iteration", "learning_rate", "encoder_kernel_momentum", "iteration",
                                                   "learning_rate"}));
  EXPECT_THROW(both->learning_rate(), Error);
  EXPECT_THROW(both->set_learning_rate(0.1), Error);
  slow->set_learning_rate(0.5);  // where it belongs
  both->apply({gradient({1}), gradient({0}), gradient({0})}, {a, b, c});
  EXPECT_EQ(a.tensor().item(), 0.75 - 0.5 - 0.125);

  const std::string config = serialize(*both);
  auto again = std::static_pointer_cast<OptimizerBase>(deserialize("optimizer", config));
  EXPECT_EQ(again->optimizers().size(), 2u);
  EXPECT_EQ(serialize(*again), config);
}

TEST(Optimizers, MapsAreChecked) {
  Variable w = weight({1}, "head");
  Optimizer sgd = optimizers::SGD(), adam = optimizers::Adam();
  auto step = [&](const Optimizer& o) { o->apply({gradient({1})}, {w}); };
  EXPECT_THROW(step(optimizers::MultiOptimizer(optimizers::OptimizerMap{sgd, {{"h.*", adam}, {".*d", sgd}}})), Error);
  EXPECT_NO_THROW(step(optimizers::MultiOptimizer(optimizers::OptimizerMap{sgd, {{"head", adam}, {".*d", sgd}}})));  // the path itself comes first
  EXPECT_THROW(step(optimizers::MultiOptimizer(optimizers::OptimizerMap{})), Error);
  EXPECT_THROW(step(optimizers::MultiOptimizer(optimizers::OptimizerMap{sgd, {{"(", adam}}})), Error);
  EXPECT_THROW(optimizers::MultiOptimizer(optimizers::OptimizerMap{optimizers::LossScaleOptimizer(sgd)}), Error);
  Optimizer chosen = optimizers::MultiOptimizer([&](const Variable&) { return adam; });
  EXPECT_NO_THROW(step(chosen));
  EXPECT_THROW(serialize(*chosen), Error);
}

TEST(Optimizers, OptionsAreChecked) {
  auto message = [](const Optimizer& o) -> std::string {
    try {
      o->build({weight({1})});
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message(optimizers::SGD({.clipnorm = 1, .clipvalue = 1, .name = "s"})),
            "s: only one of clipnorm, clipvalue and global_clipnorm can be set. Received 2 of them.");
  EXPECT_EQ(message(optimizers::SGD({.gradient_accumulation_steps = 1, .name = "s"})),
            "s: gradient_accumulation_steps must be at least 2. Received 1.");
  Optimizer built = optimizers::SGD({.name = "s"});
  built->build({weight({1})});
  EXPECT_THROW(built->apply({gradient({1})}, {weight({1}, "other")}), Error);
}

}  // namespace
}  // namespace glia
