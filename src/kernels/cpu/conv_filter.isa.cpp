// The gradient of a convolution with respect to its filter:
//   dw[tap, i, o] = sum over pixels of x[pixel + tap, i] * dy[pixel, o]
// A register tile holds some rows (taps and input channels, contiguous in x) by one or two vectors of output channels
// while it walks over the pixels of many rows.
#include "base/thread_pool.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depthwise.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

GLIA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

// Pieces of output rows with, for one (z, y) tap, the input row they read.
struct Pieces {
  int64_t n;
  int64_t x[kFilterMaxBlock], dy[kFilterMaxBlock];        // offsets of pixel 0 of the row
  int64_t begin[kFilterMaxBlock], end[kFilterMaxBlock];   // pixels
};

struct FilterTile {
  const Pieces* pieces;
  const float *x, *dy;        // at the tile's first row and column
  int64_t x_step, dy_step;    // from pixel to pixel
  int64_t lo, hi;             // pixels for which the tap falls inside x
  int64_t y_step;             // in x from one of RY groups of rows to the next
  float* out;
  int64_t out_step, out_y;    // from row to row, from group to group
  int64_t tail;               // columns, if fewer than W
  bool add;                   // to what is there
};

// RY groups of RM contiguous rows.
template <int RY, int RM, int NV, bool TAIL>
static void filter_tile(const FilterTile& t) {
  vf acc[RY * RM][NV];
  GLIA_CONV_UNROLL for (int i = 0; i < RY * RM; ++i)
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = vf::zero();
  const Pieces& pc = *t.pieces;
  for (int64_t j = 0; j < pc.n; ++j) {
    const int64_t begin = max_of(pc.begin[j], t.lo), end = min_of(pc.end[j], t.hi);
    const float* d = t.dy + pc.dy[j] + begin * t.dy_step;
    const float* x[RY];
    GLIA_CONV_UNROLL for (int y = 0; y < RY; ++y) x[y] = t.x + pc.x[j] + begin * t.x_step + y * t.y_step;
    for (int64_t n = begin; n < end; ++n) {
      vf g[NV];
      GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) g[v] = TAIL ? load(d + v * W, t.tail) : load(d + v * W);
      GLIA_CONV_UNROLL for (int i = 0; i < RY * RM; ++i) {
        vf a = vf::set1(x[i / RM][i % RM]);
        GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) acc[i][v] = fma(a, g[v], acc[i][v]);
      }
      d += t.dy_step;
      GLIA_CONV_UNROLL for (int y = 0; y < RY; ++y) x[y] += t.x_step;
    }
  }
  const bool add = t.add;  // copies: vector stores may alias the tile
  const int64_t tail = t.tail, step = t.out_step, y_step = t.out_y;
  float* const out = t.out;
  GLIA_CONV_UNROLL for (int i = 0; i < RY * RM; ++i)
    GLIA_CONV_UNROLL for (int v = 0; v < NV; ++v) {
      float* p = out + (i / RM) * y_step + (i % RM) * step + v * W;
      if (TAIL) store(p, add ? load(p, tail) + acc[i][v] : acc[i][v], tail);
      else store(p, add ? load(p) + acc[i][v] : acc[i][v]);
    }
}

using FilterTileFn = void (*)(const FilterTile&);

template <int RY, int RM, int NV, bool TAIL>
GLIA_INLINE FilterTileFn filter_pick(int rm) {
  if constexpr (RY * RM > kConvMaxRows[NV]) {
    return nullptr;
  } else {
    return rm == RM ? &filter_tile<RY, RM, NV, TAIL> : filter_pick<RY, RM + 1, NV, TAIL>(rm);
  }
}
template <int NV, bool TAIL>
GLIA_INLINE FilterTileFn filter_pick_rows(int ry, int rm) {
  if (ry == 3) return filter_pick<3, 1, NV, TAIL>(rm);
  return ry == 2 ? filter_pick<2, 1, NV, TAIL>(rm) : filter_pick<1, 1, NV, TAIL>(rm);
}
static FilterTileFn filter_tile_fn(int ry, int rm, int nv, bool tail) {
  if (tail) return filter_pick_rows<1, true>(ry, rm);
  return nv == 2 ? filter_pick_rows<2, false>(ry, rm) : filter_pick_rows<1, false>(ry, rm);
}

struct FilterRun {
  const ConvShape& s;
  const FilterPlan& p;
  const float *x, *dy;
  int64_t cin, cout;         // per group
  int64_t m;                 // rows per (z, y[, x]) tap: channels, or x taps and channels
  int64_t nx;                // x taps walked one by one
  int64_t ry;                // y taps in one tile
  int64_t m_tiles[2];        // tiles over m for blocks of one and of two vectors
  int64_t tiles;             // in all
};

GLIA_INLINE int filter_vectors(int64_t columns_left) { return columns_left >= 2 * W ? 2 : 1; }

