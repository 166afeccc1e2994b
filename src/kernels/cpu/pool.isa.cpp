#include "kernels/cpu/pool.h"

#include "base/thread_pool.h"
#include "kernels/cpu/pool_max.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr int64_t W = vf::W;

GLIA_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GLIA_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

GLIA_INLINE vf load_taps(const uint8_t* p, int64_t n) {
#if defined(__AVX512F__)
  if (n == W) return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
#elif defined(__AVX2__)
  if (n == W) return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
#endif
  float t[W] = {};
  for (int64_t i = 0; i < n; ++i) t[i] = p[i];
  return load(t);
}
// The cells of a window along one dimension that lie inside: taps [begin, end), the first at input `at`.
struct Cells {
  int64_t begin, end, at;
};
GLIA_INLINE Cells cells_of(const PoolShape& s, int d, int64_t o) {
  const int64_t base = o * s.stride[d] - s.pad[d];
  const int64_t begin = max_of(0, -base), end = max_of(begin, min_of(s.window[d], s.in[d] - base));
  return {begin, end, base + begin};
}

// The windows [begin, end) that cover input i along one dimension.
struct Windows {
  int64_t begin, end;
};
GLIA_INLINE Windows windows_of(const PoolShape& s, int d, int64_t i) {
  const int64_t last = i + s.pad[d], first = last - s.window[d] + 1;
  const int64_t begin = first <= 0 ? 0 : (first + s.stride[d] - 1) / s.stride[d];
  return {begin, min_of(s.out[d], last / s.stride[d] + 1)};
}

// Calls f(n, z, y) for every row of batch x extent, some rows per chunk so that a chunk is worth a thread.
template <class F>
GLIA_INLINE void for_rows(int64_t batch, const int64_t extent[3], int64_t cost_per_row, F&& f) {
  const int64_t rows = batch * extent[0] * extent[1], per = max_of(1, 20000 / max_of(1, cost_per_row));
  parallel_for((rows + per - 1) / per, [&](int64_t chunk) {
    const int64_t end = min_of(rows, (chunk + 1) * per);
    for (int64_t r = chunk * per; r < end; ++r)
      f(r / (extent[0] * extent[1]), r / extent[1] % extent[0], r % extent[1]);
  });
}

// All windows of a row of y; Op sees the cells of each, a vector of channels at a time.
template <class Op>
GLIA_INLINE void window_row(const PoolShape& s, int64_t n, int64_t z, int64_t y, const Op& op) {
  const Cells cz = cells_of(s, 0, z), cy = cells_of(s, 1, y);
  const int64_t c = s.channels, row = ((n * s.out[0] + z) * s.out[1] + y) * s.out[2];
  const int64_t in_row = s.in[2] * c, in_plane = s.in[1] * in_row;
  const bool square =
      s.window[0] == 1 && s.window[1] == 2 && s.window[2] == 2 && cz.end == 1 && cy.end - cy.begin == 2;
  for (int64_t x = 0; x < s.out[2]; ++x) {
    const Cells cx = cells_of(s, 2, x);
    const int64_t at = n * s.in[0] * in_plane + cz.at * in_plane + cy.at * in_row + cx.at * c;
    if (square && cx.end - cx.begin == 2) {  // by far the commonest
      for (int64_t i = 0; i < c; i += W) op.square(at + i, c, in_row, (row + x) * c + i, min_of(W, c - i));
      continue;
    }
    for (int64_t i = 0; i < c; i += W) {
      const int64_t lanes = min_of(W, c - i);
      auto state = op.start();
      for (int64_t kz = cz.begin; kz < cz.end; ++kz)
        for (int64_t ky = cy.begin; ky < cy.end; ++ky) {
          const int64_t from = at + (kz - cz.begin) * in_plane + (ky - cy.begin) * in_row + i;
          const int64_t tap = (kz * s.window[1] + ky) * s.window[2];
          for (int64_t kx = cx.begin; kx < cx.end; ++kx) op.cell(state, from + (kx - cx.begin) * c, tap + kx, lanes);
        }
      const int64_t count = (cz.end - cz.begin) * (cy.end - cy.begin) * (cx.end - cx.begin);
      op.finish(state, (row + x) * c + i, count, lanes);
    }
  }
}

