// LSTM over whole sequences, f32.
#include "kernels/cpu/lstm_cell.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

constexpr int64_t kSlot = 4 * vf::W;  // the gates of one vector of units

struct Forward {
  const LstmForward<float>& a;
  RnnPlan plan;
  RnnSequence<const float> x;
  RnnSequence<const uint8_t> mask;
  GateWeights wx, wh;
  float* ws;
  int64_t panels;
  const float* bias() const { return ws + plan.packed_bias; }
  float* projected(int64_t s, int64_t b) const {
    return ws + plan.projected + (s * a.shape.batch + b) * panels * kSlot;
  }
};

// Where a block of rows reads and writes at one step; rows ld apart.
struct Step {
  int64_t s, row0, rows;
  const float *x, *h_prev, *c_prev;
  float *h, *c, *gates;
  int64_t ldx, ldh, ldc;
};

// z: the four sums of one row and one vector of units.
GLIA_INLINE void update_cell(const Forward& f, const Step& st, int64_t r, int64_t u, int64_t n, const float* z) {
  const int64_t units = f.a.shape.units;
  const LstmCell x = lstm_cell(z, load_some(st.c_prev + r * st.ldc + u, n));
  store_some(st.c + r * st.ldc + u, x.c, n);
  store_some(st.h + r * st.ldh + u, x.h, n);
  if (f.a.y.data) store_some(at(f.a.y, st.row0 + r, st.s) + u, x.h, n);
  if (st.gates) lstm_store_gates(st.gates + r * 4 * units + u, units, x, n);
}

// A masked step of one row: state and output stay.
void keep_row(const Forward& f, const Step& st, int64_t r) {
  const int64_t units = f.a.shape.units;
  copy_row(st.h + r * st.ldh, st.h_prev + r * st.ldh, units);
  copy_row(st.c + r * st.ldc, st.c_prev + r * st.ldc, units);
  if (f.a.y.data) masked_output(f.a.y, f.a.mask.zero_output, st.row0 + r, st.s, units);
  if (st.gates) zero_row(st.gates + r * 4 * units, 4 * units);
}

template <int R>
GLIA_INLINE void step_tile(const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  alignas(64) float z[R * kSlot];
  {
    vf acc[R][4];
    if (f.plan.project_first) {
      start_rows(acc, f.projected(st.s, st.row0 + r0) + panel * kSlot, f.panels * kSlot);
    } else {
      start(acc, f.bias() + panel * kSlot);
      mac<0, 1, 2, 3>(acc, st.x + r0 * st.ldx, st.ldx, f.wx.data + panel * f.wx.panel_stride, f.wx, f.a.shape.input);
    }
    mac<0, 1, 2, 3>(acc, st.h_prev + r0 * st.ldh, st.ldh, f.wh.data + panel * f.wh.panel_stride, f.wh,
                    f.a.shape.units);
    spill(acc, z, kSlot);
  }
  const int64_t u = panel * vf::W, n = min64(vf::W, f.a.shape.units - u);
  for (int64_t r = 0; r < R; ++r) {
    if (f.mask.data && !*at(f.mask, st.row0 + r0 + r, st.s)) {
      if (panel == 0) keep_row(f, st, r0 + r);
    } else {
      update_cell(f, st, r0 + r, u, n, z + r * kSlot);
    }
  }
}