static FilterRun make_run(const ConvShape& s, const FilterPlan& p, const float* x, const float* dy) {
  FilterRun r{s, p, x, dy, s.cin / s.groups, s.cout / s.groups};
  r.m = p.merge_x ? s.kernel[2] * r.cin : r.cin;
  r.nx = p.merge_x ? 1 : s.kernel[2];
  r.ry = 1;
  if (p.merge_x && r.m * 2 <= kConvMaxRows[2]) r.ry = min_of(min_of(3, s.kernel[1]), kConvMaxRows[2] / r.m);
  const int64_t per_block = s.kernel[0] * ((s.kernel[1] + r.ry - 1) / r.ry) * r.nx * s.groups;
  r.tiles = 0;
  for (int nv = 1; nv <= 2; ++nv) r.m_tiles[nv - 1] = (r.m * r.ry + kConvMaxRows[nv] - 1) / kConvMaxRows[nv];
  if (r.ry > 1) r.m_tiles[0] = r.m_tiles[1] = 1;
  for (int64_t c = 0; c < r.cout;) {
    const int nv = filter_vectors(r.cout - c);
    r.tiles += per_block * r.m_tiles[nv - 1];
    c += nv * W;
  }
  return r;
}

// The pieces [first, last) whose input row for tap (kz, ky) exists.
static void find_pieces(const FilterRun& r, int64_t first, int64_t last, int64_t kz, int64_t ky, Pieces* out) {
  const ConvShape& s = r.s;
  out->n = 0;
  for (int64_t i = first; i < last; ++i) {
    int64_t u = i;
    const int64_t seg = u % r.p.nseg; u /= r.p.nseg;
    const int64_t oy = u % s.out[1]; u /= s.out[1];
    const int64_t oz = u % s.out[0], n = u / s.out[0];
    const int64_t y = oy * s.stride[1] + ky * s.dilation[1] - s.pad[1];
    const int64_t z = oz * s.stride[0] + kz * s.dilation[0] - s.pad[0];
    if (y < 0 || y >= s.in[1] || z < 0 || z >= s.in[0]) continue;
    const int64_t j = out->n++;
    out->x[j] = (((n * s.in[0] + z) * s.in[1] + y) * s.in[2] - s.pad[2]) * s.cin;
    out->dy[j] = (((n * s.out[0] + oz) * s.out[1] + oy) * s.out[2]) * s.cout;
    out->begin[j] = seg * r.p.seg;
    out->end[j] = min_of(s.out[2], (seg + 1) * r.p.seg);
  }
}

// Tiles [t0, t1) over a block of pieces; the order is columns, z, y, x taps, groups, rows.
static void run_block(const FilterRun& r, int64_t first, int64_t last, int64_t t0, int64_t t1, bool add, float* dw) {
  const ConvShape& s = r.s;
  Pieces pieces;
  FilterTile t;
  t.pieces = &pieces;
  t.x_step = s.stride[2] * s.cin;
  t.dy_step = s.cout;
  t.y_step = s.dilation[1] * s.in[2] * s.cin;
  t.out_step = s.cout;
  t.out_y = s.kernel[2] * r.cin * s.cout;
  t.add = add;
  int64_t tile = 0;
  for (int64_t col = 0; col < r.cout;) {
    const int nv = filter_vectors(r.cout - col);
    t.tail = r.cout - col;
    const int64_t m_tiles = r.m_tiles[nv - 1];
    for (int64_t kz = 0; kz < s.kernel[0]; ++kz) {
      for (int64_t ky = 0; ky < s.kernel[1]; ky += r.ry) {
        const int64_t here = r.nx * s.groups * m_tiles;
        if (tile + here <= t0 || tile >= t1) { tile += here; continue; }
        const int ry = static_cast<int>(min_of(r.ry, s.kernel[1] - ky));
        find_pieces(r, first, last, kz, ky, &pieces);
        for (int64_t kx = 0; kx < r.nx; ++kx) {
          const int64_t shift = kx * s.dilation[2];
          t.lo = 0;
          t.hi = s.out[2];
          if (!r.p.merge_x) {
            const TapDim d{s.out[2], s.stride[2], shift - s.pad[2], 1, 1, s.in[2]};
            const TapRange in = interior(d);
            t.lo = in.begin;
            t.hi = in.end;
          }
          for (int64_t g = 0; g < s.groups; ++g) {
            for (int64_t i = 0; i < m_tiles; ++i, ++tile) {
              if (tile < t0 || tile >= t1) continue;
              const int64_t m0 = r.m * i / m_tiles, m1 = r.m * (i + 1) / m_tiles;
              t.x = r.x + shift * s.cin + g * r.cin + m0;
              t.dy = r.dy + g * r.cout + col;
              t.out = dw + (((kz * s.kernel[1] + ky) * s.kernel[2] + kx) * r.cin + m0) * s.cout + g * r.cout + col;
              filter_tile_fn(ry, static_cast<int>(m1 - m0), nv, nv == 1 && t.tail < W)(t);
            }
          }
        }
      }
    }
    col += nv * W;
  }
}

