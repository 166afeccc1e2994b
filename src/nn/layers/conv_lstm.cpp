#include "nn/layers/conv_lstm.h"

#include <algorithm>

#include "nn/layers/shape_util.h"

namespace glia::nn {

std::vector<Shape> ConvLSTMCell::state_shapes(const Shape& in) const {
  Shape s;
  if (first()) s.push_back(filters);
  for (int i = 0; i < spatial; ++i) {
    const auto k = static_cast<size_t>(i);
    const int64_t n = in[k + (first() ? 2 : 1)], span = (kernel_size[k] - 1) * o.dilation_rate[k] + 1;
    s.push_back(o.padding == "same" ? (n + o.strides[k] - 1) / o.strides[k] : (n - span) / o.strides[k] + 1);
  }
  if (!first()) s.push_back(filters);
  return {s, s};
}

void ConvLSTMCell::build(const std::vector<Shape>& in) {
  const auto axes = static_cast<size_t>(spatial);
  check_rank(title(), in[0], axes + 2, "(batch, spatial axes, channels) at each step");
  check_data_format(title(), o.data_format);
  check_one_of(title(), "padding", o.padding, {"valid", "same"});
  GLIA_CHECK(filters > 0, "{}: filters must be positive. Received {}.", title(), filters);
  kernel_size = per_axis(title(), "kernel_size", kernel_size, axes);
  o.strides = per_axis(title(), "strides", o.strides, axes);
  o.dilation_rate = per_axis(title(), "dilation_rate", o.dilation_rate, axes);
  Shape input = kernel_size, recurrent = kernel_size;
  input.insert(input.end(), {known_channels(title(), in[0], first()), 4 * filters});
  recurrent.insert(recurrent.end(), {filters, 4 * filters});
  kernel = add_weight("kernel", input, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint));
  recurrent_kernel = add_weight("recurrent_kernel", recurrent, o.recurrent_initializer,
                                weight_options(o.recurrent_regularizer, o.recurrent_constraint));
  if (!o.use_bias) return;
  bias = add_weight("bias", {4 * filters}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
  if (o.unit_forget_bias)  // gates i, f, c, o
    for (int64_t i = filters; i < 2 * filters; ++i) bias.tensor().set_item(i, 1);
}

void ConvLSTMCell::begin(const Value& x, const Values& states, bool training) {
  if (training) masks_.draw(x, states[0], std::clamp(o.dropout, 0.0, 1.0), std::clamp(o.recurrent_dropout, 0.0, 1.0), 4, o.seed);
}

Values ConvLSTMCell::step(const Value& x, const Values& states, bool) {
  const int channel = first() ? 1 : x.rank() - 1;
  auto weight = [&](const Variable& w) { return ops::cast(w.value(), x.dtype()); };
  // All four gates in one convolution, or one each where dropout gives each gate its own mask.
  auto gates = [&](auto masked, const Value& w, const ops::ConvOptions& c) {
    if (!masks_.per_gate()) return ops::conv(masked(0), w, c);
    Values parts;
    for (int g = 0; g < 4; ++g) parts.push_back(ops::conv(masked(g), slice_axis(w, w.rank() - 1, g * filters, filters), c));
    return ops::concatenate(parts, channel);
  };
  ops::ConvOptions input{.strides = o.strides, .padding = o.padding, .data_format = o.data_format, .dilation_rate = o.dilation_rate};
  ops::ConvOptions recurrent{.padding = "same", .data_format = o.data_format};
  Value z = gates([&](int g) { return masks_.input(x, g); }, weight(kernel), input) +
            gates([&](int g) { return masks_.state(states[0], g); }, weight(recurrent_kernel), recurrent);
  if (bias.defined()) {
    Shape s(static_cast<size_t>(x.rank()), 1);
    s[static_cast<size_t>(channel)] = 4 * filters;
    z = z + ops::reshape(weight(bias), s);
  }
  auto gate = [&](int64_t g) { return slice_axis(z, channel, g * filters, filters); };
  Value i = o.recurrent_activation(gate(0)), f = o.recurrent_activation(gate(1));
  Value c = f * states[1] + i * o.activation(gate(2));
  Value h = o.recurrent_activation(gate(3)) * o.activation(c);
  return {h, h, c};
}

void ConvLSTM::fields(Fields& f) {
  Layer::fields(f);
  sequence_fields(f);
  const auto axes = static_cast<size_t>(spatial_);
  if (!f.reading()) {
    kernel_size = per_axis(title(), "kernel_size", kernel_size, axes);
    conv.strides = per_axis(title(), "strides", conv.strides, axes);
    conv.dilation_rate = per_axis(title(), "dilation_rate", conv.dilation_rate, axes);
  }
  f("filters", filters);
  f("kernel_size", kernel_size);
  f("strides", conv.strides);
  f("padding", conv.padding);
  f("data_format", conv.data_format);
  f("dilation_rate", conv.dilation_rate);
  f("activation", conv.activation);
  f("recurrent_activation", conv.recurrent_activation);
  f("use_bias", conv.use_bias);
  conv.kernel_initializer.field(f, "kernel_initializer");
  conv.recurrent_initializer.field(f, "recurrent_initializer");
  conv.bias_initializer.field(f, "bias_initializer");
  f("unit_forget_bias", conv.unit_forget_bias);
  conv.kernel_regularizer.field(f, "kernel_regularizer");
  conv.recurrent_regularizer.field(f, "recurrent_regularizer");
  conv.bias_regularizer.field(f, "bias_regularizer");
  conv.kernel_constraint.field(f, "kernel_constraint");
  conv.recurrent_constraint.field(f, "recurrent_constraint");
  conv.bias_constraint.field(f, "bias_constraint");
  f("dropout", conv.dropout);
  f("recurrent_dropout", conv.recurrent_dropout);
  f("seed", conv.seed);
}

LayerRef ConvLSTM::make_cell() {
  layers::ConvLSTMOptions options = conv;
  options.name.clear();
  options.input_shape.clear();
  options.activity_regularizer = {};
  options.dtype = dtype_policy_;
  auto cell = make_with<ConvLSTMCell>(std::move(options));
  cell->spatial = spatial_;
  cell->filters = filters;
  cell->kernel_size = kernel_size;
  cell->set_trainable(trainable_);
  return LayerRef(cell);
}

}  // namespace glia::nn

namespace glia::layers {
namespace {

LayerRef conv_lstm(int spatial, int64_t filters, Ints kernel_size, ConvLSTMOptions a) {
  RNNOptions r{.return_sequences = a.return_sequences, .return_state = a.return_state, .go_backwards = a.go_backwards,
               .stateful = a.stateful, .unroll = a.unroll, .zero_output_for_mask = a.zero_output_for_mask,
               .activity_regularizer = a.activity_regularizer, .name = a.name, .input_shape = a.input_shape,
               .trainable = a.trainable, .dtype = a.dtype};
  auto l = nn::make_with<nn::ConvLSTM>(std::move(r), spatial);
  l->filters = filters;
  l->kernel_size = std::move(kernel_size);
  l->conv = std::move(a);
  return LayerRef(l);
}

}  // namespace

LayerRef ConvLSTM1D(int64_t n, Ints k, ConvLSTMOptions o) { return conv_lstm(1, n, std::move(k), std::move(o)); }
LayerRef ConvLSTM2D(int64_t n, Ints k, ConvLSTMOptions o) { return conv_lstm(2, n, std::move(k), std::move(o)); }
LayerRef ConvLSTM3D(int64_t n, Ints k, ConvLSTMOptions o) { return conv_lstm(3, n, std::move(k), std::move(o)); }

}  // namespace glia::layers
