// The f32 register tiles, one function per size (see gemm_tile.h). Sums are scalars after unrolling, so the compiler
// keeps them all in registers: check the assembly for stack traffic after any change here.
#include "kernels/cpu/gemm_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

template <int MR, int NV, bool TAIL>
GLIA_INLINE void finish_tile(const Tile& t, vf (&acc)[MR][NV]) {
  auto get = [&](const float* p, int v) __attribute__((always_inline)) {
    return TAIL && v == NV - 1 ? load(p + v * vf::W, t.tail) : load(p + v * vf::W);
  };
  if (t.bias) {
    GLIA_UNROLL for (int v = 0; v < NV; ++v) {
      vf x = get(t.bias, v);
      GLIA_UNROLL for (int i = 0; i < MR; ++i) acc[i][v] = acc[i][v] + x;
    }
  }
  if (t.beta != 0) {
    vf beta = vf::set1(t.beta);
    GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
      acc[i][v] = fma(beta, get(t.c + i * t.ldc, v), acc[i][v]);
  }
  if (t.residual) {
    GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
      acc[i][v] = acc[i][v] + get(t.residual + i * t.ldr, v);
  }
  if (t.relu) {
    GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
      acc[i][v] = vmax(vf::zero(), acc[i][v]);  // the second operand wins where either is NaN
  }
  GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v) {
    float* p = t.c + i * t.ldc + v * vf::W;
    if (TAIL && v == NV - 1) store(p, acc[i][v], t.tail);
    else store(p, acc[i][v]);
  }
}

// One step of k. Row pointers go in groups of three, so that x86 addresses them as p, p+rs, p+2rs.
template <int MR, int NV, bool TAIL>
GLIA_INLINE void tile_step(const Tile& t, const float* const (&a)[(MR + 2) / 3], const float* b, vf (&acc)[MR][NV]) {
  vf x[NV];
  GLIA_UNROLL for (int v = 0; v < NV; ++v)
    x[v] = TAIL && v == NV - 1 ? load(b + v * vf::W, t.tail) : load(b + v * vf::W);
  GLIA_UNROLL for (int i = 0; i < MR; ++i) {
    vf y = vf::set1(a[i / 3][(i % 3) * t.rs]);
    GLIA_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = fma(y, x[v], acc[i][v]);
  }
}

// Tiles with few sums keep U sets of them, taking k in turns, to cover the latency of the FMA.
template <int MR, int NV, bool TAIL>
static void tile_kernel(const Tile& t) {
  constexpr int U = MR * NV >= 8 ? 1 : MR * NV >= 4 ? 2 : MR * NV >= 2 ? 4 : 8;
  vf acc[U][MR][NV];
  GLIA_UNROLL for (int u = 0; u < U; ++u) GLIA_UNROLL for (int i = 0; i < MR; ++i)
    GLIA_UNROLL for (int v = 0; v < NV; ++v) acc[u][i][v] = vf::zero();
  const float* a[(MR + 2) / 3];
  GLIA_UNROLL for (int g = 0; g < (MR + 2) / 3; ++g) a[g] = t.a + 3 * g * t.rs;
  const float* b = t.b;
  int64_t k = t.k;
  const int64_t cs = t.cs, ldb = t.ldb;
  if (k >= 48) {  // C arrives while the sums are made
    GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
      __builtin_prefetch(t.c + i * t.ldc + v * vf::W, 1);
  }
  for (; k >= U; k -= U) {
    GLIA_UNROLL for (int u = 0; u < U; ++u) {
      tile_step<MR, NV, TAIL>(t, a, b, acc[u]);
      GLIA_UNROLL for (int g = 0; g < (MR + 2) / 3; ++g) a[g] += cs;
      b += ldb;
    }
  }
  if constexpr (U > 1) {
    for (; k > 0; --k) {
      tile_step<MR, NV, TAIL>(t, a, b, acc[0]);
      GLIA_UNROLL for (int g = 0; g < (MR + 2) / 3; ++g) a[g] += cs;
      b += ldb;
    }
    GLIA_UNROLL for (int s = U / 2; s > 0; s /= 2) GLIA_UNROLL for (int u = 0; u < s; ++u)
      GLIA_UNROLL for (int i = 0; i < MR; ++i) GLIA_UNROLL for (int v = 0; v < NV; ++v)
        acc[u][i][v] = acc[u][i][v] + acc[u + s][i][v];
  }
  finish_tile<MR, NV, TAIL>(t, acc[0]);
}

using TileFn = void (*)(const Tile&);

struct TileTable {
  TileFn fn[kMaxNV + 1][15][2] = {};
  template <int NV, int MR>
  constexpr void add() {
    fn[NV][MR][0] = &tile_kernel<MR, NV, false>;
    fn[NV][MR][1] = &tile_kernel<MR, NV, true>;
    if constexpr (MR > 1) add<NV, MR - 1>();
    else if constexpr (NV > 1) add<NV - 1, kMaxRows[NV - 1]>();
  }
  constexpr TileTable() { add<kMaxNV, kMaxRows[kMaxNV]>(); }
};
static constexpr TileTable kTiles;

void run_tile(int rows, int nv, const Tile& t) { kTiles.fn[nv][rows][t.tail != vf::W](t); }

}  // namespace glia::cpu::GLIA_ISA_NS
