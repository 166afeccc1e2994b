// Backward pass through time of the LSTM in bfloat16; the formulas are those of lstm_cell.h and lstm_back.isa.cpp. The gate gradients are
// kept in bfloat16: rows of them are the pairs of the products with the transposed weights, and two rows interleaved those
// of the weight gradients. All sums are f32.
#include "kernels/cpu/lstm_bf16.h"

#if defined(__AVX512BF16__)
#include "kernels/cpu/bf16_lanes.h"
#include "kernels/cpu/gemm_bf16_dp.h"
#include "kernels/cpu/lstm_cell.h"

namespace glia::cpu {
namespace GLIA_ISA_NS {
namespace {

constexpr int64_t kTile = 6;  // rows of a register tile

struct Backward {
  const LstmBackwardBf16& a;
  LstmBackwardBf16Plan plan;
  RnnSequence<const uint16_t> x;
  RnnSequence<uint16_t> dx;
  RnnSequence<const uint8_t> mask;
  float* ws;
  uint16_t* dgates(int64_t s, int64_t b) const { return dgates_rows() + plan.base.dgates_row(s, b) * plan.columns; }
  uint16_t* dgates_rows() const { return reinterpret_cast<uint16_t*>(ws + plan.dgates); }
  const uint16_t* dy(int64_t s, int64_t b) const {
    if (!a.dy.data) return nullptr;
    if (a.dy_last_only) return s == a.shape.steps - 1 ? a.dy.data + b * a.dy.batch_stride : nullptr;
    return at(a.dy, b, s);
  }
};

struct Carry {  // of a block of rows: gradients of the state, and of outputs that masked steps repeat; dx before rounding
  float *dh, *dc, *dout, *dx;
};

void step_gradient(const Backward& f, const Carry& k, int64_t s, int64_t b, int64_t r) {
  const int64_t units = f.a.shape.units, at_row = r * f.plan.base.ld_units;
  const uint16_t* dy = f.dy(s, b);
  if (f.mask.data && !*at(f.mask, b, s)) {
    uint16_t* da = f.dgates(s, b);
    for (int64_t i = 0; i < f.plan.columns; i += vf::W) narrow(da + i, vf::zero(), min64(vf::W, f.plan.columns - i));
    for (int64_t u = 0; dy && !f.a.mask.zero_output && u < units; u += vf::W) {
      const int64_t n = min64(vf::W, units - u);
      store_some(k.dout + at_row + u, load_some(k.dout + at_row + u, n) + widen(dy + u, n), n);
    }
    return;
  }
  for (int64_t u = 0; u < units; u += vf::W) {
    lstm_cell_backward(f, s, b, u, min64(vf::W, units - u), dy, k.dh + at_row, k.dc + at_row,
                       f.mask.data ? k.dout + at_row : nullptr);
  }
}

// The next step (s - 1) reads what the forward pass wrote long ago: fetch it while this step's products run.
GLIA_INLINE void prefetch_step(const Backward& f, int64_t s, int64_t b) {
  const int64_t units = f.a.shape.units, batch = f.a.shape.batch;
  const float *gates = f.a.gates + (s * batch + b) * 4 * units, *cells = f.a.cells + (s * batch + b) * units;
  const uint16_t *da = f.dgates(s, b), *dy = f.dy(s, b);
  for (int64_t i = 0; i < 4 * units; i += 16) __builtin_prefetch(gates + i, 0, 2);
  for (int64_t i = 0; i < 4 * units; i += 32) __builtin_prefetch(da + i, 1, 2);
  for (int64_t i = 0; i < units; i += 16) __builtin_prefetch(cells + i, 0, 2);
  for (int64_t i = 0; dy && i < units; i += 32) __builtin_prefetch(dy + i, 0, 2);
}

// out[r, c] (+)= sum over k of a[r, k] w[c, k], w packed by pack_transposed.
void back_product(const uint16_t* a, int64_t k, const float* packed, int64_t cols_wide, float* out, int64_t ldo,
                  int64_t rows, bool accumulate) {
  const int64_t tiles = ceil_div(rows, kTile);
  for (int64_t c0 = 0; c0 < cols_wide; c0 += kPanel) {
    const int64_t width = min64(kPanel, cols_wide - c0);
    const auto* b = reinterpret_cast<const uint16_t*>(packed + c0 * (k / 2));
    for (int64_t t = 0, r0 = 0; t < tiles; ++t) {
      const int64_t n = ceil_div(rows - r0, tiles - t);
      bf16_tile(static_cast<int>(n), static_cast<int>(width / vf::W), a + r0 * k, k, 2, b, 2 * width,
                out + r0 * ldo + c0, ldo, k / 2, accumulate);
      r0 += n;
    }
  }
}

// w: [cols, k] -> panels of up to kPanel columns: for each pair along k, the pair of every column.
void pack_transposed(const uint16_t* w, int64_t k, int64_t cols, int64_t cols_wide, int64_t c0, float* packed) {
  const int64_t width = min64(kPanel, cols_wide - c0), pairs = k / 2;
  const auto* from = reinterpret_cast<const float*>(w);
  float* to = packed + c0 * pairs;
  for (int64_t c = 0; c < width; ++c) {
    if (c0 + c < cols) {
      for (int64_t i = 0; i < pairs; ++i) to[i * width + c] = from[(c0 + c) * pairs + i];
    } else {
      for (int64_t i = 0; i < pairs; ++i) to[i * width + c] = 0;
    }
  }
}

void init_gradient(float* to, int64_t ld, const uint16_t* from, int64_t row0, int64_t rows, int64_t units) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t u = 0; u < units; u += vf::W) {
      const int64_t n = min64(vf::W, units - u);
      store_some(to + r * ld + u, from ? widen(from + (row0 + r) * units + u, n) : vf::zero(), n);
    }
  }
}
void narrow_row(uint16_t* to, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; i += vf::W) narrow(to + i, load_some(from + i, n - i), n - i);
}

