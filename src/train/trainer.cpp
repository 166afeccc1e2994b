#include "train/trainer.h"

#include <glia/ops.h>

#include <algorithm>

#include "base/cpu.h"
#include "base/error.h"
#include "grad/grad.h"
#include "passes/pipeline.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia {

LossTracker::LossTracker(std::string n)
    : name(std::move(n)),
      total(Tensor::zeros({}), {.name = name + "_total", .trainable = false}),
      count(Tensor::zeros({}), {.name = name + "_count", .trainable = false}) {}
void LossTracker::update(const Value& loss, int64_t batch) const {
  // Without reduction every entry of the loss counts alike.
  const bool reduced = loss.rank() == 0;
  const double n = static_cast<double>(reduced ? batch : loss.type().elements());
  const Value value = ops::cast(loss, DType::f32);
  total.assign(total.value() + (reduced ? value * n : ops::sum(value)));
  count.assign(count.value() + n);
}
double LossTracker::result() const { return count.tensor().item() == 0 ? 0 : total.tensor().item() / count.tensor().item(); }
void LossTracker::reset() const {
  total.tensor().fill(0);
  count.tensor().fill(0);
}

// Misspelt names are told here; which loss or metric a name stands for is known with the first batch.
static void check_names(const CompileOptions& options) {
  for (const LossArg& loss : options.loss.items)
    if (!loss.object && !loss.name.empty()) resolve_loss(loss.name, {}, {});
  for (const MetricsSpec* spec : {&options.metrics, &options.weighted_metrics})
    for (const std::vector<MetricArg>& list : spec->items)
      for (const MetricArg& metric : list)
        if (!metric.object) resolve_metric(metric.name, {}, {});
}

void Trainer::compile(CompileOptions options) {
  GLIA_CHECK(options.optimizer, "compile: an optimizer is needed, e.g. .optimizer = \"adam\".");
  check_names(options);
  options_ = std::move(options);
  compiled_ = true;
  resolved_ = false;
  losses_.clear();
  metrics_.clear();
  trackers_.clear();
  programs_.clear();
}

bool Trainer::fits(const StepProgram& p, Mode mode, const FeedBatch& b) const {
  if (p.mode != mode || p.isa != current_isa()) return false;
  size_t i = 0;
  for (auto* group : {&b.x, &b.y, &b.w}) {
    if (mode == Mode::predict && group != &b.x) break;
    for (const Tensor& t : *group) {
      if (i >= p.batch_types.size() || p.batch_types[i].dtype != t.dtype() || p.batch_types[i].shape != t.shape()) return false;
      ++i;
    }
  }
  if (i != p.batch_types.size()) return false;
  for (size_t k = 0; k < p.host.size(); ++k) {
    const Tensor& t = b.encoded.at(p.host[k]);
    if (p.host_types[k].dtype != t.dtype() || p.host_types[k].shape != t.shape()) return false;
  }
  return true;
}

// A change of `trainable` takes effect at the next compile(), as in Keras.
Trainer::StepProgram& Trainer::program(Mode mode, FeedBatch& b) {
  prefix_.run(b);
  for (auto& p : programs_)
    if (fits(*p, mode, b)) return *p;
  auto p = std::make_unique<StepProgram>(build(mode, b));
  p->mode = mode;
  p->isa = current_isa();
  for (auto* group : {&b.x, &b.y, &b.w}) {
    if (mode == Mode::predict && group != &b.x) break;
    for (const Tensor& t : *group) p->batch_types.push_back({t.dtype(), t.shape()});
  }
  for (size_t step : p->host) p->host_types.push_back({b.encoded[step].dtype(), b.encoded[step].shape()});
  if (programs_.size() >= kMostPrograms) programs_.erase(programs_.begin());
  programs_.push_back(std::move(p));
  return *programs_.back();
}

constexpr size_t kMostEncoded = size_t{512} << 20;  // bytes of arrays encoded once instead of in every epoch

void Trainer::encode_ahead(FeedBatch& all) {
  if (!prefix_.row_by_row()) return;
  // A few rows tell how much the results take.
  FeedBatch few = all.rows(0, std::min<int64_t>(all.size, 16));
  prefix_.run(few);
  size_t bytes = 0;
  for (const Tensor& t : few.encoded) {
    if (t.rank() < 1 || t.dim(0) != few.size) return;
    bytes += t.bytes();
  }
  if (static_cast<double>(bytes) / static_cast<double>(few.size) * static_cast<double>(all.size) > static_cast<double>(kMostEncoded)) return;
  prefix_.run(all);
}

