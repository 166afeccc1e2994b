// The bfloat16 matrix product, sums in f32. B is packed once into the workspace (nc columns at a time, all of k), A block
// by block on the stack; sums of a block stay in f32 until k is done, so a bfloat16 result is rounded once. With VDPBF16PS
// the packed operands are pairs along k; without, they are converted to f32 and the f32 tiles do the work.
#include <type_traits>

#include "base/thread_pool.h"
#include "kernels/cpu/gemm_bf16_dp.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/halves.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t kRows = 96, kBlockCols = kMaxNV == 2 ? 128 : 256, kBlockDepth = 512;
constexpr int64_t kMostInPlace = 1024;  // columns: with more, A is read often enough to be copied

GLIA_INLINE float widen(uint16_t h) { return widen_half(h); }

GLIA_INLINE vf get(const float* p, int64_t n) { return load_some(p, n); }
GLIA_INLINE vf get(const uint16_t* p, int64_t n) { return load_half(p, n); }
GLIA_INLINE void put(float* p, vf x, int64_t n) { store_some(p, x, n); }
GLIA_INLINE void put(uint16_t* p, vf x, int64_t n) { store_half(p, x, n); }

int64_t even(int64_t k) { return (k + 1) / 2 * 2; }

// Packed panel of `width` columns (a whole number of vectors; columns beyond `cols` are 0): [k][width] floats.
void pack_b_floats(const GemmParams& p, const uint16_t* b, int64_t j, int64_t cols, int64_t width, float* dst) {
  for (int64_t k = 0; k < p.k; ++k, dst += width) {
    if (p.trans_b)
      for (int64_t x = 0; x < cols; ++x) dst[x] = widen(b[(j + x) * p.ldb + k]);
    else
      for (int64_t x = 0; x < cols; ++x) dst[x] = widen(b[k * p.ldb + j + x]);
    for (int64_t x = cols; x < width; ++x) dst[x] = 0;
  }
}

// [even(k)/2][width][2]: pairs along k; an odd last k is paired with 0.
void pack_b_pairs(const GemmParams& p, const uint16_t* b, int64_t j, int64_t cols, int64_t width, uint16_t* dst) {
  const int64_t pairs = p.k / 2;
  if (p.trans_b && p.ldb % 2 == 0) {  // a pair is one 32-bit element: a plain transpose
    pack_panel(reinterpret_cast<const float*>(b + j * p.ldb), p.ldb / 2, true, pairs, cols, reinterpret_cast<float*>(dst), width);
  } else {
    auto* out = reinterpret_cast<uint32_t*>(dst);
    for (int64_t k = 0; k < pairs; ++k, out += width) {
      const uint16_t *row = p.trans_b ? b + j * p.ldb + 2 * k : b + 2 * k * p.ldb + j, *next = row + p.ldb;
      if (p.trans_b)
        for (int64_t x = 0; x < cols; ++x) out[x] = row[x * p.ldb] | static_cast<uint32_t>(row[x * p.ldb + 1]) << 16;
      else
        for (int64_t x = 0; x < cols; ++x) out[x] = row[x] | static_cast<uint32_t>(next[x]) << 16;
      for (int64_t x = cols; x < width; ++x) out[x] = 0;
    }
  }
  if (p.k % 2 == 0) return;
  const int64_t k = p.k - 1;
  uint16_t* out = dst + pairs * width * 2;
  for (int64_t x = 0; x < width; ++x) {
    out[2 * x] = x < cols ? (p.trans_b ? b[(j + x) * p.ldb + k] : b[k * p.ldb + j + x]) : uint16_t{0};
    out[2 * x + 1] = 0;
  }
}

// Block of A, rows ld apart, k padded with zeros to `kpad`.
template <class T>
void pack_a(const GemmParams& p, const uint16_t* a, int64_t row, int64_t rows, int64_t k0, int64_t kc, int64_t kpad, T* dst,
            int64_t ld) {
  auto put = [](uint16_t x, T* out) {
    if constexpr (sizeof(T) == 2) *out = x;
    else *out = widen(x);
  };
  for (int64_t i = 0; i < rows; ++i) {
    if (!p.trans_a) {
      const uint16_t* src = a + (row + i) * p.lda + k0;
      for (int64_t k = 0; k < kc; ++k) put(src[k], dst + i * ld + k);
    }
    for (int64_t k = kc; k < kpad; ++k) dst[i * ld + k] = 0;
  }
  if (!p.trans_a) return;
  for (int64_t k = 0; k < kc; ++k) {
    const uint16_t* src = a + (k0 + k) * p.lda + row;
    for (int64_t i = 0; i < rows; ++i) put(src[i], dst + i * ld + k);
  }
}