void backward_block(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t most = f.plan.base.rows, ld = f.plan.base.ld_units, n = f.plan.columns;
  const int64_t row0 = block * most, rows = min64(most, sh.batch - row0);
  float* ws = f.ws + f.plan.block + block * f.plan.block_size;
  const Carry k{ws, ws + most * ld, ws + 2 * most * ld, ws + 3 * most * ld};
  init_gradient(k.dh, ld, f.a.dh_last, row0, rows, sh.units);
  init_gradient(k.dc, ld, f.a.dc_last, row0, rows, sh.units);
  init_gradient(k.dout, ld, nullptr, row0, rows, sh.units);
  for (int64_t s = sh.steps - 1; s >= 0; --s) {
    for (int64_t r = 0; r < rows; ++r) {
      if (s > 0) prefetch_step(f, s - 1, row0 + r);
      step_gradient(f, k, s, row0 + r, r);
    }
    const uint16_t* da = f.dgates(s, row0);
    // masked rows have no gate gradients: their dh stays
    if (s > 0 || f.a.dh0)
      back_product(da, n, f.ws + f.plan.packed_recurrent, f.plan.units_wide, k.dh, ld, rows, f.mask.data != nullptr);
    if (!f.dx.data) continue;
    back_product(da, n, f.ws + f.plan.packed_kernel, f.plan.input_wide, k.dx, f.plan.input_wide, rows, false);
    for (int64_t r = 0; r < rows; ++r) narrow_row(at(f.dx, row0 + r, s), k.dx + r * f.plan.input_wide, sh.input);
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (f.a.dh0) narrow_row(f.a.dh0 + (row0 + r) * sh.units, k.dh + r * ld, sh.units);
    if (f.a.dc0) narrow_row(f.a.dc0 + (row0 + r) * sh.units, k.dc + r * ld, sh.units);
  }
}

GLIA_INLINE __m256i halves_of(const uint16_t* p, int64_t n) { return load_halves(p, n); }
GLIA_INLINE __m256i halves_of(const float* p, int64_t n) { return narrow(load_some(p, n)); }

