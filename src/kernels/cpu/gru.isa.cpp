// GRU over whole sequences, f32 (Keras gru.py): z, r sigmoid; candidate hh = tanh(x W_h + r * (h U_h + b)) with
// reset_after, else tanh(x W_h + (r * h) U_h); h = z * h_prev + (1 - z) * hh.
#include "kernels/cpu/rnn_tile.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

constexpr int64_t kSlot = 4 * vf::W;  // sums of one vector of units: z, r, candidate from x, candidate from h

struct Forward {
  const GruForward<float>& a;
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
  bool masked(int64_t b, int64_t s) const { return mask.data && !*at(mask, b, s); }
};

struct Step {
  int64_t s, row0, rows;
  const float *x, *h_prev;
  float *h, *gates;
  float *z, *rh, *xh;  // without reset_after: between the two halves of a step; rows ldb apart
  int64_t ldx, ldh, ldb;
};

void keep_row(const Forward& f, const Step& st, int64_t r) {
  const int64_t units = f.a.shape.units;
  copy_row(st.h + r * st.ldh, st.h_prev + r * st.ldh, units);
  if (f.a.y.data) masked_output(f.a.y, f.a.mask.zero_output, st.row0 + r, st.s, units);
  if (st.gates) zero_row(st.gates + r * 4 * units, 4 * units);
}

GLIA_INLINE void finish(const Forward& f, const Step& st, int64_t r, int64_t u, int64_t n, vf z, vf hh) {
  vf h = fma(z, load_some(st.h_prev + r * st.ldh + u, n) - hh, hh);
  store_some(st.h + r * st.ldh + u, h, n);
  if (f.a.y.data) store_some(at(f.a.y, st.row0 + r, st.s) + u, h, n);
  if (st.gates) {
    float* to = st.gates + r * 4 * f.a.shape.units + u;
    store_some(to, z, n);
    store_some(to + 2 * f.a.shape.units, hh, n);
  }
}

template <int R, int C>
GLIA_INLINE void input_sums(vf (&acc)[R][C], const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  if (f.plan.project_first) {
    start_rows(acc, f.projected(st.s, st.row0 + r0) + panel * kSlot, f.panels * kSlot);
  } else {
    start(acc, f.bias() + panel * kSlot);
    mac<0, 1, 2>(acc, st.x + r0 * st.ldx, st.ldx, f.wx.data + panel * f.wx.panel_stride, f.wx, f.a.shape.input);
  }
}

template <int R>
GLIA_INLINE void step_tile(const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  alignas(64) float sums[R * kSlot];
  {
    vf acc[R][4];
    input_sums(acc, f, st, panel, r0);
    mac<0, 1, 3>(acc, st.h_prev + r0 * st.ldh, st.ldh, f.wh.data + panel * f.wh.panel_stride, f.wh, f.a.shape.units);
    spill(acc, sums, kSlot);
  }
  const int64_t units = f.a.shape.units, u = panel * vf::W, n = min64(vf::W, units - u);
  for (int64_t i = 0; i < R; ++i) {
    const int64_t r = r0 + i;
    if (f.masked(st.row0 + r, st.s)) {
      if (panel == 0) keep_row(f, st, r);
      continue;
    }
    const float* q = sums + i * kSlot;
    vf z = vsigmoid_fast(load(q)), reset = vsigmoid_fast(load(q + vf::W)), rec = load(q + 3 * vf::W);
    finish(f, st, r, u, n, z, vtanh_fast(fma(reset, rec, load(q + 2 * vf::W))));
    if (st.gates) {
      store_some(st.gates + r * 4 * units + units + u, reset, n);
      store_some(st.gates + r * 4 * units + 3 * units + u, rec, n);
    }
  }
}

// reset_after = false, first half: z, r and r * h.
template <int R>
GLIA_INLINE void reset_tile(const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  alignas(64) float sums[R * kSlot];
  {
    vf acc[R][3];
    input_sums(acc, f, st, panel, r0);
    mac<0, 1>(acc, st.h_prev + r0 * st.ldh, st.ldh, f.wh.data + panel * f.wh.panel_stride, f.wh, f.a.shape.units);
    spill(acc, sums, kSlot);
  }
  const int64_t units = f.a.shape.units, u = panel * vf::W, n = min64(vf::W, units - u);
  for (int64_t i = 0; i < R; ++i) {
    const int64_t r = r0 + i, to = r * st.ldb + u;
    const float* q = sums + i * kSlot;
    vf reset = vsigmoid_fast(load(q + vf::W)), rh = reset * load_some(st.h_prev + r * st.ldh + u, n);
    store(st.z + to, vsigmoid_fast(load(q)));
    store(st.rh + to, rh);
    store(st.xh + to, load(q + 2 * vf::W));
    if (st.gates) {
      store_some(st.gates + r * 4 * units + units + u, reset, n);
      store_some(st.gates + r * 4 * units + 3 * units + u, rh, n);
    }
  }
}

// Second half: the candidate and the new state.
template <int R>
GLIA_INLINE void candidate_tile(const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  alignas(64) float sums[R * vf::W];
  const int64_t units = f.a.shape.units, u = panel * vf::W, n = min64(vf::W, units - u);
  {
    vf acc[R][1];
    start_rows(acc, st.xh + r0 * st.ldb + u, st.ldb);
    const float* w = f.wh.data + panel * f.wh.panel_stride + 2 * f.wh.gate_stride;
    mac<0>(acc, st.rh + r0 * st.ldb, st.ldb, w, f.wh, units);
    spill(acc, sums, vf::W);
  }
  for (int64_t i = 0; i < R; ++i) {
    const int64_t r = r0 + i;
    if (!f.masked(st.row0 + r, st.s))
      finish(f, st, r, u, n, load(st.z + r * st.ldb + u), vtanh_fast(load(sums + i * vf::W)));
    else if (panel == 0)
      keep_row(f, st, r);
  }
}

