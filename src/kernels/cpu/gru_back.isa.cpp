// Backward pass through time of the GRU, f32. With a_z, a_r, a_h the sums before the activations, d the loss
// gradients:
//   da_z = dh * (h_prev - hh) * z(1-z);  da_h = dh * (1-z) * (1-hh^2);  dh_prev = dh * z + [da_z da_r] @ U_zr^T + ...
//   reset_after: q = h U_h + b;  da_r = da_h * q * r(1-r);  dq = da_h * r;  dh_prev += dq @ U_h^T
//   else:        p = r * h;      dp = da_h @ U_h^T;  da_r = dp * h_prev * r(1-r);  dh_prev += dp * r
#include "kernels/cpu/rnn_back.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

struct Backward {
  const GruBackward<float>& a;
  RnnBackwardPlan plan;
  RnnSequence<float> dx;
  RnnSequence<const uint8_t> mask;
  float* ws;
  float* dgates(int64_t s, int64_t b) const { return ws + plan.dgates + plan.dgates_row(s, b) * plan.columns; }
  int64_t padded() const { return ceil_div(a.shape.units, vf::W) * vf::W; }
  float* packed_zr() const { return ws + plan.packed; }                           // U_z, U_r transposed
  float* packed_h() const { return packed_zr() + padded() * 2 * a.shape.units; }  // U_h transposed
  float* packed_kernel() const { return packed_h() + padded() * a.shape.units; }
};

struct Carry {  // of a block of rows, ld_units apart: gradients of the state, of repeated outputs, of r * h
  float *dh, *dout, *dp;
};

// First half: da_z, da_h, dh * z; with reset_after also da_r and dq.
GLIA_INLINE void gate_gradient(const Backward& f, int64_t s, int64_t b, int64_t u, int64_t n, const float* dy,
                               float* dh, float* dout) {
  const int64_t units = f.a.shape.units, batch = f.a.shape.batch;
  const float* g4 = f.a.gates + (s * batch + b) * 4 * units + u;
  const vf one = vf::set1(1.f);
  vf z = load_some(g4, n), hh = load_some(g4 + 2 * units, n), h = load_some(dh + u, n);
  vf h_prev = load_some(f.a.states + (s * batch + b) * units + u, n);
  if (dy) h = h + load_some(dy + u, n);
  if (dout) {
    h = h + load_some(dout + u, n);
    store_some(dout + u, vf::zero(), n);
  }
  vf dah = h * (one - z) * fnma(hh, hh, one);
  float* to = f.dgates(s, b) + u;
  store_some(to, h * (h_prev - hh) * z * (one - z), n);
  store_some(to + 2 * units, dah, n);
  store_some(dh + u, h * z, n);
  if (!f.a.reset_after) return;
  vf r = load_some(g4 + units, n);
  store_some(to + units, dah * load_some(g4 + 3 * units, n) * r * (one - r), n);
  store_some(to + 3 * units, dah * r, n);
}

// reset_after = false, second half, when dp is known.
GLIA_INLINE void reset_gradient(const Backward& f, int64_t s, int64_t b, const float* dp, float* dh) {
  const int64_t units = f.a.shape.units, batch = f.a.shape.batch;
  for (int64_t u = 0; u < units; u += vf::W) {
    const int64_t n = min64(vf::W, units - u);
    vf r = load_some(f.a.gates + ((s * batch + b) * 4 + 1) * units + u, n), p = load_some(dp + u, n);
    vf h_prev = load_some(f.a.states + (s * batch + b) * units + u, n);
    store_some(f.dgates(s, b) + units + u, p * h_prev * r * (vf::set1(1.f) - r), n);
    store_some(f.dgates(s, b) + 3 * units + u, vf::zero(), n);
    store_some(dh + u, fma(p, r, load_some(dh + u, n)), n);
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
    gate_gradient(f, s, b, u, min64(vf::W, units - u), dy, k.dh + at_row, f.mask.data ? k.dout + at_row : nullptr);
  }
}

void state_gradient(const Backward& f, const Carry& k, int64_t s, int64_t row0, int64_t rows) {
  const int64_t units = f.a.shape.units, n = f.plan.columns, ld = f.plan.ld_units;
  const float* da = f.dgates(s, row0);
  if (!f.a.reset_after) {
    back_product(da + 2 * units, n, units, f.packed_h(), units, k.dp, ld, rows, 0.f);
    for (int64_t r = 0; r < rows; ++r) {
      if (!f.mask.data || *at(f.mask, row0 + r, s)) reset_gradient(f, s, row0 + r, k.dp + r * ld, k.dh + r * ld);
    }
  }
  if (s == 0 && !f.a.dh0) return;
  back_product(da, n, 2 * units, f.packed_zr(), units, k.dh, ld, rows, 1.f);
  if (f.a.reset_after) back_product(da + 3 * units, n, units, f.packed_h(), units, k.dh, ld, rows, 1.f);
}

void backward_block(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), ld = f.plan.ld_units;
  float* ws = f.ws + f.plan.block + block * f.plan.block_size;
  const Carry k{ws, ws + f.plan.rows * ld, ws + 2 * f.plan.rows * ld};
  init_rows(k.dh, ld, f.a.dh_last, row0, rows, sh.units);
  init_rows(k.dout, ld, nullptr, row0, rows, sh.units);
  for (int64_t s = sh.steps - 1; s >= 0; --s) {
    for (int64_t r = 0; r < rows; ++r) step_gradient(f, k, s, row0 + r, r);
    state_gradient(f, k, s, row0, rows);
    if (f.dx.data) {
      back_product(f.dgates(s, row0), f.plan.columns, 3 * sh.units, f.packed_kernel(), sh.input, at(f.dx, row0, s),
                   f.dx.batch_stride, rows, 0.f);
    }
  }
  for (int64_t r = 0; f.a.dh0 && r < rows; ++r) copy_row(f.a.dh0 + (row0 + r) * sh.units, k.dh + r * ld, sh.units);
}

