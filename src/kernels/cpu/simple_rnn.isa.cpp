// SimpleRNN over whole sequences, f32, forward and backward (Keras simple_rnn.py): h = tanh(x W + b + h_prev U).
// Gradient: da = dh * (1 - h^2); dh_prev = da @ U^T; dx = da @ W^T; dW = x^T da; dU = h_prev^T da.
#include "kernels/cpu/rnn_back.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

// Panels are four vectors of units; the last one has only as many vectors as there are units.
constexpr int64_t kWide = 4 * vf::W;

struct Forward {
  const SimpleRnnForward<float>& a;
  RnnPlan plan;
  RnnSequence<const float> x;
  RnnSequence<const uint8_t> mask;
  bool in_place;
  float* ws;
  int64_t panels;
  const float* bias() const { return ws + plan.packed_bias; }
  int64_t vectors(int64_t panel) const { return ceil_div(min64(kWide, a.shape.units - panel * kWide), vf::W); }
  GateWeights weights(const float* w, int64_t packed, int64_t k, int64_t panel) const {
    if (in_place) return {w + panel * kWide, a.shape.units, vf::W, 0};
    return {ws + packed + panel * kWide * k, vectors(panel) * vf::W, vf::W, 0};
  }
  GateWeights wx(int64_t panel) const { return weights(a.kernel, plan.packed_kernel, a.shape.input, panel); }
  GateWeights wh(int64_t panel) const { return weights(a.recurrent, plan.packed_recurrent, a.shape.units, panel); }
  float* projected(int64_t s, int64_t b) const {
    return ws + plan.projected + (s * a.shape.batch + b) * panels * kWide;
  }
};

struct Step {
  int64_t s, row0, rows;
  const float *x, *h_prev;
  float* h;
  int64_t ldx, ldh;
};

template <int NV, int R>
GLIA_INLINE void mac_vectors(vf (&acc)[R][NV], const float* a, int64_t lda, const GateWeights& w, int64_t k) {
  if constexpr (NV == 1)
    mac<0>(acc, a, lda, w.data, w, k);
  else if constexpr (NV == 2)
    mac<0, 1>(acc, a, lda, w.data, w, k);
  else if constexpr (NV == 3)
    mac<0, 1, 2>(acc, a, lda, w.data, w, k);
  else
    mac<0, 1, 2, 3>(acc, a, lda, w.data, w, k);
}

void keep_row(const Forward& f, const Step& st, int64_t r) {
  copy_row(st.h + r * st.ldh, st.h_prev + r * st.ldh, f.a.shape.units);
  if (f.a.y.data) masked_output(f.a.y, f.a.mask.zero_output, st.row0 + r, st.s, f.a.shape.units);
}

template <int NV, int R>
GLIA_INLINE void step_tile(const Forward& f, const Step& st, int64_t panel, int64_t r0) {
  alignas(64) float z[R * NV * vf::W];
  {
    vf acc[R][NV];
    if (f.plan.project_first) {
      start_rows(acc, f.projected(st.s, st.row0 + r0) + panel * kWide, f.panels * kWide);
    } else {
      start(acc, f.bias() + panel * kWide);
      mac_vectors<NV>(acc, st.x + r0 * st.ldx, st.ldx, f.wx(panel), f.a.shape.input);
    }
    mac_vectors<NV>(acc, st.h_prev + r0 * st.ldh, st.ldh, f.wh(panel), f.a.shape.units);
    spill(acc, z, NV * vf::W);
  }
  for (int64_t i = 0; i < R; ++i) {
    const int64_t r = r0 + i;
    if (f.mask.data && !*at(f.mask, st.row0 + r, st.s)) {
      if (panel == 0) keep_row(f, st, r);
      continue;
    }
    for (int64_t v = 0; v < NV; ++v) {
      const int64_t u = panel * kWide + v * vf::W, n = min64(vf::W, f.a.shape.units - u);
      vf h = vtanh_fast(load(z + (i * NV + v) * vf::W));
      store_some(st.h + r * st.ldh + u, h, n);
      if (f.a.y.data) store_some(at(f.a.y, st.row0 + r, st.s) + u, h, n);
    }
  }
}

