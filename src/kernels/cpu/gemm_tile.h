// The building block of every f32 matrix product: one register tile C[rows x cols] = A[rows x k] B[k x cols] + ..., sums
// held in registers, epilogue applied before they are stored. A is read through broadcasts with any strides (so neither
// a row-major nor a transposed A needs packing); B by rows of vectors. Include only from *.isa.cpp files.
//
//   Tile t{.a = a, .rs = lda, .cs = 1, .b = b, .ldb = ldb, .c = c, .ldc = ldc, .k = k};
//   tile_block(t, rows, cols);     // any rows, cols <= kPanel: cut into tiles of the best size
#pragma once
#include "kernels/cpu/simd.h"

#if defined(__clang__)
#define GLIA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define GLIA_UNROLL _Pragma("GCC unroll 32")
#endif

namespace glia::cpu::GLIA_ISA_NS {

// Rows of the largest tile with nv vectors: as many sums as the registers hold beside nv vectors of B and a broadcast.
#if defined(__AVX512F__) || defined(GLIA_NEON)
constexpr int kMaxNV = 4;
constexpr int kMaxRows[5] = {0, 14, 12, 8, 6};
#elif defined(__AVX2__)
constexpr int kMaxNV = 2;
constexpr int kMaxRows[5] = {0, 12, 6, 0, 0};
#else
constexpr int kMaxNV = 4;
constexpr int kMaxRows[5] = {0, 8, 6, 4, 3};
#endif
constexpr int64_t kPanel = kMaxNV * vf::W;  // columns of the widest tile

struct Tile {
  const float* a;
  int64_t rs, cs;  // element (m, k) of A is a[m * rs + k * cs]
  const float* b;
  int64_t ldb;
  float* c;
  int64_t ldc;
  int64_t k;
  int tail = vf::W;  // lanes of the last vector that exist: 1..W
  bool relu = false;
  float beta = 0;    // C = acc + beta*C + ...; 0: C is not read
  const float* bias = nullptr;      // one per column
  const float* residual = nullptr;  // like C, rows ldr apart
  int64_t ldr = 0;
};

void run_tile(int rows, int nv, const Tile&);  // rows <= kMaxRows[nv], nv <= kMaxNV

GLIA_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
GLIA_INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

// Rows are shared out evenly over the tiles: 32 rows are 6+6+5+5+5+5, not 5 x 6 + 2.
GLIA_INLINE void tile_block(Tile t, int64_t rows, int64_t cols) {
  int nv = static_cast<int>(ceil_div(cols, vf::W));
  t.tail = static_cast<int>(cols - (nv - 1) * vf::W);
  int64_t tiles = ceil_div(rows, kMaxRows[nv]);
  for (int64_t left = rows; tiles > 0; --tiles) {
    int64_t r = ceil_div(left, tiles);
    run_tile(static_cast<int>(r), nv, t);
    t.a += r * t.rs;
    t.c += r * t.ldc;
    if (t.residual) t.residual += r * t.ldr;
    left -= r;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
