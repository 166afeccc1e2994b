// Max and average pooling of rank 1 to 3 over channels-last tensors, and their gradients.
//
//   PoolShape s{.batch = 32, .in = {1, 26, 26}, .out = {1, 13, 13}, .window = {1, 2, 2}, .stride = {1, 2, 2},
//   .channels = 32}; GLIA_ISA_SELECT(max_pool_f32)(s, x, y, argmax);               // argmax (or null): tap of the
//   maximum, first one wins GLIA_ISA_SELECT(max_pool_backward_f32)(s, dy, argmax, dx);    // dy goes to that tap,
//   zeros elsewhere
//
// x is (batch, in..., channels), y is (batch, out..., channels); a 2-D pooling has depth 1 (index 0), a 1-D one also
// height 1. Window o covers x[o * stride - pad] and the following; cells outside x do not take part, and the average
// is over those that do. A window wholly outside gives -inf (max) or 0 (average). NaN in a window gives NaN. The
// argmax is (z * window[1] + y) * window[2] + x within the window, padding counted.
#pragma once
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct PoolShape {
  int64_t batch = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, window[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
  int64_t channels = 1;

  int64_t taps() const { return window[0] * window[1] * window[2]; }
  int64_t in_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t out_pixels() const { return out[0] * out[1] * out[2]; }
};

// For windows of up to 256 cells.
GLIA_ISA_DECLARE(void, max_pool_f32, (const PoolShape&, const float* x, float* y, uint8_t* argmax))
GLIA_ISA_DECLARE(void, max_pool_backward_f32, (const PoolShape&, const float* dy, const uint8_t* argmax, float* dx))
// y = t at the argmax: the gradient of max_pool_backward with respect to dy. 0 for windows wholly outside.
GLIA_ISA_DECLARE(void, max_pool_take_f32, (const PoolShape&, const float* t, const uint8_t* argmax, float* y))

GLIA_ISA_DECLARE(void, avg_pool_f32, (const PoolShape&, const float* x, float* y))
GLIA_ISA_DECLARE(void, avg_pool_backward_f32, (const PoolShape&, const float* dy, float* dx))

// The same as plain loops, for float and double, and with a 32-bit argmax for windows of any size.
template <class T>
void max_pool_plain(const PoolShape&, const T* x, T* y, int32_t* argmax);
template <class T>
void max_pool_backward_plain(const PoolShape&, const T* dy, const int32_t* argmax, T* dx);
template <class T>
void max_pool_take_plain(const PoolShape&, const T* t, const int32_t* argmax, T* y);
template <class T>
void avg_pool_plain(const PoolShape&, const T* x, T* y);
template <class T>
void avg_pool_backward_plain(const PoolShape&, const T* dy, T* dx);

}  // namespace glia::cpu
