// Learning-rate schedules: functions from the optimizer's step count to a rate, traced into the training step.
//
//   auto rate = optimizers::schedules::CosineDecay({.initial_learning_rate = 0.1, .decay_steps = 1000});
//   model.compile({.optimizer = optimizers::SGD({.learning_rate = rate}), ...});
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <glia/config.h>
#include <glia/value.h>

namespace glia {

// Write your own: a scalar of any integer dtype in (steps applied so far), a float32 scalar out.
class ScheduleBase : public Configurable {
 public:
  static constexpr std::string_view kind = "schedule";
  virtual Value operator()(const Value& step) = 0;
};
using Schedule = Ref<ScheduleBase>;

namespace optimizers::schedules {

// initial * decay_rate ^ (step / decay_steps); with staircase the exponent is floored.
struct ExponentialDecayOptions {
  double initial_learning_rate = 0.1;
  int64_t decay_steps = 1000;
  double decay_rate = 0.96;
  bool staircase = false;
  std::string name = "ExponentialDecay";
};
Schedule ExponentialDecay(ExponentialDecayOptions options = {});

// initial / (1 + decay_rate * step / decay_steps).
struct InverseTimeDecayOptions {
  double initial_learning_rate = 0.1;
  int64_t decay_steps = 1000;
  double decay_rate = 0.5;
  bool staircase = false;
  std::string name = "InverseTimeDecay";
};
Schedule InverseTimeDecay(InverseTimeDecayOptions options = {});

// values[i] for steps in (boundaries[i-1], boundaries[i]]; one value more than boundaries.
struct PiecewiseConstantDecayOptions {
  std::vector<double> boundaries = {};
  std::vector<double> values = {};
  std::string name = "PiecewiseConstant";
};
Schedule PiecewiseConstantDecay(PiecewiseConstantDecayOptions options);

// (initial - end) * (1 - step / decay_steps) ^ power + end; with cycle decay_steps grows to the next multiple.
struct PolynomialDecayOptions {
  double initial_learning_rate = 0.1;
  int64_t decay_steps = 1000;
  double end_learning_rate = 0.0001;
  double power = 1.0;
  bool cycle = false;
  std::string name = "PolynomialDecay";
};
Schedule PolynomialDecay(PolynomialDecayOptions options = {});

// Half a cosine from initial (or warmup_target, after a linear warm-up) to alpha times it. Loshchilov and Hutter 2016.
struct CosineDecayOptions {
  double initial_learning_rate = 0.1;
  int64_t decay_steps = 1000;
  double alpha = 0.0;
  std::optional<double> warmup_target = {};
  int64_t warmup_steps = 0;
  std::string name = "CosineDecay";
};
Schedule CosineDecay(CosineDecayOptions options = {});

// The same with restarts: each period is t_mul times longer and starts m_mul times lower than the one before.
struct CosineDecayRestartsOptions {
  double initial_learning_rate = 0.1;
  int64_t first_decay_steps = 1000;
  double t_mul = 2.0;
  double m_mul = 1.0;
  double alpha = 0.0;
  std::string name = "SGDRDecay";
};
Schedule CosineDecayRestarts(CosineDecayRestartsOptions options = {});

}  // namespace optimizers::schedules
}  // namespace glia