std::function<void(FeedBatch&)> Trainer::encoder() {
  bool text = !prefix_.empty();
  for (size_t i = 0; i < std::max<size_t>(1, input_names().size()); ++i) text |= takes_strings(root_, i);
  if (!text) return {};
  return [this](FeedBatch& b) {
    for (size_t i = 0; i < b.text.size(); ++i) adjust_rank(i, b.text[i].shape);
    prefix_.run(b);
  };
}

namespace {
Values add_inputs(Trace& t, const std::vector<Tensor>& tensors, const char* name) {
  Values v;
  for (size_t i = 0; i < tensors.size(); ++i)
    v.push_back(t.input({tensors[i].dtype(), tensors[i].shape()}, fmt::format("{}{}", name, i)));
  return v;
}
}  // namespace

std::vector<TensorType> Trainer::trace_test(FeedBatch& b) {
  Trace t(false);
  HostRecorder host(t, prefix_, b);
  Values x = host.inputs(), y = add_inputs(t, b.y, "y"), w = add_inputs(t, b.w, "w"), pred = trace_step(t, x, y, w, b.size);
  std::vector<TensorType> types;
  for (const Value& v : pred) types.push_back(v.type());
  return types;
}

// Its own step decides what is computed, so the outputs are not known here: none are returned.
Values Trainer::trace_step(Trace& t, const Values& x, const Values& y, const Values& w, int64_t batch) {
  Values pred;
  if (auto* own = dynamic_cast<CustomSteps*>(root_.operator->())) {
    Step step(*this, batch);
    step.x = x, step.y = y, step.sample_weight = w, step.training = t.training;
    t.training ? own->train_step(step) : own->test_step(step);
  } else {
    pred = root_->apply(x);
    resolve(y, pred);
    Value loss = trace_loss(t, y, pred, w, batch);
    if (t.training) trace_update(t, loss, options_.optimizer, root_->trainable_weights());
    trace_metrics(y, pred, w);
  }
  for (auto& [name, value] : t.metrics) tracker_of(name).update(value, batch);
  if (t.training) advance_seed(t);
  return pred;
}

const LossTracker& Trainer::tracker_of(const std::string& name) {
  for (const LossTracker& t : trackers_)
    if (t.name == name) return t;
  return trackers_.emplace_back(name);
}

Trainer::StepProgram Trainer::build(Mode mode, FeedBatch& b) {
  Trace t(mode == Mode::train);
  HostRecorder host(t, prefix_, b);
  Values x = host.inputs(), y, w;
  if (mode != Mode::predict) {
    y = add_inputs(t, b.y, "y");
    w = add_inputs(t, b.w, "w");
  }
  StepProgram p;
  if (mode == Mode::predict) {
    Values pred = root_->apply(x), out;  // without a graph of its own, an output cannot alias an input
    for (const Value& v : pred) {
      out.push_back(is_float(v.dtype()) && v.dtype() != DType::f64 ? ops::cast(v, DType::f32) : v);
      p.outputs.push_back(out.back().type());
    }
    t.finish(out);
  } else {
    trace_step(t, x, y, w, b.size);
    t.finish({});
  }
  host.finish();
  p.host = host.used;
  std::vector<bool> fixed;
  for (const Variable& v : t.input_variables) fixed.push_back(v.defined());
  p.exe = runtime::compile(*t.graph, arena_, std::move(fixed));
  for (size_t i = 0; i < t.input_variables.size(); ++i) {
    const Variable& v = t.input_variables[i];
    p.inputs.push_back(v.defined() ? const_cast<void*>(v.tensor().craw()) : nullptr);
    if (!v.defined()) p.plain.push_back(i);
    else (p.exe->plan().fixed[i] ? p.fixed : p.updated).push_back(v);
  }
  p.output_pointers.assign(t.graph->outputs.size(), nullptr);
  return p;
}

