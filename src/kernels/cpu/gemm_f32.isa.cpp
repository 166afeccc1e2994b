// The f32 matrix product. Four ways, chosen at plan time (gemm_plan.isa.cpp):
//  * block: C is cut into row x column chunks; B is read in place, or packed panel by panel on the stack when it is
//    stored transposed. For everything small or skinny, and for batches.
//  * slab: kc x nc of B is packed once into the workspace, shared by all threads; A is copied block by block on the stack,
//    so that neither strides nor pages of big operands are touched in the inner loops.
//  * tall: a long k and a small result: k is cut into parts (gemm_tall.isa.cpp).
//  * dot: few rows against a transposed B: both are read along k, nothing is packed.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/gemm_pack.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

using Matrices = Operands<float>;

Tile make_tile(const GemmParams& p, const Matrices& o, int64_t row, int64_t col, int64_t k0, int64_t k1) {
  Tile t{};
  t.rs = p.trans_a ? 1 : p.lda;
  t.cs = p.trans_a ? p.lda : 1;
  t.a = o.a + row * t.rs + k0 * t.cs;
  t.c = o.c + row * p.ldc + col;
  t.ldc = p.ldc;
  t.k = k1 - k0;
  t.beta = k0 == 0 ? p.beta : 1.f;
  t.tail = vf::W;
  if (k1 == p.k && !p.plan.swapped) {
    t.bias = o.bias ? o.bias + col : nullptr;
    t.residual = o.residual ? o.residual + row * p.ldr + col : nullptr;
    t.ldr = p.ldr;
    t.relu = p.act == Act::relu;
  }
  return t;
}

// What the tile does not do in registers: activations other than relu, on rows that are still in L1.
void finish_rows(const GemmParams& p, const Matrices& o, int64_t row, int64_t col, int64_t rows, int64_t cols) {
  if (p.act == Act::none || p.act == Act::relu) return;
  act_rows(p.act, p.act_alpha, o.c + row * p.ldc + col, p.ldc, rows, cols);
}

// A result of one row that stands for a column: one bias for all, one residual per element.
void finish_swapped(const GemmParams& p, const Matrices& o, int64_t col, int64_t cols) {
  if (o.bias)
    for (int64_t j = col; j < col + cols; ++j) o.c[j] += o.bias[0];
  if (o.residual)
    for (int64_t j = col; j < col + cols; ++j) o.c[j] += o.residual[j * p.ldr];
  if (p.act != Act::none) act_rows(p.act, p.act_alpha, o.c + col, cols, 1, cols);
}

void block(const GemmParams& p, const Matrices& o, int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
  alignas(64) float buffer[kStackPanel];
  const GemmPlan& plan = p.plan;
  const int64_t width = plan.nv * vf::W;
  int64_t k0 = 0;
  do {
    const int64_t k1 = min64(p.k, k0 + plan.kc);
    for (int64_t j = n0; j < n1; j += width) {
      const int64_t cols = min64(width, n1 - j);
      Tile t = make_tile(p, o, m0, j, k0, k1);
      if (plan.b == GemmB::direct) {
        t.b = o.b + k0 * p.ldb + j;
        t.ldb = p.ldb;
      } else if (plan.b == GemmB::packed) {
        const int64_t panel = j / kPanel, pw = packed_width(p.n, panel);
        t.b = o.b + panel * kPanel * p.k + k0 * pw + (j - panel * kPanel);
        t.ldb = pw;
      } else {
        t.ldb = ceil_div(cols, vf::W) * vf::W;
        pack_panel(p.trans_b ? o.b + j * p.ldb + k0 : o.b + k0 * p.ldb + j, p.ldb, p.trans_b, k1 - k0, cols, buffer, t.ldb);
        t.b = buffer;
      }
      tile_block(t, m1 - m0, cols);
      if (k1 == p.k && !plan.swapped) finish_rows(p, o, m0, j, m1 - m0, cols);
    }
    k0 = k1;
  } while (k0 < p.k);
  if (plan.swapped) finish_swapped(p, o, n0, n1 - n0);
}

