// Winograd's forward and backward-data passes: blocks of tiles are transformed, multiplied point by point and transformed
// back while they are in L2.
#include "base/thread_pool.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/pool_max.h"
#include "kernels/cpu/winograd_plan.h"
#include "kernels/cpu/winograd_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

struct Run {
  const WinogradConv& c;
  const ConvEpilogue& e;
  const float *in, *u;
  float* out;
  int64_t ldv, ldm;  // of the points before and after the products
  bool pool = false;  // only the largest of a tile is stored, and its number where argmax is not null
  uint8_t* argmax = nullptr;
};

// Transforms the filter w[tap][k][ld]: u[point][panel of columns][k][columns of the panel], missing columns 0.
void transform_filter(const WinogradConv& c, const float* w, int64_t ld, float* u) {
  const int64_t tap = c.k * ld, plane = c.k * ceil_div(c.cols, W) * W;
  auto row = [&](int64_t k) {
    for (int64_t j = 0; j < c.cols; j += W) {
      const int64_t panel = j / kPanel, n = min64(W, c.cols - j);
      vf g[3][3], p[4][4];
      GLIA_UNROLL for (int t = 0; t < 9; ++t) g[t / 3][t % 3] = load(w + t * tap + k * ld + j, n);
      winograd_filter(g, p);
      float* to = u + panel * kPanel * c.k + k * packed_width(c.cols, panel) + j - panel * kPanel;
      GLIA_UNROLL for (int t = 0; t < 16; ++t) store(to + t * plane, p[t / 4][t % 4]);
    }
  };
  if (c.k * c.cols < 8192) {
    for (int64_t k = 0; k < c.k; ++k) row(k);
  } else {
    parallel_for(8, [&](int64_t part) {
      for (int64_t k = c.k * part / 8; k < c.k * (part + 1) / 8; ++k) row(k);
    });
  }
}

void transform_input(const Run& r, int64_t first, int64_t last, float* v, int64_t plane) {
  const WinogradConv& c = r.c;
  for (int64_t t = first; t < last; ++t, v += r.ldv) {
    const WinogradTileAt at = winograd_tile_at(c, t);
    const int64_t y = at.y - c.pad_y, x = at.x - c.pad_x;
    const float* in = r.in + ((at.image * c.in_h + y) * c.in_w + x) * c.k;
    winograd_scatter<4>(in, c.in_w * c.k, c.k, winograd_edge(y, x, 4, c.in_h, c.in_w), c.k, v, plane,
                        [](const vf(&d)[4][4], vf(&p)[4][4]) __attribute__((always_inline)) { winograd_input(d, p); });
  }
}

// W columns of one tile from its points, with the bias; n of them exist.
GLIA_INLINE void results(const Run& r, const float* m, int64_t plane, int64_t col, int64_t n, vf (&y)[2][2]) {
  vf p[4][4];
  GLIA_UNROLL for (int t = 0; t < 16; ++t) p[t / 4][t % 4] = load(m + t * plane);
  winograd_output(p, y);
  const vf bias = r.e.bias ? load(r.e.bias + col, n) : vf::zero();
  GLIA_UNROLL for (int t = 0; t < 4; ++t) y[t / 2][t % 2] = y[t / 2][t % 2] + bias;
}

GLIA_INLINE void finish(const Run& r, const float* m, int64_t plane, float* out, int64_t col, int64_t n, int64_t ny,
                        int64_t nx) {
  vf y[2][2];
  results(r, m, plane, col, n, y);
  const bool relu = r.e.act == Act::relu, has_residual = r.e.residual != nullptr;
  const int64_t residual = has_residual ? r.e.residual - r.out : 0, row = r.c.out_w * r.c.cols;
  GLIA_UNROLL for (int i = 0; i < 2; ++i) {
    GLIA_UNROLL for (int j = 0; j < 2; ++j) {
      if (i >= ny || j >= nx) continue;
      float* o = out + i * row + j * r.c.cols;
      vf z = y[i][j];
      if (has_residual) z = z + load(o + residual, n);
      if (relu) z = vmax(vf::zero(), z);  // NaN stays NaN
      store_some(o, z, n);
    }
  }
}