// A as bf16_tile reads it: rows lda apart, pairs along k a_step apart.
struct PairsOfA {
  const uint16_t* data;
  int64_t lda, a_step;
};

// Of A stored k x m: rows k and k + 1 interleaved, [even(kc)/2][ld] pairs; an odd last row is paired with zeros.
PairsOfA pack_a_transposed(const GemmParams& p, const uint16_t* a, int64_t row, int64_t rows, int64_t k0, int64_t kc,
                           uint16_t* dst) {
  const int64_t ld = ceil_div(rows, vf::W) * vf::W;
  for (int64_t k = 0; k < kc; k += 2) {
    const uint16_t *first = a + (k0 + k) * p.lda + row, *second = first + p.lda;
    auto* to = reinterpret_cast<uint32_t*>(dst) + k / 2 * ld;
    if (k + 1 < kc)
      for (int64_t i = 0; i < rows; ++i) to[i] = first[i] | static_cast<uint32_t>(second[i]) << 16;
    else
      for (int64_t i = 0; i < rows; ++i) to[i] = first[i];
  }
  return {dst, 2, 2 * ld};
}

// Rows that hold whole pairs are read where they lie.
PairsOfA pairs_of_a(const GemmParams& p, const uint16_t* a, int64_t row, int64_t rows, int64_t k0, int64_t kc, uint16_t* block,
                    int64_t ld) {
  if (p.trans_a) return pack_a_transposed(p, a, row, rows, k0, kc, block);
  if (p.k % 2 == 0 && p.n <= kMostInPlace) return {a + row * p.lda + k0, p.lda, 2};
  pack_a(p, a, row, rows, k0, kc, even(kc), block, ld);
  return {block, ld, 2};
}

template <class C>
void finish(const GemmParams& p, const Operands<uint16_t, C>& o, float* sums, int64_t row, int64_t rows, int64_t col,
            int64_t cols) {
  const bool later = p.act != Act::none && p.act != Act::relu;
  for (int64_t i = 0; i < rows; ++i) {
    float* s = sums + i * kBlockCols;
    C* c = o.c + (row + i) * p.ldc + col;
    for (int64_t j = 0; j < cols; j += vf::W) {
      const int64_t n = min64(vf::W, cols - j);
      vf x = load(s + j);  // rows of sums are whole vectors
      if (p.beta != 0) x = fma(vf::set1(p.beta), get(c + j, n), x);
      if (o.bias) x = x + get(o.bias + col + j, n);
      if (o.residual) x = x + get(o.residual + (row + i) * p.ldr + col + j, n);
      if (p.act == Act::relu) x = vmax(vf::zero(), x);
      if (later) store(s + j, x);
      else put(c + j, x, n);
    }
  }
  if (!later) return;
  act_rows(p.act, p.act_alpha, sums, kBlockCols, rows, cols);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; j += vf::W)
      put(o.c + (row + i) * p.ldc + col + j, load(sums + i * kBlockCols + j), min64(vf::W, cols - j));
}

struct Packed {
  const char* b;
  int64_t j0;           // first column of the slab
  int64_t panel_bytes;  // from panel to panel
};

// Sums of rows [row, row + rows) x columns [col, col + cols), all of k.
template <bool kNative>
void block_sums(const GemmParams& p, const uint16_t* a, const Packed& b, int64_t row, int64_t rows, int64_t col, int64_t cols,
                float* sums) {
  using T = std::conditional_t<kNative, uint16_t, float>;
  constexpr int64_t ld = kBlockDepth + 32;
  alignas(64) T block[(kRows + vf::W) * ld];
  int64_t k0 = 0;
  do {
    const int64_t kc = min64(kBlockDepth, p.k - k0), kpad = kNative ? even(kc) : kc;
    PairsOfA pairs{};
    if constexpr (kNative) pairs = pairs_of_a(p, a, row, rows, k0, kc, block, ld);
    else pack_a(p, a, row, rows, k0, kc, kpad, block, ld);
    for (int64_t j = col; j < col + cols; j += kPanel) {
      const int64_t width = packed_width(p.n, j / kPanel);
      const T* panel = reinterpret_cast<const T*>(b.b + (j - b.j0) / kPanel * b.panel_bytes) + k0 * width;
      if constexpr (kNative) {
        const int64_t tiles = ceil_div(rows, 6);
        for (int64_t t = 0, i = 0; t < tiles; ++t) {
          const int64_t r = ceil_div(rows - i, tiles - t);
          bf16_tile(static_cast<int>(r), static_cast<int>(width / vf::W), pairs.data + i * pairs.lda, pairs.lda, pairs.a_step,
                    panel, 2 * width,
                    sums + i * kBlockCols + (j - col), kBlockCols, kpad / 2, k0 > 0);
          i += r;
        }
      } else {
        Tile t{};
        t.a = block, t.rs = ld, t.cs = 1;
        t.b = panel, t.ldb = width;
        t.c = sums + (j - col), t.ldc = kBlockCols;
        t.k = kc;
        t.beta = k0 > 0 ? 1.f : 0.f;
        tile_block(t, rows, width);
      }
    }
    k0 += kc;
  } while (k0 < p.k);
}

