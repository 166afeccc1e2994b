// Adam and the optimizers that keep its two moments.
#include <glia/ops.h>

#include "base/error.h"
#include "nn/optimizers/make.h"

namespace glia {
namespace {

// The base is rounded to float32 also in float64 models, because Keras on TensorFlow casts the Python number that way.
Value power_of(double base, const Value& exponent) {
  return ops::power(ops::scalar_like(exponent, static_cast<double>(static_cast<float>(base))), exponent);
}
Value towards(const Value& average, const Value& x, double share) { return average + (x - average) * share; }

// Fields and slots that the family shares.
template <class Options>
struct MomentsOptimizer : OptimizerBase {
  Options o;
  std::vector<std::vector<Variable>> slots;
  MomentsOptimizer(Options options, const char* class_name) : OptimizerBase(nn::common_options(options, class_name)), o(std::move(options)) {}
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("epsilon", o.epsilon);
  }
  void build_slots(const std::vector<Variable>& vars) override { slots = add_slots(vars, {"momentum", "velocity"}); }
  Value beta_power(const Variable& w, const char* key, double beta) {
    return per_step(key, w.dtype(), [&] { return power_of(beta, step(w)); });
  }
  Value beta_1_power(const Variable& w) { return beta_power(w, "beta_1_power", o.beta_1); }
  Value beta_2_power(const Variable& w) { return beta_power(w, "beta_2_power", o.beta_2); }
  // New first and second moment, assigned.
  std::pair<Value, Value> moments(const Value& g, size_t i) { return moments(g, i, 1 - o.beta_1, 1 - o.beta_2); }
  std::pair<Value, Value> moments(const Value& g, size_t i, double share_1, double share_2) {
    Value m = towards(slots[0][i].value(), g, share_1), v = towards(slots[1][i].value(), nn::square_gradient(g), share_2);
    slots[0][i].assign(m);
    slots[1][i].assign(v);
    return {m, v};
  }
};

struct AdamOptimizer final : MomentsOptimizer<optimizers::AdamOptions> {
  bool decoupled;  // AdamW
  std::vector<Variable> hats;
  AdamOptimizer(optimizers::AdamOptions options, bool is_adamw)
      : MomentsOptimizer(std::move(options), is_adamw ? "AdamW" : "Adam"), decoupled(is_adamw) {}
  std::string class_name() const override { return decoupled ? "AdamW" : "Adam"; }
  void fields(Fields& f) override {
    MomentsOptimizer::fields(f);
    f("amsgrad", o.amsgrad);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    GLIA_CHECK(!decoupled || common.weight_decay, "{} (AdamW): weight_decay must be a number. Use Adam for training without it.",
               common.name);
    MomentsOptimizer::build_slots(vars);
    if (o.amsgrad) hats = add_slots(vars, {"velocity_hat"})[0];
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value alpha = per_step("alpha", w.dtype(), [&] {
      return rate(w) * ops::sqrt(1.0 - beta_2_power(w)) / (1.0 - beta_1_power(w));
    });
    auto [m, v] = moments(g, i);
    if (o.amsgrad) {
      v = ops::maximum(hats[i].value(), v);
      hats[i].assign(v);
    }
    w.assign(w.value() - m * alpha / (ops::sqrt(v) + o.epsilon));
  }
};

struct AdamaxOptimizer final : MomentsOptimizer<optimizers::AdamaxOptions> {
  explicit AdamaxOptimizer(optimizers::AdamaxOptions options) : MomentsOptimizer(std::move(options), "Adamax") {}
  std::string class_name() const override { return "Adamax"; }
  void build_slots(const std::vector<Variable>& vars) override { slots = add_slots(vars, {"momentum", "norm"}); }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value m = towards(slots[0][i].value(), g, 1 - o.beta_1);
    Value u = ops::maximum(slots[1][i].value() * o.beta_2, nn::gradient_magnitude(g));
    slots[0][i].assign(m);
    slots[1][i].assign(u);
    w.assign(w.value() - rate(w) * m / ((1.0 - beta_1_power(w)) * (u + o.epsilon)));
  }
};

struct NadamOptimizer final : MomentsOptimizer<optimizers::NadamOptions> {
  Variable u_product;
  explicit NadamOptimizer(optimizers::NadamOptions options) : MomentsOptimizer(std::move(options), "Nadam") {}
  std::string class_name() const override { return "Nadam"; }
  void build_slots(const std::vector<Variable>& vars) override {
    MomentsOptimizer::build_slots(vars);
    u_product = add_variable(Tensor::scalar(1, vars.empty() ? DType::f32 : vars[0].dtype()), "u_product");
    slots_.push_back(u_product);
  }
  Value schedule(const Variable& w, int ahead) {  // u_t = beta_1 (1 - 0.5 * 0.96^t)
    return per_step(ahead ? "u_next" : "u", w.dtype(), [&] {
      return o.beta_1 * (1.0 - 0.5 * power_of(0.96, step(w) + static_cast<double>(ahead)));
    });
  }
  void before_updates() override {
    Value share = 1.0 - 0.5 * power_of(0.96, step(u_product));
    u_product.assign(u_product.value() * o.beta_1 * share);
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value u = schedule(w, 0), next = schedule(w, 1);
    Value product = per_step("product", w.dtype(), [&] { return ops::cast(u_product.value(), w.dtype()); });
    auto [m, v] = moments(g, i, nn::complement(o.beta_1, w.dtype()), nn::complement(o.beta_2, w.dtype()));
    Value m_hat = next * m / (1.0 - product * next) + (1.0 - u) * g / (1.0 - product);
    Value v_hat = v / (1.0 - beta_2_power(w));
    w.assign(w.value() - m_hat * rate(w) / (ops::sqrt(v_hat) + o.epsilon));
  }
};

