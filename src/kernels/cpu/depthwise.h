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

}  // namespace glia::cpu
