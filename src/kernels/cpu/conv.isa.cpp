// Forward and backward-data convolution: one driver over TapConv (conv_plan.h) and one register tile (conv_tile.h).
#include "kernels/cpu/conv.h"
#include "base/thread_pool.h"
#include "kernels/cpu/conv_bf16_dp.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_narrow.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/pool_max.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

void widen_bf16(const uint16_t* from, int64_t n, float* to) {
  constexpr int64_t part = 1 << 14;
  parallel_for((n + part - 1) / part, [&](int64_t p) {
    const int64_t end = (p + 1) * part < n ? (p + 1) * part : n;
    uint32_t* bits = reinterpret_cast<uint32_t*>(to);
    for (int64_t i = p * part; i < end; ++i) bits[i] = static_cast<uint32_t>(from[i]) << 16;
  });
}

GLIA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

// Columns are cut into blocks of 4, 2 or 1 vectors; rows shorter than a tile of two use four.
GLIA_INLINE int block_vectors(int64_t columns_left, int most) {
  int64_t vectors = (columns_left + W - 1) / W;
  return most == 4 && vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1;
}
GLIA_INLINE int most_vectors(const TapConv& c) { return kConvMaxNV >= 4 && c.d[2].count <= kConvMaxRows[4] ? 4 : 2; }

struct Run {
  const TapConv& c;
  const float* in;
  const float* b;  // packed weights
  float* out;
  const float* bias;
  bool has_residual;
  int64_t residual;  // residual - out in elements
  Act act;
  float alpha;
  int most;                          // vectors per block
  const ConvTileFn* (*tiles)(int);   // by vectors
  uint16_t* half;                    // result in bfloat16, or null
};

const ConvTileFn* tiles_f32(int nv) { return conv_tiles(nv); }

// Everything of a tile that does not depend on the pixel.
struct Block {
  ConvTile tile;
  const float* in;  // of this image and group
  float* out;
  int nv;
  const ConvTileFn* tiles;
  bool merge, narrow;
};

// Tiles over `count` pixels from (y, x) in steps of one pixel of dimension `dim` (1 y, 2 x), with these taps.
static void run_line(const TapConv& c, Block& blk, int dim, int64_t y, int64_t x, int64_t count, TapRange ty,
                     TapRange tx) {
  const TapDim &dy = c.d[1], &dx = c.d[2];
  ConvTile& t = blk.tile;
  t.ny = ty.end - ty.begin;
  t.nx = tx.end - tx.begin;
  t.k = c.k;
  if (blk.merge) {
    t.k *= t.nx;
    t.nx = 1;
  }
  t.a_step = c.d[dim].step * c.in_stride[dim];
  t.out_step = c.out_stride[dim];
  const float* b = t.b;
  t.b += ty.begin * t.by + tx.begin * (t.bx);
  t.a = blk.in + (y * dy.step + dy.first + ty.begin * dy.delta) * c.in_stride[1] +
        (x * dx.step + dx.first + tx.begin * dx.delta) * c.in_stride[2];
  t.out = blk.out + y * c.out_stride[1] + x * c.out_stride[2];
  const int64_t most = blk.narrow ? narrow_pixels(t.cols) : kConvMaxRows[blk.nv];
  const int64_t tiles = (count + most - 1) / most;
  const int64_t small = count / tiles, big = count - small * tiles;  // `big` tiles have one pixel more
  int64_t n = small + 1;
  for (int64_t i = 0; i < tiles; ++i) {
    if (i == big) n = small;
    (blk.narrow ? narrow_tile_fn(n, t.cols) : blk.tiles[n - 1])(t);
    t.a += n * t.a_step;
    t.out += n * t.out_step;
  }
  t.b = b;
}