// The same, when a tile is a window that is pooled.
GLIA_INLINE void finish_pooled(const Run& r, const float* m, int64_t plane, int64_t to, int64_t col, int64_t n) {
  vf y[2][2];
  results(r, m, plane, col, n, y);
  if (r.e.act == Act::relu) {
    GLIA_UNROLL for (int t = 0; t < 4; ++t) y[t / 2][t % 2] = vmax(vf::zero(), y[t / 2][t % 2]);
  }
  max_square(y[0][0], y[0][1], y[1][0], y[1][1], r.out + to, r.argmax ? r.argmax + to : nullptr, n);
}

void transform_pooled(const Run& r, int64_t first, int64_t last, int64_t col0, int64_t col1, const float* m, int64_t plane) {
  const WinogradConv& c = r.c;
  const int64_t height = c.out_h / 2, width = c.out_w / 2;
  for (int64_t t = first; t < last; ++t, m += r.ldm) {
    const WinogradTileAt at = winograd_tile_at(c, t);
    const int64_t to = ((at.image * height + at.y / 2) * width + at.x / 2) * c.cols;
    for (int64_t j = col0; j < col1; j += W) finish_pooled(r, m + j - col0, plane, to + j, j, min64(W, col1 - j));
  }
}

void transform_output(const Run& r, int64_t first, int64_t last, int64_t col0, int64_t col1, const float* m,
                      int64_t plane) {
  const WinogradConv& c = r.c;
  for (int64_t t = first; t < last; ++t, m += r.ldm) {
    const WinogradTileAt at = winograd_tile_at(c, t);
    const int64_t ny = min64(2, c.out_h - at.y), nx = min64(2, c.out_w - at.x);
    float* out = r.out + ((at.image * c.out_h + at.y) * c.out_w + at.x) * c.cols;
    for (int64_t j = col0; j < col1; j += W) finish(r, m + j - col0, plane, out + j, j, min64(W, col1 - j), ny, nx);
    if (r.e.act != Act::none && r.e.act != Act::relu)
      for (int64_t y = 0; y < ny; ++y)
        act_rows(r.e.act, r.e.alpha, out + y * c.out_w * c.cols + col0, c.cols, nx, col1 - col0);
  }
}

// Products and results of columns [col0, col1) of tiles [first, last) whose transformed inputs are in v.
void multiply(const Run& r, int64_t first, int64_t last, int64_t col0, int64_t col1, const float* v, int64_t v_plane,
              float* m) {
  const WinogradConv& c = r.c;
  const int64_t rows = last - first, plane = winograd_plane(rows, r.ldm), u_plane = c.k * ceil_div(c.cols, W) * W;
  for (int64_t p = 0; p < kWinogradPoints; ++p) {
    for (int64_t j = col0; j < col1; j += kPanel) {
      const int64_t width = packed_width(c.cols, j / kPanel);
      Tile t{};
      t.a = v + p * v_plane, t.rs = r.ldv, t.cs = 1;
      t.b = r.u + p * u_plane + j * c.k, t.ldb = width;
      t.c = m + p * plane + j - col0, t.ldc = r.ldm;
      t.k = c.k;
      tile_block(t, rows, width);
    }
  }
  if (r.pool) transform_pooled(r, first, last, col0, col1, m, plane);
  else transform_output(r, first, last, col0, col1, m, plane);
}

// A thread's block of tiles all the way.
void run_blocks(Run r) {
  const WinogradConv& c = r.c;
  const int64_t span = c.cols <= 128 ? c.cols : 128;
  r.ldm = ceil_div(span, W) * W;
  const int64_t most = max64(1, (kWinogradBuffer / kWinogradPoints - 64) / (r.ldv + r.ldm));
  const int64_t tiles = c.tiles(), units = winograd_parts(tiles, most);
  parallel_for(units, [&](int64_t unit) {
    alignas(64) float buffer[kWinogradBuffer];
    const int64_t first = tiles * unit / units, last = tiles * (unit + 1) / units;
    const int64_t plane = winograd_plane(last - first, r.ldv);
    transform_input(r, first, last, buffer, plane);
    for (int64_t j = 0; j < c.cols; j += span)
      multiply(r, first, last, j, min64(c.cols, j + span), buffer, plane, buffer + kWinogradPoints * plane);
  });
}

