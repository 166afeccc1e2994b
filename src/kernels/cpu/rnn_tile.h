// What the forward recurrent kernels are built from: register tiles of [rows x (gates x one vector of units)], so
// that all gates of a unit end in the same registers and the cell update follows at once. Include only from *.isa.cpp
// files.
//
//   vf acc[R][4];
//   load_bias(acc, bias);
//   mac<0, 1, 2, 3>(acc, x, ldx, w.data + panel * w.panel_stride, w, inputs);
#pragma once
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/rnn_plan.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {

// Rows of a tile with four vectors of sums: as many as the registers hold.
#if defined(__AVX512F__) || defined(GLIA_NEON)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 3;
#endif

template <int N>
struct Int {
  static constexpr int value = N;
};

// Calls f(Int<tile rows>, first row) for tiles of nearly equal height.
template <class F>
GLIA_INLINE void for_row_tiles(int64_t rows, F&& f) {
  int64_t tiles = ceil_div(rows, kTileRows), r = 0;
  for (; tiles > 0; --tiles) {
    const int64_t n = ceil_div(rows - r, tiles);
    switch (n) {
      case 1:
        f(Int<1>{}, r);
        break;
      case 2:
        f(Int<2>{}, r);
        break;
      case 3:
        f(Int<3>{}, r);
        break;
#if defined(__AVX512F__) || defined(GLIA_NEON)
      case 4:
        f(Int<4>{}, r);
        break;
      case 5:
        f(Int<5>{}, r);
        break;
      case 6:
        f(Int<6>{}, r);
        break;
#endif
    }
    r += n;
  }
}


// Weights as the tiles read them: row k, gate g of panel p at data + p * panel_stride + k * k_stride + g *
// gate_stride.
struct GateWeights {
  const float* data = nullptr;
  int64_t k_stride = 0, gate_stride = 0, panel_stride = 0;
};

// acc[r][Col[g]] += sum over k of a[r, k] * b[k, g]
template <int... Col, int R, int C>
GLIA_INLINE void mac(vf (&acc)[R][C], const float* a, int64_t lda, const float* b, const GateWeights& w, int64_t k) {
  constexpr int G = sizeof...(Col);
  constexpr int col[G] = {Col...};
  const int64_t ks = w.k_stride, gs = w.gate_stride;
  for (int64_t i = 0; i < k; ++i) {
    vf av[R];
    GLIA_UNROLL
    for (int r = 0; r < R; ++r) av[r] = vf::set1(a[r * lda + i]);
    GLIA_UNROLL
    for (int g = 0; g < G; ++g) {
      vf bv = load(b + g * gs);
      GLIA_UNROLL
      for (int r = 0; r < R; ++r) acc[r][col[g]] = fma(av[r], bv, acc[r][col[g]]);
    }
    b += ks;
  }
}

template <int R, int C>
GLIA_INLINE void start(vf (&acc)[R][C], const float* bias) {
  GLIA_UNROLL
  for (int g = 0; g < C; ++g) {
    vf v = load(bias + g * vf::W);
    GLIA_UNROLL
    for (int r = 0; r < R; ++r) acc[r][g] = v;
  }
}
template <int R, int C>
GLIA_INLINE void start_rows(vf (&acc)[R][C], const float* p, int64_t ld) {
  GLIA_UNROLL
  for (int r = 0; r < R; ++r) {
    GLIA_UNROLL
    for (int g = 0; g < C; ++g) acc[r][g] = load(p + r * ld + g * vf::W);
  }
}
template <int R, int C>
GLIA_INLINE void spill(const vf (&acc)[R][C], float* p, int64_t ld) {
  GLIA_UNROLL
  for (int r = 0; r < R; ++r) {
    GLIA_UNROLL
    for (int g = 0; g < C; ++g) store(p + r * ld + g * vf::W, acc[r][g]);
  }
}

// One panel: w [k, gates * units] -> [k][gates][W], zeros beyond the units.
GLIA_INLINE void pack_gate_panel(const float* w, int64_t k, int64_t units, int64_t gates, int64_t panel, float* to) {
  const int64_t u = panel * vf::W, n = min64(vf::W, units - u);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t g = 0; g < gates; ++g, to += vf::W) store(to, load_some(w + (i * gates + g) * units + u, n));
  }
}

// The weights in place when rows of vectors can be read from them and they are used for few rows only, else packed.
GLIA_INLINE GateWeights gate_weights(const float* w, int64_t k, int64_t units, int64_t gates, bool in_place,
                                     float* to) {
  if (in_place) return {w, gates * units, units, vf::W};
  return {to, gates * vf::W, vf::W, k * gates * vf::W};
}

GLIA_INLINE void copy_row(float* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W) store(to + i, load(from + i));
  if (i < n) store(to + i, load(from + i, n - i), n - i);
}
GLIA_INLINE void zero_row(float* to, int64_t n) {
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W) store(to + i, vf::zero());
  if (i < n) store(to + i, vf::zero(), n - i);
}
GLIA_INLINE void add_row(float* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W) store(to + i, load(to + i) + load(from + i));
  if (i < n) store(to + i, load(to + i, n - i) + load(from + i, n - i), n - i);
}
// rows of [batch, units] given or zero
GLIA_INLINE void init_rows(float* to, int64_t ld, const float* from, int64_t row0, int64_t rows, int64_t units) {
  for (int64_t r = 0; r < rows; ++r) {
    if (from)
      copy_row(to + r * ld, from + (row0 + r) * units, units);
    else
      zero_row(to + r * ld, units);
  }
}

// The i-th panel that step s works on. Weights seldom fit L1: odd steps go back over the panels, so that they begin with
// those that the step before has left there.
GLIA_INLINE int64_t panel_of(int64_t i, int64_t panels, int64_t s) { return s % 2 ? panels - 1 - i : i; }

template <class T>
GLIA_INLINE RnnSequence<T> in_processing_order(RnnSequence<T> s, int64_t steps, bool backwards) {
  if (backwards && s.data) {
    s.data += (steps - 1) * s.step_stride;
    s.step_stride = -s.step_stride;
  }
  return s;
}
template <class T>
GLIA_INLINE T* at(const RnnSequence<T>& s, int64_t b, int64_t t) {
  return s.data + b * s.batch_stride + t * s.step_stride;
}

// Output of a masked step: the previous output, zeros before the first. y may keep the last output only (stride 0).
GLIA_INLINE void masked_output(const RnnSequence<float>& y, bool zero_output, int64_t b, int64_t s, int64_t units) {
  float* to = at(y, b, s);
  if (zero_output || s == 0)
    zero_row(to, units);
  else if (y.step_stride != 0)
    copy_row(to, at(y, b, s - 1), units);
}

}  // namespace glia::cpu::GLIA_ISA_NS
