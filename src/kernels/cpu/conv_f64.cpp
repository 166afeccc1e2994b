// Convolutions in double: plain loops over channels innermost. Used by gradient checks, where speed matters little.
#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/cpu/conv.h"

namespace glia::cpu {
namespace {

// Calls f(x pixel, tap) for every tap that falls inside x, for output pixel o (of one image, flat index).
template <class F>
void for_taps(const ConvShape& s, int64_t o, F&& f) {
  const int64_t oz = o / (s.out[1] * s.out[2]), oy = o / s.out[2] % s.out[1], ox = o % s.out[2];
  int64_t tap = 0;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz) {
    int64_t z = oz * s.stride[0] + kz * s.dilation[0] - s.pad[0];
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky) {
      int64_t y = oy * s.stride[1] + ky * s.dilation[1] - s.pad[1];
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx, ++tap) {
        int64_t x = ox * s.stride[2] + kx * s.dilation[2] - s.pad[2];
        if (z >= 0 && z < s.in[0] && y >= 0 && y < s.in[1] && x >= 0 && x < s.in[2])
          f((z * s.in[1] + y) * s.in[2] + x, tap);
      }
    }
  }
}

}  // namespace

void conv_forward_f64(const ConvShape& s, const double* x, const double* w, const double* bias, double* y) {
  const int64_t cin = s.cin / s.groups, cout = s.cout / s.groups;
  parallel_for(s.batch * s.out_pixels(), [&](int64_t p) {
    const int64_t n = p / s.out_pixels();
    double* yp = y + p * s.cout;
    for (int64_t c = 0; c < s.cout; ++c) yp[c] = bias ? bias[c] : 0;
    for_taps(s, p % s.out_pixels(), [&](int64_t q, int64_t tap) {
      const double* xp = x + (n * s.in_pixels() + q) * s.cin;
      for (int64_t g = 0; g < s.groups; ++g)
        for (int64_t i = 0; i < cin; ++i) {
          const double v = xp[g * cin + i];
          const double* wp = w + (tap * cin + i) * s.cout + g * cout;
          for (int64_t c = 0; c < cout; ++c) yp[g * cout + c] += v * wp[c];
        }
    });
  });
}

void conv_backward_data_f64(const ConvShape& s, const double* dy, const double* w, double* dx) {
  const int64_t cin = s.cin / s.groups, cout = s.cout / s.groups;
  parallel_for(s.batch, [&](int64_t n) {
    double* image = dx + n * s.in_pixels() * s.cin;
    std::fill(image, image + s.in_pixels() * s.cin, 0.0);
    for (int64_t o = 0; o < s.out_pixels(); ++o) {
      const double* dyp = dy + (n * s.out_pixels() + o) * s.cout;
      for_taps(s, o, [&](int64_t q, int64_t tap) {
        for (int64_t g = 0; g < s.groups; ++g)
          for (int64_t i = 0; i < cin; ++i) {
            const double* wp = w + (tap * cin + i) * s.cout + g * cout;
            double sum = 0;
            for (int64_t c = 0; c < cout; ++c) sum += dyp[g * cout + c] * wp[c];
            image[q * s.cin + g * cin + i] += sum;
          }
      });
    }
  });
}

void conv_backward_filter_f64(const ConvShape& s, const double* x, const double* dy, double* dw, double* dbias) {
  const int64_t cin = s.cin / s.groups, cout = s.cout / s.groups;
  std::fill(dw, dw + s.taps() * cin * s.cout, 0.0);
  if (dbias) std::fill(dbias, dbias + s.cout, 0.0);
  for (int64_t p = 0; p < s.batch * s.out_pixels(); ++p) {
    const int64_t n = p / s.out_pixels();
    const double* dyp = dy + p * s.cout;
    for (int64_t c = 0; dbias && c < s.cout; ++c) dbias[c] += dyp[c];
    for_taps(s, p % s.out_pixels(), [&](int64_t q, int64_t tap) {
      const double* xp = x + (n * s.in_pixels() + q) * s.cin;
      for (int64_t g = 0; g < s.groups; ++g)
        for (int64_t i = 0; i < cin; ++i) {
          double* wp = dw + (tap * cin + i) * s.cout + g * cout;
          for (int64_t c = 0; c < cout; ++c) wp[c] += xp[g * cin + i] * dyp[g * cout + c];
        }
    });
  }
}

}  // namespace glia::cpu