// A chunk of tiles is transformed into v by all threads, then columns are shared out.
void run_chunks(Run r, int64_t chunk, float* v) {
  const WinogradConv& c = r.c;
  constexpr int64_t kSpan = 64, kRows = kWinogradBuffer / kWinogradPoints / kSpan - 8;
  r.ldm = kSpan;
  const int64_t spans = ceil_div(c.cols, kSpan), plane = winograd_plane(chunk, r.ldv);
  for (int64_t start = 0; start < c.tiles(); start += chunk) {
    const int64_t n = min64(chunk, c.tiles() - start), parts = ceil_div(n, 8), blocks = ceil_div(n, kRows);
    parallel_for(parts, [&](int64_t i) {
      const int64_t t0 = n * i / parts, t1 = n * (i + 1) / parts;
      transform_input(r, start + t0, start + t1, v + t0 * r.ldv, plane);
    });
    parallel_for(spans * blocks, [&](int64_t i) {
      alignas(64) float buffer[kWinogradBuffer];
      const int64_t t0 = n * (i % blocks) / blocks, t1 = n * (i % blocks + 1) / blocks, j = i / blocks * kSpan;
      multiply(r, start + t0, start + t1, j, min64(c.cols, j + kSpan), v + t0 * r.ldv, plane, buffer);
    });
  }
}

void run(const Run& r, float* spare) {
  if (const int64_t chunk = winograd_chunk(r.c)) run_chunks(r, chunk, spare);
  else run_blocks(r);
}

// to[tap][k][ld] = w[8 - tap][cols][k]: the filter of the backward pass.
void flip(const WinogradConv& c, const float* w, int64_t ld, float* to) {
  parallel_for(9, [&](int64_t t) { pack_panel(w + (8 - t) * c.k * c.cols, c.k, true, c.k, c.cols, to + t * c.k * ld, ld); });
}

void forward(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* w, float* y, bool pool,
             uint8_t* argmax, void* workspace, bool ready) {
  WinogradConv c = winograd_conv(s, WinogradPass::forward);
  if (pool) c.out_h -= c.out_h % 2, c.out_w -= c.out_w % 2;  // whole windows only
  float *u = static_cast<float*>(workspace), *spare = u + kWinogradPoints * c.k * ceil_div(c.cols, 16) * 16;
  if (!ready) transform_filter(c, w, c.cols, u);
  run({c, e, x, u, y, ceil_div(c.k, W) * W, 0, pool, argmax}, spare);
}

}  // namespace

void winograd_forward_f32(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* w, float* y,
                          void* workspace, bool ready) {
  forward(s, e, x, w, y, false, nullptr, workspace, ready);
}

void winograd_max_pool_f32(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* w, float* y,
                           uint8_t* argmax, void* workspace, bool ready) {
  forward(s, e, x, w, y, true, argmax, workspace, ready);
}

void winograd_backward_data_f32(const ConvShape& s, const ConvEpilogue& e, const float* dy, const float* w, float* dx,
                                void* workspace, bool ready) {
  const WinogradConv c = winograd_conv(s, WinogradPass::data);
  const int64_t ld = ceil_div(c.cols, 16) * 16;
  float *u = static_cast<float*>(workspace), *flipped = u + kWinogradPoints * c.k * ld;
  if (!ready) {
    flip(c, w, ld, flipped);
    transform_filter(c, flipped, ld, u);
  }
  run({c, e, dy, u, dx, ceil_div(c.k, W) * W, 0}, flipped + 9 * c.k * ld);
}

}  // namespace glia::cpu::GLIA_ISA_NS
