// The f64 matrix product: register tiles over packed panels of B. Written with the compilers' vector extension, so the
// same lines serve every instruction set.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_inner.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 8;
#elif defined(__AVX2__)
constexpr int kBytes = 32, kRows = 4;
#else
constexpr int kBytes = 16, kRows = 4;
#endif
typedef double vd __attribute__((vector_size(kBytes)));
constexpr int kLanes = kBytes / 8, kVectors = 3;
constexpr int64_t kCols = kLanes * kVectors, kDepth = 256;

// c[R][kCols] = A[R x k] panel[k][kCols]
template <int R>
void tile(const double* a, int64_t rs, int64_t cs, const vd* panel, int64_t k, vd* c) {
  vd acc[R][kVectors] = {};
  for (int64_t l = 0; l < k; ++l, a += cs, panel += kVectors) {
    GLIA_UNROLL for (int i = 0; i < R; ++i) {
      const vd x = vd{} + a[i * rs];
      GLIA_UNROLL for (int v = 0; v < kVectors; ++v) acc[i][v] += x * panel[v];
    }
  }
  GLIA_UNROLL for (int i = 0; i < R; ++i) GLIA_UNROLL for (int v = 0; v < kVectors; ++v) c[i * kVectors + v] = acc[i][v];
}

void run_rows(int64_t rows, const double* a, int64_t rs, int64_t cs, const vd* panel, int64_t k, vd* c) {
  switch (rows) {
    case 1: return tile<1>(a, rs, cs, panel, k, c);
    case 2: return tile<2>(a, rs, cs, panel, k, c);
    case 3: return tile<3>(a, rs, cs, panel, k, c);
    case 4: return tile<4>(a, rs, cs, panel, k, c);
    case 5: return tile<(5 < kRows ? 5 : kRows)>(a, rs, cs, panel, k, c);
    case 6: return tile<(6 < kRows ? 6 : kRows)>(a, rs, cs, panel, k, c);
    case 7: return tile<(7 < kRows ? 7 : kRows)>(a, rs, cs, panel, k, c);
    default: return tile<kRows>(a, rs, cs, panel, k, c);
  }
}

void pack(const GemmParams& p, const double* b, int64_t j, int64_t cols, int64_t k0, int64_t kc, double* panel) {
  for (int64_t l = 0; l < kc; ++l)
    for (int64_t x = 0; x < kCols; ++x)
      panel[l * kCols + x] = x >= cols ? 0 : p.trans_b ? b[(j + x) * p.ldb + k0 + l] : b[(k0 + l) * p.ldb + j + x];
}

void store_rows(const GemmParams& p, const Operands<double>& o, const double* sums, int64_t row, int64_t rows, int64_t col,
                int64_t cols, int64_t k0, bool last) {
  const double beta = k0 == 0 ? static_cast<double>(p.beta) : 1;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j) {
      double x = sums[i * kCols + j], *c = o.c + (row + i) * p.ldc + col + j;
      if (beta != 0) x += beta * *c;
      if (last && o.bias) x += o.bias[col + j];
      if (last && o.residual) x += o.residual[(row + i) * p.ldr + col + j];
      *c = last ? activate_f64(p.act, static_cast<double>(p.act_alpha), x) : x;
    }
}

void block(const GemmParams& p, const Operands<double>& o, int64_t m0, int64_t m1, int64_t n0, int64_t n1) {
  alignas(64) double panel[kDepth * kCols];
  alignas(64) double sums[kRows * kCols];
  const int64_t rs = p.trans_a ? 1 : p.lda, cs = p.trans_a ? p.lda : 1;
  int64_t k0 = 0;
  do {
    const int64_t kc = min64(kDepth, p.k - k0);
    for (int64_t j = n0; j < n1; j += kCols) {
      const int64_t cols = min64(kCols, n1 - j);
      pack(p, o.b, j, cols, k0, kc, panel);
      for (int64_t i = m0; i < m1; i += kRows) {
        const int64_t rows = min64(kRows, m1 - i);
        run_rows(rows, o.a + i * rs + k0 * cs, rs, cs, reinterpret_cast<const vd*>(panel), kc, reinterpret_cast<vd*>(sums));
        store_rows(p, o, sums, i, rows, j, cols, k0, k0 + kc == p.k);
      }
    }
    k0 += kc;
  } while (k0 < p.k);
}

}  // namespace

void gemm_plan_f64(GemmParams& p) {
  gemm_fold_batch(p);
  GemmPlan& plan = p.plan;
  const double work = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  int64_t wanted = work < 6e4 ? 1 : work < 1e6 ? 4 : 16;
  if (plan.batch >= 16) wanted = 1;
  const int64_t panels = ceil_div(p.n, kCols);
  plan.col_chunks = max64(1, min64(wanted, panels));
  plan.cols = ceil_div(panels, plan.col_chunks) * kCols;
  plan.col_chunks = ceil_div(max64(p.n, 1), max64(plan.cols, 1));
  plan.row_chunks = max64(1, min64(wanted / plan.col_chunks, ceil_div(p.m, 4 * kRows)));
  plan.rows = max64(1, ceil_div(p.m, plan.row_chunks));
  plan.row_chunks = ceil_div(p.m, plan.rows);
  plan.batch_group = work > 6e4 ? 1 : max64(1, static_cast<int64_t>(6e4 / (work + 100)));
}

void gemm_f64(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual, void*) {
  const GemmPlan& plan = p.plan;
  if (p.m == 0 || p.n == 0) return;
  const Operands<double> all = make_operands<double>(p, a, b, c, bias, residual);
  const int64_t grid = plan.row_chunks * plan.col_chunks;
  parallel_for(ceil_div(plan.batch, plan.batch_group) * grid, [&](int64_t chunk) {
    const int64_t part = chunk % grid, first = chunk / grid * plan.batch_group;
    const int64_t m0 = part / plan.col_chunks * plan.rows, n0 = part % plan.col_chunks * plan.cols;
    for (int64_t i = first; i < min64(plan.batch, first + plan.batch_group); ++i)
      block(p, matrix_at(p, all, i), m0, min64(p.m, m0 + plan.rows), n0, min64(p.n, n0 + plan.cols));
  });
}

}  // namespace glia::cpu::GLIA_ISA_NS
