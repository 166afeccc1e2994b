// The LSTM cell of one vector of units and its gradient, shared by the f32 and the bfloat16 kernels (Keras lstm.py):
// h = o * tanh(c), c = f * c_prev + i * g; i, f, o sigmoid, g tanh. Include only from kernel files.
//
//   LstmCell x = lstm_cell(sums, c_prev);   // then store x.c, x.h, and for training lstm_store_gates(to, units, x, n)
#pragma once
#include "kernels/cpu/rnn_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

struct LstmCell {
  vf i, f, g, o, c, h;
};

// z: the four sums, a vector each.
GLIA_INLINE LstmCell lstm_cell(const float* z, vf c_prev) {
  LstmCell x;
  x.i = vsigmoid_fast(load(z)), x.f = vsigmoid_fast(load(z + vf::W)), x.g = vtanh_fast(load(z + 2 * vf::W)),
  x.o = vsigmoid_fast(load(z + 3 * vf::W));
  x.c = fma(x.f, c_prev, x.i * x.g);
  x.h = x.o * vtanh_fast(x.c);
  return x;
}

// The gates of one unit lie `units` apart.
GLIA_INLINE void lstm_store_gates(float* to, int64_t units, const LstmCell& x, int64_t n) {
  store_some(to, x.i, n);
  store_some(to + units, x.f, n);
  store_some(to + 2 * units, x.g, n);
  store_some(to + 3 * units, x.o, n);
}

// Gradients of the sums before the activations and of the cell before, from those of h and of the cell behind:
//   dc += dh * o * (1 - tanh(c)^2);  i: dc * g * i(1-i);  f: dc * c_prev * f(1-f);  g: dc * i * (1-g^2);
//   o: dh * tanh(c) * o(1-o);  dc_prev = dc * f
struct LstmCellGradient {
  vf i, f, g, o, dc;
};
GLIA_INLINE LstmCellGradient lstm_cell_gradient(const float* gates, int64_t units, int64_t n, vf c_prev, vf c, vf dh,
                                                vf dc_after) {
  const vf one = vf::set1(1.f);
  const vf i = load_some(gates, n), f = load_some(gates + units, n), g = load_some(gates + 2 * units, n),
           o = load_some(gates + 3 * units, n), tc = vtanh_fast(c);
  const vf dc = fma(dh * o, fnma(tc, tc, one), dc_after);
  return {dc * g * i * (one - i), dc * c_prev * f * (one - f), dc * i * fnma(g, g, one), dh * tc * o * (one - o), dc * f};
}

// One vector of units of row b at step s of a backward pass: adds up what reaches h, gives the gate gradients to f.dgates and
// moves dc on; dh and dout, where there is one, are used up. dy and the gate gradients are float, or bfloat16 by the
// load_some and store_some of bf16_lanes.h, which a file with bfloat16 includes before this one.
template <class Backward, class T>
GLIA_INLINE void lstm_cell_backward(const Backward& f, int64_t s, int64_t b, int64_t u, int64_t n, const T* dy, float* dh,
                                    float* dc, float* dout) {
  const int64_t units = f.a.shape.units, bu = f.a.shape.batch * units;
  vf h = load_some(dh + u, n);
  if (dy) h = h + load_some(dy + u, n);
  if (dout) {
    h = h + load_some(dout + u, n);
    store_some(dout + u, vf::zero(), n);
  }
  const LstmCellGradient x = lstm_cell_gradient(
      f.a.gates + (s * f.a.shape.batch + b) * 4 * units + u, units, n, load_some(f.a.cells + s * bu + b * units + u, n),
      load_some(f.a.cells + (s + 1) * bu + b * units + u, n), h, load_some(dc + u, n));
  auto* to = f.dgates(s, b) + u;
  store_some(to, x.i, n);
  store_some(to + units, x.f, n);
  store_some(to + 2 * units, x.g, n);
  store_some(to + 3 * units, x.o, n);
  store_some(dc + u, x.dc, n);
  store_some(dh + u, vf::zero(), n);
}

}  // namespace glia::cpu::GLIA_ISA_NS
