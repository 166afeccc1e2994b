// Convolutions of rank 1 to 3 over channels-last tensors, by implicit GEMM: nothing is unfolded in memory.
//
//   ConvShape s{.batch = 32, .in = {1, 13, 13}, .out = {1, 11, 11}, .kernel = {1, 3, 3}, .cin = 32, .cout = 64};
//   workspace.resize(conv_forward_workspace(s));                       // plan time, for current_isa()
//   GLIA_ISA_SELECT(conv_forward_f32)(s, {.act = Act::relu, .bias = b}, x, w, y, workspace.data());
//
// x is (batch, in..., cin), w is (kernel..., cin / groups, cout), y is (batch, out..., cout). A 2-D convolution has
// depth 1 (index 0), a 1-D one also height 1. y[o] = sum over t of x[o * stride + t * dilation - pad] w[t]
// (cross-correlation); whatever lies outside x counts as zero. Work is split by shape alone: results are bitwise the
// same for any number of threads. Workspaces are in bytes, need 64-byte alignment and no initialisation, and depend
// on the instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/act.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct ConvShape {
  int64_t batch = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};  // depth, height, width
  int64_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  int64_t pad[3] = {0, 0, 0};  // before the first element; what follows the last is given by `out`
  int64_t cin = 1, cout = 1, groups = 1;

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t in_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t out_pixels() const { return out[0] * out[1] * out[2]; }
  bool depthwise() const { return groups > 1 && groups == cin; }
};

struct ConvEpilogue {  // y = act(conv + bias + residual)
  Act act = Act::none;
  float alpha = 0;                  // of the activation
  const float* bias = nullptr;      // one value per output channel
  const float* residual = nullptr;  // shaped as y; may be y itself
};

struct ConvEpilogueBf16 {
  Act act = Act::none;  // or relu
  const float* bias = nullptr;
  const uint16_t* residual = nullptr;
};

size_t conv_forward_workspace(const ConvShape&);
size_t conv_backward_data_workspace(const ConvShape&);
size_t conv_backward_filter_workspace(const ConvShape&);

// Whether the packed weights of a filter that stays are worth their memory from call to call.
bool conv_keeps_weights(const ConvShape&, size_t workspace);

// y = act(conv(x, w) + bias + residual). ready, here and below: the workspace is as a call with the same weights left it.
GLIA_ISA_DECLARE(void, conv_forward_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* x, const float* w, float* y, void* workspace,
                  bool ready))
// The largest of every 2x2 results (stride 2, no padding; what is left over at the end is dropped) and, if argmax is not
// null, its number in the window, as max_pool_f32. Two dimensions, one group, act none or relu, no residual. The
// convolution's own result is never in memory as a whole. For shapes that conv_max_pool_supported accepts.
bool conv_max_pool_supported(const ConvShape&);
GLIA_ISA_DECLARE(void, conv_max_pool_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* x, const float* w, float* y, uint8_t* argmax,
                  void* workspace, bool ready))
// dx = the gradient of conv with respect to x; also the forward of a transposed convolution, so it has an epilogue
// (bias of cin values, residual shaped as x).
GLIA_ISA_DECLARE(void, conv_backward_data_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* dy, const float* w, float* dx, void* workspace,
                  bool ready))
// dw, and if dbias is not null the sum of dy over all pixels.
GLIA_ISA_DECLARE(void, conv_backward_filter_f32,
                 (const ConvShape&, const float* x, const float* dy, float* dw, float* dbias, void* workspace))

// All in bfloat16 but the sums and the bias, which are f32; one rounding at the end. For shapes that conv_bf16_supported
// accepts: the machine has AVX512-BF16, no depthwise, more than 4 output channels per group (backward: input channels).
bool conv_bf16_supported(const ConvShape&, bool backward_data);
size_t conv_forward_bf16_workspace(const ConvShape&);
size_t conv_backward_data_bf16_workspace(const ConvShape&);
GLIA_ISA_DECLARE(void, conv_forward_bf16,
                 (const ConvShape&, const ConvEpilogueBf16&, const uint16_t* x, const uint16_t* w, uint16_t* y,
                  void* workspace, bool ready))
GLIA_ISA_DECLARE(void, conv_backward_data_bf16,
                 (const ConvShape&, const ConvEpilogueBf16&, const uint16_t* dy, const uint16_t* w, uint16_t* dx,
                  void* workspace, bool ready))

// The same in double, plain loops: for gradient checks. No workspace.
void conv_forward_f64(const ConvShape&, const double* x, const double* w, const double* bias, double* y);
void conv_backward_data_f64(const ConvShape&, const double* dy, const double* w, double* dx);
void conv_backward_filter_f64(const ConvShape&, const double* x, const double* dy, double* dw, double* dbias);

}  // namespace glia::cpu
