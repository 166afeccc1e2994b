// The transforms of Winograd's F(2x2, 3x3) on vectors of channels. Include only from winograd*.isa.cpp files.
//   B' d B: 4x4 inputs to 16 points     A dy A': 2x2 gradients to 16 points
//   A' m A: 16 points to 2x2 results    G g G': 3x3 taps to 16 points, G' u G back
#pragma once
#include "kernels/cpu/gemm_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

// Which of the 4x4 (2x2) pixels of a tile exist: rows and columns [begin, end).
struct WinogradEdge {
  int64_t y0, y1, x0, x1;
  bool whole(int64_t n) const { return y0 == 0 && x0 == 0 && y1 == n && x1 == n; }
};

GLIA_INLINE WinogradEdge winograd_edge(int64_t y, int64_t x, int64_t n, int64_t height, int64_t width) {
  return {max64(0, -y), min64(n, height - y), max64(0, -x), min64(n, width - x)};
}

GLIA_INLINE void winograd_input(const vf (&d)[4][4], vf (&v)[4][4]) {
  vf t[4][4];
  GLIA_UNROLL for (int j = 0; j < 4; ++j) {
    t[0][j] = d[0][j] - d[2][j];
    t[1][j] = d[1][j] + d[2][j];
    t[2][j] = d[2][j] - d[1][j];
    t[3][j] = d[1][j] - d[3][j];
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {
    v[i][0] = t[i][0] - t[i][2];
    v[i][1] = t[i][1] + t[i][2];
    v[i][2] = t[i][2] - t[i][1];
    v[i][3] = t[i][1] - t[i][3];
  }
}

GLIA_INLINE void winograd_output(const vf (&m)[4][4], vf (&y)[2][2]) {
  vf t[2][4];
  GLIA_UNROLL for (int j = 0; j < 4; ++j) {
    t[0][j] = (m[0][j] + m[1][j]) + m[2][j];
    t[1][j] = (m[1][j] - m[2][j]) - m[3][j];
  }
  GLIA_UNROLL for (int i = 0; i < 2; ++i) {
    y[i][0] = (t[i][0] + t[i][1]) + t[i][2];
    y[i][1] = (t[i][1] - t[i][2]) - t[i][3];
  }
}

GLIA_INLINE void winograd_gradient(const vf (&g)[2][2], vf (&d)[4][4]) {
  vf t[4][2];
  GLIA_UNROLL for (int j = 0; j < 2; ++j) {
    t[0][j] = g[0][j];
    t[1][j] = g[0][j] + g[1][j];
    t[2][j] = g[0][j] - g[1][j];
    t[3][j] = -g[1][j];
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {
    d[i][0] = t[i][0];
    d[i][1] = t[i][0] + t[i][1];
    d[i][2] = t[i][0] - t[i][1];
    d[i][3] = -t[i][1];
  }
}

GLIA_INLINE void winograd_filter(const vf (&g)[3][3], vf (&u)[4][4]) {
  const vf half = vf::set1(0.5f);
  vf t[4][3];
  GLIA_UNROLL for (int j = 0; j < 3; ++j) {
    const vf s = (g[0][j] + g[2][j]) * half, h = g[1][j] * half;
    t[0][j] = g[0][j];
    t[1][j] = s + h;
    t[2][j] = s - h;
    t[3][j] = g[2][j];
  }
  GLIA_UNROLL for (int i = 0; i < 4; ++i) {
    const vf s = (t[i][0] + t[i][2]) * half, h = t[i][1] * half;
    u[i][0] = t[i][0];
    u[i][1] = s + h;
    u[i][2] = s - h;
    u[i][3] = t[i][2];
  }
}

GLIA_INLINE void winograd_filter_back(const vf (&u)[4][4], vf (&g)[3][3]) {
  const vf half = vf::set1(0.5f);
  vf t[3][4];
  GLIA_UNROLL for (int j = 0; j < 4; ++j) {
    const vf s = (u[1][j] + u[2][j]) * half;
    t[0][j] = u[0][j] + s;
    t[1][j] = (u[1][j] - u[2][j]) * half;
    t[2][j] = s + u[3][j];
  }
  GLIA_UNROLL for (int i = 0; i < 3; ++i) {
    const vf s = (t[i][1] + t[i][2]) * half;
    g[i][0] = t[i][0] + s;
    g[i][1] = (t[i][1] - t[i][2]) * half;
    g[i][2] = s + t[i][3];
  }
}

// N x N pixels of all channels, rows and pixels apart as given; those outside `edge` are 0. The points go to planes
// `plane` floats apart: what(pixels, points) is one of the transforms above.
template <int N, class Transform>
GLIA_INLINE void winograd_scatter(const float* in, int64_t row, int64_t pixel, const WinogradEdge& edge, int64_t channels,
                                  float* out, int64_t plane, Transform what) {
  auto points = [&](int64_t c, int64_t n, bool whole) __attribute__((always_inline)) {
    vf d[N][N], v[4][4];
    GLIA_UNROLL for (int i = 0; i < N; ++i) {
      GLIA_UNROLL for (int j = 0; j < N; ++j) {
        const float* p = in + i * row + j * pixel + c;
        const bool there = whole || (i >= edge.y0 && i < edge.y1 && j >= edge.x0 && j < edge.x1);
        d[i][j] = !there ? vf::zero() : load_some(p, n);
      }
    }
    what(d, v);
    GLIA_UNROLL for (int i = 0; i < 4; ++i) {
      GLIA_UNROLL for (int j = 0; j < 4; ++j) store(out + (4 * i + j) * plane + c, v[i][j]);
    }
  };
  int64_t c = 0;
  if (edge.whole(N)) {
    for (; c + vf::W <= channels; c += vf::W) points(c, vf::W, true);
  } else {
    for (; c + vf::W <= channels; c += vf::W) points(c, vf::W, false);
  }
  if (c < channels) points(c, channels - c, false);
}

// Floats from plane to plane of `rows` rows: never a multiple of a page, so that the 16 lie in different sets of the cache.
GLIA_INLINE int64_t winograd_plane(int64_t rows, int64_t ld) { return ceil_div(rows * ld, 16) * 16 + 16; }

}  // namespace glia::cpu::GLIA_ISA_NS