struct LambOptimizer final : MomentsOptimizer<optimizers::LambOptions> {
  explicit LambOptimizer(optimizers::LambOptions options) : MomentsOptimizer(std::move(options), "Lamb") {}
  std::string class_name() const override { return "Lamb"; }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    auto [m, v] = moments(g, i);
    Value update = m / (1.0 - beta_1_power(w)) / (ops::sqrt(v / (1.0 - beta_2_power(w))) + o.epsilon);
    auto norm = [](const Value& x) { return ops::sqrt(ops::sum(ops::square(x))); };
    Value weight_norm = norm(w.value()), update_norm = norm(update), one = ops::scalar_like(weight_norm, 1);
    Value safe = ops::where(update_norm > 0.0, update_norm, one);
    Value trust = ops::where(ops::logical_and(weight_norm > 0.0, update_norm > 0.0), weight_norm / safe, one);
    w.assign(w.value() - trust * rate(w) * update);
  }
};

struct ScheduleFreeOptimizer final : MomentsOptimizer<optimizers::ScheduleFreeAdamWOptions> {
  explicit ScheduleFreeOptimizer(optimizers::ScheduleFreeAdamWOptions options) : MomentsOptimizer(std::move(options), "ScheduleFreeAdamW") {}
  std::string class_name() const override { return "ScheduleFreeAdamW"; }
  void fields(Fields& f) override {
    MomentsOptimizer::fields(f);
    f("warmup_steps", o.warmup_steps);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    MomentsOptimizer::build_slots(vars);
    for (size_t i = 0; i < vars.size(); ++i) slots[0][i].tensor().copy_from(vars[i].tensor());  // z starts at the weights
  }
  // The weights hold y = (1 - beta_1) z + beta_1 x; x, the running mean of z, is worked out from them.
  void update_step(const Value& g, const Variable& w, size_t i) override {
    Value lr = per_step("warm_rate", w.dtype(), [&] {
      if (o.warmup_steps <= 0) return rate(w);
      Value t = step(w);
      return rate(w) * ops::minimum(t / static_cast<double>(o.warmup_steps), ops::scalar_like(t, 1));
    });
    double share_1 = nn::complement(o.beta_1, w.dtype());
    Value v = towards(slots[1][i].value(), nn::square_gradient(g), nn::complement(o.beta_2, w.dtype()));
    slots[1][i].assign(v);
    Value z = slots[0][i].value() - lr * g / (ops::sqrt(v / (1.0 - beta_2_power(w))) + o.epsilon);
    slots[0][i].assign(z);
    Value share = per_step("share", w.dtype(), [&] { return 1.0 / step(w); });
    // Keras 3.15 on TensorFlow works x out from the updated z (the paper: from the old one); kept for equal numbers.
    Value x = (w.value() - share_1 * z) / o.beta_1;
    x = (1.0 - share) * x + share * z;
    w.assign(share_1 * z + o.beta_1 * x);
  }
};

}  // namespace

namespace optimizers {
Optimizer Adam(AdamOptions o) { return std::make_shared<AdamOptimizer>(std::move(o), false); }
Optimizer AdamW(AdamWOptions o) {
  AdamOptions a;
  a.learning_rate = o.learning_rate;
  a.beta_1 = o.beta_1;
  a.beta_2 = o.beta_2;
  a.epsilon = o.epsilon;
  a.amsgrad = o.amsgrad;
  a.weight_decay = o.weight_decay.value_or(0.004);
  a.clipnorm = o.clipnorm;
  a.clipvalue = o.clipvalue;
  a.global_clipnorm = o.global_clipnorm;
  a.use_ema = o.use_ema;
  a.ema_momentum = o.ema_momentum;
  a.ema_overwrite_frequency = o.ema_overwrite_frequency;
  a.loss_scale_factor = o.loss_scale_factor;
  a.gradient_accumulation_steps = o.gradient_accumulation_steps;
  a.name = std::move(o.name);
  return std::make_shared<AdamOptimizer>(std::move(a), true);
}
Optimizer Adamax(AdamaxOptions o) { return std::make_shared<AdamaxOptimizer>(std::move(o)); }
Optimizer Nadam(NadamOptions o) { return std::make_shared<NadamOptimizer>(std::move(o)); }
Optimizer Lamb(LambOptions o) { return std::make_shared<LambOptimizer>(std::move(o)); }
Optimizer ScheduleFreeAdamW(ScheduleFreeAdamWOptions o) { return std::make_shared<ScheduleFreeOptimizer>(std::move(o)); }
}  // namespace optimizers
}  // namespace glia