// Two rows (the second may be null: zeros) interleaved, n values, `wide` written.
template <class T>
GLIA_INLINE void pair_rows(const T* a, const T* b, int64_t n, int64_t wide, float* to) {
  for (int64_t i = 0; i < wide; i += vf::W)
    store_pairs(to + i, halves_of(a + i, n - i), b ? halves_of(b + i, n - i) : _mm256_setzero_si256());
}

// Columns [c0, c1) of out [m, ld_sums] = the sum over `count` rows of row(k)^T dgates(k).
template <class Row>
void pair_gradient(const Backward& f, int64_t count, int64_t m, Row&& row, const uint16_t* da, int64_t c0, int64_t c1,
                   float* out, float* space) {
  const int64_t n = f.plan.columns, ld = f.plan.ld_sums, wide = ceil_div(m, vf::W) * vf::W;
  float* b = space + kReduceRows / 2 * wide;
  for (int64_t r = 0; count == 0 && r < m; ++r) zero_row(out + r * ld + c0, c1 - c0);
  for (int64_t k0 = 0; k0 < count; k0 += kReduceRows) {
    const int64_t kc = min64(kReduceRows, count - k0), pairs = ceil_div(kc, 2);
    for (int64_t j = 0; j < pairs; ++j)
      pair_rows(row(k0 + 2 * j), 2 * j + 1 < kc ? row(k0 + 2 * j + 1) : nullptr, m, wide, space + j * wide);
    for (int64_t c = c0; c < c1; c += kPanel) {
      const int64_t cols = min64(kPanel, c1 - c), width = ceil_div(cols, vf::W) * vf::W;
      for (int64_t j = 0; j < pairs; ++j) {
        const uint16_t* from = da + (k0 + 2 * j) * n + c;
        pair_rows(from, 2 * j + 1 < kc ? from + n : nullptr, cols, width, b + j * width);
      }
      const int64_t tiles = ceil_div(m, kTile);
      for (int64_t t = 0, r0 = 0; t < tiles; ++t) {
        const int64_t rows = ceil_div(m - r0, tiles - t);
        bf16_tile(static_cast<int>(rows), static_cast<int>(width / vf::W), reinterpret_cast<const uint16_t*>(space + r0),
                  2, 2 * wide, reinterpret_cast<const uint16_t*>(b), 2 * width, out + r0 * ld + c, ld, pairs, k0 > 0);
        r0 += rows;
      }
    }
  }
}

void column_sums(const uint16_t* m, int64_t ld, int64_t rows, int64_t c0, int64_t c1, float* out) {
  for (int64_t c = c0; c < c1; c += kPanel) {
    vf sum[4] = {vf::zero(), vf::zero(), vf::zero(), vf::zero()};
    const int64_t left = c1 - c;
    if (left >= kPanel) {
      for (int64_t r = 0; r < rows; ++r) {
        for (int v = 0; v < 4; ++v) sum[v] = sum[v] + widen(m + r * ld + c + v * vf::W);
      }
    } else {
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t v = 0; v * vf::W < left; ++v) sum[v] = sum[v] + widen(m + r * ld + c + v * vf::W, left - v * vf::W);
      }
    }
    for (int64_t v = 0; v < 4 && v * vf::W < left; ++v) store_some(out + c + v * vf::W, sum[v], left - v * vf::W);
  }
}

// The weight gradients over `per_step` rows of every step, from batch row row0, whose dgates lie one after another: columns
// [c0, c1), into sums.
void sum_gradients(const Backward& f, int64_t row0, int64_t per_step, int64_t c0, int64_t c1, float* sums,
                   float* space) {
  const RnnShape& sh = f.a.shape;
  const int64_t count = sh.steps * per_step, n = f.plan.columns;
  const uint16_t* da = f.dgates(0, row0);
  if (f.a.dkernel)
    pair_gradient(f, count, sh.input, [&](int64_t k) { return at(f.x, row0 + k % per_step, k / per_step); }, da, c0, c1,
                  sums, space);
  if (f.a.drecurrent)
    pair_gradient(f, count, sh.units,
                  [&](int64_t k) { return f.a.states + (k / per_step * sh.batch + row0 + k % per_step) * sh.units; }, da,
                  c0, c1, sums + f.plan.sum_recurrent, space);
  if (f.a.dbias) column_sums(da, n, count, c0, c1, sums + f.plan.sum_columns);
}

