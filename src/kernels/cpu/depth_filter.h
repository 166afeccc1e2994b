// The filter gradient one vector of input channels at a time, for depthwise convolutions and for those with few
// output channels. Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

GLIA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
GLIA_INLINE vf load_some(const float* p, int64_t n) { return n == W ? load(p) : load(p, n); }
GLIA_INLINE void store_some(float* p, vf v, int64_t n) { n == W ? store(p, v) : store(p, v, n); }

// dw of one row of dy: R rows of KX taps for one vector of channels, kept in registers over the pixels [begin, end).
// With BROADCAST dy has one value per pixel for all channels.
struct DepthFilterRow {
  const float *x, *dy;  // of pixel 0
  int64_t x_step, y_step, tap_step, dy_step;
  int64_t begin, end, lanes;
  float* dw;  // of the first tap
  int64_t dw_x, dw_y;
};

template <int R, int KX, bool BROADCAST>
static void depth_filter_row(const DepthFilterRow& t) {
  vf acc[R][KX];
  GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k) acc[y][k] =
      load_some(t.dw + y * t.dw_y + k * t.dw_x, t.lanes);
  const float* x = t.x + t.begin * t.x_step;
  const float* d = t.dy + t.begin * t.dy_step;
  for (int64_t i = t.begin; i < t.end; ++i, x += t.x_step, d += t.dy_step) {
    const vf g = BROADCAST ? vf::set1(*d) : load_some(d, t.lanes);
    GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k) acc[y][k] =
        fma(load_some(x + y * t.y_step + k * t.tap_step, t.lanes), g, acc[y][k]);
  }
  GLIA_CONV_UNROLL for (int y = 0; y < R; ++y) GLIA_CONV_UNROLL for (int k = 0; k < KX; ++k)
      store_some(t.dw + y * t.dw_y + k * t.dw_x, acc[y][k], t.lanes);
}

template <int R, bool B>
GLIA_INLINE void run_filter_taps(DepthFilterRow t, int64_t kx) {
  while (kx > 0) {
    const int64_t n = kx >= 5 ? 5 : kx;
    switch (n) {
      case 5:
        depth_filter_row<R, 5, B>(t);
        break;
      case 4:
        depth_filter_row<R, 4, B>(t);
        break;
      case 3:
        depth_filter_row<R, 3, B>(t);
        break;
      case 2:
        depth_filter_row<R, 2, B>(t);
        break;
      default:
        depth_filter_row<R, 1, B>(t);
    }
    t.x += n * t.tap_step;
    t.dw += n * t.dw_x;
    kx -= n;
  }
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
  for (int64_t ch = 0; ch < c; ch += W) {
    t.lanes = min_of(W, c - ch);
    t.dy = BROADCAST ? dy : dy + ch;
    if (!BROADCAST && dbias) {
      vf sum = load_some(dbias + ch, t.lanes);
      for (int64_t x = 0; x < s.out[2]; ++x) sum = sum + load_some(t.dy + x * c, t.lanes);
      store_some(dbias + ch, sum, t.lanes);
    }
    for (int64_t kz = tz.begin; kz < tz.end; ++kz)
      for (int64_t ky = ty.begin; ky < ty.end;) {
        const int rows = ty.end - ky >= 3 && s.kernel[2] <= 3 ? 3 : 1;
        const int64_t iz = z * s.stride[0] + kz * s.dilation[0] - s.pad[0];
        const int64_t iy = y * s.stride[1] + ky * s.dilation[1] - s.pad[1];
        const float* x0 = r.x + (((n * s.in[0] + iz) * s.in[1] + iy) * s.in[2] - s.pad[2]) * c + ch;
        float* w0 = dw + (kz * s.kernel[1] + ky) * t.dw_y + ch;
        // border pixels one by one, those with every tap inside at once
        for (int64_t x = 0; x < s.out[2]; x = t.end) {
          const bool inside = x >= in.begin && x < in.end;
          const TapRange tx = inside ? TapRange{0, s.kernel[2]} : taps_of(dx, x);
          t.begin = x;
          t.end = inside ? in.end : x + 1;
          t.x = x0 + tx.begin * t.tap_step;
          t.dw = w0 + tx.begin * t.dw_x;
          if (rows == 3)
            run_filter_taps<3, BROADCAST>(t, tx.end - tx.begin);
          else
            run_filter_taps<1, BROADCAST>(t, tx.end - tx.begin);
        }
        ky += rows;
      }
  }
}

}  // namespace

}  // namespace glia::cpu::GLIA_ISA_NS
