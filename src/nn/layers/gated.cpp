#include "nn/layers/gated.h"

#include "nn/layers/regularization.h"
#include "nn/layers/shape_util.h"

#include <algorithm>

namespace glia::nn {
namespace {

Value part(const Value& w, int64_t units, int64_t from, int64_t to) {  // columns of gates [from, to)
  if (from == 0 && to * units == w.dim(-1)) return w;
  return slice_axis(w, w.rank() - 1, from * units, (to - from) * units);
}

template <class O>
void initializer_fields(O& o, Fields& f) {
  o.kernel_initializer.field(f, "kernel_initializer");
  o.recurrent_initializer.field(f, "recurrent_initializer");
  o.bias_initializer.field(f, "bias_initializer");
}
template <class O>
void penalty_fields(O& o, Fields& f) {
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.recurrent_regularizer.field(f, "recurrent_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
}
template <class O>
void constraint_fields(O& o, Fields& f) {
  o.kernel_constraint.field(f, "kernel_constraint");
  o.recurrent_constraint.field(f, "recurrent_constraint");
  o.bias_constraint.field(f, "bias_constraint");
  f("dropout", o.dropout);
  f("recurrent_dropout", o.recurrent_dropout);
  f("seed", o.seed);
}

// The fields of SimpleRNN, LSTM and GRU and of their cells, after those of the base class.
template <class O>
void gated_fields(int64_t& units, O& o, Fields& f) {
  f("units", units);
  f("activation", o.activation);
  if constexpr (requires { o.recurrent_activation; }) f("recurrent_activation", o.recurrent_activation);
  f("use_bias", o.use_bias);
  initializer_fields(o, f);
  if constexpr (requires { o.unit_forget_bias; }) f("unit_forget_bias", o.unit_forget_bias);
  penalty_fields(o, f);
  constraint_fields(o, f);
  if constexpr (requires { o.reset_after; }) f("reset_after", o.reset_after);
}

double rate(double r) { return std::min(1.0, std::max(0.0, r)); }

}  // namespace

// ---- cells --------------------------------------------------------------------------------------------------------------------

template <class O>
void GatedCell<O>::build_weights(const Shape& in, int64_t gates, const Shape& bias_shape) {
  GLIA_CHECK(units > 0, "{}: units must be positive. Received {}.", title(), units);
  check_rank(title(), in, 2, "(batch, features) at each step");
  GLIA_CHECK(in.back() >= 0, "{}: the number of features must be known. Received shape {}.", title(), to_string(in));
  kernel = add_weight("kernel", {in.back(), gates * units}, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint));
  recurrent_kernel = add_weight("recurrent_kernel", {units, gates * units}, o.recurrent_initializer,
                                weight_options(o.recurrent_regularizer, o.recurrent_constraint));
  if (o.use_bias) bias = add_weight("bias", bias_shape, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

template <class O>
Value GatedCell<O>::input_part(const Value& x, const Value& b, int64_t gates) const {
  check_last_axis(title(), x.shape(), kernel.shape()[0]);
  Value w = ops::cast(kernel.value(), x.dtype()), y;
  if (masks_.per_gate()) {
    Values parts;
    for (int64_t g = 0; g < gates; ++g) parts.push_back(ops::matmul(masks_.input(x, static_cast<int>(g)), part(w, units, g, g + 1)));
    y = ops::concatenate(parts, -1);
  } else {
    y = ops::matmul(masks_.input(x, 0), w);
  }
  return b.defined() ? y + ops::cast(b, x.dtype()) : y;
}

template <class O>
Value GatedCell<O>::recurrent_part(const Value& h, const Value& b, int64_t from, int64_t to) const {
  Value u = ops::cast(recurrent_kernel.value(), h.dtype()), y;
  if (masks_.per_gate()) {
    Values parts;
    for (int64_t g = from; g < to; ++g) parts.push_back(ops::matmul(masks_.state(h, static_cast<int>(g)), part(u, units, g, g + 1)));
    y = parts.size() == 1 ? parts[0] : ops::concatenate(parts, -1);
  } else {
    y = ops::matmul(h, part(u, units, from, to));
  }
  return b.defined() ? y + part(ops::cast(b, h.dtype()), units, from, to) : y;
}

void SimpleRNNCell::fields(Fields& f) {
  Layer::fields(f);
  gated_fields(units, o, f);
}
void SimpleRNNCell::build(const std::vector<Shape>& in) { build_weights(in[0], 1, {units}); }
void SimpleRNNCell::begin(const Value& x, const Values& states, bool training) {
  if (training) masks_.draw(x, states[0], rate(o.dropout), rate(o.recurrent_dropout), 1, o.seed);
}
Values SimpleRNNCell::step(const Value& x, const Values& states, bool) {
  Value h = o.activation(input_part(x, bias.defined() ? bias.value() : Value(), 1) + recurrent_part(states[0], {}, 0, 1));
  return {h, h};
}

void LSTMCell::fields(Fields& f) {
  Layer::fields(f);
  gated_fields(units, o, f);
}
void LSTMCell::build(const std::vector<Shape>& in) {
  build_weights(in[0], 4, {4 * units});
  if (o.use_bias && o.unit_forget_bias)  // gates i, f, c, o
    for (int64_t i = units; i < 2 * units; ++i) bias.tensor().set_item(i, 1);
}
void LSTMCell::begin(const Value& x, const Values& states, bool training) {
  if (training) masks_.draw(x, states[0], rate(o.dropout), rate(o.recurrent_dropout), 4, o.seed);
}
Values LSTMCell::step(const Value& x, const Values& states, bool) {
  Value z = input_part(x, bias.defined() ? bias.value() : Value(), 4) + recurrent_part(states[0], {}, 0, 4);
  auto gate = [&](int64_t i) { return part(z, units, i, i + 1); };
  Value i = o.recurrent_activation(gate(0)), f = o.recurrent_activation(gate(1));
  Value c = f * states[1] + i * o.activation(gate(2));
  Value h = o.recurrent_activation(gate(3)) * o.activation(c);
  return {h, h, c};
}

void GRUCell::fields(Fields& f) {
  Layer::fields(f);
  gated_fields(units, o, f);
}
void GRUCell::build(const std::vector<Shape>& in) {
  build_weights(in[0], 3, o.reset_after ? Shape{2, 3 * units} : Shape{3 * units});
}
void GRUCell::begin(const Value& x, const Values& states, bool training) {
  if (training) masks_.draw(x, states[0], rate(o.dropout), rate(o.recurrent_dropout), 3, o.seed);
}
Values GRUCell::step(const Value& x, const Values& states, bool) {
  const Value& h = states[0];
  Value b = bias.defined() ? bias.value() : Value(), bx = b, bh;
  if (b.defined() && o.reset_after) bx = index_axis(b, 0, 0), bh = index_axis(b, 0, 1);
  Value zx = input_part(x, bx, 3), zh = recurrent_part(h, bh, 0, o.reset_after ? 3 : 2);
  auto gate = [&](const Value& v, int64_t i) { return part(v, units, i, i + 1); };
  Value z = o.recurrent_activation(gate(zx, 0) + gate(zh, 0)), r = o.recurrent_activation(gate(zx, 1) + gate(zh, 1));
  Value inner = o.reset_after ? r * gate(zh, 2) : recurrent_part(r * h, {}, 2, 3);
  Value hh = o.activation(gate(zx, 2) + inner);
  Value y = z * h + (1.0 - z) * hh;
  return {y, y};
}

// ---- layers ---------------------------------------------------------------------------------------------------------------------

template <class Cell>
void Gated<Cell>::fields(Fields& f) {
  Layer::fields(f);
  sequence_fields(f);
  gated_fields(units, cell_options, f);
}
template <class Cell>
LayerRef Gated<Cell>::make_cell() {
  auto options = cell_options;
  options.dtype = dtype_policy_;
  auto cell = make_with<Cell>(std::move(options));
  cell->units = units;
  cell->set_trainable(trainable_);
  return LayerRef(cell);
}

// The sequence kernels have tanh and sigmoid built in; other activations and recurrent dropout go step by step.
template <class Cell>
Values Gated<Cell>::fused(const Value& input, const Values& states, const Value& mask, bool training) {
  const auto& c = static_cast<Cell&>(cell());
  const auto& a = cell_options;
  if (a.activation.name() != "tanh" || (training && rate(a.recurrent_dropout) > 0) || (mask.defined() && mask.rank() > 2)) return {};
  if constexpr (requires { a.recurrent_activation; })
    if (a.recurrent_activation.name() != "sigmoid") return {};
  Value x = input;
  check_last_axis(title(), x.shape(), c.kernel.shape()[0]);
  if (training && rate(a.dropout) > 0 && rate(a.dropout) < 1)  // one mask for all steps
    x = x * dropout(ops::ones({x.dim(0), 1, x.dim(2)}, x.dtype()), rate(a.dropout), {}, a.seed);
  auto weight = [&](const Variable& v) { return v.defined() ? ops::cast(v.value(), x.dtype()) : Value(); };
  ops::RnnOptions r{.bias = weight(c.bias), .initial_state = states, .mask = mask, .return_sequences = o.return_sequences,
                    .go_backwards = o.go_backwards, .zero_output_for_mask = o.zero_output_for_mask && !o.unroll};
  Value w = weight(c.kernel), u = weight(c.recurrent_kernel);
  ops::RnnResult y;
  if constexpr (requires { a.unit_forget_bias; }) y = ops::lstm(x, w, u, r);
  else if constexpr (requires { a.reset_after; }) y = ops::gru(x, w, u, r, a.reset_after);
  else y = ops::simple_rnn(x, w, u, r);
  y.states.insert(y.states.begin(), y.output);
  return y.states;
}

template class GatedCell<layers::SimpleRNNCellOptions>;
template class GatedCell<layers::LSTMCellOptions>;
template class GatedCell<layers::GRUCellOptions>;
template class Gated<SimpleRNNCell>;
template class Gated<LSTMCell>;
template class Gated<GRUCell>;

}  // namespace glia::nn

namespace glia::layers {
namespace {

// A layer over a sequence from its options: those of the sequence and those of the cell.
template <class Cell, class O>
LayerRef gated(const char* name, int64_t units, O a) {
  RNNOptions r{.return_sequences = a.return_sequences, .return_state = a.return_state, .go_backwards = a.go_backwards,
               .stateful = a.stateful, .unroll = a.unroll, .zero_output_for_mask = a.zero_output_for_mask,
               .activity_regularizer = a.activity_regularizer, .name = a.name, .input_shape = a.input_shape,
               .trainable = a.trainable, .dtype = a.dtype};
  auto l = nn::make_with<nn::Gated<Cell>>(std::move(r), name);
  l->units = units;
  auto& c = l->cell_options;
  c.activation = a.activation;
  if constexpr (requires { c.recurrent_activation; }) c.recurrent_activation = a.recurrent_activation;
  if constexpr (requires { c.unit_forget_bias; }) c.unit_forget_bias = a.unit_forget_bias;
  if constexpr (requires { c.reset_after; }) c.reset_after = a.reset_after;
  c.use_bias = a.use_bias;
  c.kernel_initializer = a.kernel_initializer;
  c.recurrent_initializer = a.recurrent_initializer;
  c.bias_initializer = a.bias_initializer;
  c.kernel_regularizer = a.kernel_regularizer;
  c.recurrent_regularizer = a.recurrent_regularizer;
  c.bias_regularizer = a.bias_regularizer;
  c.kernel_constraint = a.kernel_constraint;
  c.recurrent_constraint = a.recurrent_constraint;
  c.bias_constraint = a.bias_constraint;
  c.dropout = a.dropout;
  c.recurrent_dropout = a.recurrent_dropout;
  c.seed = a.seed;
  return LayerRef(l);
}
template <class Cell, class O>
LayerRef cell(int64_t units, O options) {
  auto l = nn::make_with<Cell>(std::move(options));
  l->units = units;
  return LayerRef(l);
}

}  // namespace

LayerRef SimpleRNN(int64_t units, SimpleRNNOptions o) { return gated<nn::SimpleRNNCell>("SimpleRNN", units, std::move(o)); }
LayerRef LSTM(int64_t units, LSTMOptions o) { return gated<nn::LSTMCell>("LSTM", units, std::move(o)); }
LayerRef GRU(int64_t units, GRUOptions o) { return gated<nn::GRUCell>("GRU", units, std::move(o)); }
LayerRef SimpleRNNCell(int64_t units, SimpleRNNCellOptions o) { return cell<nn::SimpleRNNCell>(units, std::move(o)); }
LayerRef LSTMCell(int64_t units, LSTMCellOptions o) { return cell<nn::LSTMCell>(units, std::move(o)); }
LayerRef GRUCell(int64_t units, GRUCellOptions o) { return cell<nn::GRUCell>(units, std::move(o)); }

}  // namespace glia::layers
