#include "nn/layers/rnn.h"

#include <algorithm>

#include "nn/layers/regularization.h"
#include "nn/layers/shape_util.h"
#include "nn/trace.h"

namespace glia {

std::vector<Shape> RNNCell::state_shapes(const Shape&) const {
  std::vector<Shape> r;
  for (int64_t n : state_size()) r.push_back({n});
  return r;
}

Values RNNCell::call(const Values& inputs, const CallOptions& options) {
  Values states(inputs.begin() + 1, inputs.end());
  if (states.empty()) states = options.initial_state;
  size_t expected = state_shapes(inputs[0].shape()).size();
  GLIA_CHECK(states.size() == expected, "{}: expected {} states beside the input. Received {}. Call it as cell({{x, states...}}).",
             title(), expected, states.size());
  bool train = training(options);
  begin(inputs[0], states, train);
  Values r = step(inputs[0], states, train);
  end();
  return r;
}

void reset_states(const LayerRef& layer) {
  if (auto* rnn = dynamic_cast<nn::RNN*>(&*layer)) rnn->reset_state();
  for (const LayerRef& l : layer->sublayers()) reset_states(l);
}

}  // namespace glia

namespace glia::nn {

RNNCell& as_cell(const std::string& title, const LayerRef& layer) {
  GLIA_CHECK(layer, "{}: a cell is needed, e.g. layers::LSTMCell(32).", title);
  auto* cell = dynamic_cast<RNNCell*>(&*layer);
  GLIA_CHECK(cell, "{}: expected a cell. Received the layer {} ({}). Use a cell such as layers::LSTMCell, or derive from glia::RNNCell.",
             title, layer->name(), layer->class_name());
  return *cell;
}

// ---- dropout ----------------------------------------------------------------------------------------------------------------

void StepMasks::draw(const Value& x, const Value& state, double dropout_rate, double recurrent, int gates,
                     const std::optional<int64_t>& seed) {
  per_gate_ = recurrent != 0;  // as Keras's implementation 1
  auto masks = [&](const Value& v, double rate) {
    Values r;
    Value ones = ops::ones(v.shape(), v.dtype());
    for (int i = 0; i < (per_gate_ ? gates : 1) && rate > 0 && rate < 1; ++i) r.push_back(dropout(ones, rate, {}, seed));
    return r;
  };
  input_ = masks(x, dropout_rate);
  state_ = masks(state, recurrent);
}
void StepMasks::clear() {
  input_.clear();
  state_.clear();
  per_gate_ = false;
}
Value StepMasks::apply(const Values& masks, const Value& x, int gate) {
  if (masks.empty()) return x;
  return x * masks[std::min(static_cast<size_t>(gate), masks.size() - 1)];
}

// ---- RNN --------------------------------------------------------------------------------------------------------------------

void RNN::sequence_fields(Fields& f) {
  f("return_sequences", o.return_sequences);
  f("return_state", o.return_state);
  f("go_backwards", o.go_backwards);
  f("stateful", o.stateful);
  f("unroll", o.unroll);
  f("zero_output_for_mask", o.zero_output_for_mask);
}
void RNN::fields(Fields& f) {
  Layer::fields(f);
  sequence_fields(f);
  std::shared_ptr<Configurable> p = cell_.ptr();
  f.object("cell", "layer", p);
  cell_ = LayerRef(std::static_pointer_cast<Layer>(p));
}

void RNN::build(const std::vector<Shape>& in) {
  if (step_rank() > 0) check_rank(title(), in[0], step_rank() + 1, "(batch, steps, features)");
  else check_min_rank(title(), in[0], 3);
  cell_ = make_cell();
  as_cell(title(), cell_);
  if (sublayers().empty()) track(cell_);
  Shape step = in[0];
  step.erase(step.begin() + 1);
  cell_->build_once({step});
  if (!o.stateful) return;
  GLIA_CHECK(in[0][0] > 0, "{}: a stateful layer needs a fixed batch size. Received shape {}. Give it with layers::Input(shape, "
             "{{.batch_size = 32}}).", title(), to_string(in[0]));
  for (Shape s : cell().state_shapes(step)) {
    s.insert(s.begin(), in[0][0]);
    kept_.emplace_back(Tensor::zeros(s, variable_dtype()), VariableOptions{.name = "rnn_state", .trainable = false});
  }
}

void RNN::reset_state() {
  for (const Variable& v : kept_) v.tensor().fill(0);
}

Values RNN::start_states(const Values& given, const Value& x) {
  Shape step = x.shape();
  step.erase(step.begin() + 1);
  std::vector<Shape> shapes = cell().state_shapes(step);
  Values r;
  DType t = compute_dtype();
  if (given.empty() && o.stateful) {
    GLIA_CHECK(kept_[0].shape()[0] == x.dim(0), "{}: a stateful layer keeps its batch size: it was built for {}. Received shape {}.",
               title(), kept_[0].shape()[0], to_string(x.shape()));
    for (const Variable& v : kept_) r.push_back(ops::cast(v.value(), t));
    return r;
  }
  GLIA_CHECK(given.empty() || given.size() == shapes.size(), "{}: expected {} initial states. Received {}.", title(), shapes.size(),
             given.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    Shape s = shapes[i];
    s.insert(s.begin(), x.dim(0));
    if (!given.empty())
      GLIA_CHECK(given[i].shape() == s, "{}: initial state {} has shape {}. Expected {}.", title(), i, to_string(given[i].shape()),
                 to_string(s));
    r.push_back(given.empty() ? ops::zeros(s, t) : ops::cast(given[i], t));
  }
  return r;
}

Values RNN::call(const Values& inputs, const CallOptions& options) {
  const Value& x = inputs[0];
  Values given = options.initial_state;
  if (given.empty()) given.assign(inputs.begin() + 1, inputs.end());
  if (step_rank() > 0) check_rank(title(), x.shape(), step_rank() + 1, "(batch, steps, features)");
  GLIA_CHECK(x.dim(1) > 0, "{}: the sequence has no steps. Received shape {}.", title(), to_string(x.shape()));
  Value mask = options.mask;
  if (mask.defined()) {
    GLIA_CHECK(mask.rank() >= 2 && mask.dim(0) == x.dim(0) && mask.dim(1) == x.dim(1),
               "{}: the mask must be (batch, steps). Received a mask of shape {} for an input of shape {}.", title(),
               to_string(mask.shape()), to_string(x.shape()));
    mask = ops::cast(mask, DType::bool_);
  }
  Values states = start_states(given, x);
  bool train = training(options);
  Values r = fused(x, states, mask, train);
  if (r.empty()) r = unrolled(x, states, mask, train);
  if (mask.defined() && o.unroll && o.zero_output_for_mask) {
    // Keras's unrolled loop zeroes at the end, and with go_backwards by the mask in the order of the input.
    Value keep = o.return_sequences ? mask : index_axis(mask, 1, o.go_backwards ? 0 : x.dim(1) - 1);
    while (keep.rank() < r[0].rank()) keep = ops::expand_dims(keep, -1);
    r[0] = ops::where(keep, r[0], ops::scalar_like(r[0], 0));
  }
  for (Value& v : r) v = ops::cast(v, compute_dtype());
  if (o.stateful)
    for (size_t i = 0; i < kept_.size(); ++i) kept_[i].assign(r[i + 1]);
  if (!o.return_state) r.resize(1);
  return r;
}

Values RNN::fused(const Value&, const Values&, const Value&, bool) { return {}; }

Values RNN::unrolled(const Value& x, Values states, const Value& mask, bool training) {
  const int64_t steps = x.dim(1);
  Values outputs;
  Value previous;
  RNNCell& c = cell();
  ir::ScopeGuard scope(c.name(), c.class_name());
  for (int64_t i = 0; i < steps; ++i) {
    int64_t t = o.go_backwards ? steps - 1 - i : i;
    Value now = index_axis(x, 1, t);
    if (i == 0) c.begin(now, states, training);
    Values r = c.step(now, states, training);
    GLIA_CHECK(r.size() == states.size() + 1, "{}: step must return the output and {} states. It returned {} values.", c.name(),
               states.size(), r.size());
    Value y = r[0];
    if (mask.defined()) {
      Value keep = index_axis(mask, 1, t);
      auto where = [&](const Value& fresh, const Value& old) {
        Value m = keep;
        while (m.rank() < fresh.rank()) m = ops::expand_dims(m, -1);
        return ops::where(m, fresh, old);
      };
      bool zero = !previous.defined() || (o.zero_output_for_mask && !o.unroll);
      y = where(y, zero ? ops::scalar_like(y, 0) : previous);
      for (size_t k = 0; k < states.size(); ++k) states[k] = where(r[k + 1], states[k]);
    } else {
      for (size_t k = 0; k < states.size(); ++k) states[k] = r[k + 1];
    }
    previous = y;
    if (o.return_sequences) outputs.push_back(y);
  }
  c.end();
  Values r{o.return_sequences ? ops::stack(outputs, 1) : previous};
  r.insert(r.end(), states.begin(), states.end());
  return r;
}

Values RNN::compute_mask(const Values&, const Values& masks, const Values& outputs) {
  Values r(outputs.size());
  if (o.return_sequences && !masks.empty()) r[0] = masks[0];
  return r;
}

// ---- StackedRNNCells ----------------------------------------------------------------------------------------------------------

void StackedRNNCells::fields(Fields& f) {
  Layer::fields(f);
  std::vector<std::shared_ptr<Configurable>> list;
  for (const LayerRef& c : cells) list.push_back(c.ptr());
  f.objects("cells", "layer", list);
  cells.clear();
  for (auto& p : list) cells.emplace_back(std::static_pointer_cast<Layer>(p));
}
void StackedRNNCells::build(const std::vector<Shape>& in) {
  GLIA_CHECK(!cells.empty(), "{}: expected one cell or more. Received none.", title());
  Shape shape = in[0];
  bool fresh = sublayers().empty();
  for (const LayerRef& c : cells) {
    RNNCell& cell = as_cell(title(), c);
    if (fresh) track(c);
    c->build_once({shape});
    shape = {shape[0], cell.output_size()};
  }
}
Ints StackedRNNCells::state_size() const {
  Ints r;
  for (size_t i = 0; i < cells.size(); ++i)
    for (int64_t n : at(i).state_size()) r.push_back(n);
  return r;
}
int64_t StackedRNNCells::output_size() const { return at(cells.size() - 1).output_size(); }
std::vector<Shape> StackedRNNCells::state_shapes(const Shape& step_input) const {
  std::vector<Shape> r;
  Shape shape = step_input;
  for (size_t i = 0; i < cells.size(); ++i) {
    for (Shape& s : at(i).state_shapes(shape)) r.push_back(std::move(s));
    shape = {shape[0], at(i).output_size()};
  }
  return r;
}
void StackedRNNCells::begin(const Value& x, const Values& states, bool training) {
  Value y = x;
  size_t from = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    size_t n = at(i).state_shapes(y.shape()).size();
    Values mine(states.begin() + static_cast<std::ptrdiff_t>(from), states.begin() + static_cast<std::ptrdiff_t>(from + n));
    at(i).begin(y, mine, training);
    from += n;
    if (i + 1 < cells.size()) y = ops::zeros({x.dim(0), at(i).output_size()}, x.dtype());  // only its shape matters
  }
}
void StackedRNNCells::end() {
  for (size_t i = 0; i < cells.size(); ++i) at(i).end();
}
Values StackedRNNCells::step(const Value& x, const Values& states, bool training) {
  Values all;
  Value y = x;
  size_t from = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    size_t n = at(i).state_shapes(y.shape()).size();
    Values mine(states.begin() + static_cast<std::ptrdiff_t>(from), states.begin() + static_cast<std::ptrdiff_t>(from + n));
    Values r = at(i).step(y, mine, training);
    y = r[0];
    all.insert(all.end(), r.begin() + 1, r.end());
    from += n;
  }
  all.insert(all.begin(), y);
  return all;
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef RNN(LayerRef cell, RNNOptions options) {
  auto l = nn::make_with<nn::RNN>(std::move(options));
  l->set_cell(std::move(cell));
  return LayerRef(l);
}
LayerRef StackedRNNCells(std::vector<LayerRef> cells, PlainOptions options) {
  auto l = nn::make_with<nn::StackedRNNCells>(std::move(options));
  l->cells = std::move(cells);
  return LayerRef(l);
}

}  // namespace glia::layers
