// Ftrl, Adafactor, Muon.
#include <glia/ops.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/optimizers/make.h"

namespace glia {
namespace {

struct FtrlOptimizer final : OptimizerBase {
  optimizers::FtrlOptions o;
  std::vector<Variable> accumulators, linears;
  explicit FtrlOptimizer(optimizers::FtrlOptions options) : OptimizerBase(nn::common_options(options, "Ftrl")), o(std::move(options)) {}
  std::string class_name() const override { return "Ftrl"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("learning_rate_power", o.learning_rate_power);
    f("initial_accumulator_value", o.initial_accumulator_value);
    f("l1_regularization_strength", o.l1_regularization_strength);
    f("l2_regularization_strength", o.l2_regularization_strength);
    f("l2_shrinkage_regularization_strength", o.l2_shrinkage_regularization_strength);
    f("beta", o.beta);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    GLIA_CHECK(o.learning_rate_power <= 0, "{} (Ftrl): learning_rate_power must not be positive. Received {}.", common.name,
               o.learning_rate_power);
    for (double v : {o.initial_accumulator_value, o.l1_regularization_strength, o.l2_regularization_strength,
                     o.l2_shrinkage_regularization_strength})
      GLIA_CHECK(v >= 0, "{} (Ftrl): the initial accumulator and the strengths must not be negative. Received {}.", common.name, v);
    for (const Variable& v : vars) {
      accumulators.push_back(add_slot(v, "accumulator", o.initial_accumulator_value));
      linears.push_back(add_slot(v, "linear"));
    }
  }
  void update_step(const Value& g, const Variable& var, size_t i) override {
    Value lr = rate(var), w = var.value(), old = accumulators[i].value(), linear = linears[i].value();
    Value l2 = per_step("l2", var.dtype(), [&] { return o.l2_regularization_strength + o.beta / (2.0 * lr); });
    auto power = [&](const Value& x) { return ops::power(x, ops::scalar_like(x, -o.learning_rate_power)); };
    Value used = g + (2 * o.l2_shrinkage_regularization_strength) * w;
    Value sum = old + nn::square_gradient(g);
    Value sum_power = power(sum);
    linear = linear + (used - (sum_power - power(old)) / lr * w);
    linears[i].assign(linear);
    Value quadratic = sum_power / lr + 2.0 * l2;
    Value clipped = ops::clip(linear, -o.l1_regularization_strength, o.l1_regularization_strength);
    var.assign((clipped - linear) / quadratic);
    accumulators[i].assign(sum);
  }
};

struct AdafactorOptimizer final : OptimizerBase {
  optimizers::AdafactorOptions o;
  std::vector<Variable> rows, columns, velocities;
  explicit AdafactorOptimizer(optimizers::AdafactorOptions options)
      : OptimizerBase(nn::common_options(options, "Adafactor")), o(std::move(options)) {}
  std::string class_name() const override { return "Adafactor"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("beta_2_decay", o.beta_2_decay);
    f("epsilon_1", o.epsilon_1);
    f("epsilon_2", o.epsilon_2);
    f("clip_threshold", o.clip_threshold);
    f("relative_step", o.relative_step);
  }
  void build_slots(const std::vector<Variable>& vars) override {
    for (const Variable& v : vars) {
      Shape row, column;  // vectors keep an unused scalar, as Keras's files do
      if (v.shape().size() >= 2) {
        row.assign(v.shape().begin(), v.shape().end() - 1);
        column.assign(v.shape().begin(), v.shape().end() - 2);
        column.push_back(v.shape().back());
      }
      rows.push_back(add_variable(Tensor::zeros(row, v.dtype()), v.name()));
      columns.push_back(add_variable(Tensor::zeros(column, v.dtype()), v.name()));
      slots_.push_back(rows.back());
      slots_.push_back(columns.back());
      velocities.push_back(add_slot(v, "velocity"));
    }
  }
  static Value rms(const Value& x) { return ops::sqrt(ops::mean(ops::square(x))); }
  void update_step(const Value& g, const Variable& var, size_t i) override {
    Value w = var.value(), t = step(var), one = ops::scalar_like(t, 1);
    Value rho = per_step("rho", var.dtype(), [&] { return ops::minimum(rate(var), 1.0 / ops::sqrt(t)); });
    Value alpha = ops::maximum(ops::scalar_like(w, o.epsilon_2), rms(w)) * rho;
    Value square = nn::square_gradient(g) + o.epsilon_1;
    Value beta = per_step("beta_2", var.dtype(), [&] { return 1.0 - ops::power(t, ops::scalar_like(t, o.beta_2_decay)); });
    Value v;
    if (w.rank() >= 2) {
      Value r = beta * rows[i].value() + (1.0 - beta) * ops::mean(square, {-1});
      Value c = beta * columns[i].value() + (1.0 - beta) * ops::mean(square, {-2});
      rows[i].assign(r);
      columns[i].assign(c);
      v = ops::expand_dims(r / ops::mean(r, {-1}, true), -1) * ops::expand_dims(c, -2);
    } else {
      v = beta * velocities[i].value() + (1.0 - beta) * square;
    }
    velocities[i].assign(v);
    Value u = g / ops::sqrt(v);
    u = u / ops::maximum(one, rms(u) / o.clip_threshold);
    var.assign(w - alpha * u);
  }
};

struct MuonOptimizer final : OptimizerBase {
  optimizers::MuonOptions o;
  std::vector<Variable> momentums, velocities;  // velocities: only of the weights that Adam updates
  explicit MuonOptimizer(optimizers::MuonOptions options) : OptimizerBase(nn::common_options(options, "Muon")), o(std::move(options)) {
    if (!common.weight_decay) common.weight_decay = 0.004;
  }
  std::string class_name() const override { return "Muon"; }
  void fields(Fields& f) override {
    OptimizerBase::fields(f);
    f("adam_beta_1", o.adam_beta_1);
    f("adam_beta_2", o.adam_beta_2);
    f("epsilon", o.epsilon);
    f("exclude_layers", o.exclude_layers);
    f("muon_a", o.muon_a);
    f("muon_b", o.muon_b);
    f("muon_c", o.muon_c);
    f("adam_lr_ratio", o.adam_lr_ratio);
    f("momentum", o.momentum);
    f("ns_steps", o.ns_steps);
    f("nesterov", o.nesterov);
    f("exclude_embeddings", o.exclude_embeddings);
    f("adam_weight_decay", o.adam_weight_decay);
    f("rms_rate", o.rms_rate);
  }
  bool by_adam(const Variable& v) const {
    if (v.shape().size() != 2) return true;
    std::string path = v.path();
    for (const std::string& k : o.exclude_layers)
      if (path.find(k) != std::string::npos) return true;
    for (char& c : path) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return o.exclude_embeddings && path.find("embedding") != std::string::npos;
  }
  void build_slots(const std::vector<Variable>& vars) override {
    for (const Variable& v : vars) {
      momentums.push_back(add_slot(v, "momentum"));
      velocities.push_back(by_adam(v) ? add_slot(v, "velocity") : Variable());
    }
  }
  void apply_weight_decay(const std::vector<Variable>& vars) override {
    for (const Variable& v : vars) {
      const auto& wd = by_adam(v) ? o.adam_weight_decay : common.weight_decay;
      if (wd && decays(v)) decay(v, *wd);
    }
  }
  void update_step(const Value& g, const Variable& w, size_t i) override {
    if (velocities[i].defined()) adam(g, w, i);
    else muon(g, w, i);
  }
  void adam(const Value& g, const Variable& w, size_t i) {
    Value alpha = per_step("alpha", w.dtype(), [&] {
      Value t = step(w);
      auto power = [&](double b) { return ops::power(ops::scalar_like(t, b), t); };
      return rate(w) * o.adam_lr_ratio * ops::sqrt(1.0 - power(o.adam_beta_2)) / (1.0 - power(o.adam_beta_1));
    });
    Value m = momentums[i].value(), v = velocities[i].value();
    m = m + (g - m) * (1 - o.adam_beta_1);
    v = v + (nn::square_gradient(g) - v) * (1 - o.adam_beta_2);
    momentums[i].assign(m);
    velocities[i].assign(v);
    w.assign(w.value() - m * alpha / (ops::sqrt(v) + o.epsilon));
  }
  // Towards the nearest orthogonal matrix by a quintic Newton-Schulz iteration.
  Value orthogonalized(Value x) const {
    bool tall = x.dim(-2) > x.dim(-1);  // the smaller Gram matrix is used
    x = x / (ops::sqrt(ops::sum(ops::square(x))) + 1e-7);
    for (int64_t i = 0; i < o.ns_steps; ++i) {
      Value gram = ops::matmul(x, x, tall, !tall);
      Value b = gram * o.muon_b + ops::matmul(gram * o.muon_c, gram);
      x = x * o.muon_a + (tall ? ops::matmul(x, b) : ops::matmul(b, x));
    }
    return x;
  }
  void muon(const Value& g, const Variable& w, size_t i) {
    Value old = momentums[i].value(), m = old + (g + old * (o.momentum - 1));
    momentums[i].assign(m);
    Value update = rate(w) * orthogonalized(o.nesterov ? g + o.momentum * m : m);
    if (o.rms_rate) update = update * (std::sqrt(static_cast<double>(std::max(w.shape()[0], w.shape()[1]))) * *o.rms_rate);
    w.assign(w.value() - update);
  }
};

}  // namespace

namespace optimizers {
Optimizer Ftrl(FtrlOptions o) { return std::make_shared<FtrlOptimizer>(std::move(o)); }
Optimizer Adafactor(AdafactorOptions o) { return std::make_shared<AdafactorOptimizer>(std::move(o)); }
Optimizer Muon(MuonOptions o) { return std::make_shared<MuonOptimizer>(std::move(o)); }
}  // namespace optimizers
}  // namespace glia