// R rows of A against 4 rows of B (as stored), sums along k.
template <int R, int C>
GLIA_INLINE void dot_kernel(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t k, float (&out)[R][C]) {
  vf acc[R][C];
  GLIA_UNROLL for (int i = 0; i < R; ++i) GLIA_UNROLL for (int j = 0; j < C; ++j) acc[i][j] = vf::zero();
  auto step = [&](int64_t kk, int64_t lanes) __attribute__((always_inline)) {
    vf y[C];
    GLIA_UNROLL for (int j = 0; j < C; ++j) y[j] = lanes < vf::W ? load(b + j * ldb + kk, lanes) : load(b + j * ldb + kk);
    GLIA_UNROLL for (int i = 0; i < R; ++i) {
      vf x = lanes < vf::W ? load(a + i * lda + kk, lanes) : load(a + i * lda + kk);
      GLIA_UNROLL for (int j = 0; j < C; ++j) acc[i][j] = fma(x, y[j], acc[i][j]);
    }
  };
  int64_t kk = 0;
  for (; kk + vf::W <= k; kk += vf::W) step(kk, vf::W);
  if (kk < k) step(kk, k - kk);
  GLIA_UNROLL for (int i = 0; i < R; ++i) GLIA_UNROLL for (int j = 0; j < C; ++j) out[i][j] = hsum(acc[i][j]);
}

template <int R, int C>
void dot_tile(const GemmParams& p, const Matrices& o, int64_t row, int64_t col) {
  float out[R][C];
  dot_kernel<R, C>(o.a + row * p.lda, p.lda, o.b + col * p.ldb, p.ldb, p.k, out);
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < C; ++j) {
      float* c = o.c + (row + i) * p.ldc + col + j;
      float x = out[i][j];
      if (!p.plan.swapped) {
        if (o.bias) x += o.bias[col + j];
        if (o.residual) x += o.residual[(row + i) * p.ldr + col + j];
      }
      *c = p.beta != 0 ? p.beta * *c + x : x;
    }
}

template <int C>
void dot_columns(const GemmParams& p, const Matrices& o, int64_t m0, int64_t m1, int64_t col) {
  int64_t i = m0;
  for (; i + 4 <= m1; i += 4) dot_tile<4, C>(p, o, i, col);
  if (m1 - i == 3) dot_tile<3, C>(p, o, i, col);
  else if (m1 - i == 2) dot_tile<2, C>(p, o, i, col);
  else if (m1 - i == 1) dot_tile<1, C>(p, o, i, col);
}

void dot_block(const GemmParams& p, const Matrices& o, int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
  constexpr int kCols = kMaxNV == 2 ? 2 : 4;  // 16 registers hold 4 x 2 sums and their operands
  int64_t j = n0;
  for (; j + kCols <= n1; j += kCols) dot_columns<kCols>(p, o, m0, m1, j);
  for (; j < n1; ++j) dot_columns<1>(p, o, m0, m1, j);
  if (p.plan.swapped) finish_swapped(p, o, n0, n1 - n0);
  else if (p.act != Act::none) act_rows(p.act, p.act_alpha, o.c + m0 * p.ldc + n0, p.ldc, m1 - m0, n1 - n0);
}

struct Slab {  // packed panels of B: columns from j0, rows k0 to k1
  const float* b;
  int64_t step;  // floats from panel to panel
  int64_t skip;  // rows of the panel before k0
  int64_t j0, k0, k1;
};

void slab_chunk(const GemmParams& p, const Matrices& o, const Slab& s, int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
  alignas(64) float buffer[kStackA];
  const int64_t k0 = s.k0, k1 = s.k1, kc = k1 - k0;
  int64_t blocks = ceil_div(m1 - m0, p.plan.mc);
  for (int64_t i = m0; i < m1; --blocks) {
    const int64_t rows = ceil_div(m1 - i, blocks);
    const int64_t lds = (p.trans_a ? ceil_div(rows, 16) * 16 : ceil_div(kc, 16) * 16) + 16;
    if (p.plan.pack_a && !p.trans_a) copy_block(o.a + i * p.lda + k0, p.lda, rows, kc, buffer, lds);
    if (p.plan.pack_a && p.trans_a) copy_block(o.a + k0 * p.lda + i, p.lda, kc, rows, buffer, lds);
    for (int64_t j = n0; j < n1; j += kPanel) {
      const int64_t cols = min64(kPanel, n1 - j);
      Tile t = make_tile(p, o, i, j, k0, k1);
      if (p.plan.pack_a) {
        t.a = buffer;
        t.rs = p.trans_a ? 1 : lds;
        t.cs = p.trans_a ? lds : 1;
      }
      t.ldb = packed_width(p.n, j / kPanel);
      t.b = s.b + (j - s.j0) / kPanel * s.step + s.skip * t.ldb;
      tile_block(t, rows, cols);
      if (k1 == p.k) finish_rows(p, o, i, j, rows, cols);
    }
    i += rows;
  }
}

