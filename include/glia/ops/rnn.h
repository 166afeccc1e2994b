// Recurrent layers' arithmetic over whole sequences, fused: keras.layers.LSTM, GRU and SimpleRNN with activation tanh
// and recurrent_activation sigmoid. The layers use these; other activations are unrolled from simpler ops by the
// layers.
//
//   ops::RnnResult r = ops::lstm(x, kernel, recurrent, {.bias = b, .return_sequences = true});   // x (batch, steps,
//   in) Value y = r.output, h = r.states[0], c = r.states[1];
#pragma once
#include <glia/value.h>

namespace glia::ops {

struct RnnOptions {
  Value bias;            // undefined: none
  Values initial_state;  // (batch, units) each: {h, c} for lstm, {h} else; empty: zeros
  // bool (batch, steps); a step where it is false keeps the state and repeats the previous output (zeros before the
  // first), or gives zeros with zero_output_for_mask. Undefined: no mask.
  Value mask;
  bool return_sequences = false;  // output (batch, steps, units) instead of the last output (batch, units)
  bool go_backwards = false;      // starts at the last step; outputs in processing order, as in Keras
  bool zero_output_for_mask = false;
};

struct RnnResult {
  Value output;
  Values states;  // the last states, (batch, units): {h, c} for lstm, {h} else
};

// x (batch, steps, features); kernel (features, G units), recurrent (units, G units); throws Error when they do not
// fit. lstm: G = 4 in the order i, f, c, o; bias (4 units).
RnnResult lstm(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& = {});
// gru: G = 3 in the order z, r, h; reset_after as in Keras, with a bias of (2, 3 units) if true, else (3 units).
RnnResult gru(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& = {},
              bool reset_after = true);
// simple_rnn: G = 1; bias (units).
RnnResult simple_rnn(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& = {});

}  // namespace glia::ops
