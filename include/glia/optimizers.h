// Optimizers: how gradients change weights. By name ("adam") or as object with options in Keras's names.
//
//   model.compile({.optimizer = optimizers::Adam({.learning_rate = 3e-4, .global_clipnorm = 1.0}), ...});
//   Optimizer sgd = optimizers::SGD({.learning_rate = schedules::CosineDecay({...}), .momentum = 0.9});
//   sgd->apply(grads, weights);       // a step by hand; inside a traced step it becomes part of that
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glia/config.h>
#include <glia/schedules.h>
#include <glia/value.h>
#include <glia/variable.h>

namespace glia {

// A number, or a schedule.
struct LearningRate {
  LearningRate(double v) : value(v) {}  // NOLINT: numbers and schedules convert
  LearningRate(Schedule s) : schedule(std::move(s)) {}  // NOLINT
  double value = 0.001;
  Schedule schedule;
};

// The options every optimizer has.
struct OptimizerOptions {
  LearningRate learning_rate = 0.001;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};         // of each gradient; at most one of the three clips
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};  // of all gradients together
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<int64_t> ema_overwrite_frequency = {};
  std::optional<double> loss_scale_factor = {};
  std::optional<int64_t> gradient_accumulation_steps = {};
  std::string name = {};                       // empty: from the class, "adam"
};

class OptimizerBase : public Configurable {
 public:
  static constexpr std::string_view kind = "optimizer";
  OptimizerBase() = default;
  explicit OptimizerBase(OptimizerOptions options) : common(std::move(options)) {}
  OptimizerOptions common;

  void fields(Fields& f) override;
  const std::string& name() const { return common.name; }
  // Creates the variables for these weights; once. apply() does it when it was not done.
  virtual void build(const std::vector<Variable>& trainable);
  bool built() const { return built_; }
  // One step. grads[i] belongs to vars[i]; undefined ones are skipped. Order as Keras: unscale, accumulate, clip, decay,
  // update, EMA, constraints, count.
  virtual void apply(const Values& grads, const std::vector<Variable>& vars);
  virtual Value scale_loss(const Value& loss);  // times loss_scale_factor

  // Keras's order, which files use: iteration, learning_rate (absent with a schedule), averages, accumulators, slots.
  const std::vector<Variable>& variables();
  virtual double learning_rate();               // now; of a schedule: at the current step
  virtual void set_learning_rate(double value); // throws Error when a schedule drives it
  virtual int64_t iterations();                 // updates so far
  virtual std::vector<Ref<OptimizerBase>> optimizers() const { return {}; }  // MultiOptimizer's
  virtual OptimizerBase* wrapped_optimizer() { return nullptr; }  // LossScaleOptimizer's inner one
  virtual void finalize_variable_values(const std::vector<Variable>& vars);  // EMA: weights become their averages
  // Weights whose name contains one of these take no weight decay; before build.
  void exclude_from_weight_decay(Strings var_names);

 protected:
  // What an optimizer defines: its slots, and the update of one weight. before_updates: scalars that change per step.
  virtual void build_slots(const std::vector<Variable>& trainable) = 0;
  virtual void before_updates() {}
  virtual void update_step(const Value& grad, const Variable& var, size_t index) = 0;
  virtual void apply_weight_decay(const std::vector<Variable>& vars);

  // Slots named like Keras's, "<weight path>_<slot>"; several names are interleaved per weight.
  std::vector<std::vector<Variable>> add_slots(const std::vector<Variable>& trainable, const Strings& names, double initial = 0);
  Variable add_slot(const Variable& reference, const std::string& slot, double initial = 0);
  Variable add_variable(Tensor initial, const std::string& variable_name);
  Value rate(const Variable& var);              // this step's learning rate in the weight's dtype
  Value step(const Variable& var);              // this step's number, from 1, in the weight's dtype
  // A scalar of the step being traced: computed once per key and dtype.
  Value per_step(const std::string& key, DType dtype, const std::function<Value()>& make);
  Value count();                                // updates so far
  bool decays(const Variable& var) const;
  void decay(const Variable& var, double weight_decay);
  void create_common();                         // iteration and learning_rate
  size_t index_of(const Variable& var) const;
  // Runs `body`; afterwards every variable of `vars` and every slot keeps its old value where `condition` is false.
  void update_where(const Value& condition, const std::vector<Variable>& vars, const std::function<void()>& body);

  bool built_ = false;
  std::vector<Variable> variables_, trainable_, averages_, accumulators_, slots_;
  Variable iteration_, learning_rate_;

 private:
  void check_options() const;
  void apply_now(const Values& grads, const std::vector<Variable>& vars);
  void apply_traced(Values grads, const std::vector<Variable>& vars);
  void update(const Values& grads, const std::vector<Variable>& vars);
  void update_averages();
  Strings no_decay_;
  std::map<std::pair<std::string, DType>, Value> scalars_;
  struct Eager;
  std::shared_ptr<Eager> eager_;                // the compiled step of calls outside a trace
};
using Optimizer = Ref<OptimizerBase>;