static void sum_dy(const FilterRun& r, int64_t first, int64_t last, float* dbias) {
  const ConvShape& s = r.s;
  for (int64_t c = 0; c < s.cout; c += W) store(dbias + c, vf::zero(), s.cout - c < W ? s.cout - c : W);
  for (int64_t i = first; i < last; ++i) {
    const int64_t row = i / r.p.nseg, seg = i % r.p.nseg;
    const int64_t p0 = row * s.out[2] + seg * r.p.seg, p1 = row * s.out[2] + min_of(s.out[2], (seg + 1) * r.p.seg);
    for (int64_t c = 0; c < s.cout; c += W) {
      const int64_t n = min_of(W, s.cout - c);
      const float* d = r.dy + p0 * s.cout + c;
      vf a = vf::zero(), b = vf::zero();
      int64_t q = p1 - p0;
      for (; q >= 2; q -= 2, d += 2 * s.cout) {
        a = a + load(d, n);
        b = b + load(d + s.cout, n);
      }
      if (q) a = a + load(d, n);
      store(dbias + c, load(dbias + c, n) + (a + b), n);
    }
  }
}

static void copy_padded(const ConvShape& s, const ConvShape& to, const float* x, float* out) {
  parallel_for(s.batch * to.in[0] * to.in[1], [&](int64_t row) {
    const int64_t y = row % to.in[1] - s.pad[1], z = row / to.in[1] % to.in[0] - s.pad[0];
    const int64_t n = row / to.in[1] / to.in[0];
    float* o = out + row * to.in[2] * s.cin;
    int64_t left = s.pad[2], have = min_of(to.in[2] - left, s.in[2]);
    if (y < 0 || y >= s.in[1] || z < 0 || z >= s.in[0] || have < 0) have = 0, left = min_of(left, to.in[2]);
    std::memset(o, 0, left * s.cin * sizeof(float));
    const float* src = x + (((n * s.in[0] + z) * s.in[1] + y) * s.in[2]) * s.cin;
    if (have) std::memcpy(o + left * s.cin, src, have * s.cin * sizeof(float));
    std::memset(o + (left + have) * s.cin, 0, (to.in[2] - left - have) * s.cin * sizeof(float));
  });
}

// out[i] = sum over j of parts[j * step + i]
static void add_up(const float* parts, int64_t count, int64_t step, int64_t size, float* out) {
  constexpr int64_t kBlock = 2048;
  parallel_for((size + kBlock - 1) / kBlock, [&](int64_t b) {
    const int64_t end = min_of(size, (b + 1) * kBlock);
    for (int64_t i = b * kBlock; i < end; i += W) {
      const int64_t n = min_of(W, end - i);
      vf a = load(parts + i, n);
      for (int64_t j = 1; j < count; ++j) a = a + load(parts + j * step + i, n);
      store(out + i, a, n);
    }
  });
}

}  // namespace

void conv_backward_filter_f32(const ConvShape& shape, const float* x, const float* dy, float* dw, float* dbias,
                              void* workspace) {
  if (shape.depthwise()) return depthwise_backward_filter_f32(shape, x, dy, dw, dbias, workspace);
  if (narrow_filter(shape)) return narrow_backward_filter_f32(shape, x, dy, dw, dbias, workspace);
  const FilterPlan p = plan_filter(shape);
  float* ws = static_cast<float*>(workspace);
  ConvShape s = shape;
  if (p.pad_copy) {
    s = padded_shape(shape);
    copy_padded(shape, s, x, ws);
    x = ws;
    ws += s.batch * s.in_pixels() * s.cin;
  }
  const FilterRun r = make_run(s, p, x, dy);
  const int64_t sum_size = p.filter_size + s.cout, parts = max_of(1, min_of(p.parts, r.tiles));
  parallel_for(p.sums * parts, [&](int64_t u) {
    const int64_t sum = u / parts, part = u % parts;
    const int64_t first = p.pieces * sum / p.sums, last = p.pieces * (sum + 1) / p.sums;
    float* w = p.sums > 1 ? ws + sum * sum_size : dw;
    float* b = p.sums > 1 ? w + p.filter_size : dbias;
    if (part == 0 && dbias) sum_dy(r, first, last, b);
    const int64_t t0 = r.tiles * part / parts, t1 = r.tiles * (part + 1) / parts;
    for (int64_t i = first; i == first || i < last; i += p.block)
      run_block(r, i, min_of(last, i + p.block), t0, t1, i != first, w);
  });
  if (p.sums > 1) {
    add_up(ws, p.sums, sum_size, p.filter_size, dw);
    if (dbias) add_up(ws + p.filter_size, p.sums, sum_size, s.cout, dbias);
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