// A block of columns over rows [y0, y1) and pixels [x0, x1) of one plane. Pixels with all x taps inside go in rows;
// those on the left and right border go in columns, so that they fill tiles too.
static void run_plane(const TapConv& c, Block& blk, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
  const TapRange xin = interior(c.d[2]), yin = interior(c.d[1]);
  const TapRange tx_all{0, c.d[2].taps}, ty_all{0, c.d[1].taps};
  const int64_t a = max_of(x0, xin.begin), e = min_of(x1, xin.end);
  if (a < e)
    for (int64_t y = y0; y < y1; ++y) run_line(c, blk, 2, y, a, e - a, taps_of(c.d[1], y), tx_all);
  const int64_t ya = min_of(y1, max_of(y0, yin.begin)), ye = max_of(ya, min_of(y1, yin.end));
  for (int64_t x = x0; x < x1; ++x) {
    if (x == a && a < e) x = e;
    if (x >= x1) break;
    const TapRange tx = taps_of(c.d[2], x);
    if (ya < ye) run_line(c, blk, 1, ya, x, ye - ya, ty_all, tx);
    for (int64_t y = y0; y < ya; ++y) run_line(c, blk, 1, y, x, 1, taps_of(c.d[1], y), tx);
    for (int64_t y = ye; y < y1; ++y) run_line(c, blk, 1, y, x, 1, taps_of(c.d[1], y), tx);
  }
}

static void run_image(const Run& r, int64_t n, int64_t z, int64_t g, int64_t col0, int64_t col1, int64_t y0,
                      int64_t y1, int64_t x0, int64_t x1) {
  const TapConv& c = r.c;
  const TapRange tz = taps_of(c.d[0], z);
  const int64_t per_col = c.taps() * c.k;
  for (int64_t col = col0; col < col1;) {
    const int nv = block_vectors(col1 - col, r.most);
    const bool narrow = is_narrow(c.cols, c.k);
    const int64_t nr = narrow ? c.cols : nv * W, ch = g * c.cols + col;
    Block blk;
    ConvTile& t = blk.tile;
    blk.nv = nv;
    blk.tiles = r.tiles(nv);
    blk.narrow = narrow;
    blk.merge = c.merge_x() && !narrow;
    t.bx = c.k * nr;
    t.by = c.d[2].taps * t.bx;
    t.bz = c.d[1].taps * t.by;
    t.ax = c.d[2].delta * c.in_stride[2];
    t.ay = c.d[1].delta * c.in_stride[1];
    t.az = c.d[0].delta * c.in_stride[0];
    t.nz = tz.end - tz.begin;
    t.b = r.b + g * (c.packed_size() / c.groups) + per_col * col + tz.begin * t.bz;
    blk.in =
        r.in + n * c.in_image + (z * c.d[0].step + c.d[0].first + tz.begin * c.d[0].delta) * c.in_stride[0] + g * c.k;
    blk.out = r.out + n * c.out_image + c.out_offset + z * c.out_stride[0] + ch;
    t.cols = min_of(nr, col1 - col);
    t.bias = r.bias ? r.bias + ch : nullptr;
    t.has_residual = r.has_residual;
    t.residual = r.residual;
    t.act = r.act;
    t.origin = r.out;
    t.half = r.half;
    run_plane(c, blk, y0, y1, x0, x1);
    if (r.act != Act::none && r.act != Act::relu)  // while the block is in cache
      for (int64_t y = y0; y < y1; ++y)
        act_rows(r.act, r.alpha, blk.out + y * c.out_stride[1] + x0 * c.out_stride[2], c.out_stride[2], x1 - x0,
                 t.cols);
    col += nr;
  }
}

static void run_unit(const Run& r, int64_t unit) {
  const TapConv& c = r.c;
  int64_t u = unit;
  const int64_t xb = u % c.nx;
  u /= c.nx;
  const int64_t yb = u % c.ny;
  u /= c.ny;
  const int64_t z = u % c.d[0].count;
  u /= c.d[0].count;
  const int64_t nb = u % c.nb;
  u /= c.nb;
  const int64_t sp = u % c.ns, g = u / c.ns;
  const int64_t n1 = min_of(c.batch, (nb + 1) * c.images);
  for (int64_t n = nb * c.images; n < n1; ++n)
    run_image(r, n, z, g, sp * c.span, min_of(c.cols, (sp + 1) * c.span), yb * c.rows,
              min_of(c.d[1].count, (yb + 1) * c.rows), xb * c.width, min_of(c.d[2].count, (xb + 1) * c.width));
}