namespace optimizers {

// The fields every optimizer's options end with, in Keras's order.
#define GLIA_OPTIMIZER_OPTIONS                        \
  std::optional<double> weight_decay = {};                 \
  std::optional<double> clipnorm = {};                     \
  std::optional<double> clipvalue = {};                    \
  std::optional<double> global_clipnorm = {};              \
  bool use_ema = false;                               \
  double ema_momentum = 0.99;                         \
  std::optional<int64_t> ema_overwrite_frequency = {};     \
  std::optional<double> loss_scale_factor = {};            \
  std::optional<int64_t> gradient_accumulation_steps = {}; \
  std::string name = {};

struct SGDOptions {
  LearningRate learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer SGD(SGDOptions options = {});

struct AdamOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;  // outside the bias correction, as Keras
  bool amsgrad = false;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Adam(AdamOptions options = {});  // Kingma and Ba 2014

struct AdamWOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  GLIA_OPTIMIZER_OPTIONS  // weight_decay: 0.004 unless given
};
Optimizer AdamW(AdamWOptions options = {});  // Loshchilov and Hutter 2017

struct RMSpropOptions {
  LearningRate learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0.0;
  double epsilon = 1e-7;
  bool centered = false;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer RMSprop(RMSpropOptions options = {});

struct AdagradOptions {
  LearningRate learning_rate = 0.001;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Adagrad(AdagradOptions options = {});  // Duchi et al. 2011

struct AdadeltaOptions {
  LearningRate learning_rate = 0.001;
  double rho = 0.95;
  double epsilon = 1e-7;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Adadelta(AdadeltaOptions options = {});  // Zeiler 2012

struct AdamaxOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Adamax(AdamaxOptions options = {});

struct NadamOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Nadam(NadamOptions options = {});  // Dozat 2015

struct FtrlOptions {
  LearningRate learning_rate = 0.001;
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0.0;
  double l2_regularization_strength = 0.0;
  double l2_shrinkage_regularization_strength = 0.0;
  double beta = 0.0;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Ftrl(FtrlOptions options = {});  // McMahan et al. 2013

struct LionOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Lion(LionOptions options = {});  // Chen et al. 2023

struct LambOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Lamb(LambOptions options = {});  // You et al. 2019

struct AdafactorOptions {
  LearningRate learning_rate = 0.001;
  double beta_2_decay = -0.8;
  double epsilon_1 = 1e-30;
  double epsilon_2 = 1e-3;
  double clip_threshold = 1.0;
  bool relative_step = true;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer Adafactor(AdafactorOptions options = {});  // Shazeer and Stern 2018

struct MuonOptions {
  LearningRate learning_rate = 0.001;
  double adam_beta_1 = 0.9;
  double adam_beta_2 = 0.999;
  std::optional<double> adam_weight_decay = 0.004;
  double epsilon = 1e-7;
  Strings exclude_layers = {};         // weights whose path contains one of these are updated by Adam
  bool exclude_embeddings = true;
  double muon_a = 3.4445;
  double muon_b = -4.7750;
  double muon_c = 2.0315;
  double adam_lr_ratio = 1.0;
  double momentum = 0.95;
  int64_t ns_steps = 5;
  bool nesterov = true;
  std::optional<double> rms_rate = 0.2;
  GLIA_OPTIMIZER_OPTIONS          // weight_decay: 0.004 unless given
};
Optimizer Muon(MuonOptions options = {});  // Jordan et al. 2024

struct ScheduleFreeAdamWOptions {
  LearningRate learning_rate = 0.0025;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  int64_t warmup_steps = 0;
  GLIA_OPTIMIZER_OPTIONS
};
Optimizer ScheduleFreeAdamW(ScheduleFreeAdamWOptions options = {});  // Defazio et al. 2024

// Wraps an optimizer: multiplies the loss, divides the gradients, skips steps whose gradients are not finite, and adapts
// the factor (halved then, doubled after dynamic_growth_steps good ones).
struct LossScaleOptimizerOptions {
  double initial_scale = 32768.0;
  int64_t dynamic_growth_steps = 2000;
  std::string name = {};
};
Optimizer LossScaleOptimizer(Optimizer inner, LossScaleOptimizerOptions options = {});

// Which optimizer updates a weight: the one whose key is the weight's path ("sequential/dense/kernel"), else the one whose key, as a
// regular expression, matches the whole path; else default_optimizer. Throws Error where several expressions match.
struct OptimizerMap {
  Optimizer default_optimizer;
  std::vector<std::pair<std::string, Optimizer>> optimizer_map = {};
};
struct MultiOptimizerOptions {
  std::optional<double> loss_scale_factor = {};  // takes the place of that of each optimizer
  std::string name = {};
};
// An optimizer of its own for each part of the model; learning_rate() and set_learning_rate() throw Error: ask optimizers(), which
// are those of the map in order, then the default.
//   MultiOptimizer({Adam(), {{".*/encoder/.*", SGD({.learning_rate = 1e-4})}}})
Optimizer MultiOptimizer(OptimizerMap map, MultiOptimizerOptions options = {});
// The same with a function that gives each weight its optimizer; it has no configuration to save.
Optimizer MultiOptimizer(std::function<Optimizer(const Variable&)> choose, MultiOptimizerOptions options = {});

#undef GLIA_OPTIMIZER_OPTIONS

}  // namespace optimizers
}  // namespace glia
