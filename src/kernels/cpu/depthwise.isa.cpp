#include "kernels/cpu/depthwise.h"

#include "base/thread_pool.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depth_filter.h"
#include "kernels/cpu/gemm_inner.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int kPixels = 8;  // per tile: hides the latency of the FMA and shares the loads of weights

struct DepthTile {
  const float *a, *w;
  int64_t a_step;                          // from pixel to pixel
  int64_t nz, ny, nx, az, ay, ax, wz, wy, wx;  // taps and the steps between them
  float* out;
  int64_t out_step;
  int64_t lanes;
  const float* bias;
  int64_t residual;  // residual - out
  bool has_residual, relu;
};

template <int P, bool FULL>
static void depth_tile(const DepthTile& t) {
  const int64_t lanes = t.lanes, step = t.out_step, residual = t.residual, a_step = t.a_step;
  auto get = [&](const float* p) __attribute__((always_inline)) { return FULL ? load(p) : load(p, lanes); };
  vf acc[P];
  GLIA_CONV_UNROLL for (int i = 0; i < P; ++i) acc[i] = vf::zero();
  auto tap = [&](const float* a, const float* w) __attribute__((always_inline)) {
    const vf f = get(w);
    GLIA_CONV_UNROLL for (int i = 0; i < P; ++i) acc[i] = fma(get(a + i * a_step), f, acc[i]);
  };
  for (int64_t z = 0; z < t.nz; ++z)
    for (int64_t y = 0; y < t.ny; ++y) {
      const float* a = t.a + z * t.az + y * t.ay;
      const float* w = t.w + z * t.wz + y * t.wy;
      if (t.nx == 3) {
        GLIA_CONV_UNROLL for (int x = 0; x < 3; ++x) tap(a + x * t.ax, w + x * t.wx);
        continue;
      }
      for (int64_t x = 0; x < t.nx; ++x, a += t.ax, w += t.wx) tap(a, w);
    }
  const bool has_bias = t.bias, has_residual = t.has_residual, relu = t.relu;
  const vf bias = has_bias ? get(t.bias) : vf::zero();
  float* o = t.out;
  GLIA_CONV_UNROLL for (int i = 0; i < P; ++i, o += step) {
    vf v = has_bias ? acc[i] + bias : acc[i];
    if (has_residual) v = v + get(o + residual);
    if (relu) v = vmax(vf::zero(), v);
    if (FULL) store(o, v);
    else store(o, v, lanes);
  }
}

template <bool FULL>
GLIA_INLINE void run_depth_tile(const DepthTile& t, int64_t pixels) {
  switch (pixels) {
    case 8: return depth_tile<8, FULL>(t);
    case 7: return depth_tile<7, FULL>(t);
    case 6: return depth_tile<6, FULL>(t);
    case 5: return depth_tile<5, FULL>(t);
    case 4: return depth_tile<4, FULL>(t);
    case 3: return depth_tile<3, FULL>(t);
    case 2: return depth_tile<2, FULL>(t);
    default: return depth_tile<1, FULL>(t);
  }
}

struct DepthRun {
  const TapConv& c;
  const ConvShape& s;
  const ConvEpilogue& e;
  const float *in, *w;
  float* out;
};

// Weights of tap (0, 0, 0) and the steps from tap to tap, in floats.
static const float* weight_steps(const DepthRun& r, DepthTile* t) {
  const TapDim* d = r.c.d;
  t->wx = d[2].kernel_delta * r.s.cout;
  t->wy = d[1].kernel_delta * r.s.kernel[2] * r.s.cout;
  t->wz = d[0].kernel_delta * r.s.kernel[1] * r.s.kernel[2] * r.s.cout;
  const int64_t zy = d[0].kernel_first * r.s.kernel[1] + d[1].kernel_first;
  return r.w + (zy * r.s.kernel[2] + d[2].kernel_first) * r.s.cout;
}

static void depth_row(const DepthRun& r, int64_t n, int64_t z, int64_t y) {
  const TapConv& c = r.c;
  const TapDim &dz = c.d[0], &dy = c.d[1], &dx = c.d[2];
  const TapRange tz = taps_of(dz, z), ty = taps_of(dy, y), in = interior(dx);
  DepthTile t;
  t.az = dz.delta * c.in_stride[0];
  t.ay = dy.delta * c.in_stride[1];
  t.ax = dx.delta * c.in_stride[2];
  t.a_step = dx.step * c.in_stride[2];
  t.out_step = c.out_stride[2];
  t.nz = tz.end - tz.begin;
  t.ny = ty.end - ty.begin;
  t.has_residual = r.e.residual != nullptr;
  t.residual = r.e.residual ? r.e.residual - r.out : 0;
  t.relu = r.e.act == Act::relu;
  const float* w = weight_steps(r, &t) + tz.begin * t.wz + ty.begin * t.wy;
  const float* a = r.in + n * c.in_image + (z * dz.step + dz.first + tz.begin * dz.delta) * c.in_stride[0] +
                   (y * dy.step + dy.first + ty.begin * dy.delta) * c.in_stride[1];
  float* out = r.out + n * c.out_image + c.out_offset + z * c.out_stride[0] + y * c.out_stride[1];
  // Channels innermost: with pixels innermost the lines read lie a power of two apart and evict each other from L1.
  for (int64_t x = 0; x < dx.count;) {
    const bool inside = x >= in.begin && x < in.end;
    const TapRange tx = inside ? TapRange{0, dx.taps} : taps_of(dx, x);
    const int64_t left = in.end - x, pixels = inside ? left / ((left + kPixels - 1) / kPixels) : 1;
    t.nx = tx.end - tx.begin;
    const float* ax = a + (x * dx.step + dx.first + tx.begin * dx.delta) * c.in_stride[2];
    const float* wx = w + tx.begin * t.wx;
    float* ox = out + x * t.out_step;
    for (int64_t ch = 0; ch < r.s.cout; ch += W) {
      t.lanes = min_of(W, r.s.cout - ch);
      t.bias = r.e.bias ? r.e.bias + ch : nullptr;
      t.a = ax + ch;
      t.w = wx + ch;
      t.out = ox + ch;
      if (t.lanes == W) run_depth_tile<true>(t, pixels);
      else run_depth_tile<false>(t, pixels);
    }
    x += pixels;
  }
  if (r.e.act != Act::none && r.e.act != Act::relu) act_rows(r.e.act, r.e.alpha, out, t.out_step, dx.count, r.s.cout);
}

