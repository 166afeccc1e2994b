// Depthwise convolution: every input channel has its own filters (groups == cin). Reached through conv_*_f32 of
// conv.h; these take a shape with one filter per channel (cin == cout == groups), to which depthwise_shape() leads.
#pragma once
#include "kernels/cpu/conv.h"

namespace glia::cpu {

// The shape with x repeated so that each filter has a channel of its own.
inline ConvShape depthwise_shape(const ConvShape& s) {
  ConvShape d = s;
  d.cin = d.groups = s.cout;
  return d;
}
constexpr int64_t kDepthwiseSums = 16;
size_t depthwise_repeated_bytes(const ConvShape&);  // of x repeated; 0 if it need not be

GLIA_ISA_DECLARE(void, depthwise_forward_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* x, const float* w, float* y, void* workspace))
GLIA_ISA_DECLARE(void, depthwise_backward_data_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* dy, const float* w, float* dx, void* workspace))
GLIA_ISA_DECLARE(void, depthwise_backward_filter_f32,
                 (const ConvShape&, const float* x, const float* dy, float* dw, float* dbias, void* workspace))

// The filter gradient for up to four output channels and eight or more input channels, without groups.
inline bool narrow_filter(const ConvShape& s) { return s.groups == 1 && s.cout <= 4 && s.cin >= 8; }
inline int64_t narrow_sums(const ConvShape& s) {
  const int64_t rows = s.batch * s.out[0] * s.out[1], most = rows < kDepthwiseSums ? rows : kDepthwiseSums;
  const int64_t worth = rows * s.out[2] * s.taps() * s.cin * s.cout / 100000;
  return most < worth ? (most < 1 ? 1 : most) : (worth < 1 ? 1 : worth);
}
GLIA_ISA_DECLARE(void, narrow_backward_filter_f32,
                 (const ConvShape&, const float* x, const float* dy, float* dw, float* dbias, void* workspace))

}  // namespace glia::cpu