// out [rows, columns] = the blocks' sums at `offset`, rounded once.
void finish_gradient(const Backward& f, int64_t offset, int64_t rows, uint16_t* out) {
  if (!out) return;
  const LstmBackwardBf16Plan& p = f.plan;
  const float* from = f.ws + p.sums + offset;
  parallel_for(ceil_div(rows, 8), [&](int64_t part) {
    for (int64_t r = part * 8; r < min64(rows, part * 8 + 8); ++r) {
      for (int64_t c = 0; c < p.columns; c += vf::W) {
        const int64_t n = min64(vf::W, p.columns - c);
        vf sum = load_some(from + r * p.ld_sums + c, n);
        for (int64_t block = 1; block < p.sum_blocks; ++block)
          sum = sum + load_some(from + block * p.sums_size + r * p.ld_sums + c, n);
        narrow(out + r * p.columns + c, sum, n);
      }
    }
  });
}

void pack_weights(const Backward& f) {
  const RnnShape& sh = f.a.shape;
  const LstmBackwardBf16Plan& p = f.plan;
  const int64_t pu = ceil_div(p.units_wide, kPanel), pi = f.dx.data ? ceil_div(p.input_wide, kPanel) : 0;
  parallel_for(pu + pi, [&](int64_t i) {
    if (i < pu) pack_transposed(f.a.recurrent, p.columns, sh.units, p.units_wide, i * kPanel, f.ws + p.packed_recurrent);
    else pack_transposed(f.a.kernel, p.columns, sh.input, p.input_wide, (i - pu) * kPanel, f.ws + p.packed_kernel);
  });
}

}  // namespace
}  // namespace GLIA_ISA_NS

void lstm_backward_bf16(const LstmBackwardBf16& a) {
  using namespace GLIA_ISA_NS;
  const RnnShape& sh = a.shape;
  if (sh.units == 0) return;
  const Backward f{a, lstm_backward_bf16_plan(sh), in_processing_order(a.x, sh.steps, a.go_backwards),
                   in_processing_order(a.dx, sh.steps, a.go_backwards),
                   in_processing_order(a.mask.at, sh.steps, a.go_backwards), static_cast<float*>(a.workspace)};
  const LstmBackwardBf16Plan& p = f.plan;
  const auto space = [&](int64_t task) { return f.ws + p.gather + task * p.gather_size; };
  pack_weights(f);
  parallel_for(p.base.blocks, [&](int64_t block) {
    backward_block(f, block);
    if (!p.base.local) return;
    const int64_t row0 = block * p.base.rows;
    sum_gradients(f, row0, min64(p.base.rows, sh.batch - row0), 0, p.columns, f.ws + p.sums + block * p.sums_size,
                  space(block));
  });
  if (!p.base.local) {
    const int64_t panels = ceil_div(p.columns, kPanel);
    parallel_for(p.tasks, [&](int64_t task) {
      const int64_t c0 = panels * task / p.tasks * kPanel, c1 = min64(p.columns, panels * (task + 1) / p.tasks * kPanel);
      if (c0 < c1) sum_gradients(f, 0, sh.batch, c0, c1, f.ws + p.sums, space(task));
    });
  }
  finish_gradient(f, 0, sh.input, a.dkernel);
  finish_gradient(f, p.sum_recurrent, sh.units, a.drecurrent);
  finish_gradient(f, p.sum_columns, 1, a.dbias);
}

}  // namespace glia::cpu

#else
namespace glia::cpu {
void lstm_backward_bf16(const LstmBackwardBf16&) {}
}  // namespace glia::cpu
#endif