void pack_weights(const Backward& f) {
  const int64_t units = f.a.shape.units, input = f.a.shape.input, ld = 3 * units;
  const int64_t pu = ceil_div(units, kPanel), pi = f.dx.data ? ceil_div(input, kPanel) : 0;
  parallel_for(2 * pu + pi, [&](int64_t i) {
    if (i < pu)
      pack_transposed_panel(f.a.recurrent, ld, 2 * units, units, i * kPanel, f.packed_zr());
    else if (i < 2 * pu)
      pack_transposed_panel(f.a.recurrent + 2 * units, ld, units, units, (i - pu) * kPanel, f.packed_h());
    else
      pack_transposed_panel(f.a.kernel, ld, ld, input, (i - 2 * pu) * kPanel, f.packed_kernel());
  });
}

// Local sums of a block. d kernel and d recurrent have three units' columns, the sums of the columns four.
void block_weight_gradients(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), units = sh.units;
  const int64_t n = f.plan.columns;
  const float* da = f.dgates(0, row0);
  float *sums = f.ws + f.plan.sums + block * f.plan.sums_size,
        *space = f.ws + f.plan.gather + block * f.plan.gather_size;
  if (f.a.dkernel) {
    const auto x = in_processing_order(f.a.x, sh.steps, f.a.go_backwards);
    block_gradient(
        f.plan, rows, sh.input, [&](int64_t s, int64_t r) { return at(x, row0 + r, s); }, da, 3 * units, n, sums,
        3 * units, space);
  }
  if (f.a.drecurrent) {
    const bool after = f.a.reset_after;
    float* to = sums + f.plan.sum_recurrent;
    const auto h = [&](int64_t s, int64_t r) { return f.a.states + (s * sh.batch + row0 + r) * units; };
    const auto reset_h = [&](int64_t s, int64_t r) {
      return f.a.gates + ((s * sh.batch + row0 + r) * 4 + 3) * units;
    };
    block_gradient(f.plan, rows, units, h, da, 2 * units, n, to, 3 * units, space);
    if (after)
      block_gradient(f.plan, rows, units, h, da + 3 * units, units, n, to + 2 * units, 3 * units, space);
    else
      block_gradient(f.plan, rows, units, reset_h, da + 2 * units, units, n, to + 2 * units, 3 * units, space);
  }
  if (f.a.dbias) column_sums_part(da, n, sh.steps * rows, 0, n, sums + f.plan.sum_columns);
}

void add_weight_gradients(const Backward& f) {
  const int64_t units = f.a.shape.units, at_columns = f.plan.sum_columns;
  if (f.a.dkernel) add_block_sums(f.plan, f.ws, 0, f.a.shape.input * 3 * units, f.a.dkernel);
  if (f.a.drecurrent) add_block_sums(f.plan, f.ws, f.plan.sum_recurrent, units * 3 * units, f.a.drecurrent);
  if (!f.a.dbias) return;
  add_block_sums(f.plan, f.ws, at_columns, 3 * units, f.a.dbias);
  if (f.a.reset_after) {
    copy_row(f.a.dbias + 3 * units, f.a.dbias, 2 * units);
    add_block_sums(f.plan, f.ws, at_columns + 3 * units, units, f.a.dbias + 5 * units);
  }
}

void weight_gradients(const Backward& f) {
  const RnnShape& sh = f.a.shape;
  const int64_t units = sh.units, n = f.plan.columns, rows = sh.steps * sh.batch;
  const float* da = f.ws + f.plan.dgates;
  float* space = f.ws + f.plan.reduce;
  if (f.a.dkernel) {
    const Rows x = time_major_rows(in_processing_order(f.a.x, sh.steps, f.a.go_backwards), sh, f.ws + f.plan.x_rows);
    weight_gradient(x.data, sh.input, x.ld, da, 3 * units, n, rows, f.a.dkernel, 3 * units, space);
  }
  if (f.a.drecurrent) {
    const bool after = f.a.reset_after;
    weight_gradient(f.a.states, units, units, da, 2 * units, n, rows, f.a.drecurrent, 3 * units, space);
    weight_gradient(after ? f.a.states : f.a.gates + 3 * units, units, after ? units : 4 * units,
                    da + (after ? 3 : 2) * units, units, n, rows, f.a.drecurrent + 2 * units, 3 * units, space);
  }
  if (f.a.dbias) {
    column_sums(da, n, rows, 3 * units, f.a.dbias);
    if (f.a.reset_after) {
      copy_row(f.a.dbias + 3 * units, f.a.dbias, 2 * units);
      column_sums(da + 3 * units, n, rows, units, f.a.dbias + 5 * units);
    }
  }
}

}  // namespace

void gru_backward_f32(const GruBackward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.units == 0) return;
  Backward f{a, rnn_backward_plan(sh, 4), in_processing_order(a.dx, sh.steps, a.go_backwards),
             in_processing_order(a.mask.at, sh.steps, a.go_backwards), static_cast<float*>(a.workspace)};
  pack_weights(f);
  parallel_for(f.plan.blocks, [&](int64_t block) {
    backward_block(f, block);
    if (f.plan.local) block_weight_gradients(f, block);
  });
  if (f.plan.local)
    add_weight_gradients(f);
  else
    weight_gradients(f);
}

}  // namespace glia::cpu::GLIA_ISA_NS
