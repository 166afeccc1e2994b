// Backward pass through time of the LSTM, f32. With da the gradients of the sums before the activations (lstm_cell.h):
//   dh_prev = da @ U^T;  dx = da @ W^T;  dW = x^T da;  dU = h_prev^T da.
#include "kernels/cpu/lstm_cell.h"
#include "kernels/cpu/rnn_back.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

struct Backward {
  const LstmBackward<float>& a;
  RnnBackwardPlan plan;
  RnnSequence<float> dx;
  RnnSequence<const uint8_t> mask;
  float* ws;
  float* dgates(int64_t s, int64_t b) const { return ws + plan.dgates + plan.dgates_row(s, b) * plan.columns; }
  const float* packed_recurrent() const { return ws + plan.packed; }
  const float* packed_kernel() const {
    return ws + plan.packed + ceil_div(a.shape.units, vf::W) * vf::W * plan.columns;
  }
};

struct Carry {  // of a block of rows, ld_units apart: gradients of the state, and of outputs that masked steps repeat
  float *dh, *dc, *dout;
};

// The next step (s - 1) reads what the forward pass wrote long ago: fetch it while this step's products run.
GLIA_INLINE void prefetch_step(const Backward& f, int64_t s, int64_t b, const float* dy) {
  const int64_t units = f.a.shape.units, batch = f.a.shape.batch;
  const float *gates = f.a.gates + (s * batch + b) * 4 * units, *cells = f.a.cells + (s * batch + b) * units;
  float* da = f.dgates(s, b);
  for (int64_t i = 0; i < 4 * units; i += 16) {
    __builtin_prefetch(gates + i, 0, 2);
    __builtin_prefetch(da + i, 1, 2);
  }
  for (int64_t i = 0; i < units; i += 16) {
    __builtin_prefetch(cells + i, 0, 2);
    if (dy) __builtin_prefetch(dy + i, 0, 2);
  }
}

void step_gradient(const Backward& f, const Carry& k, int64_t s, int64_t b, int64_t r) {
  const int64_t units = f.a.shape.units, at_row = r * f.plan.ld_units;
  const float* dy = output_gradient(f.a.dy, f.a.dy_last_only, f.a.shape.steps, b, s);
  if (f.mask.data && !*at(f.mask, b, s)) {
    zero_row(f.dgates(s, b), f.plan.columns);
    if (dy && !f.a.mask.zero_output) add_row(k.dout + at_row, dy, units);
    return;
  }
  for (int64_t u = 0; u < units; u += vf::W) {
    lstm_cell_backward(f, s, b, u, min64(vf::W, units - u), dy, k.dh + at_row, k.dc + at_row,
                       f.mask.data ? k.dout + at_row : nullptr);
  }
}

const float* next_gradient(const Backward& f, int64_t b, int64_t s) {
  return output_gradient(f.a.dy, f.a.dy_last_only, f.a.shape.steps, b, s);
}

void backward_block(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), ld = f.plan.ld_units;
  float* ws = f.ws + f.plan.block + block * f.plan.block_size;
  const Carry k{ws, ws + f.plan.rows * ld, ws + 2 * f.plan.rows * ld};
  init_rows(k.dh, ld, f.a.dh_last, row0, rows, sh.units);
  init_rows(k.dc, ld, f.a.dc_last, row0, rows, sh.units);
  init_rows(k.dout, ld, nullptr, row0, rows, sh.units);
  const float beta = f.mask.data ? 1.f : 0.f;  // masked rows have no gate gradients: their dh stays
  for (int64_t s = sh.steps - 1; s >= 0; --s) {
    for (int64_t r = 0; r < rows; ++r) {
      if (s > 0) prefetch_step(f, s - 1, row0 + r, next_gradient(f, row0 + r, s - 1));
      step_gradient(f, k, s, row0 + r, r);
    }
    const float* da = f.dgates(s, row0);
    const int64_t n = f.plan.columns;
    if (s > 0 || f.a.dh0) back_product(da, n, n, f.packed_recurrent(), sh.units, k.dh, ld, rows, beta);
    if (f.dx.data) {
      back_product(da, n, n, f.packed_kernel(), sh.input, at(f.dx, row0, s), f.dx.batch_stride, rows, 0.f);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (f.a.dh0) copy_row(f.a.dh0 + (row0 + r) * sh.units, k.dh + r * ld, sh.units);
    if (f.a.dc0) copy_row(f.a.dc0 + (row0 + r) * sh.units, k.dc + r * ld, sh.units);
  }
}

void pack_weights(const Backward& f) {
  const int64_t n = f.plan.columns, units = f.a.shape.units, input = f.a.shape.input;
  const int64_t pu = ceil_div(units, kPanel), pi = f.dx.data ? ceil_div(input, kPanel) : 0;
  parallel_for(pu + pi, [&](int64_t i) {
    if (i < pu)
      pack_transposed_panel(f.a.recurrent, n, n, units, i * kPanel, const_cast<float*>(f.packed_recurrent()));
    else
      pack_transposed_panel(f.a.kernel, n, n, input, (i - pu) * kPanel, const_cast<float*>(f.packed_kernel()));
  });
}

}  // namespace

void lstm_backward_f32(const LstmBackward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.units == 0) return;
  Backward f{a, rnn_backward_plan(sh, 4), in_processing_order(a.dx, sh.steps, a.go_backwards),
             in_processing_order(a.mask.at, sh.steps, a.go_backwards), static_cast<float*>(a.workspace)};
  pack_weights(f);
  parallel_for(f.plan.blocks, [&](int64_t block) {
    backward_block(f, block);
    if (f.plan.local) block_weight_gradients(f, block);
  });
  all_weight_gradients(f);
}

}  // namespace glia::cpu::GLIA_ISA_NS