void run_step(const Forward& f, const Step& st) {
  if (f.a.reset_after) {
    for (int64_t i = 0; i < f.panels; ++i) {
      const int64_t p = panel_of(i, f.panels, st.s);
      for_row_tiles(st.rows, [&](auto n, int64_t r0) { step_tile<decltype(n)::value>(f, st, p, r0); });
    }
    return;
  }
  for (int64_t p = 0; p < f.panels; ++p) {
    for_row_tiles(st.rows, [&](auto n, int64_t r0) { reset_tile<decltype(n)::value>(f, st, p, r0); });
  }
  for (int64_t p = 0; p < f.panels; ++p) {
    for_row_tiles(st.rows, [&](auto n, int64_t r0) { candidate_tile<decltype(n)::value>(f, st, p, r0); });
  }
}

void forward_block(const Forward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const RnnPlan& plan = f.plan;
  const int64_t row0 = block * plan.rows, rows = min64(plan.rows, sh.batch - row0);
  float* xbuf = f.ws + plan.block + block * plan.block_size;
  float* buf[5];  // h of even and odd steps; z, r * h, candidate sums
  for (int i = 0; i < 5; ++i) buf[i] = xbuf + plan.rows * (plan.ld_input + i * plan.ld_units);
  const bool training = f.a.gates != nullptr;
  const int64_t ld = training ? sh.units : plan.ld_units, bh = sh.batch * sh.units;
  const auto h_at = [&](int64_t s) { return training ? f.a.states + s * bh + row0 * sh.units : buf[s & 1]; };
  init_rows(h_at(0), ld, f.a.h0, row0, rows, sh.units);
  for (int64_t s = 0; s < sh.steps; ++s) {
    if (!plan.project_first) {
      for (int64_t r = 0; r < rows; ++r) copy_row(xbuf + r * plan.ld_input, at(f.x, row0 + r, s), sh.input);
    }
    float* gates = training ? f.a.gates + (s * sh.batch + row0) * 4 * sh.units : nullptr;
    run_step(f, {s, row0, rows, xbuf, h_at(s), h_at(s + 1), gates, buf[2], buf[3], buf[4], plan.ld_input, ld,
                 plan.ld_units});
  }
  for (int64_t r = 0; f.a.h_last && r < rows; ++r) {
    copy_row(f.a.h_last + (row0 + r) * sh.units, h_at(sh.steps) + r * ld, sh.units);
  }
}

// x @ kernel + bias for `count` steps of one batch row.
void project_rows(const Forward& f, int64_t b, int64_t s0, int64_t count) {
  const int64_t ld = f.a.shape.batch * f.panels * kSlot;
  for (int64_t p = 0; p < f.panels; ++p) {
    for_row_tiles(count, [&](auto n, int64_t r0) {
      vf acc[decltype(n)::value][4];
      start(acc, f.bias() + p * kSlot);
      mac<0, 1, 2>(acc, at(f.x, b, s0 + r0), f.x.step_stride, f.wx.data + p * f.wx.panel_stride, f.wx,
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

// Slots z, r, candidate from x, candidate from h. With reset_after the two biases of z and r are added up.
void pack_bias(const Forward& f) {
  const int64_t units = f.a.shape.units;
  for (int64_t p = 0; p < f.panels; ++p) {
    float* to = f.ws + f.plan.packed_bias + p * kSlot;
    zero_row(to, kSlot);
    if (!f.a.bias) continue;
    pack_gate_panel(f.a.bias, 1, units, 3, p, to);
    if (!f.a.reset_after) continue;
    const int64_t u = p * vf::W, n = min64(vf::W, units - u);
    const float* second = f.a.bias + 3 * units + u;
    store(to, load(to) + load_some(second, n));
    store(to + vf::W, load(to + vf::W) + load_some(second + units, n));
    store(to + 3 * vf::W, load_some(second + 2 * units, n));
  }
}

}  // namespace

void gru_forward_f32(const GruForward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.batch == 0 || sh.units == 0) return;
  Forward f{a, rnn_plan(sh, 3), in_processing_order(a.x, sh.steps, a.go_backwards),
            in_processing_order(a.mask.at, sh.steps, a.go_backwards)};
  f.ws = static_cast<float*>(a.workspace);
  f.panels = ceil_div(sh.units, vf::W);
  const bool in_place = f.plan.project_first && sh.units % vf::W == 0 && !a.kept;
  f.wx = gate_weights(a.kernel, sh.input, sh.units, 3, in_place, f.ws + f.plan.packed_kernel);
  f.wh = gate_weights(a.recurrent, sh.units, sh.units, 3, in_place, f.ws + f.plan.packed_recurrent);
  if (!a.ready) pack_bias(f);
  if (!in_place && !a.ready) {
    parallel_for(f.panels, [&](int64_t p) {
      pack_gate_panel(a.kernel, sh.input, sh.units, 3, p, f.ws + f.plan.packed_kernel + p * f.wx.panel_stride);
      pack_gate_panel(a.recurrent, sh.units, sh.units, 3, p, f.ws + f.plan.packed_recurrent + p * f.wh.panel_stride);
    });
  }
  if (f.plan.project_first) project_all(f);
  parallel_for(f.plan.blocks, [&](int64_t block) { forward_block(f, block); });
}

}  // namespace glia::cpu::GLIA_ISA_NS
