#include "nn/trace.h"

#include <glia/ops.h>

#include <atomic>

#include "base/error.h"

namespace glia {

namespace {
thread_local Trace* current_trace = nullptr;
thread_local int autocast_dtype = -1;
std::atomic<uint64_t> initializer_counter{0};
}  // namespace

AutocastGuard::AutocastGuard(DType to) : previous_(autocast_dtype) { autocast_dtype = static_cast<int>(to); }
AutocastGuard::~AutocastGuard() { autocast_dtype = previous_; }

Trace* Trace::current() { return current_trace; }

Trace::Trace(bool training_mode, std::shared_ptr<ir::Graph> g)
    : graph(g ? std::move(g) : std::make_shared<ir::Graph>()), training(training_mode), previous_(current_trace) {
  current_trace = this;
}
Trace::~Trace() { current_trace = previous_; }

Value Trace::input(TensorType type, const std::string& name) {
  input_variables.emplace_back();
  return ir::add_input(graph, std::move(type), name);
}

Trace::Entry& Trace::entry(const Variable& v) {
  auto [it, fresh] = index_.emplace(v.state(), entries_.size());
  if (fresh) {
    input_variables.push_back(v);
    entries_.push_back({v, ir::add_input(graph, {v.dtype(), v.shape()}, v.path()), {}});
  }
  return entries_[it->second];
}

Value Trace::read(const Variable& v) {
  Entry& e = entry(v);
  return e.updated.defined() ? e.updated : e.value;
}

void Trace::assign(const Variable& v, const Value& value) {
  Entry& e = entry(v);
  Value cast = ops::cast(value, v.dtype());
  GLIA_CHECK(cast.shape() == v.shape(), "{}: assigned a value of shape {}. The variable has shape {}.", v.path(),
             to_string(cast.shape()), to_string(v.shape()));
  e.updated = cast;
}

Value Trace::seed() { return read(seed_variable()); }

void Trace::finish(const Values& outputs) {
  Values all = outputs;
  std::vector<std::pair<int, int>> updates;
  for (const Entry& e : entries_) {
    if (!e.updated.defined()) continue;
    int position = 0;
    while (graph->inputs[position] != e.value.node()) ++position;
    updates.emplace_back(position, static_cast<int>(all.size()));
    all.push_back(e.updated);
  }
  graph->set_outputs(all);
  graph->updates = std::move(updates);
}

const Variable& seed_variable() {
  static const Variable v(Tensor::from_vector<int64_t>({2}, {1337, 0}), {.name = "seed", .trainable = false, .dtype = DType::i64});
  return v;
}

uint64_t next_initializer_seed() {
  uint64_t seed = static_cast<uint64_t>(seed_variable().tensor().cdata<int64_t>()[0]);
  return seed * 0x9E3779B97F4A7C15ull + initializer_counter.fetch_add(1) * 0xBF58476D1CE4E5B9ull + 1;
}

void set_random_seed(int64_t seed) {
  seed_variable().tensor().copy_from(Tensor::from_vector<int64_t>({2}, {seed, 0}));
  initializer_counter.store(0);
}

// ---- Variable ---------------------------------------------------------------------------------------------------------

Variable::Variable(const Shape& shape, const Initializer& initializer, VariableOptions options) {
  GLIA_CHECK(initializer, "Variable '{}': an initializer is needed, e.g. \"zeros\".", options.name);
  Tensor t = (*initializer)(shape, options.dtype);
  *this = Variable(std::move(t), std::move(options));
}
Variable::Variable(Tensor initial, VariableOptions options) : state_(std::make_shared<State>()) {
  options.dtype = initial.dtype();
  state_->tensor = std::move(initial);
  state_->tensor.close();
  state_->path = options.name;
  state_->listed_as_trainable = options.trainable;
  state_->options = std::move(options);
}
const std::string& Variable::name() const { return state_->options.name; }
const std::string& Variable::path() const { return state_->path; }
const Shape& Variable::shape() const { return state_->tensor.shape(); }
DType Variable::dtype() const { return state_->tensor.dtype(); }
bool Variable::trainable() const { return state_->options.trainable; }
void Variable::set_trainable(bool t) const { state_->options.trainable = t; }
const Regularizer& Variable::regularizer() const { return state_->options.regularizer; }
const Constraint& Variable::constraint() const { return state_->options.constraint; }
const Tensor& Variable::tensor() const { return state_->tensor; }
Value Variable::value() const {
  GLIA_CHECK(state_, "A variable was used before its layer was built. Call the layer on an input first.");
  Trace* t = Trace::current();
  Value v = t ? t->read(*this) : Value(state_->tensor);
  if (state_->adapter_a.defined()) {
    Value change = ops::matmul(state_->adapter_a.value(), state_->adapter_b.value()) * state_->adapter_scale;
    v = v + ops::cast(change, v.dtype());
  }
  if (autocast_dtype < 0 || !state_->options.autocast || !is_float(v.dtype())) return v;
  return ops::cast(v, static_cast<DType>(autocast_dtype));
}
void Variable::assign(const Value& v) const {
  if (Trace* t = Trace::current()) return t->assign(*this, v);
  Tensor data = ops::cast(v, dtype()).tensor();
  GLIA_CHECK(data.shape() == shape(), "{}: assigned a value of shape {}. The variable has shape {}.", path(),
             to_string(data.shape()), to_string(shape()));
  state_->tensor.copy_from(data);
}

}  // namespace glia