void pack_slab_panel(const GemmParams& p, const Matrices& o, const Slab& s, int64_t i, float* to) {
  const int64_t j = s.j0 + i * kPanel;
  pack_panel(p.trans_b ? o.b + j * p.ldb + s.k0 : o.b + s.k0 * p.ldb + j, p.ldb, p.trans_b, s.k1 - s.k0,
             min64(kPanel, p.n - j), to, packed_width(p.n, j / kPanel));
}

void run_slab(const GemmParams& p, const Matrices& o, Slab s, int64_t panels, float* workspace) {
  const GemmPlan& plan = p.plan;
  const int64_t per_chunk = ceil_div(panels, plan.col_chunks), col_chunks = ceil_div(panels, per_chunk);
  const int64_t number = plan.own_slab ? new_slab_number() : 0;
  if (plan.b != GemmB::packed && !plan.own_slab)
    parallel_for(panels, [&](int64_t i) { pack_slab_panel(p, o, s, i, workspace + i * s.step); });
  parallel_for(plan.row_chunks * col_chunks, [&](int64_t i) {
    const int64_t m0 = i / col_chunks * plan.rows, first = i % col_chunks * per_chunk, last = min64(panels, first + per_chunk);
    Slab mine = s;
    if (plan.own_slab) {
      OwnSlab& own = own_slab();
      mine.b = own.data;
      for (int64_t j = first; j < last; ++j) {
        if (own.packed[j] != number) pack_slab_panel(p, o, s, j, own.data + j * s.step);
        own.packed[j] = number;
      }
    }
    slab_chunk(p, o, mine, m0, min64(p.m, m0 + plan.rows), s.j0 + first * kPanel, min64(p.n, s.j0 + last * kPanel));
  });
}

void slab(const GemmParams& p, const Matrices& o, float* workspace) {
  const GemmPlan& plan = p.plan;
  for (int64_t j0 = 0; j0 < p.n; j0 += plan.nc) {
    const int64_t panels = ceil_div(min64(plan.nc, p.n - j0), kPanel);
    for (int64_t k0 = 0; k0 < p.k; k0 += plan.kc) {
      const int64_t k1 = min64(p.k, k0 + plan.kc);
      Slab s{workspace, kPanel * (k1 - k0), 0, j0, k0, k1};
      if (plan.b == GemmB::packed) s = {o.b + j0 * p.k, kPanel * p.k, k0, j0, k0, k1};  // its panels hold all of k
      run_slab(p, o, s, panels, workspace);
    }
  }
}

}  // namespace

void gemm_f32(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual,
              void* workspace) {
  const GemmPlan& plan = p.plan;
  Matrices all = make_operands<float>(p, a, b, c, bias, residual);
  if (p.m == 0 || p.n == 0) return;
  if (plan.swapped) {
    const float* t = all.a;
    all.a = all.b;
    all.b = t;
  }
  if (plan.k_parts > 0) return gemm_tall(p, all.a, all.b, all.c, static_cast<float*>(workspace));
  if (plan.nc > 0) {
    for (int64_t i = 0; i < plan.batch; ++i) slab(p, matrix_at(p, all, i), static_cast<float*>(workspace));
    return;
  }
  const int64_t grid = plan.row_chunks * plan.col_chunks, groups = ceil_div(plan.batch, plan.batch_group);
  parallel_for(groups * grid, [&](int64_t chunk) {
    const int64_t part = chunk % grid, first = chunk / grid * plan.batch_group;
    const int64_t m0 = part / plan.col_chunks * plan.rows, n0 = part % plan.col_chunks * plan.cols;
    const int64_t m1 = min64(p.m, m0 + plan.rows), n1 = min64(p.n, n0 + plan.cols);
    for (int64_t i = first; i < min64(plan.batch, first + plan.batch_group); ++i) {
      if (plan.b == GemmB::dot) dot_block(p, matrix_at(p, all, i), m0, m1, n0, n1);
      else block(p, matrix_at(p, all, i), m0, m1, n0, n1);
    }
  });
}

void gemm_pack_b_f32(int64_t n, int64_t k, bool trans_b, int64_t ldb, const float* b, float* packed) {
  parallel_for(ceil_div(n, kPanel), [&](int64_t i) {
    const int64_t j = i * kPanel;
    pack_panel(trans_b ? b + j * ldb : b + j, ldb, trans_b, k, min64(kPanel, n - j), packed + j * k, packed_width(n, i));
  });
}

}  // namespace glia::cpu::GLIA_ISA_NS