template <class C>
void multiply(const GemmParams& p, const Operands<uint16_t, C>& o, char* workspace, bool ready) {
  const GemmPlan& plan = p.plan;
  const int64_t panel_bytes = plan.native_bf16 ? even(p.k) * kPanel * 2 : p.k * kPanel * 4;
  for (int64_t j0 = 0; j0 < p.n; j0 += plan.nc) {
    const int64_t j1 = min64(p.n, j0 + plan.nc);
    parallel_for(ready ? 0 : ceil_div(j1 - j0, kPanel), [&](int64_t i) {
      const int64_t j = j0 + i * kPanel, width = packed_width(p.n, j / kPanel), cols = min64(kPanel, p.n - j);
      char* dst = workspace + i * panel_bytes;
      if (plan.native_bf16) pack_b_pairs(p, o.b, j, cols, width, reinterpret_cast<uint16_t*>(dst));
      else pack_b_floats(p, o.b, j, cols, width, reinterpret_cast<float*>(dst));
    });
    const int64_t col_chunks = ceil_div(j1 - j0, plan.cols);
    parallel_for(plan.row_chunks * col_chunks, [&](int64_t chunk) {
      alignas(64) float sums[kRows * kBlockCols];
      const int64_t row = chunk / col_chunks * plan.rows, col = j0 + chunk % col_chunks * plan.cols;
      const int64_t rows = min64(plan.rows, p.m - row), cols = min64(plan.cols, j1 - col);
      const Packed packed{workspace, j0, panel_bytes};
      if (plan.native_bf16) block_sums<true>(p, o.a, packed, row, rows, col, cols, sums);
      else block_sums<false>(p, o.a, packed, row, rows, col, cols, sums);
      finish(p, o, sums, row, rows, col, cols);
    });
  }
}

}  // namespace

void gemm_plan_bf16(GemmParams& p) {
  gemm_fold_batch(p);
  GemmPlan& plan = p.plan;
  const int64_t panel_bytes = max64(64, plan.native_bf16 ? even(p.k) * kPanel * 2 : p.k * kPanel * 4);
  const int64_t panels = ceil_div(p.n, kPanel), most = max64(kBlockCols / kPanel, (int64_t{8} << 20) / panel_bytes);
  plan.nc = max64(1, ceil_div(panels, ceil_div(max64(panels, 1), most))) * kPanel;
  plan.kept = p.keep_b && plan.batch == 1 && p.m <= kMostKeptRows;
  if (plan.kept) plan.nc = max64(1, panels) * kPanel;
  plan.cols = min64(kBlockCols, plan.nc);
  plan.row_chunks = max64(1, ceil_div(p.m, kRows));
  const double work = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  if (work >= 1e5) {  // at least four chunks
    while (plan.row_chunks * ceil_div(p.n, plan.cols) < 4 && plan.cols > kPanel) plan.cols = ceil_div(plan.cols / kPanel, 2) * kPanel;
    while (plan.row_chunks * ceil_div(p.n, plan.cols) < 4 && p.m / plan.row_chunks >= 12) plan.row_chunks *= 2;
  }
  plan.rows = max64(1, ceil_div(p.m, plan.row_chunks));
  plan.row_chunks = ceil_div(p.m, plan.rows);
  plan.workspace = static_cast<size_t>(panel_bytes * (plan.nc / kPanel));
}

void gemm_bf16(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual,
               void* workspace, bool ready) {
  if (p.m == 0 || p.n == 0) return;
  char* ws = static_cast<char*>(workspace);
  for (int64_t i = 0; i < p.plan.batch; ++i) {
    if (p.plan.type == GemmType::bf16)
      multiply(p, matrix_at(p, make_operands<uint16_t, uint16_t>(p, a, b, c, bias, residual), i), ws, ready && p.plan.kept);
    else
      multiply(p, matrix_at(p, make_operands<uint16_t, float>(p, a, b, c, bias, residual), i), ws, ready && p.plan.kept);
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