// Calls f(chunk, first row, last row) over `rows`, about `cost` flops each, in chunks worth a thread.
template <class F>
GLIA_INLINE void for_row_chunks(int64_t rows, int64_t cost, F&& f) {
  const int64_t per = max_of(1, 200000 / max_of(1, cost)), chunks = (rows + per - 1) / per;
  parallel_for(chunks, [&](int64_t i) { f(i * per, min_of(rows, (i + 1) * per)); });
}

static void run_depth(const DepthRun& r) {
  const int64_t ny = r.c.d[1].count, nz = r.c.d[0].count;
  for_row_chunks(r.c.batch * nz * ny, 2 * r.c.d[2].count * r.c.taps() * r.s.cout, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) depth_row(r, i / (ny * nz), i / ny % nz, i % ny);
  });
}

// x with each channel `times` times.
static void repeat_channels(const float* x, int64_t pixels, int64_t channels, int64_t times, float* out) {
  for_row_chunks(pixels, channels * times * 4, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t j = 0; j < times; ++j) out[(p * channels + c) * times + j] = x[p * channels + c];
  });
}
// The other way: sums over the repeats, with an epilogue.
static void sum_repeats(const float* in, int64_t pixels, int64_t channels, int64_t times, const ConvEpilogue& e,
                        float* out) {
  for_row_chunks(pixels, channels * times * 4, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p)
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (int64_t j = 0; j < times; ++j) sum += in[(p * channels + c) * times + j];
        if (e.bias) sum += e.bias[c];
        if (e.residual) sum += e.residual[p * channels + c];
        out[p * channels + c] = sum;
      }
    if (e.act != Act::none) act_rows(e.act, e.alpha, out + first * channels, channels, last - first, channels);
  });
}

}  // namespace

void depthwise_forward_f32(const ConvShape& shape, const ConvEpilogue& e, const float* x, const float* w, float* y,
                           void* workspace) {
  const ConvShape s = depthwise_shape(shape);
  if (s.cin != shape.cin) {
    float* repeated = static_cast<float*>(workspace);
    repeat_channels(x, s.batch * s.in_pixels(), shape.cin, s.cin / shape.cin, repeated);
    x = repeated;
  }
  const TapConv c = tap_forward(s);
  run_depth({c, s, e, x, w, y});
}

void depthwise_backward_data_f32(const ConvShape& shape, const ConvEpilogue& e, const float* dy, const float* w,
                                 float* dx, void* workspace) {
  const ConvShape s = depthwise_shape(shape);
  const bool repeated = s.cin != shape.cin;
  const ConvEpilogue none;
  float* out = repeated ? static_cast<float*>(workspace) : dx;
  for (int64_t p = 0; p < backward_phases(s); ++p) {
    const TapConv c = tap_backward(s, p);
    if (c.d[0].count * c.d[1].count * c.d[2].count > 0) run_depth({c, s, repeated ? none : e, dy, w, out});
  }
  if (repeated) sum_repeats(out, s.batch * s.in_pixels(), shape.cin, s.cin / shape.cin, e, dx);
}

void depthwise_backward_filter_f32(const ConvShape& shape, const float* x, const float* dy, float* dw, float* dbias,
                                   void* workspace) {
  const ConvShape s = depthwise_shape(shape);
  float* ws = static_cast<float*>(workspace);
  if (s.cin != shape.cin) {
    repeat_channels(x, s.batch * s.in_pixels(), shape.cin, s.cin / shape.cin, ws);
    x = ws;
    ws += s.batch * s.in_pixels() * s.cin;
  }
  const DepthFilterRun r{s, x, dy, s.cout, s.cout};
  const int64_t rows = s.batch * s.out[0] * s.out[1], size = s.taps() * s.cout, total = size + s.cout;
  const int64_t sums = max_of(1, min_of(min_of(kDepthwiseSums, rows), rows * s.out[2] * size / 100000));
  parallel_for(sums, [&](int64_t i) {
    float* part = ws + i * total;
    std::memset(part, 0, static_cast<size_t>(total) * sizeof(float));
    for (int64_t row = rows * i / sums; row < rows * (i + 1) / sums; ++row)
      depth_filter_line<false>(r, row / (s.out[0] * s.out[1]), row / s.out[1] % s.out[0], row % s.out[1], part,
                        dbias ? part + size : nullptr);
  });
  for (int64_t i = 0; i < total; i += W) {
    const int64_t n = min_of(W, total - i);
    vf sum = load(ws + i, n);
    for (int64_t j = 1; j < sums; ++j) sum = sum + load(ws + j * total + i, n);
    store(ws + i, sum, n);
  }
  std::memcpy(dw, ws, static_cast<size_t>(size) * sizeof(float));
  if (dbias) std::memcpy(dbias, ws + size, static_cast<size_t>(s.cout) * sizeof(float));
}

}  // namespace glia::cpu::GLIA_ISA_NS
