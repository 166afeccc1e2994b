// What the backward recurrent kernels share: products with transposed weights inside the time loop, and the sums over
// all steps after it. dgates holds one row [columns] per (step, batch row), time-major. Include only from *.isa.cpp
// files.
//
//   pack_transposed_weights(w, ld, k, cols, packed);                     // once
//   back_product(dgates_rows, ld, k, packed, cols, dh, ld_dh, rows, 1.f);  // every step: dh = dgates @ w^T + dh
#pragma once
#include "kernels/cpu/rnn_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

// w holds the wanted columns as rows of k values, ld apart -> panels of [k][up to kPanel columns].
GLIA_INLINE void pack_transposed_panel(const float* w, int64_t ld, int64_t k, int64_t cols, int64_t c0,
                                       float* packed) {
  const int64_t n = min64(kPanel, cols - c0), width = ceil_div(n, vf::W) * vf::W;
  float* to = packed + c0 * k;
  for (int64_t c = 0; c < width; ++c) {
    const float* from = w + (c0 + c) * ld;
    if (c < n) {
      for (int64_t i = 0; i < k; ++i) to[i * width + c] = from[i];
    } else {
      for (int64_t i = 0; i < k; ++i) to[i * width + c] = 0;
    }
  }
}

// out[r, c] = beta * out[r, c] + sum over i < k of a[r, i] * w[c, i]
GLIA_INLINE void back_product(const float* a, int64_t lda, int64_t k, const float* packed, int64_t cols, float* out,
                              int64_t ldo, int64_t rows, float beta) {
  for (int64_t c0 = 0; c0 < cols; c0 += kPanel) {
    const int64_t n = min64(kPanel, cols - c0);
    Tile t{.a = a,
           .rs = lda,
           .cs = 1,
           .b = packed + c0 * k,
           .ldb = ceil_div(n, vf::W) * vf::W,
           .c = out + c0,
           .ldc = ldo,
           .k = k};
    t.beta = beta;
    tile_block(t, rows, n);
  }
}

// out[c] = sum over rows of m[r, c], columns shared out in fixed parts.
GLIA_INLINE void column_sums_part(const float* m, int64_t ld, int64_t rows, int64_t c0, int64_t cols, float* out) {
  for (int64_t c = c0; c < c0 + cols; c += 4 * vf::W) {
    const int64_t n = min64(4 * vf::W, c0 + cols - c);
    vf s[4] = {vf::zero(), vf::zero(), vf::zero(), vf::zero()};
    if (n == 4 * vf::W) {
      for (int64_t r = 0; r < rows; ++r) {
        for (int v = 0; v < 4; ++v) s[v] = s[v] + load(m + r * ld + c + v * vf::W);
      }
      for (int v = 0; v < 4; ++v) store(out + c + v * vf::W, s[v]);
    } else {
      for (int64_t v = 0; v * vf::W < n; ++v) {
        const int64_t k = min64(vf::W, n - v * vf::W);
        vf t = vf::zero();
        for (int64_t r = 0; r < rows; ++r) t = t + load_some(m + r * ld + c + v * vf::W, k);
        store_some(out + c + v * vf::W, t, k);
      }
    }
  }
}
GLIA_INLINE void column_sums(const float* m, int64_t ld, int64_t rows, int64_t cols, float* out) {
  parallel_for(ceil_div(cols, 64),
               [&](int64_t i) { column_sums_part(m, ld, rows, i * 64, min64(64, cols - i * 64), out); });
}

// out [m, n] = a^T b over `rows` rows, a's lda and b's ldb apart. A chunk owns some columns (and, where these are
// few, a part of the rows of out), copies its columns of b block by block and adds the block's product.
GLIA_INLINE void weight_gradient(const float* a, int64_t m, int64_t lda, const float* b, int64_t n, int64_t ldb,
                                 int64_t rows, float* out, int64_t ldo, float* space) {
  const int64_t panels = ceil_div(n, kPanel), parts = panels >= 4 ? 1 : min64(ceil_div(4, panels), ceil_div(m, 12));
  const int64_t part = ceil_div(m, parts), block = min64(kReduceRows, rows);
  parallel_for(panels * parts, [&](int64_t i) {
    const int64_t c0 = i % panels * kPanel, cols = min64(kPanel, n - c0), width = ceil_div(cols, vf::W) * vf::W;
    const int64_t m0 = i / panels * part, mm = min64(part, m - m0);
    float* packed = space + i * block * kPanel;
    if (rows == 0) {
      for (int64_t r = m0; r < m0 + mm; ++r) zero_row(out + r * ldo + c0, cols);
    }
    for (int64_t k0 = 0; k0 < rows && mm > 0; k0 += block) {
      const int64_t k = min64(block, rows - k0);
      for (int64_t r = 0; r < k; ++r) {
        const float* from = b + (k0 + r) * ldb + c0;
        for (int64_t c = 0; c < width; c += vf::W) store(packed + r * width + c, load_some(from + c, cols - c));
      }
      Tile t{.a = a + k0 * lda + m0,
             .rs = 1,
             .cs = lda,
             .b = packed,
             .ldb = width,
             .c = out + m0 * ldo + c0,
             .ldc = ldo,
             .k = k};
      t.beta = k0 > 0 ? 1.f : 0.f;
      tile_block(t, mm, cols);
    }
  });
}

