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

// Point (i, j) of a tile is a sum of two rows of two pixels each: pixel[first] + sign * pixel[second] along both axes.
// Rows of B' and A; the last of both is negated, which their product does not see.
struct Pair {
  int first, second;  // second < 0: none
  float sign;
};
constexpr Pair kInputPairs[4] = {{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {3, 1, -1}};
constexpr Pair kGradientPairs[4] = {{0, -1, 0}, {0, 1, 1}, {0, 1, -1}, {1, -1, 0}};

struct Image {  // of x or dy
  const float* data;
  int64_t height, width, channels;
};

// One point of one tile whose first pixel is (y, x) of an image; pixels outside count as 0.
void point_of(const Image& m, int64_t image, int64_t y, int64_t x, const Pair& i, const Pair& j, float* to) {
  const float* rows[2][2];
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 2; ++b) {
      const int dy = a ? i.second : i.first, dx = b ? j.second : j.first;
      const bool there = dy >= 0 && dx >= 0 && y + dy >= 0 && y + dy < m.height && x + dx >= 0 && x + dx < m.width;
      rows[a][b] = there ? m.data + ((image * m.height + y + dy) * m.width + x + dx) * m.channels : nullptr;
    }
  const vf si = vf::set1(i.sign), sj = vf::set1(j.sign);
  for (int64_t c = 0; c < m.channels; c += W) {
    const int64_t n = min64(W, m.channels - c);
    vf sum[2];
    GLIA_UNROLL for (int a = 0; a < 2; ++a) {
      sum[a] = rows[a][0] ? load(rows[a][0] + c, n) : vf::zero();
      if (rows[a][1]) sum[a] = fma(sj, load(rows[a][1] + c, n), sum[a]);
    }
    store(to + c, i.second < 0 ? sum[0] : fma(si, sum[1], sum[0]));
  }
}

// sums[k][cols] of point p over all tiles; bias, if not null: the sums of dy (of point (1, 1), which is the sum of a tile).
void one_point(const WinogradConv& c, const float* x, const float* dy, int64_t p, float* sums, float* bias) {
  alignas(64) float buffer[kWinogradBuffer];
  const int64_t ldv = ceil_div(c.k, W) * W + 16, ldd = ceil_div(c.cols, W) * W + 16;  // no powers of two
  const int64_t tiles = c.tiles(), blocks = ceil_div(tiles, max64(1, kWinogradBuffer / (ldv + ldd)));
  const Image in{x, c.in_h, c.in_w, c.k}, out{dy, c.out_h, c.out_w, c.cols};
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = tiles * b / blocks, n = tiles * (b + 1) / blocks - first;
    float *v = buffer, *d = buffer + n * ldv;
    for (int64_t t = 0; t < n; ++t) {
      const WinogradTileAt at = winograd_tile_at(c, first + t);
      point_of(in, at.image, at.y - c.pad_y, at.x - c.pad_x, kInputPairs[p / 4], kInputPairs[p % 4], v + t * ldv);
      point_of(out, at.image, at.y, at.x, kGradientPairs[p / 4], kGradientPairs[p % 4], d + t * ldd);
    }
    if (bias) sum_bias(d, n, ldd, c.cols, b > 0, bias);
    for (int64_t j = 0; j < c.cols; j += kPanel) {
      Tile t{};
      t.a = v, t.rs = 1, t.cs = ldv;
      t.b = d + j, t.ldb = ldd;
      t.c = sums + j, t.ldc = c.cols;
      t.k = n;
      t.beta = b > 0 ? 1.f : 0.f;
      tile_block(t, c.k, min64(kPanel, c.cols - j));
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
  const WinogradFilterPlan plan = winograd_filter_plan(c);
  const int64_t size = kWinogradPoints * c.k * c.cols, step = size + ceil_div(c.cols, 16) * 16;
  float* sums = static_cast<float*>(workspace);
  if (plan.by_points) {
    parallel_for(kWinogradPoints, [&](int64_t p) {
      one_point(c, x, dy, p, sums + p * c.k * c.cols, dbias && p == 5 ? sums + size : nullptr);
    });
  } else {
    const Run r{c, x, dy, ceil_div(c.k, W) * W, ceil_div(c.cols, W) * W};
    const int64_t most = max64(1, (kWinogradBuffer / kWinogradPoints - 64) / (r.ldv + r.ldd)), tiles = c.tiles();
    parallel_for(plan.sums, [&](int64_t i) {
      float* own = sums + i * step;
      part(r, tiles * i / plan.sums, tiles * (i + 1) / plan.sums, most, own, dbias ? own + size : nullptr);
    });
  }
  const int64_t rows = max64(1, 2048 / c.cols);
  parallel_for(ceil_div(c.k, rows), [&](int64_t b) {
    for (int64_t k = b * rows; k < min64(c.k, (b + 1) * rows); ++k) finish_row(c, sums, plan.sums, step, k, dw);
  });
  for (int64_t j = 0; dbias && j < c.cols; ++j) {
    float a = sums[size + j];
    for (int64_t i = 1; i < plan.sums; ++i) a += sums[i * step + size + j];
    dbias[j] = a;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