// All pixels of a row of x; Op sees the windows that cover each.
template <class Op>
GLIA_INLINE void pixel_row(const PoolShape& s, int64_t n, int64_t z, int64_t y, const Op& op) {
  const Windows wz = windows_of(s, 0, z), wy = windows_of(s, 1, y);
  const int64_t c = s.channels, row = ((n * s.in[0] + z) * s.in[1] + y) * s.in[2];
  for (int64_t x = 0; x < s.in[2]; ++x) {
    const Windows wx = windows_of(s, 2, x);
    for (int64_t i = 0; i < c; i += W) {
      const int64_t lanes = min_of(W, c - i);
      vf sum = vf::zero();
      for (int64_t oz = wz.begin; oz < wz.end; ++oz)
        for (int64_t oy = wy.begin; oy < wy.end; ++oy) {
          const int64_t kz = z + s.pad[0] - oz * s.stride[0], ky = y + s.pad[1] - oy * s.stride[1];
          const int64_t tap = (kz * s.window[1] + ky) * s.window[2] + x + s.pad[2];
          const int64_t from = (((n * s.out[0] + oz) * s.out[1] + oy) * s.out[2]) * c + i;
          for (int64_t ox = wx.begin; ox < wx.end; ++ox)
            sum = op.window(sum, from + ox * c, tap - ox * s.stride[2], oz, oy, ox, lanes);
        }
      store_some(op.dx + (row + x) * c + i, sum, lanes);
    }
  }
}

struct MaxOp {
  const float* x;
  float* y;
  uint8_t* argmax;
  struct State : MaxCell {
    bool first;
  };
  __attribute__((always_inline)) State start() const { return {{vf::set1(-__builtin_inff()), vf::zero()}, true}; }
  __attribute__((always_inline)) void cell(State& s, int64_t from, int64_t tap, int64_t n) const {
    const vf v = load_some(x + from, n), t = vf::set1(static_cast<float>(tap));
    if (s.first) {
      s = {{v, t}, false};
      return;
    }
    s.take(v, t);
  }
  __attribute__((always_inline)) void square(int64_t from, int64_t right, int64_t down, int64_t to, int64_t n) const {
    max_square(load_some(x + from, n), load_some(x + from + right, n), load_some(x + from + down, n),
               load_some(x + from + down + right, n), y + to, argmax ? argmax + to : nullptr, n);
  }
  __attribute__((always_inline)) void finish(const State& s, int64_t to, int64_t, int64_t n) const {
    store_some(y + to, s.best, n);
    if (argmax) store_taps(argmax + to, s.tap, n);
  }
};

struct SumOp {
  const float* x;
  float* y;
  __attribute__((always_inline)) vf start() const { return vf::zero(); }
  __attribute__((always_inline)) void cell(vf& s, int64_t from, int64_t, int64_t n) const {
    s = s + load_some(x + from, n);
  }
  __attribute__((always_inline)) void square(int64_t from, int64_t right, int64_t down, int64_t to, int64_t n) const {
    const vf top = load_some(x + from, n) + load_some(x + from + right, n);
    store_some(y + to,
               (top + load_some(x + from + down, n) + load_some(x + from + down + right, n)) * vf::set1(0.25f), n);
  }
  __attribute__((always_inline)) void finish(vf s, int64_t to, int64_t count, int64_t n) const {
    store_some(y + to, count > 1 ? s / vf::set1(static_cast<float>(count)) : s, n);
  }
};

struct MaxBackOp {
  const float* dy;
  const uint8_t* argmax;
  float* dx;
  __attribute__((always_inline)) vf window(vf sum, int64_t from, int64_t tap, int64_t, int64_t, int64_t,
                                           int64_t n) const {
    const vmask here = load_taps(argmax + from, n) == vf::set1(static_cast<float>(tap));
    return sum + select(here, load_some(dy + from, n), vf::zero());
  }
};

// Windows that do not overlap: each writes its own cells and the gap up to the next window.
struct Region {
  int64_t begin, end, base;
};  // inputs, and the input of tap 0
GLIA_INLINE Region region_of(const PoolShape& s, int d, int64_t o) {
  const int64_t base = o * s.stride[d] - s.pad[d];
  const int64_t begin = o == 0 ? 0 : min_of(s.in[d], max_of(0, base));
  const int64_t end = o + 1 == s.out[d] ? s.in[d] : min_of(s.in[d], max_of(0, base + s.stride[d]));
  return {begin, end, base};
}