template <int NV>
GLIA_INLINE void project_tiles(const Forward& f, int64_t panel, int64_t b, int64_t s0, int64_t count) {
  for_row_tiles(count, [&](auto n, int64_t r0) {
    vf acc[decltype(n)::value][NV];
    start(acc, f.bias() + panel * kWide);
    mac_vectors<NV>(acc, at(f.x, b, s0 + r0), f.x.step_stride, f.wx(panel), f.a.shape.input);
    spill(acc, f.projected(s0 + r0, b) + panel * kWide, f.a.shape.batch * f.panels * kWide);
  });
}

// f(Int<vectors of the panel>)
template <class F>
GLIA_INLINE void with_vectors(int64_t vectors, F&& f) {
  switch (vectors) {
    case 1:
      f(Int<1>{});
      break;
    case 2:
      f(Int<2>{});
      break;
    case 3:
      f(Int<3>{});
      break;
    default:
      f(Int<4>{});
      break;
  }
}

void project_all(const Forward& f) {
  const int64_t per_chunk = 12, parts = ceil_div(f.a.shape.steps, per_chunk);
  parallel_for(parts * f.a.shape.batch, [&](int64_t i) {
    const int64_t b = i / parts, s0 = i % parts * per_chunk, count = min64(per_chunk, f.a.shape.steps - s0);
    for (int64_t p = 0; p < f.panels; ++p) {
      with_vectors(f.vectors(p), [&](auto nv) { project_tiles<decltype(nv)::value>(f, p, b, s0, count); });
    }
  });
}

void forward_block(const Forward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const RnnPlan& plan = f.plan;
  const int64_t row0 = block * plan.rows, rows = min64(plan.rows, sh.batch - row0);
  float* xbuf = f.ws + plan.block + block * plan.block_size;
  float* buf[2] = {xbuf + plan.rows * plan.ld_input, xbuf + plan.rows * (plan.ld_input + plan.ld_units)};
  const bool training = f.a.states != nullptr;
  const int64_t ld = training ? sh.units : plan.ld_units, bh = sh.batch * sh.units;
  const auto h_at = [&](int64_t s) { return training ? f.a.states + s * bh + row0 * sh.units : buf[s & 1]; };
  init_rows(h_at(0), ld, f.a.h0, row0, rows, sh.units);
  for (int64_t s = 0; s < sh.steps; ++s) {
    if (!plan.project_first) {
      for (int64_t r = 0; r < rows; ++r) copy_row(xbuf + r * plan.ld_input, at(f.x, row0 + r, s), sh.input);
    }
    const Step st{s, row0, rows, xbuf, h_at(s), h_at(s + 1), plan.ld_input, ld};
    for (int64_t i = 0; i < f.panels; ++i) {
      const int64_t p = panel_of(i, f.panels, s);
      with_vectors(f.vectors(p), [&](auto nv) {
        for_row_tiles(rows,
                      [&](auto n, int64_t r0) { step_tile<decltype(nv)::value, decltype(n)::value>(f, st, p, r0); });
      });
    }
  }
  for (int64_t r = 0; f.a.h_last && r < rows; ++r) {
    copy_row(f.a.h_last + (row0 + r) * sh.units, h_at(sh.steps) + r * ld, sh.units);
  }
}

void pack_panel(const float* w, int64_t k, int64_t units, int64_t panel, float* to) {
  const int64_t u0 = panel * kWide, end = min64(units, u0 + kWide);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t u = u0; u < end; u += vf::W, to += vf::W) store(to, load_some(w + i * units + u, end - u));
  }
}

struct Backward {
  const SimpleRnnBackward<float>& a;
  RnnBackwardPlan plan;
  RnnSequence<float> dx;
  RnnSequence<const uint8_t> mask;
  float* ws;
  float* dgates(int64_t s, int64_t b) const { return ws + plan.dgates + plan.dgates_row(s, b) * a.shape.units; }
  float* packed_recurrent() const { return ws + plan.packed; }
  float* packed_kernel() const { return ws + plan.packed + ceil_div(a.shape.units, vf::W) * vf::W * a.shape.units; }
};

