// The filter gradient one vector of input channels at a time, for depthwise convolutions and for those with few
// output channels. Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;
constexpr int64_t kDepthFilterRun = 16;  // pixels

GLIA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

// dw of one row of dy: R rows of KX taps for one vector of channels, kept in registers over the pixels [begin, end).
// With BROADCAST dy has one value per pixel for all channels.
struct DepthFilterRow {
  const float *x, *dy;  // of pixel 0
  int64_t x_step, y_step, tap_step, dy_step;
  int64_t begin, end, lanes;
  float* dw;  // of the first tap
  int64_t dw_x, dw_y;
};

template <int R, int KX, bool BROADCAST, bool FULL>
static void depth_filter_row(const DepthFilterRow& t) {
  const int64_t lanes = t.lanes;
  auto get = [&](const float* p) __attribute__((always_inline)) { return FULL ? load(p) : load(p, lanes); };
  vf acc[R][KX];
  GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k) acc[y][k] =
      get(t.dw + y * t.dw_y + k * t.dw_x);
  const float* x = t.x + t.begin * t.x_step;
  const float* d = t.dy + t.begin * t.dy_step;
  for (int64_t i = t.begin; i < t.end; ++i, x += t.x_step, d += t.dy_step) {
    const vf g = BROADCAST ? vf::set1(*d) : get(d);
    GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k) acc[y][k] =
        fma(get(x + y * t.y_step + k * t.tap_step), g, acc[y][k]);
  }
  GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k)
      store_some(t.dw + y * t.dw_y + k * t.dw_x, acc[y][k], lanes);
}

template <int R, bool B, bool FULL>
GLIA_INLINE void run_filter_taps(DepthFilterRow t, int64_t kx) {
  while (kx > 0) {
    const int64_t n = kx >= 5 ? 5 : kx;
    switch (n) {
      case 5:
        depth_filter_row<R, 5, B, FULL>(t);
        break;
      case 4:
        depth_filter_row<R, 4, B, FULL>(t);
        break;
      case 3:
        depth_filter_row<R, 3, B, FULL>(t);
        break;
      case 2:
        depth_filter_row<R, 2, B, FULL>(t);
        break;
      default:
        depth_filter_row<R, 1, B, FULL>(t);
    }
    t.x += n * t.tap_step;
    t.dw += n * t.dw_x;
    kx -= n;
  }
}

template <bool B>
GLIA_INLINE void run_filter_block(const DepthFilterRow& t, int rows, int64_t kx) {
  if (t.lanes == W) rows == 3 ? run_filter_taps<3, B, true>(t, kx) : run_filter_taps<1, B, true>(t, kx);
  else rows == 3 ? run_filter_taps<3, B, false>(t, kx) : run_filter_taps<1, B, false>(t, kx);
}

struct DepthFilterRun {
  const ConvShape& s;
  const float *x, *dy;  // dy at the channel that is broadcast, if so
  int64_t channels;     // of x and dw
  int64_t dy_channels;  // distance of pixels in dy
};

// Adds what row (n, z, y) of dy gives to dw and dbias.
template <bool BROADCAST>
static void depth_filter_line(const DepthFilterRun& r, int64_t n, int64_t z, int64_t y, float* dw, float* dbias) {
  const ConvShape& s = r.s;
  const int64_t c = r.channels;
  const TapDim dz{s.out[0], s.stride[0], -s.pad[0], s.kernel[0], s.dilation[0], s.in[0]};
  const TapDim dyd{s.out[1], s.stride[1], -s.pad[1], s.kernel[1], s.dilation[1], s.in[1]};
  const TapDim dx{s.out[2], s.stride[2], -s.pad[2], s.kernel[2], s.dilation[2], s.in[2]};
  const TapRange tz = taps_of(dz, z), ty = taps_of(dyd, y), in = interior(dx);
  const float* dy = r.dy + ((n * s.out[0] + z) * s.out[1] + y) * s.out[2] * r.dy_channels;
  DepthFilterRow t;
  t.x_step = s.stride[2] * c;
  t.tap_step = s.dilation[2] * c;
  t.y_step = s.dilation[1] * s.in[2] * c;
  t.dy_step = r.dy_channels;
  t.dw_x = c;
  t.dw_y = s.kernel[2] * c;
  for (int64_t x = 0; !BROADCAST && dbias && x < s.out[2]; ++x)
    for (int64_t ch = 0; ch < c; ch += W) {
      const int64_t n = min_of(W, c - ch);
      store_some(dbias + ch, load_some(dbias + ch, n) + load_some(dy + x * c + ch, n), n);
    }
  for (int64_t kz = tz.begin; kz < tz.end; ++kz)
    for (int64_t ky = ty.begin; ky < ty.end;) {
      const int rows = ty.end - ky >= 3 && s.kernel[2] <= 3 ? 3 : 1;
      const int64_t iz = z * s.stride[0] + kz * s.dilation[0] - s.pad[0];
      const int64_t iy = y * s.stride[1] + ky * s.dilation[1] - s.pad[1];
      const float* x0 = r.x + (((n * s.in[0] + iz) * s.in[1] + iy) * s.in[2] - s.pad[2]) * c;
      float* w0 = dw + (kz * s.kernel[1] + ky) * t.dw_y;
      // Border pixels one by one, those with every tap inside in runs; channels inside the runs, or the lines read
      // would lie a power of two apart and evict each other from L1.
      for (int64_t x = 0; x < s.out[2]; x = t.end) {
        const bool inside = x >= in.begin && x < in.end;
        const TapRange tx = inside ? TapRange{0, s.kernel[2]} : taps_of(dx, x);
        t.begin = x;
        t.end = inside ? min_of(in.end, x + kDepthFilterRun) : x + 1;
        for (int64_t ch = 0; ch < c; ch += W) {
          t.lanes = min_of(W, c - ch);
          t.dy = BROADCAST ? dy : dy + ch;
          t.x = x0 + tx.begin * t.tap_step + ch;
          t.dw = w0 + tx.begin * t.dw_x + ch;
          run_filter_block<BROADCAST>(t, rows, tx.end - tx.begin);
        }
      }
      ky += rows;
    }
}

}  // namespace

}  // namespace glia::cpu::GLIA_ISA_NS
