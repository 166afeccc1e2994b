#include <glia/ops.h>
#include <glia/schedules.h>

#include <cmath>

#include "base/error.h"

namespace glia {
namespace {
using namespace optimizers::schedules;

Value f32(double v) { return ops::constant(Tensor::scalar(v)); }
Value step_f32(const Value& step) { return ops::cast(step, DType::f32); }

void check_steps(const char* who, int64_t steps) {
  GLIA_CHECK(steps > 0, "{}: decay_steps must be positive. Received {}.", who, steps);
}

// ExponentialDecay and InverseTimeDecay differ in the last line only.
template <class Options, bool Inverse>
struct Decay final : ScheduleBase {
  Options o;
  explicit Decay(Options options) : o(std::move(options)) {}
  std::string class_name() const override { return Inverse ? "InverseTimeDecay" : "ExponentialDecay"; }
  void fields(Fields& f) override {
    f("initial_learning_rate", o.initial_learning_rate);
    f("decay_steps", o.decay_steps);
    f("decay_rate", o.decay_rate);
    f("staircase", o.staircase);
    f("name", o.name);
  }
  Value operator()(const Value& step) override {
    check_steps(Inverse ? "InverseTimeDecay" : "ExponentialDecay", o.decay_steps);
    Value p = step_f32(step) / static_cast<double>(o.decay_steps);
    if (o.staircase) p = ops::floor(p);
    if (Inverse) return f32(o.initial_learning_rate) / (1.0 + p * o.decay_rate);
    return o.initial_learning_rate * ops::power(f32(o.decay_rate), p);
  }
};

struct Piecewise final : ScheduleBase {
  PiecewiseConstantDecayOptions o;
  explicit Piecewise(PiecewiseConstantDecayOptions options) : o(std::move(options)) {}
  std::string class_name() const override { return "PiecewiseConstantDecay"; }
  void fields(Fields& f) override {
    f("boundaries", o.boundaries);
    f("values", o.values);
    f("name", o.name);
  }
  Value operator()(const Value& step) override {
    GLIA_CHECK(o.boundaries.size() + 1 == o.values.size(),
               "PiecewiseConstantDecay: expected one value more than boundaries. Received {} boundaries and {} values.",
               o.boundaries.size(), o.values.size());
    Value s = ops::cast(step, DType::i64), r = f32(o.values.back());
    for (size_t i = o.boundaries.size(); i-- > 0;)
      r = ops::where(s <= ops::constant(Tensor::scalar(o.boundaries[i], DType::i64)), f32(o.values[i]), r);
    return r;
  }
};

struct Polynomial final : ScheduleBase {
  PolynomialDecayOptions o;
  explicit Polynomial(PolynomialDecayOptions options) : o(std::move(options)) {}
  std::string class_name() const override { return "PolynomialDecay"; }
  void fields(Fields& f) override {
    f("initial_learning_rate", o.initial_learning_rate);
    f("decay_steps", o.decay_steps);
    f("end_learning_rate", o.end_learning_rate);
    f("power", o.power);
    f("cycle", o.cycle);
    f("name", o.name);
  }
  Value operator()(const Value& step) override {
    check_steps("PolynomialDecay", o.decay_steps);
    Value s = step_f32(step), steps = f32(static_cast<double>(o.decay_steps));
    if (o.cycle) steps = steps * ops::where(ops::equal(s, f32(0)), f32(1), ops::ceil(s / steps));
    else s = ops::minimum(s, steps);
    Value start = f32(o.initial_learning_rate), end = f32(o.end_learning_rate);
    return (start - end) * ops::power(1.0 - s / steps, f32(o.power)) + end;
  }
};

struct Cosine final : ScheduleBase {
  CosineDecayOptions o;
  explicit Cosine(CosineDecayOptions options) : o(std::move(options)) {}
  std::string class_name() const override { return "CosineDecay"; }
  void fields(Fields& f) override {
    f("initial_learning_rate", o.initial_learning_rate);
    f("decay_steps", o.decay_steps);
    f("alpha", o.alpha);
    f("name", o.name);
    f("warmup_target", o.warmup_target);
    f("warmup_steps", o.warmup_steps);
  }
  Value decay(const Value& s, double from) const {
    Value cosine = 0.5 * (1.0 + ops::cos(M_PI * (s / static_cast<double>(o.decay_steps))));
    return from * ((1 - o.alpha) * cosine + o.alpha);
  }
  Value operator()(const Value& step) override {
    check_steps("CosineDecay", o.decay_steps);
    Value s = step_f32(step);
    if (!o.warmup_target) return decay(ops::minimum(s, f32(static_cast<double>(o.decay_steps))), o.initial_learning_rate);
    double warm = static_cast<double>(o.warmup_steps), target = *o.warmup_target;
    s = ops::minimum(s, f32(static_cast<double>(o.decay_steps) + warm));
    Value decayed = decay(s - warm, target);
    if (o.warmup_steps <= 0) return decayed;
    Value warming = (target - o.initial_learning_rate) * (s / warm) + o.initial_learning_rate;
    return ops::where(s < warm, warming, decayed);
  }
};

struct CosineRestarts final : ScheduleBase {
  CosineDecayRestartsOptions o;
  explicit CosineRestarts(CosineDecayRestartsOptions options) : o(std::move(options)) {}
  std::string class_name() const override { return "CosineDecayRestarts"; }
  void fields(Fields& f) override {
    f("initial_learning_rate", o.initial_learning_rate);
    f("first_decay_steps", o.first_decay_steps);
    f("t_mul", o.t_mul);
    f("m_mul", o.m_mul);
    f("alpha", o.alpha);
    f("name", o.name);
  }
  Value operator()(const Value& step) override {
    check_steps("CosineDecayRestarts", o.first_decay_steps);
    Value done = step_f32(step) / static_cast<double>(o.first_decay_steps), restart;
    if (o.t_mul == 1) {
      restart = ops::floor(done);
      done = done - restart;
    } else {
      restart = ops::floor(ops::log(1.0 - done * (1 - o.t_mul)) / ops::log(f32(o.t_mul)));
      Value factor = ops::power(f32(o.t_mul), restart);
      done = (done - (1.0 - factor) / (1 - o.t_mul)) / factor;
    }
    Value cosine = 0.5 * ops::power(f32(o.m_mul), restart) * (1.0 + ops::cos(M_PI * done));
    return o.initial_learning_rate * ((1 - o.alpha) * cosine + o.alpha);
  }
};

}  // namespace

namespace optimizers::schedules {
Schedule ExponentialDecay(ExponentialDecayOptions o) { return std::make_shared<Decay<ExponentialDecayOptions, false>>(std::move(o)); }
Schedule InverseTimeDecay(InverseTimeDecayOptions o) { return std::make_shared<Decay<InverseTimeDecayOptions, true>>(std::move(o)); }
Schedule PiecewiseConstantDecay(PiecewiseConstantDecayOptions o) { return std::make_shared<Piecewise>(std::move(o)); }
Schedule PolynomialDecay(PolynomialDecayOptions o) { return std::make_shared<Polynomial>(std::move(o)); }
Schedule CosineDecay(CosineDecayOptions o) { return std::make_shared<Cosine>(std::move(o)); }
Schedule CosineDecayRestarts(CosineDecayRestartsOptions o) { return std::make_shared<CosineRestarts>(std::move(o)); }
}  // namespace optimizers::schedules
}  // namespace glia