// out [m, n] = a^T b over the steps and rows of one block, for local sums: from(s, r) gives row r of a at step s, the
// rows of b follow one another, ldb apart. `space` holds plan.gather_size floats.
template <class From>
GLIA_INLINE void block_gradient(const RnnBackwardPlan& plan, int64_t rows, int64_t m, From&& from, const float* b,
                                int64_t n, int64_t ldb, float* out, int64_t ldo, float* space) {
  const int64_t most = kReduceRows / rows;
  float* const packed = space + kReduceRows * m;
  for (int64_t s0 = 0; s0 < plan.steps; s0 += most) {
    const int64_t steps = min64(most, plan.steps - s0), k = steps * rows;
    for (int64_t s = 0; s < steps; ++s) {
      for (int64_t r = 0; r < rows; ++r) copy_row(space + (s * rows + r) * m, from(s0 + s, r), m);
    }
    for (int64_t c0 = 0; c0 < n; c0 += kPanel) {
      const int64_t cols = min64(kPanel, n - c0), width = ceil_div(cols, vf::W) * vf::W;
      for (int64_t r = 0; r < k; ++r) {
        const float* row = b + (s0 * rows + r) * ldb + c0;
        for (int64_t c = 0; c < width; c += vf::W) store(packed + r * width + c, load_some(row + c, cols - c));
      }
      Tile t{.a = space, .rs = 1, .cs = m, .b = packed, .ldb = width, .c = out + c0, .ldc = ldo, .k = k};
      t.beta = s0 > 0 ? 1.f : 0.f;
      tile_block(t, m, cols);
    }
  }
}

// out[i] = sum over the blocks of their `count` sums that begin at `offset`.
GLIA_INLINE void add_block_sums(const RnnBackwardPlan& plan, const float* ws, int64_t offset, int64_t count,
                                float* out) {
  if (plan.steps == 0) return zero_row(out, count);
  const int64_t part = 2048;
  const float* from = ws + plan.sums + offset;
  parallel_for(ceil_div(count, part), [&](int64_t p) {
    const int64_t n = min64(part, count - p * part);
    for (int64_t i = 0; i < n; i += vf::W) {
      const float* at_i = from + p * part + i;
      vf sum = load_some(at_i, n - i);
      for (int64_t block = 1; block < plan.blocks; ++block)
        sum = sum + load_some(at_i + block * plan.sums_size, n - i);
      store_some(out + p * part + i, sum, n - i);
    }
  });
}

// x as rows (step, batch row), copied unless it lies so already.
struct Rows {
  const float* data;
  int64_t ld;
};
GLIA_INLINE Rows time_major_rows(const RnnSequence<const float>& x, const RnnShape& sh, float* space) {
  if (x.step_stride == sh.batch * x.batch_stride) return {x.data, x.batch_stride};
  if (sh.batch == 1 && x.step_stride > 0) return {x.data, x.step_stride};
  parallel_for(sh.batch, [&](int64_t b) {
    for (int64_t s = 0; s < sh.steps; ++s) copy_row(space + (s * sh.batch + b) * sh.input, at(x, b, s), sh.input);
  });
  return {space, sh.input};
}

// Gradient that reaches the output of step s of one row, or null.
GLIA_INLINE const float* output_gradient(const RnnSequence<const float>& dy, bool last_only, int64_t steps, int64_t b,
                                         int64_t s) {
  if (!dy.data) return nullptr;
  if (last_only) return s == steps - 1 ? dy.data + b * dy.batch_stride : nullptr;
  return at(dy, b, s);
}

// The weight gradients of cells whose dgates belong to the kernel and to the recurrent kernel alike (LSTM,
// SimpleRNN). With local sums: those of one block.
template <class Backward>
GLIA_INLINE void block_weight_gradients(const Backward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), n = f.plan.columns;
  const float* da = f.dgates(0, row0);
  float* sums = f.ws + f.plan.sums + block * f.plan.sums_size;
  float* space = f.ws + f.plan.gather + block * f.plan.gather_size;
  if (f.a.dkernel) {
    const auto x = in_processing_order(f.a.x, sh.steps, f.a.go_backwards);
    block_gradient(
        f.plan, rows, sh.input, [&](int64_t s, int64_t r) { return at(x, row0 + r, s); }, da, n, n, sums, n, space);
  }
  if (f.a.drecurrent) {
    const auto h = [&](int64_t s, int64_t r) { return f.a.states + (s * sh.batch + row0 + r) * sh.units; };
    block_gradient(f.plan, rows, sh.units, h, da, n, n, sums + f.plan.sum_recurrent, n, space);
  }
  if (f.a.dbias) column_sums_part(da, n, sh.steps * rows, 0, n, sums + f.plan.sum_columns);
}

// Adds the blocks' sums, or sums over all rows.
template <class Backward>
GLIA_INLINE void all_weight_gradients(const Backward& f) {
  const RnnShape& sh = f.a.shape;
  const int64_t n = f.plan.columns, rows = sh.steps * sh.batch;
  float *da = f.ws + f.plan.dgates, *space = f.ws + f.plan.reduce;
  if (f.plan.local) {
    if (f.a.dkernel) add_block_sums(f.plan, f.ws, 0, sh.input * n, f.a.dkernel);
    if (f.a.drecurrent) add_block_sums(f.plan, f.ws, f.plan.sum_recurrent, sh.units * n, f.a.drecurrent);
    if (f.a.dbias) add_block_sums(f.plan, f.ws, f.plan.sum_columns, n, f.a.dbias);
    return;
  }
  if (f.a.dkernel) {
    const Rows x = time_major_rows(in_processing_order(f.a.x, sh.steps, f.a.go_backwards), sh, f.ws + f.plan.x_rows);
    weight_gradient(x.data, sh.input, x.ld, da, n, n, rows, f.a.dkernel, n, space);
  }
  if (f.a.drecurrent) weight_gradient(f.a.states, sh.units, sh.units, da, n, n, rows, f.a.drecurrent, n, space);
  if (f.a.dbias) column_sums(da, n, rows, n, f.a.dbias);
}

}  // namespace glia::cpu::GLIA_ISA_NS