// Every training step draws from streams of its own.
void Trainer::advance_seed(Trace& t) {
  for (const Variable& v : t.input_variables)
    if (v.defined() && v.same_as(seed_variable())) return t.assign(v, v.value() + Value(Tensor::from_vector<int64_t>({2}, {0, 1})));
}

Values Trainer::trace_gradients(Trace& t, const Value& loss, const std::vector<Variable>& vars) {
  Values wrt;
  for (const Variable& v : vars) wrt.push_back(v.value());
  if (!loss.graph()) return Values(wrt.size());
  Values grads = autodiff::gradients({loss.rank() ? ops::sum(loss) : loss}, {}, wrt);
  if (passes::dump_wanted("grad")) std::fprintf(stderr, "# grad\n%s", ir::print(*t.graph, false).c_str());
  return grads;
}

void Trainer::trace_update(Trace& t, const Value& loss, const Optimizer& optimizer, const std::vector<Variable>& vars) {
  if (vars.empty()) return;
  optimizer->build(vars);
  Values grads = trace_gradients(t, optimizer->scale_loss(loss), vars);
  ir::ScopeGuard scope(optimizer->class_name(), "");
  optimizer->apply(grads, vars);
}

Value Trainer::trace_loss(Trace& t, const Values& y, const Values& pred, const Values& w, int64_t batch) {
  Value total;
  auto add = [&](const Value& v) { total = total.defined() ? total + v : v; };
  ir::ScopeGuard scope("loss", "");
  size_t count = 0;
  for (size_t o = 0; o < pred.size(); ++o) count += has_loss(o);
  for (size_t o = 0, target = 0; o < pred.size(); ++o) {
    if (!has_loss(o)) continue;
    size_t k = y.size() == pred.size() ? o : target++;
    Value weight = w.empty() ? Value() : w[w.size() == 1 ? 0 : k];
    Value l = (*losses_[o])(y[k], pred[o], weight);
    if (count > 1) tracker_of(output_name(o) + "_loss").update(l, 1);  // batches count alike, as with a tf.data pipeline
    double factor = o < loss_weights_.size() ? loss_weights_[o] : 1.0;
    add(factor == 1.0 ? l : l * factor);
  }
  for (const Variable& v : root_->trainable_weights())
    if (v.regularizer()) add((*v.regularizer())(v.value()));
  for (const Value& l : t.losses) add(ops::cast(l, total.defined() ? total.dtype() : l.dtype()));
  GLIA_CHECK(total.defined(), "fit: there is no loss to minimise. Call compile({{.loss = ...}}), or add_loss() in a layer.");
  tracker_of("loss").update(total, batch);
  return total;
}

void Trainer::trace_metrics(const Values& y, const Values& pred, const Values& w) {
  for (OutputMetric& m : metrics_) {
    ir::ScopeGuard scope(m.log_name, "");
    size_t k = y.size() == pred.size() ? m.output : std::min(m.output, y.size() - 1);
    Value weight = m.weighted && !w.empty() ? w[w.size() == 1 ? 0 : k] : Value();
    m.metric->update_state(y[k], pred[m.output], weight);
  }
}

void Trainer::bind(StepProgram& p, Mode mode, const FeedBatch& b) {
  size_t i = 0;
  for (auto* group : {&b.x, &b.y, &b.w}) {
    if (mode == Mode::predict && group != &b.x) break;
    for (size_t k = 0; k < group->size(); ++k)
      if (group != &b.x || !b.is_text(k)) p.inputs[p.plain[i++]] = const_cast<void*>((*group)[k].craw());
  }
  for (size_t step : p.host) p.inputs[p.plain[i++]] = const_cast<void*>(b.encoded[step].craw());
}

void Trainer::run(Mode mode, FeedBatch& b, std::span<void* const> outputs) { run(program(mode, b), mode, b, outputs); }

std::vector<Tensor> Trainer::predict(FeedBatch& b) {
  StepProgram& p = program(Mode::predict, b);
  std::vector<Tensor> out;
  std::vector<void*> to;
  for (const TensorType& type : p.outputs) to.push_back(out.emplace_back(type.shape, type.dtype).raw());
  run(p, Mode::predict, b, to);
  return out;
}

void Trainer::run(StepProgram& p, Mode mode, const FeedBatch& b, std::span<void* const> outputs) {
  bind(p, mode, b);
  std::copy(outputs.begin(), outputs.end(), p.output_pointers.begin());
  p.exe->run(p.inputs, p.output_pointers, fixed_changed(p));
  for (const Variable& v : p.updated) v.tensor().wrote();
}