#if defined(__AVX2__)
// d[k * nr + j] = s[k + j * cs] for 8 x 8.
static void transpose_8x8(const float* s, int64_t cs, int64_t nr, float* d) {
  __m256 r[8], t[8];
  GLIA_CONV_UNROLL for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(s + i * cs);
  GLIA_CONV_UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  GLIA_CONV_UNROLL for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  GLIA_CONV_UNROLL for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(d + i * nr, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(d + (i + 4) * nr, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}
#endif

// d[k * nr + j] = s[k + j * cs] for j < have, 0 for have <= j < nr.
static void transpose(const float* s, int64_t cs, int64_t rows, int64_t have, int64_t nr, float* d) {
  int64_t k = 0;
#if defined(__AVX2__)
  for (; k + 8 <= rows; k += 8) {
    int64_t j = 0;
    for (; j + 8 <= have; j += 8) transpose_8x8(s + k + j * cs, cs, nr, d + k * nr + j);
    for (; j < nr; ++j)
      for (int64_t i = k; i < k + 8; ++i) d[i * nr + j] = j < have ? s[i + j * cs] : 0;
  }
#endif
  for (; k < rows; ++k)
    for (int64_t j = 0; j < nr; ++j) d[k * nr + j] = j < have ? s[k + j * cs] : 0;
}

// One tap of the weights, k x cols, into blocks of columns of whole vectors, filled up with zeros. Source element
// (row, col) is at src[row * rs + col * cs]; one of the two strides is 1.
static void pack_tap(const TapConv& c, int most, int64_t tap, const float* src, int64_t rs, int64_t cs, float* dst) {
  const int64_t per_col = c.taps() * c.k;
  if (is_narrow(c.cols, c.k)) {
    for (int64_t j = 0; j < c.cols; ++j)
      for (int64_t k = 0; k < c.k; ++k) dst[(tap * c.cols + j) * c.k + k] = src[k * rs + j * cs];
    return;
  }
  for (int64_t sp = 0; sp < c.ns; ++sp) {
    const int64_t end = min_of(c.cols, (sp + 1) * c.span);
    for (int64_t col = sp * c.span; col < end;) {
      const int64_t nr = block_vectors(end - col, most) * W, have = min_of(nr, end - col);
      float* d = dst + per_col * col + tap * c.k * nr;
      const float* s = src + col * cs;
      if (cs == 1) {
        for (int64_t k = 0; k < c.k; ++k)
          for (int64_t j = 0; j < nr; j += W) store(d + k * nr + j, load(s + k * rs + j, max_of(0, have - j)));
      } else {
        transpose(s, cs, c.k, have, nr, d);
      }
      col += nr;
    }
  }
}

// Kernel index of tap t (all three dimensions in one).
static int64_t kernel_tap(const TapConv& c, const ConvShape& s, int64_t t) {
  const TapDim* d = c.d;
  const int64_t x = t % d[2].taps, y = t / d[2].taps % d[1].taps, z = t / d[2].taps / d[1].taps;
  return ((d[0].kernel_first + z * d[0].kernel_delta) * s.kernel[1] + d[1].kernel_first + y * d[1].kernel_delta) *
             s.kernel[2] +
         d[2].kernel_first + x * d[2].kernel_delta;
}

static void pack(const TapConv& c, const ConvShape& s, int most, bool backward, const float* w, float* dst) {
  const int64_t cin = s.cin / s.groups, taps = c.taps();
  auto one = [&](int64_t i) {
    const int64_t g = i / taps, t = i % taps;
    const float* src = w + kernel_tap(c, s, t) * cin * s.cout + g * (s.cout / s.groups);
    pack_tap(c, most, t, src, backward ? 1 : s.cout, backward ? s.cout : 1, dst + g * (c.packed_size() / c.groups));
  };
  const int64_t jobs = taps * s.groups;
  if (c.packed_size() < 4096 || jobs == 1) {
    for (int64_t i = 0; i < jobs; ++i) one(i);
  } else {
    parallel_for(jobs, one);
  }
}

static void run(const TapConv& c, const ConvEpilogue& e, int most, const float* in, const float* b, float* out) {
  const int64_t residual = e.residual ? e.residual - out : 0;
  const Run r{c, in, b, out, e.bias, e.residual != nullptr, residual, e.act, e.alpha, most, tiles_f32, nullptr};
  parallel_for(c.units, [&](int64_t u) { run_unit(r, u); });
}

static void run_bf16(const TapConv& c, const ConvEpilogueBf16& e, bool pairs, int most, const float* in, const float* b,
                     uint16_t* out) {
  const int64_t residual = e.residual ? e.residual - out : 0;
  const Run r{c, in, b, reinterpret_cast<float*>(out), e.bias, e.residual != nullptr, residual, e.act, 0, most,
              pairs ? conv_tiles_bf16 : conv_tiles_f32_to_bf16, out};
  parallel_for(c.units, [&](int64_t u) { run_unit(r, u); });
}

// Rows 2k and 2k + 1 of the weights (ld apart), pair by pair.
static void pair_rows(const uint16_t* w, int64_t pairs, int64_t ld, float* to) {
  for (int64_t k = 0; k < pairs; ++k, w += 2 * ld) {
    uint32_t* d = reinterpret_cast<uint32_t*>(to) + k * ld;
    for (int64_t j = 0; j < ld; ++j) d[j] = w[j] | static_cast<uint32_t>(w[ld + j]) << 16;
  }
}

// The filter as the tiles read it: packed, or where it lies.
static const float* forward_weights(const TapConv& c, const ConvShape& s, int most, const float* w, float* packed, bool ready) {
  const bool in_place = s.groups == 1 && c.ns == 1 && c.cols % W == 0 && !is_narrow(c.cols, c.k) &&
                        block_vectors(c.cols, most) * W == c.cols;
  if (!in_place && !ready) pack(c, s, most, false, w, packed);
  return in_place ? w : packed;
}

}  // namespace

void conv_forward_f32(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* w, float* y,
                      void* workspace, bool ready) {
  if (s.depthwise()) return depthwise_forward_f32(s, e, x, w, y, workspace);
  const TapConv c = tap_forward(s);
  const int most = most_vectors(c);
  run(c, e, most, x, forward_weights(c, s, most, w, static_cast<float*>(workspace), ready), y);
}

// Bands of rows are computed on the stack and pooled from there.
void conv_max_pool_f32(const ConvShape& s, const ConvEpilogue& e, const float* x, const float* w, float* y,
                       uint8_t* argmax, void* workspace, bool ready) {
  constexpr int64_t kBand = 48 << 10;  // floats; at least one pixel of y, whose channels conv_max_pool_supported limits
  const TapConv c = tap_forward(s);
  const int most = most_vectors(c);
  const float* weights = forward_weights(c, s, most, w, static_cast<float*>(workspace), ready);
  const int64_t height = s.out[1] / 2, width = s.out[2] / 2, cell = 4 * s.cout;  // of y; floats that make one pixel of it
  const int64_t px = max_of(1, min_of(width, kBand / cell)), nx = (width + px - 1) / px;
  const double flops = 2.0 * static_cast<double>(c.taps() * c.k * cell * px);    // of a row of y
  const int64_t py = max_of(1, min_of(min_of(height, kBand / (cell * px)), static_cast<int64_t>(1e6 / flops) + 1));
  const int64_t ny = (height + py - 1) / py;
  parallel_for(s.batch * ny * nx, [&](int64_t unit) {
    alignas(64) float band[kBand];
    const int64_t n = unit / nx / ny, y0 = unit / nx % ny * py, x0 = unit % nx * px;
    const int64_t y1 = min_of(height, y0 + py), x1 = min_of(width, x0 + px);
    TapConv here = c;
    here.out_image = 0;
    here.out_stride[1] = 2 * (x1 - x0) * s.cout;
    const Run r{here, x, weights, band - 2 * y0 * here.out_stride[1] - 2 * x0 * s.cout, e.bias, false, 0, e.act, e.alpha,
                most, tiles_f32, nullptr};
    for (int64_t col = 0; col < c.cols; col += c.span)
      run_image(r, n, 0, 0, col, min_of(c.cols, col + c.span), 2 * y0, 2 * y1, 2 * x0, 2 * x1);
    for (int64_t i = y0; i < y1; ++i)
      for (int64_t j = x0; j < x1; ++j) {
        const float* from = band + 2 * (i - y0) * here.out_stride[1] + 2 * (j - x0) * s.cout;
        const int64_t to = ((n * height + i) * width + j) * s.cout;
        for (int64_t k = 0; k < s.cout; k += W) {
          const int64_t lanes = min_of(W, s.cout - k);
          const float *up = from + k, *down = up + here.out_stride[1];
          max_square(load_some(up, lanes), load_some(up + s.cout, lanes), load_some(down, lanes),
                     load_some(down + s.cout, lanes), y + to + k, argmax ? argmax + to + k : nullptr, lanes);
        }
      }
  });
}

void conv_backward_data_f32(const ConvShape& s, const ConvEpilogue& e, const float* dy, const float* w, float* dx,
                            void* workspace, bool ready) {
  if (s.depthwise()) return depthwise_backward_data_f32(s, e, dy, w, dx, workspace);
  float* packed = static_cast<float*>(workspace);
  for (int64_t p = 0; p < backward_phases(s); ++p) {
    const TapConv c = tap_backward(s, p);
    if (c.d[0].count * c.d[1].count * c.d[2].count == 0) continue;
    const int most = most_vectors(c);
    if (!ready) pack(c, s, most, true, w, packed);
    run(c, e, most, dy, packed, dx);
    packed += c.packed_size();
  }
}

namespace {

struct Bf16Operands {
  const float *in, *weights;
};
// As the tiles read them: pairs as they lie, or widened into the workspace.
Bf16Operands bf16_operands(const Bf16Plan& p, const uint16_t* in, const uint16_t* w, float* workspace, bool ready) {
  if (p.pairs) return {reinterpret_cast<const float*>(in), reinterpret_cast<const float*>(w)};
  if (!ready) widen_bf16(w, p.weight_count, workspace + p.weights);
  widen_bf16(in, p.input_count, workspace + p.wide);
  return {workspace + p.wide, workspace + p.weights};
}

}  // namespace

void conv_forward_bf16(const ConvShape& shape, const ConvEpilogueBf16& e, const uint16_t* x, const uint16_t* w,
                       uint16_t* y, void* workspace, bool ready) {
  const Bf16Plan p = plan_bf16(shape, false);
  const ConvShape& s = p.shape;
  float *ws = static_cast<float*>(workspace), *packed = ws + p.packed;
  Bf16Operands from = bf16_operands(p, x, w, ws, ready);
  if (p.pairs && !ready) {
    pair_rows(w, s.taps() * (s.cin / s.groups), s.cout, ws + p.weights);
    from.weights = ws + p.weights;
  }
  const TapConv c = tap_forward(s);
  const int most = most_vectors(c);
  if (!ready) pack(c, s, most, false, from.weights, packed);
  run_bf16(c, e, p.pairs, most, from.in, packed, y);
}

void conv_backward_data_bf16(const ConvShape& shape, const ConvEpilogueBf16& e, const uint16_t* dy, const uint16_t* w,
                             uint16_t* dx, void* workspace, bool ready) {
  const Bf16Plan p = plan_bf16(shape, true);
  float *ws = static_cast<float*>(workspace), *packed = ws + p.packed;
  const Bf16Operands from = bf16_operands(p, dy, w, ws, ready);
  for (int64_t phase = 0; phase < backward_phases(p.shape); ++phase) {
    const TapConv c = tap_backward(p.shape, phase);
    if (c.d[0].count * c.d[1].count * c.d[2].count == 0) continue;
    const int most = most_vectors(c);
    if (!ready) pack(c, p.shape, most, true, from.weights, packed);
    run_bf16(c, e, p.pairs, most, from.in, packed, dx);
    packed += c.packed_size();
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
