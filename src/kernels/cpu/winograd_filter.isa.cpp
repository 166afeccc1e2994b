// Winograd's gradient of the filter: the transformed tiles of x and of dy are multiplied point by point; the sums over all
// tiles are transformed back once.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/winograd_plan.h"
#include "kernels/cpu/winograd_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

struct Run {
  const WinogradConv& c;
  const float *x, *dy;
  int64_t ldv, ldd;
};

void transform(const Run& r, int64_t first, int64_t last, float* v, int64_t v_plane, float* d, int64_t d_plane) {
  const WinogradConv& c = r.c;
  for (int64_t t = first; t < last; ++t, v += r.ldv, d += r.ldd) {
    const WinogradTileAt at = winograd_tile_at(c, t);
    const int64_t y = at.y - c.pad_y, x = at.x - c.pad_x;
    winograd_scatter<4>(r.x + ((at.image * c.in_h + y) * c.in_w + x) * c.k, c.in_w * c.k, c.k,
                        winograd_edge(y, x, 4, c.in_h, c.in_w), c.k, v, v_plane,
                        [](const vf(&a)[4][4], vf(&p)[4][4]) __attribute__((always_inline)) { winograd_input(a, p); });
    winograd_scatter<2>(r.dy + ((at.image * c.out_h + at.y) * c.out_w + at.x) * c.cols, c.out_w * c.cols, c.cols,
                        winograd_edge(at.y, at.x, 2, c.out_h, c.out_w), c.cols, d, d_plane,
                        [](const vf(&a)[2][2], vf(&p)[4][4]) __attribute__((always_inline)) { winograd_gradient(a, p); });
  }
}

// Point (1, 1) of a tile of dy is the sum of its pixels.
void sum_bias(const float* d, int64_t rows, int64_t ld, int64_t cols, bool add, float* bias) {
  for (int64_t j = 0; j < cols; j += W) {
    vf a = add ? load(bias + j) : vf::zero(), b = vf::zero();
    int64_t i = 0;
    for (; i + 2 <= rows; i += 2) {
      a = a + load(d + i * ld + j);
      b = b + load(d + (i + 1) * ld + j);
    }
    if (i < rows) a = a + load(d + i * ld + j);
    store(bias + j, a + b);
  }
}

// sums[point][k][cols] (and bias) over tiles [first, last).
void part(const Run& r, int64_t first, int64_t last, int64_t most, float* sums, float* bias) {
  alignas(64) float buffer[kWinogradBuffer];
  const WinogradConv& c = r.c;
  const int64_t blocks = max64(1, ceil_div(last - first, most));
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t t0 = first + (last - first) * b / blocks, t1 = first + (last - first) * (b + 1) / blocks;
    const int64_t v_plane = winograd_plane(t1 - t0, r.ldv), d_plane = winograd_plane(t1 - t0, r.ldd);
    float *v = buffer, *d = buffer + kWinogradPoints * v_plane;
    transform(r, t0, t1, v, v_plane, d, d_plane);
    if (bias) sum_bias(d + 5 * d_plane, t1 - t0, r.ldd, c.cols, b > 0, bias);
    for (int64_t p = 0; p < kWinogradPoints; ++p) {
      for (int64_t j = 0; j < c.cols; j += kPanel) {
        Tile t{};
        t.a = v + p * v_plane, t.rs = 1, t.cs = r.ldv;
        t.b = d + p * d_plane + j, t.ldb = r.ldd;
        t.c = sums + p * c.k * c.cols + j, t.ldc = c.cols;
        t.k = t1 - t0;
        t.beta = b > 0 ? 1.f : 0.f;
        tile_block(t, c.k, min64(kPanel, c.cols - j));
      }
    }
  }
}

// Row k of the filter's gradient from all sums, added in order.
void finish_row(const WinogradConv& c, const float* sums, int64_t count, int64_t step, int64_t k, float* dw) {
  for (int64_t j = 0; j < c.cols; j += W) {
    const int64_t n = min64(W, c.cols - j);
    vf u[4][4], g[3][3];
    GLIA_UNROLL for (int p = 0; p < 16; ++p) {
      const float* from = sums + (p * c.k + k) * c.cols + j;
      vf a = load(from, n);
      for (int64_t i = 1; i < count; ++i) a = a + load(from + i * step, n);
      u[p / 4][p % 4] = a;
    }
    winograd_filter_back(u, g);
    GLIA_UNROLL for (int t = 0; t < 9; ++t) store(dw + (t * c.k + k) * c.cols + j, g[t / 3][t % 3], n);
  }
}

}  // namespace

void winograd_backward_filter_f32(const ConvShape& s, const float* x, const float* dy, float* dw, float* dbias,
                                  void* workspace) {
  const WinogradConv c = winograd_conv(s, WinogradPass::filter);
  const Run r{c, x, dy, ceil_div(c.k, W) * W, ceil_div(c.cols, W) * W};
  const int64_t most = max64(1, (kWinogradBuffer / kWinogradPoints - 64) / (r.ldv + r.ldd));
  const int64_t count = winograd_filter_sums(c), tiles = c.tiles();
  const int64_t size = kWinogradPoints * c.k * c.cols, step = size + (c.cols + 15) / 16 * 16;
  float* sums = static_cast<float*>(workspace);
  parallel_for(count, [&](int64_t i) {
    float* own = sums + i * step;
    part(r, tiles * i / count, tiles * (i + 1) / count, most, own, dbias ? own + size : nullptr);
  });
  const int64_t rows = max64(1, 2048 / c.cols);
  parallel_for(ceil_div(c.k, rows), [&](int64_t b) {
    for (int64_t k = b * rows; k < min64(c.k, (b + 1) * rows); ++k) finish_row(c, sums, count, step, k, dw);
  });
  if (!dbias) return;
  for (int64_t j = 0; j < c.cols; ++j) {
    float a = sums[size + j];
    for (int64_t i = 1; i < count; ++i) a += sums[i * step + size + j];
    dbias[j] = a;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
