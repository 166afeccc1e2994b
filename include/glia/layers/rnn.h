// Recurrent layers over (batch, steps, features), their cells and wrappers.
//
//   layers::LSTM(64, {.return_sequences = true, .input_shape = {50, 32}})
//   layers::Bidirectional(layers::GRU(32))
//   layers::RNN(layers::StackedRNNCells({layers::LSTMCell(32), layers::LSTMCell(16)}))
//
// Masks (batch, steps): a masked step keeps the state and repeats the previous output (zeros before the first; zeros
// everywhere with zero_output_for_mask). Outputs: (batch, units), or (batch, steps, units) with return_sequences; with
// return_state the last states follow (LSTM: h, c). A call takes initial states as CallOptions::initial_state.
#pragma once
#include <utility>

#include <glia/layers/options.h>

namespace glia {

// One step of a recurrent layer. Write your own like this:
//
//   struct Leaky : RNNCell {
//     std::string class_name() const override { return "Leaky"; }
//     Ints state_size() const override { return {8}; }
//     Values step(const Value& x, const Values& states, bool) override {
//       Value h = states[0] * 0.9 + x;
//       return {h, h};                            // output, then the new states
//     }
//   };
//   LayerRef rnn = layers::RNN(make_layer<Leaky>());
class RNNCell : public Layer {
 public:
  virtual Ints state_size() const = 0;  // units of each state
  virtual int64_t output_size() const { return state_size()[0]; }
  // Shapes of the states without the batch axis, given the shape of one step's input with it.
  virtual std::vector<Shape> state_shapes(const Shape& step_input) const;
  // Output and new states. `x` is (batch, ...) at one step.
  virtual Values step(const Value& x, const Values& states, bool training) = 0;
  // Called once before a sequence, with its first step: draws what stays the same over the steps, such as dropout masks.
  virtual void begin(const Value& x, const Values& states, bool training) { (void)x, (void)states, (void)training; }
  virtual void end() {}
  Values call(const Values& inputs, const CallOptions& options) override;  // {x, states...} -> {output, states...}
};

namespace layers {

// Initializers, regularizers and so on that SimpleRNN, LSTM and GRU share, in Keras's order.
#define GLIA_RNN_INITIALIZERS                          \
  bool use_bias = true;                                \
  Initializer kernel_initializer = "glorot_uniform";   \
  Initializer recurrent_initializer = "orthogonal";    \
  Initializer bias_initializer = "zeros";
#define GLIA_RNN_REGULARIZERS            \
  Regularizer kernel_regularizer = {};   \
  Regularizer recurrent_regularizer = {}; \
  Regularizer bias_regularizer = {};
#define GLIA_RNN_CONSTRAINTS                                                                  \
  Constraint kernel_constraint = {};                                                          \
  Constraint recurrent_constraint = {};                                                       \
  Constraint bias_constraint = {};                                                            \
  double dropout = 0.0;           /* of the inputs; one mask for all steps of a sequence */   \
  double recurrent_dropout = 0.0; /* of the state */                                          \
  std::optional<int64_t> seed = {};
// How a sequence is run. unroll is accepted for Keras's sake; stateful: the last states of a batch start the next one.
#define GLIA_RNN_SEQUENCE       \
  bool return_sequences = false; \
  bool return_state = false;    \
  bool go_backwards = false;    \
  bool stateful = false;        \
  bool unroll = false;          \
  bool zero_output_for_mask = false;

struct SimpleRNNCellOptions {
  glia::Activation activation = "tanh";
  GLIA_RNN_INITIALIZERS
  GLIA_RNN_REGULARIZERS
  GLIA_RNN_CONSTRAINTS
  GLIA_LAYER_OPTIONS
};
struct SimpleRNNOptions {
  glia::Activation activation = "tanh";
  GLIA_RNN_INITIALIZERS
  GLIA_RNN_REGULARIZERS
  Regularizer activity_regularizer = {};
  GLIA_RNN_CONSTRAINTS
  GLIA_RNN_SEQUENCE
  GLIA_LAYER_OPTIONS
};
// h = activation(x W + b + h U). Weights: kernel (n, units), recurrent_kernel (units, units), bias (units).
LayerRef SimpleRNN(int64_t units, SimpleRNNOptions options = {});  // SimpleRNN(8): (2, 5, 3) -> (2, 8)
LayerRef SimpleRNNCell(int64_t units, SimpleRNNCellOptions options = {});  // SimpleRNNCell(8): (2, 3), (2, 8) -> (2, 8), (2, 8)

struct LSTMCellOptions {
  glia::Activation activation = "tanh";
  glia::Activation recurrent_activation = "sigmoid";
  GLIA_RNN_INITIALIZERS
  bool unit_forget_bias = true;  // the forget gate's bias starts at 1
  GLIA_RNN_REGULARIZERS
  GLIA_RNN_CONSTRAINTS
  GLIA_LAYER_OPTIONS
};
struct LSTMOptions {
  glia::Activation activation = "tanh";
  glia::Activation recurrent_activation = "sigmoid";
  GLIA_RNN_INITIALIZERS
  bool unit_forget_bias = true;
  GLIA_RNN_REGULARIZERS
  Regularizer activity_regularizer = {};
  GLIA_RNN_CONSTRAINTS
  GLIA_RNN_SEQUENCE
  GLIA_LAYER_OPTIONS
};
// Hochreiter and Schmidhuber 1997. Gates i, f, c, o: c = f c + i act(.), h = o act(c). Weights: kernel (n, 4 units),
// recurrent_kernel (units, 4 units), bias (4 units).
LayerRef LSTM(int64_t units, LSTMOptions options = {});  // LSTM(8, {.return_sequences = true}): (2, 5, 3) -> (2, 5, 8)
LayerRef LSTMCell(int64_t units, LSTMCellOptions options = {});  // LSTMCell(8): (2, 3), (2, 8), (2, 8) -> (2, 8), (2, 8), (2, 8)

struct GRUCellOptions {
  glia::Activation activation = "tanh";
  glia::Activation recurrent_activation = "sigmoid";
  GLIA_RNN_INITIALIZERS
  GLIA_RNN_REGULARIZERS
  GLIA_RNN_CONSTRAINTS
  bool reset_after = true;  // the reset gate acts after the product with the state (CuDNN's form)
  GLIA_LAYER_OPTIONS
};
struct GRUOptions {
  glia::Activation activation = "tanh";
  glia::Activation recurrent_activation = "sigmoid";
  GLIA_RNN_INITIALIZERS
  GLIA_RNN_REGULARIZERS
  Regularizer activity_regularizer = {};
  GLIA_RNN_CONSTRAINTS
  GLIA_RNN_SEQUENCE
  bool reset_after = true;
  GLIA_LAYER_OPTIONS
};
// Cho et al. 2014. Gates z, r, h: h = z h + (1 - z) hh. Weights: kernel (n, 3 units), recurrent_kernel (units, 3 units), bias
// (2, 3 units), or (3 units) without reset_after.
LayerRef GRU(int64_t units, GRUOptions options = {});  // GRU(8, {.return_state = true}): (2, 5, 3) -> (2, 8), (2, 8)
LayerRef GRUCell(int64_t units, GRUCellOptions options = {});  // GRUCell(8): (2, 3), (2, 8) -> (2, 8), (2, 8)

struct ConvLSTMOptions {
  Ints strides = {1};
  std::string padding = "valid";
  std::string data_format = "channels_last";
  Ints dilation_rate = {1};
  glia::Activation activation = "tanh";
  glia::Activation recurrent_activation = "sigmoid";
  GLIA_RNN_INITIALIZERS
  bool unit_forget_bias = true;
  GLIA_RNN_REGULARIZERS
  Regularizer activity_regularizer = {};
  GLIA_RNN_CONSTRAINTS
  GLIA_RNN_SEQUENCE
  GLIA_LAYER_OPTIONS
};
// An LSTM whose products are convolutions (Shi et al. 2015), over (batch, steps, spatial..., channels). Weights: kernel
// (kernel_size..., channels, 4 filters), recurrent_kernel (kernel_size..., filters, 4 filters), bias (4 filters).
LayerRef ConvLSTM1D(int64_t filters, Ints kernel_size, ConvLSTMOptions options = {});  // ConvLSTM1D(4, {3}): (1, 2, 8, 3) -> (1, 6, 4)
LayerRef ConvLSTM2D(int64_t filters, Ints kernel_size, ConvLSTMOptions options = {});  // ConvLSTM2D(4, {3, 3}): (1, 2, 6, 6, 3) -> (1, 4, 4, 4)
LayerRef ConvLSTM3D(int64_t filters, Ints kernel_size, ConvLSTMOptions options = {});  // ConvLSTM3D(2, {2, 2, 2}): (1, 2, 4, 4, 4, 1) -> (1, 3, 3, 3, 2)

struct RNNOptions {
  GLIA_RNN_SEQUENCE
  Regularizer activity_regularizer = {};
  GLIA_LAYER_OPTIONS
};
// Runs any cell over the steps. Throws Error when the layer is not an RNNCell.
LayerRef RNN(LayerRef cell, RNNOptions options = {});  // RNN(LSTMCell(8)): (2, 5, 3) -> (2, 8)
// Several cells as one; the states of all follow one another.
LayerRef StackedRNNCells(std::vector<LayerRef> cells, PlainOptions options = {});  // StackedRNNCells({LSTMCell(8), GRUCell(4)}): (2, 3), (2, 8), (2, 8), (2, 4) -> (2, 4), (2, 8), (2, 8), (2, 4)

struct BidirectionalOptions {
  std::optional<std::string> merge_mode = "concat";  // "concat", "sum", "mul", "ave", or empty: two outputs
  LayerRef backward_layer = {};                      // else a copy of the layer that runs backwards
  GLIA_LAYER_OPTIONS
};
// A recurrent layer and its mirror image over the same sequence; the backward outputs are put back in time order.
LayerRef Bidirectional(LayerRef layer, BidirectionalOptions options = {});  // Bidirectional(LSTM(8)): (2, 5, 3) -> (2, 16)
// The same layer at each step of (batch, steps, ...). TimeDistributed(Dense(8)): (2, 5, 3) -> (2, 5, 8)
LayerRef TimeDistributed(LayerRef layer, PlainOptions options = {});

}  // namespace layers
// Forgets the states that a stateful recurrent layer (or layers inside `layer`) kept.
void reset_states(const LayerRef& layer);
}  // namespace glia
