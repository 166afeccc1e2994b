#include <glia/layer.h>
#include <glia/ops.h>
#include <glia/optimizers.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "ir/graph.h"
#include "nn/optimizers/make.h"
#include "nn/trace.h"
#include "runtime/executable.h"

namespace glia {

// ---- configuration ----------------------------------------------------------------------------------------------------

void OptimizerBase::fields(Fields& f) {
  f("name", common.name);
  std::shared_ptr<Configurable> schedule = common.learning_rate.schedule.ptr();
  bool as_object = f.reading() ? f.has_object("learning_rate") : schedule != nullptr;
  if (as_object) {
    f.object("learning_rate", ScheduleBase::kind, schedule);
    common.learning_rate.schedule = std::static_pointer_cast<ScheduleBase>(schedule);
  } else {
    double value = f.reading() ? common.learning_rate.value : learning_rate();
    f("learning_rate", value);
    common.learning_rate.value = value;
  }
  f("weight_decay", common.weight_decay);
  f("clipnorm", common.clipnorm);
  f("global_clipnorm", common.global_clipnorm);
  f("clipvalue", common.clipvalue);
  f("use_ema", common.use_ema);
  f("ema_momentum", common.ema_momentum);
  f("ema_overwrite_frequency", common.ema_overwrite_frequency);
  f("loss_scale_factor", common.loss_scale_factor);
  f("gradient_accumulation_steps", common.gradient_accumulation_steps);
}

void OptimizerBase::check_options() const {
  const std::string& n = common.name;
  int clips = common.clipnorm.has_value() + common.clipvalue.has_value() + common.global_clipnorm.has_value();
  GLIA_CHECK(clips <= 1, "{}: only one of clipnorm, clipvalue and global_clipnorm can be set. Received {} of them.", n, clips);
  GLIA_CHECK(!common.gradient_accumulation_steps || *common.gradient_accumulation_steps >= 2,
             "{}: gradient_accumulation_steps must be at least 2. Received {}.", n, common.gradient_accumulation_steps.value_or(0));
  GLIA_CHECK(!common.use_ema || (common.ema_momentum >= 0 && common.ema_momentum <= 1),
             "{}: ema_momentum must lie in [0, 1]. Received {}.", n, common.ema_momentum);
  GLIA_CHECK(!common.use_ema || !common.ema_overwrite_frequency || *common.ema_overwrite_frequency >= 1,
             "{}: ema_overwrite_frequency must be at least 1. Received {}.", n, common.ema_overwrite_frequency.value_or(0));
}

// ---- variables --------------------------------------------------------------------------------------------------------

Variable OptimizerBase::add_variable(Tensor initial, const std::string& variable_name) {
  VariableOptions o;
  o.name = variable_name;
  o.trainable = false;
  Variable v(std::move(initial), std::move(o));
  v.state()->path = common.name + "/" + variable_name;
  variables_.push_back(v);
  return v;
}

void OptimizerBase::create_common() {
  if (iteration_.defined()) return;
  iteration_ = add_variable(Tensor::scalar(0, DType::i64), "iteration");
  // Of floatx in Keras: a model in float64 has a float64 learning rate.
  DType dtype = !trainable_.empty() && trainable_[0].dtype() == DType::f64 ? DType::f64 : DType::f32;
  if (!common.learning_rate.schedule) learning_rate_ = add_variable(Tensor::scalar(common.learning_rate.value, dtype), "learning_rate");
}

Variable OptimizerBase::add_slot(const Variable& reference, const std::string& slot, double initial) {
  std::string n = reference.path();
  std::replace(n.begin(), n.end(), '/', '_');
  Variable v = add_variable(Tensor::full(reference.shape(), initial, reference.dtype()), n + "_" + slot);
  slots_.push_back(v);
  return v;
}

std::vector<std::vector<Variable>> OptimizerBase::add_slots(const std::vector<Variable>& trainable, const Strings& names, double initial) {
  std::vector<std::vector<Variable>> r(names.size());
  for (const Variable& v : trainable)
    for (size_t i = 0; i < names.size(); ++i) r[i].push_back(add_slot(v, names[i], initial));
  return r;
}

void OptimizerBase::build(const std::vector<Variable>& trainable) {
  if (built_) return;
  check_options();
  trainable_ = trainable;
  create_common();
  if (common.use_ema) averages_ = add_slots(trainable, {"average"})[0];
  if (common.gradient_accumulation_steps) accumulators_ = add_slots(trainable, {"gradient_accumulator"})[0];
  slots_.clear();  // averages and accumulators go on their own ways in update_where
  build_slots(trainable);
  built_ = true;
}

const std::vector<Variable>& OptimizerBase::variables() {
  create_common();
  return variables_;
}

double OptimizerBase::learning_rate() {
  create_common();
  if (learning_rate_.defined()) return learning_rate_.tensor().item();
  return (*common.learning_rate.schedule)(Value(iteration_.tensor())).tensor().item();
}

void OptimizerBase::set_learning_rate(double value) {
  GLIA_CHECK(!common.learning_rate.schedule,
             "{}: the learning rate is a schedule ({}) and cannot be set. Make the optimizer with a number instead.", common.name,
             common.learning_rate.schedule->class_name());
  create_common();
  common.learning_rate.value = value;
  learning_rate_.tensor().set_item(0, value);
}

int64_t OptimizerBase::iterations() {
  create_common();
  return static_cast<int64_t>(iteration_.tensor().item()) / common.gradient_accumulation_steps.value_or(1);
}

size_t OptimizerBase::index_of(const Variable& var) const {
  for (size_t i = 0; i < trainable_.size(); ++i)
    if (trainable_[i].same_as(var)) return i;
  throw_error("{}: unknown variable '{}'. The optimizer was built for {} other variables; make a new one for this model.",
              common.name, var.path(), trainable_.size());
}

void OptimizerBase::exclude_from_weight_decay(Strings var_names) {
  GLIA_CHECK(!built_, "{}: exclude_from_weight_decay must be called before the optimizer is built.", common.name);
  no_decay_ = std::move(var_names);
}
bool OptimizerBase::decays(const Variable& var) const {
  return std::none_of(no_decay_.begin(), no_decay_.end(), [&](const std::string& n) { return var.name().find(n) != std::string::npos; });
}

// ---- scalars of one step ----------------------------------------------------------------------------------------------

Value OptimizerBase::per_step(const std::string& key, DType dtype, const std::function<Value()>& make) {
  auto it = scalars_.find({key, dtype});
  if (it == scalars_.end()) it = scalars_.emplace(std::make_pair(key, dtype), make()).first;
  return it->second;
}
Value OptimizerBase::count() {
  return per_step("count", DType::i64, [&] {
    Value n = iteration_.value();
    if (!common.gradient_accumulation_steps) return n;
    return ops::floor_divide(n, ops::scalar_like(n, static_cast<double>(*common.gradient_accumulation_steps)));
  });
}
Value OptimizerBase::step(const Variable& var) {
  return per_step("step", var.dtype(), [&] {
    Value n = count();
    return ops::cast(n + 1.0, var.dtype());
  });
}
Value OptimizerBase::rate(const Variable& var) {
  return per_step("rate", var.dtype(), [&] {
    Value r = learning_rate_.defined() ? learning_rate_.value() : (*common.learning_rate.schedule)(iteration_.value());
    return ops::cast(r, var.dtype());
  });
}

// ---- gradients of looked-up rows --------------------------------------------------------------------------------------

namespace {
const ir::Node& producer(const Value& v) { return v.graph()->nodes[static_cast<size_t>(v.node())]; }
// A sum of rows by index, several of them added, or one of these scaled by a number (loss scale, clipping).
bool is_list_of_rows(const Value& g) {
  if (!g.defined() || g.is_concrete()) return false;
  const ir::Node& n = producer(g);
  auto input = [&](size_t i) { return ir::to_value(g.graph(), n.inputs[i]); };
  if (n.op->name == "segment_sum") return true;
  if (n.op->name == "add") return is_list_of_rows(input(0)) && is_list_of_rows(input(1));
  if (n.op->name == "mul" || n.op->name == "div") return is_list_of_rows(input(0)) && input(1).rank() == 0;
  return false;
}
// g with f applied to every entry, to those of each looked-up row before they are summed.
Value map_gradient(const Value& g, const std::function<Value(const Value&)>& f) {
  if (!is_list_of_rows(g)) return f(g);
  const ir::Node n = producer(g);  // a copy: nodes are added below
  Value a = ir::to_value(g.graph(), n.inputs[0]), b = ir::to_value(g.graph(), n.inputs[1]);
  if (n.op->name == "segment_sum") return ops::segment_sum(f(a), b, n.attrs.i("num_segments"));
  if (n.op->name == "add") return map_gradient(a, f) + map_gradient(b, f);
  const bool times = n.op->name == "mul";
  return map_gradient(a, [&](const Value& v) { return f(times ? v * b : v / b); });
}
}  // namespace

Value nn::square_gradient(const Value& g) {
  return map_gradient(g, [](const Value& v) { return ops::square(v); });
}

Value nn::gradient_magnitude(const Value& g) {
  return map_gradient(g, [](const Value& v) { return ops::abs(v); });
}

// ---- one step ---------------------------------------------------------------------------------------------------------

namespace {

Values clip_by_norm(Values grads, double limit) {
  for (Value& g : grads) {
    Value norm = ops::sqrt(ops::sum(nn::square_gradient(g)));
    g = g * limit / ops::maximum(norm, ops::scalar_like(g, limit));
  }
  return grads;
}
Values clip_by_global_norm(Values grads, double limit) {
  Value square;
  for (const Value& g : grads) {
    Value s = ops::sum(nn::square_gradient(g));
    square = square.defined() ? square + s : s;
  }
  Value norm = ops::sqrt(square);
  Value scale = limit * ops::minimum(1.0 / norm, ops::scalar_like(norm, 1.0 / limit));
  scale = scale + (norm - norm);  // an infinite norm makes every gradient NaN, as in Keras
  // The scale comes first: Keras on TensorFlow sums looked-up rows here, so later squares are those of sums.
  for (Value& g : grads) g = ops::cast(scale, g.dtype()) * g;
  return grads;
}
Values clip_gradients(Values grads, const OptimizerOptions& o) {
  if (o.clipnorm && *o.clipnorm > 0) return clip_by_norm(std::move(grads), *o.clipnorm);
  if (o.global_clipnorm && *o.global_clipnorm > 0) return clip_by_global_norm(std::move(grads), *o.global_clipnorm);
  if (o.clipvalue && *o.clipvalue > 0)
    for (Value& g : grads)
      g = map_gradient(g, [&](const Value& v) { return ops::clip(v, -*o.clipvalue, *o.clipvalue); });
  return grads;
}

}  // namespace

void OptimizerBase::decay(const Variable& var, double weight_decay) {
  Value w = var.value();
  var.assign(w - w * weight_decay * rate(var));
}
void OptimizerBase::apply_weight_decay(const std::vector<Variable>& vars) {
  if (!common.weight_decay) return;
  for (const Variable& v : vars)
    if (decays(v)) decay(v, *common.weight_decay);
}

void OptimizerBase::update(const Values& grads, const std::vector<Variable>& vars) {
  Values clipped = clip_gradients(grads, common);
  apply_weight_decay(vars);
  before_updates();
  for (size_t i = 0; i < vars.size(); ++i) update_step(ops::cast(clipped[i], vars[i].dtype()), vars[i], index_of(vars[i]));
}

void OptimizerBase::update_where(const Value& condition, const std::vector<Variable>& vars, const std::function<void()>& body) {
  std::vector<Variable> touched = vars;
  touched.insert(touched.end(), slots_.begin(), slots_.end());
  Values before;
  for (const Variable& v : touched) before.push_back(v.value());
  body();
  for (size_t i = 0; i < touched.size(); ++i) {
    Value after = touched[i].value();
    if (!after.same_as(before[i])) touched[i].assign(ops::where(condition, after, before[i]));
  }
}

void OptimizerBase::update_averages() {
  for (size_t i = 0; i < trainable_.size(); ++i) {
    const Variable &var = trainable_[i], &average = averages_[i];
    Value momentum = per_step("ema", var.dtype(), [&] {  // 0 on the first step: starts from the weights
      Value n = count();
      return ops::cast(ops::not_equal(n, ops::scalar_like(n, 0)), var.dtype()) * common.ema_momentum;
    });
    average.assign(momentum * average.value() + (1.0 - momentum) * var.value());
    if (!common.ema_overwrite_frequency) continue;
    Value overwrite = per_step("overwrite", DType::bool_, [&] {
      Value n = count() + 1.0, zero = ops::scalar_like(n, 0);
      return ops::equal(ops::mod(n, ops::scalar_like(n, static_cast<double>(*common.ema_overwrite_frequency))), zero);
    });
    var.assign(ops::where(overwrite, average.value(), var.value()));
  }
}

void OptimizerBase::apply_traced(Values grads, const std::vector<Variable>& vars) {
  scalars_.clear();
  if (common.loss_scale_factor)
    for (Value& g : grads) g = g / *common.loss_scale_factor;
  if (common.gradient_accumulation_steps) {
    Value n = iteration_.value() + 1.0;
    double k = static_cast<double>(*common.gradient_accumulation_steps);
    Value due = ops::equal(ops::mod(n, ops::scalar_like(n, k)), ops::scalar_like(n, 0));
    Values total;
    for (size_t i = 0; i < vars.size(); ++i) total.push_back(grads[i] + accumulators_[index_of(vars[i])].value());
    Values mean;
    for (const Value& t : total) mean.push_back(t / k);
    update_where(due, vars, [&] { update(mean, vars); });
    Values kept;  // an update clears the sums of all weights, also of those that had no gradient this time
    for (const Variable& a : accumulators_) kept.push_back(a.value());
    for (size_t i = 0; i < vars.size(); ++i) kept[index_of(vars[i])] = total[i];
    for (size_t i = 0; i < kept.size(); ++i) accumulators_[i].assign(ops::where(due, ops::scalar_like(kept[i], 0), kept[i]));
  } else {
    update(grads, vars);
  }
  if (common.use_ema) update_averages();
  for (const Variable& v : vars)
    if (v.constraint()) v.assign((*v.constraint())(v.value()));
  iteration_.assign(iteration_.value() + 1.0);
  scalars_.clear();
}

// Outside a trace the step is traced and compiled once per combination of gradients, then run.
struct OptimizerBase::Eager {
  std::string key;
  std::vector<Variable> vars, inputs;
  std::shared_ptr<runtime::Executable> step;
};

void OptimizerBase::apply_now(const Values& grads, const std::vector<Variable>& vars) {
  std::string key;
  for (const Value& g : grads) key += g.defined() ? to_string(g.type()) : "-";
  bool same = eager_ && eager_->key == key && eager_->vars.size() == vars.size();
  for (size_t i = 0; same && i < vars.size(); ++i) same = eager_->vars[i].same_as(vars[i]);
  if (!same) {
    auto e = std::make_shared<Eager>();
    e->key = key;
    e->vars = vars;
    Trace t(true);
    Values in;
    for (const Value& g : grads) in.push_back(g.defined() ? t.input(g.type(), "grad") : Value());
    apply(in, vars);
    t.finish({});
    e->inputs = t.input_variables;
    e->step = runtime::compile(*t.graph);
    eager_ = std::move(e);
  }
  std::vector<Tensor> in;
  size_t next = 0;
  for (const Variable& v : eager_->inputs) {
    while (!v.defined() && !grads[next].defined()) ++next;
    in.push_back(v.defined() ? v.tensor() : grads[next++].tensor());
  }
  eager_->step->run(in);
  for (const Variable& v : eager_->inputs)
    if (v.defined()) v.tensor().wrote();
}

void OptimizerBase::apply(const Values& grads, const std::vector<Variable>& vars) {
  GLIA_CHECK(grads.size() == vars.size(), "{}: received {} gradients for {} variables.", common.name, grads.size(), vars.size());
  if (vars.empty()) return;
  if (!built_) build(vars);
  if (!Trace::current()) return apply_now(grads, vars);
  Values given;
  std::vector<Variable> with_gradient;
  for (size_t i = 0; i < vars.size(); ++i) {
    index_of(vars[i]);
    if (!grads[i].defined()) continue;
    given.push_back(grads[i]);
    with_gradient.push_back(vars[i]);
  }
  GLIA_CHECK(!given.empty(), "{}: no gradients for any of the {} variables. Does the loss depend on the weights?", common.name,
             vars.size());
  apply_traced(std::move(given), with_gradient);
}

Value OptimizerBase::scale_loss(const Value& loss) { return common.loss_scale_factor ? loss * *common.loss_scale_factor : loss; }

void OptimizerBase::finalize_variable_values(const std::vector<Variable>& vars) {
  if (!common.use_ema || !built_) return;
  for (const Variable& v : vars) v.assign(averages_[index_of(v)].value());
}

}  // namespace glia