void forward_block(const Forward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0);
  float* ws = f.ws + f.plan.block + block * f.plan.block_size;
  float* xbuf = ws;
  float* buf[4];  // h and c, each for even and odd steps
  for (int i = 0; i < 4; ++i) buf[i] = ws + f.plan.rows * (f.plan.ld_input + i * f.plan.ld_units);
  const bool training = f.a.gates != nullptr;
  const int64_t ld = training ? sh.units : f.plan.ld_units, bh = sh.batch * sh.units;
  const auto h_at = [&](int64_t s) { return training ? f.a.states + s * bh + row0 * sh.units : buf[s & 1]; };
  const auto c_at = [&](int64_t s) { return training ? f.a.cells + s * bh + row0 * sh.units : buf[2 + (s & 1)]; };
  init_rows(h_at(0), ld, f.a.h0, row0, rows, sh.units);
  init_rows(c_at(0), ld, f.a.c0, row0, rows, sh.units);
  for (int64_t s = 0; s < sh.steps; ++s) {
    if (!f.plan.project_first) {
      for (int64_t r = 0; r < rows; ++r) copy_row(xbuf + r * f.plan.ld_input, at(f.x, row0 + r, s), sh.input);
    }
    const Step st{s,
                  row0,
                  rows,
                  xbuf,
                  h_at(s),
                  c_at(s),
                  h_at(s + 1),
                  c_at(s + 1),
                  training ? f.a.gates + (s * sh.batch + row0) * 4 * sh.units : nullptr,
                  f.plan.ld_input,
                  ld,
                  ld};
    for (int64_t i = 0; i < f.panels; ++i) {
      const int64_t p = panel_of(i, f.panels, s);
      for_row_tiles(rows, [&](auto n, int64_t r0) { step_tile<decltype(n)::value>(f, st, p, r0); });
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (f.a.h_last) copy_row(f.a.h_last + (row0 + r) * sh.units, h_at(sh.steps) + r * ld, sh.units);
    if (f.a.c_last) copy_row(f.a.c_last + (row0 + r) * sh.units, c_at(sh.steps) + r * ld, sh.units);
  }
}

// x @ kernel + bias for `count` steps of one batch row.
void project_rows(const Forward& f, int64_t b, int64_t s0, int64_t count) {
  const int64_t ld = f.a.shape.batch * f.panels * kSlot;
  for (int64_t p = 0; p < f.panels; ++p) {
    for_row_tiles(count, [&](auto n, int64_t r0) {
      vf acc[decltype(n)::value][4];
      start(acc, f.bias() + p * kSlot);
      mac<0, 1, 2, 3>(acc, at(f.x, b, s0 + r0), f.x.step_stride, f.wx.data + p * f.wx.panel_stride, f.wx,
                      f.a.shape.input);
      spill(acc, f.projected(s0 + r0, b) + p * kSlot, ld);
    });
  }
}

void project_all(const Forward& f) {
  const int64_t per_chunk = 12, parts = ceil_div(f.a.shape.steps, per_chunk);
  parallel_for(parts * f.a.shape.batch, [&](int64_t i) {
    const int64_t b = i / parts, s0 = i % parts * per_chunk;
    project_rows(f, b, s0, min64(per_chunk, f.a.shape.steps - s0));
  });
}

void pack_weights(const Forward& f, bool in_place) {
  const RnnShape& sh = f.a.shape;
  float* bias = f.ws + f.plan.packed_bias;
  for (int64_t p = 0; p < f.panels; ++p) {
    if (f.a.bias)
      pack_gate_panel(f.a.bias, 1, sh.units, 4, p, bias + p * kSlot);
    else
      zero_row(bias + p * kSlot, kSlot);
  }
  if (in_place) return;
  parallel_for(f.panels, [&](int64_t p) {
    pack_gate_panel(f.a.kernel, sh.input, sh.units, 4, p, f.ws + f.plan.packed_kernel + p * f.wx.panel_stride);
    pack_gate_panel(f.a.recurrent, sh.units, sh.units, 4, p, f.ws + f.plan.packed_recurrent + p * f.wh.panel_stride);
  });
}

}  // namespace

void lstm_forward_f32(const LstmForward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.batch == 0 || sh.units == 0) return;
  Forward f{a, rnn_plan(sh, 4), in_processing_order(a.x, sh.steps, a.go_backwards),
            in_processing_order(a.mask.at, sh.steps, a.go_backwards)};
  f.ws = static_cast<float*>(a.workspace);
  f.panels = ceil_div(sh.units, vf::W);
  const bool in_place = f.plan.project_first && sh.units % vf::W == 0 && !a.kept;
  f.wx = gate_weights(a.kernel, sh.input, sh.units, 4, in_place, f.ws + f.plan.packed_kernel);
  f.wh = gate_weights(a.recurrent, sh.units, sh.units, 4, in_place, f.ws + f.plan.packed_recurrent);
  if (!a.ready) pack_weights(f, in_place);
  if (f.plan.project_first) project_all(f);
  parallel_for(f.plan.blocks, [&](int64_t block) { forward_block(f, block); });
}

}  // namespace glia::cpu::GLIA_ISA_NS
