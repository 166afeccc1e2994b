#include "kernels/cpu/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"

namespace glia::cpu {
namespace {

// Calls f(x pixel, tap) for the cells of window o (flat index within one image) that lie inside, in order.
template <class F>
void for_cells(const PoolShape& s, int64_t o, F&& f) {
  const int64_t oz = o / (s.out[1] * s.out[2]), oy = o / s.out[2] % s.out[1], ox = o % s.out[2];
  int64_t tap = 0;
  for (int64_t kz = 0; kz < s.window[0]; ++kz)
    for (int64_t ky = 0; ky < s.window[1]; ++ky)
      for (int64_t kx = 0; kx < s.window[2]; ++kx, ++tap) {
        const int64_t z = oz * s.stride[0] + kz - s.pad[0], y = oy * s.stride[1] + ky - s.pad[1],
                      x = ox * s.stride[2] + kx - s.pad[2];
        if (z >= 0 && z < s.in[0] && y >= 0 && y < s.in[1] && x >= 0 && x < s.in[2])
          f((z * s.in[1] + y) * s.in[2] + x, tap);
      }
}

// Calls f(x, y, o) per image: pointers to its first element, and o = window.
template <class T, class U, class F>
void for_windows(const PoolShape& s, T* x, U* y, F&& f) {
  parallel_for(s.batch, [&](int64_t n) {
    for (int64_t o = 0; o < s.out_pixels(); ++o)
      f(x + n * s.in_pixels() * s.channels, y + (n * s.out_pixels() + o) * s.channels, o);
  });
}

}  // namespace

template <class T>
void max_pool_plain(const PoolShape& s, const T* x, T* y, int32_t* argmax) {
  const int64_t c = s.channels;
  for_windows(s, x, y, [&](const T* xi, T* yi, int64_t o) {
    int32_t* at = argmax ? argmax + (yi - y) : nullptr;
    std::fill(yi, yi + c, -std::numeric_limits<T>::infinity());
    if (at) std::fill(at, at + c, 0);
    bool first = true;
    for_cells(s, o, [&](int64_t q, int64_t tap) {
      for (int64_t i = 0; i < c; ++i) {
        const T v = xi[q * c + i];
        if (!(first || v > yi[i] || (std::isnan(v) && !std::isnan(yi[i])))) continue;
        yi[i] = v;
        if (at) at[i] = static_cast<int32_t>(tap);
      }
      first = false;
    });
  });
}

template <class T>
void max_pool_backward_plain(const PoolShape& s, const T* dy, const int32_t* argmax, T* dx) {
  const int64_t c = s.channels;
  std::fill(dx, dx + s.batch * s.in_pixels() * c, T(0));
  for_windows(s, dx, dy, [&](T* xi, const T* yi, int64_t o) {
    const int32_t* at = argmax + (yi - dy);
    for_cells(s, o, [&](int64_t q, int64_t tap) {
      for (int64_t i = 0; i < c; ++i)
        if (at[i] == tap) xi[q * c + i] += yi[i];
    });
  });
}

template <class T>
void max_pool_take_plain(const PoolShape& s, const T* t, const int32_t* argmax, T* y) {
  const int64_t c = s.channels;
  for_windows(s, t, y, [&](const T* ti, T* yi, int64_t o) {
    const int32_t* at = argmax + (yi - y);
    std::fill(yi, yi + c, T(0));
    for_cells(s, o, [&](int64_t q, int64_t tap) {
      for (int64_t i = 0; i < c; ++i)
        if (at[i] == tap) yi[i] = ti[q * c + i];
    });
  });
}

template <class T>
void avg_pool_plain(const PoolShape& s, const T* x, T* y) {
  const int64_t c = s.channels;
  for_windows(s, x, y, [&](const T* xi, T* yi, int64_t o) {
    std::fill(yi, yi + c, T(0));
    int64_t cells = 0;
    for_cells(s, o, [&](int64_t q, int64_t) {
      ++cells;
      for (int64_t i = 0; i < c; ++i) yi[i] += xi[q * c + i];
    });
    for (int64_t i = 0; cells > 0 && i < c; ++i) yi[i] /= static_cast<T>(cells);
  });
}

template <class T>
void avg_pool_backward_plain(const PoolShape& s, const T* dy, T* dx) {
  const int64_t c = s.channels;
  std::fill(dx, dx + s.batch * s.in_pixels() * c, T(0));
  for_windows(s, dx, dy, [&](T* xi, const T* yi, int64_t o) {
    int64_t cells = 0;
    for_cells(s, o, [&](int64_t, int64_t) { ++cells; });
    for_cells(s, o, [&](int64_t q, int64_t) {
      for (int64_t i = 0; i < c; ++i) xi[q * c + i] += yi[i] / static_cast<T>(cells);
    });
  });
}

template void max_pool_plain(const PoolShape&, const float*, float*, int32_t*);
template void max_pool_plain(const PoolShape&, const double*, double*, int32_t*);
template void max_pool_backward_plain(const PoolShape&, const float*, const int32_t*, float*);
template void max_pool_backward_plain(const PoolShape&, const double*, const int32_t*, double*);
template void max_pool_take_plain(const PoolShape&, const float*, const int32_t*, float*);
template void max_pool_take_plain(const PoolShape&, const double*, const int32_t*, double*);
template void avg_pool_plain(const PoolShape&, const float*, float*);
template void avg_pool_plain(const PoolShape&, const double*, double*);
template void avg_pool_backward_plain(const PoolShape&, const float*, float*);
template void avg_pool_backward_plain(const PoolShape&, const double*, double*);

}  // namespace glia::cpu