void step_gradient(const Backward& f, int64_t s, int64_t b, float* dh, float* dout) {
  const int64_t units = f.a.shape.units;
  const float* dy = output_gradient(f.a.dy, f.a.dy_last_only, f.a.shape.steps, b, s);
  if (f.mask.data && !*at(f.mask, b, s)) {
    zero_row(f.dgates(s, b), units);
    if (dy && !f.a.mask.zero_output) add_row(dout, dy, units);
    return;
  }
  const float* h_new = f.a.states + ((s + 1) * f.a.shape.batch + b) * units;
  for (int64_t u = 0; u < units; u += vf::W) {
    const int64_t n = min64(vf::W, units - u);
    vf g = load_some(dh + u, n) + load_some(dout + u, n), h = load_some(h_new + u, n);
    if (dy) g = g + load_some(dy + u, n);
    store_some(f.dgates(s, b) + u, g * fnma(h, h, vf::set1(1.f)), n);
    store_some(dh + u, vf::zero(), n);
    store_some(dout + u, vf::zero(), n);
  }
}

void backward_block(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), ld = f.plan.ld_units;
  float* dh = f.ws + f.plan.block + block * f.plan.block_size;
  float* dout = dh + f.plan.rows * ld;
  init_rows(dh, ld, f.a.dh_last, row0, rows, sh.units);
  init_rows(dout, ld, nullptr, row0, rows, sh.units);
  const float beta = f.mask.data ? 1.f : 0.f;  // masked rows keep their dh
  for (int64_t s = sh.steps - 1; s >= 0; --s) {
    for (int64_t r = 0; r < rows; ++r) step_gradient(f, s, row0 + r, dh + r * ld, dout + r * ld);
    const float* da = f.dgates(s, row0);
    if (s > 0 || f.a.dh0) back_product(da, sh.units, sh.units, f.packed_recurrent(), sh.units, dh, ld, rows, beta);
    if (f.dx.data) {
      back_product(da, sh.units, sh.units, f.packed_kernel(), sh.input, at(f.dx, row0, s), f.dx.batch_stride, rows,
                   0.f);
    }
  }
  for (int64_t r = 0; f.a.dh0 && r < rows; ++r) copy_row(f.a.dh0 + (row0 + r) * sh.units, dh + r * ld, sh.units);
}

}  // namespace

void simple_rnn_forward_f32(const SimpleRnnForward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.batch == 0 || sh.units == 0) return;
  Forward f{a, rnn_plan(sh, 1), in_processing_order(a.x, sh.steps, a.go_backwards),
            in_processing_order(a.mask.at, sh.steps, a.go_backwards)};
  f.in_place = f.plan.project_first && sh.units % vf::W == 0;
  f.ws = static_cast<float*>(a.workspace);
  f.panels = ceil_div(sh.units, kWide);
  float* bias = f.ws + f.plan.packed_bias;
  zero_row(bias, f.panels * kWide);
  if (a.bias) copy_row(bias, a.bias, sh.units);
  if (!f.in_place) {
    parallel_for(f.panels, [&](int64_t p) {
      pack_panel(a.kernel, sh.input, sh.units, p, f.ws + f.plan.packed_kernel + p * kWide * sh.input);
      pack_panel(a.recurrent, sh.units, sh.units, p, f.ws + f.plan.packed_recurrent + p * kWide * sh.units);
    });
  }
  if (f.plan.project_first) project_all(f);
  parallel_for(f.plan.blocks, [&](int64_t block) { forward_block(f, block); });
}

void simple_rnn_backward_f32(const SimpleRnnBackward<float>& a) {
  const RnnShape& sh = a.shape;
  if (sh.units == 0) return;
  Backward f{a, rnn_backward_plan(sh, 1), in_processing_order(a.dx, sh.steps, a.go_backwards),
             in_processing_order(a.mask.at, sh.steps, a.go_backwards), static_cast<float*>(a.workspace)};
  const int64_t units = sh.units, pu = ceil_div(units, kPanel), pi = a.dx.data ? ceil_div(sh.input, kPanel) : 0;
  parallel_for(pu + pi, [&](int64_t i) {
    if (i < pu)
      pack_transposed_panel(a.recurrent, units, units, units, i * kPanel, f.packed_recurrent());
    else
      pack_transposed_panel(a.kernel, units, units, sh.input, (i - pu) * kPanel, f.packed_kernel());
  });
  parallel_for(f.plan.blocks, [&](int64_t block) {
    backward_block(f, block);
    if (f.plan.local) block_weight_gradients(f, block);
  });
  all_weight_gradients(f);
}

}  // namespace glia::cpu::GLIA_ISA_NS