static void scatter_row(const PoolShape& s, int64_t n, int64_t z, int64_t y, const float* dy, const uint8_t* argmax,
                        float* dx) {
  const Region rz = region_of(s, 0, z), ry = region_of(s, 1, y);
  const int64_t in_row = s.in[2] * s.channels;
  const bool plane_square = s.taps() == 4 && s.window[1] == 2 && s.window[2] == 2 && rz.end - rz.begin == 1 &&
                            rz.begin == rz.base && ry.end - ry.begin == 2 && ry.begin == ry.base;
  const int64_t c = s.channels, row = ((n * s.out[0] + z) * s.out[1] + y) * s.out[2];
  for (int64_t x = 0; x < s.out[2]; ++x) {
    const Region rx = region_of(s, 2, x);
    const bool square = plane_square && rx.begin == rx.base && rx.end - rx.begin == 2;
    float* corner = dx + (((n * s.in[0] + rz.begin) * s.in[1] + ry.begin) * s.in[2] + rx.begin) * c;
    for (int64_t i = 0; i < c; i += W) {
      const int64_t lanes = min_of(W, c - i), from = (row + x) * c + i;
      const vf at = load_taps(argmax + from, lanes), g = load_some(dy + from, lanes);
      if (square) {
        store_some(corner + i, select(at == vf::zero(), g, vf::zero()), lanes);
        store_some(corner + c + i, select(at == vf::set1(1), g, vf::zero()), lanes);
        store_some(corner + in_row + i, select(at == vf::set1(2), g, vf::zero()), lanes);
        store_some(corner + in_row + c + i, select(at == vf::set1(3), g, vf::zero()), lanes);
        continue;
      }
      for (int64_t iz = rz.begin; iz < rz.end; ++iz)
        for (int64_t iy = ry.begin; iy < ry.end; ++iy) {
          float* to = dx + (((n * s.in[0] + iz) * s.in[1] + iy) * s.in[2]) * c + i;
          const int64_t kz = iz - rz.base, ky = iy - ry.base;
          const bool covered = kz >= 0 && kz < s.window[0] && ky >= 0 && ky < s.window[1];
          const int64_t tap = (kz * s.window[1] + ky) * s.window[2] - rx.base;
          for (int64_t ix = rx.begin; ix < rx.end; ++ix) {
            const bool here = covered && ix >= rx.base && ix < rx.base + s.window[2];
            const vf t = vf::set1(here ? static_cast<float>(tap + ix) : -1.f);
            store_some(to + ix * c, select(at == t, g, vf::zero()), lanes);
          }
        }
    }
  }
}

struct AvgBackOp {
  const float* dy;
  float* dx;
  const PoolShape& s;
  __attribute__((always_inline)) vf window(vf sum, int64_t from, int64_t, int64_t oz, int64_t oy, int64_t ox,
                                           int64_t n) const {
    const Cells z = cells_of(s, 0, oz), y = cells_of(s, 1, oy), x = cells_of(s, 2, ox);
    const float count = static_cast<float>((z.end - z.begin) * (y.end - y.begin) * (x.end - x.begin));
    return sum + load_some(dy + from, n) / vf::set1(count);
  }
};

}  // namespace

void max_pool_f32(const PoolShape& s, const float* x, float* y, uint8_t* argmax) {
  const MaxOp op{x, y, argmax};
  for_rows(s.batch, s.out, s.out[2] * s.channels * s.taps() / 2,
           [&](int64_t n, int64_t z, int64_t r) { window_row(s, n, z, r, op); });
}

void avg_pool_f32(const PoolShape& s, const float* x, float* y) {
  const SumOp op{x, y};
  for_rows(s.batch, s.out, s.out[2] * s.channels * s.taps() / 2,
           [&](int64_t n, int64_t z, int64_t r) { window_row(s, n, z, r, op); });
}

void max_pool_take_f32(const PoolShape& s, const float* t, const uint8_t* argmax, float* y) {
  for_rows(s.batch, s.out, s.out[2] * s.channels * 4, [&](int64_t n, int64_t z, int64_t r) {
    const int64_t row = ((n * s.out[0] + z) * s.out[1] + r) * s.out[2];
    for (int64_t x = 0; x < s.out[2]; ++x)
      for (int64_t c = 0; c < s.channels; ++c) {
        const int64_t i = (row + x) * s.channels + c, tap = argmax[i];
        const int64_t iz = z * s.stride[0] - s.pad[0] + tap / (s.window[1] * s.window[2]);
        const int64_t iy = r * s.stride[1] - s.pad[1] + tap / s.window[2] % s.window[1];
        const int64_t ix = x * s.stride[2] - s.pad[2] + tap % s.window[2];
        const bool inside = iz >= 0 && iz < s.in[0] && iy >= 0 && iy < s.in[1] && ix >= 0 && ix < s.in[2];
        y[i] = inside ? t[(((n * s.in[0] + iz) * s.in[1] + iy) * s.in[2] + ix) * s.channels + c] : 0;
      }
  });
}

void max_pool_backward_f32(const PoolShape& s, const float* dy, const uint8_t* argmax, float* dx) {
  const bool apart = s.stride[0] >= s.window[0] && s.stride[1] >= s.window[1] && s.stride[2] >= s.window[2];
  if (apart && s.out_pixels() > 0) {
    for_rows(s.batch, s.out, s.out[2] * s.channels * s.taps() / 2,
             [&](int64_t n, int64_t z, int64_t r) { scatter_row(s, n, z, r, dy, argmax, dx); });
    return;
  }
  const MaxBackOp op{dy, argmax, dx};
  for_rows(s.batch, s.in, s.in[2] * s.channels, [&](int64_t n, int64_t z, int64_t r) { pixel_row(s, n, z, r, op); });
}

void avg_pool_backward_f32(const PoolShape& s, const float* dy, float* dx) {
  const AvgBackOp op{dy, dx, s};
  for_rows(s.batch, s.in, s.in[2] * s.channels * 4,
           [&](int64_t n, int64_t z, int64_t r) { pixel_row(s, n, z, r, op); });
}

}  // namespace glia::cpu::GLIA_ISA_NS