bool Trainer::fixed_changed(StepProgram& p) {
  uint64_t now = 0;  // versions only grow
  bool known = true;
  for (const Variable& v : p.fixed) {
    const std::optional<uint32_t> version = v.tensor().version();
    known &= version.has_value();
    now += version.value_or(0);
  }
  const bool same = known && now == p.version;
  p.version = now;
  return !same;
}

void Trainer::bind_for_test(Mode mode, FeedBatch& b, runtime::Executable** exe, std::vector<void*>& in, std::vector<void*>& out) {
  StepProgram& p = program(mode, b);
  bind(p, mode, b);
  *exe = p.exe.get();
  in = p.inputs;
  out = p.output_pointers;
}

std::vector<TensorType> Trainer::predict_types(FeedBatch& b) { return program(Mode::predict, b).outputs; }

std::vector<Logs::Entry> Trainer::results() const {
  std::vector<Logs::Entry> r;
  for (const LossTracker& t : trackers_)  // a metric that only the training step adds is no val_ metric
    if (t.name == "loss" || t.count.tensor().item() != 0) r.emplace_back(t.name, t.result());
  for (const OutputMetric& m : metrics_) {
    Tensor v = m.metric->result().tensor();
    if (v.rank() == 0) {
      r.emplace_back(m.log_name, v.item());
      continue;
    }
    double total = 0;  // of several numbers, as many entries behind their mean, which is what Keras prints
    for (int64_t i = 0; i < v.size(); ++i) total += v.item(i);
    r.emplace_back(m.log_name, total / static_cast<double>(std::max<int64_t>(1, v.size())));
    for (int64_t i = 0; i < v.size(); ++i) r.emplace_back(fmt::format("{}[{}]", m.log_name, i), v.item(i));
  }
  auto plain = [](const Logs::Entry& e) { return std::string_view(e.first).substr(0, e.first.find('[')); };
  std::stable_sort(r.begin(), r.end(), [&](const auto& a, const auto& b) { return plain(a) < plain(b); });
  return r;
}
std::vector<std::string> Trainer::metrics_names() const {
  std::vector<std::string> r;
  for (const LossTracker& t : trackers_) r.push_back(t.name);
  for (const OutputMetric& m : metrics_) r.push_back(m.log_name);
  return r;
}
void Trainer::reset_metrics() {
  for (const LossTracker& t : trackers_) t.reset();
  for (OutputMetric& m : metrics_) m.metric->reset_state();
}
std::string Trainer::metric_direction(const std::string& log_name) const {
  for (const OutputMetric& m : metrics_)
    if (m.log_name == log_name) return m.metric->direction();
  return "";
}
std::vector<Variable> Trainer::metric_variables() const {
  std::vector<Variable> r;
  for (const LossTracker& t : trackers_) r.push_back(t.total), r.push_back(t.count);
  for (const OutputMetric& m : metrics_) r.insert(r.end(), m.metric->variables.begin(), m.metric->variables.end());
  return r;
}
std::vector<Tensor> Trainer::metric_state() const {
  std::vector<Tensor> r;
  for (const Variable& v : metric_variables()) r.push_back(v.tensor());
  return r;
}
std::vector<Tensor> Trainer::save_metric_state() const {
  std::vector<Tensor> r;
  for (const Variable& v : metric_variables()) r.push_back(v.tensor().clone());
  return r;
}
void Trainer::restore_metric_state(const std::vector<Tensor>& saved) {
  std::vector<Variable> vars = metric_variables();
  for (size_t i = 0; i < saved.size(); ++i) vars[i].tensor().copy_from(saved[i]);
}
void Trainer::finish_training() {
  if (options_.optimizer) options_.optimizer->finalize_variable_values(root_->trainable_weights());
}

std::vector<std::string> Trainer::input_names() const {
  if (auto* f = dynamic_cast<FunctionalLayer*>(root_.ptr().get())) return f->input_names();
  return {};
}
std::vector<std::string> Trainer::output_names() const {
  if (auto* f = dynamic_cast<FunctionalLayer*>(root_.ptr().get())) return f->output_names();
  return {};
}

}  // namespace glia
