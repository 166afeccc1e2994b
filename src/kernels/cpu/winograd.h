// Convolutions with a 3x3 filter, stride 1 and many channels, by Winograd's minimal filtering F(2x2, 3x3): 2x2 results
// of a tile of 4x4 inputs take 16 multiplications per pair of channels instead of 36.
//
//   if (winograd_pays(shape, WinogradPass::forward)) {                       // plan time
//     workspace.resize(winograd_workspace(shape, WinogradPass::forward));
//     GLIA_ISA_SELECT(winograd_forward_f32)(shape, epilogue, x, w, y, workspace.data(), false);
//   }
//
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015 (arXiv 1509.09308). Per tile d and
// filter g: y = A' [(G g G') * (B' d B)] A, where * is by element and sums over the input channels make 16 matrix
// products. The transforms of data add, subtract and halve only, so results differ from the direct sum by a few
// rounding errors (measured against float64: fewer than those of the direct sum, as the sums are shorter); what is not
// finite spreads over the tile it is in. The gradient of the filter is the adjoint: dg = G' [sum over tiles of (B' d B) * (A dy A')] G.
// Work is split by shape alone: the same bits for any number of threads. Workspaces: bytes, aligned to 64.
#pragma once
#include "kernels/cpu/conv.h"

namespace glia::cpu {

enum class WinogradPass { forward, data, filter };

bool winograd_supported(const ConvShape&);  // 3x3 over two dimensions, no strides, dilation or groups
// Whether it is, and is expected to gain: enough channels for the transforms, enough pixels. kept: the transformed filter
// stays from call to call.
bool winograd_pays(const ConvShape&, WinogradPass, bool kept = false);
size_t winograd_workspace(const ConvShape&, WinogradPass);

// As conv_forward_f32 and its fellows in conv.h.
GLIA_ISA_DECLARE(void, winograd_forward_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* x, const float* w, float* y, void* workspace,
                  bool ready))
GLIA_ISA_DECLARE(void, winograd_max_pool_f32,  // as conv_max_pool_f32
                 (const ConvShape&, const ConvEpilogue&, const float* x, const float* w, float* y, uint8_t* argmax,
                  void* workspace, bool ready))
GLIA_ISA_DECLARE(void, winograd_backward_data_f32,
                 (const ConvShape&, const ConvEpilogue&, const float* dy, const float* w, float* dx, void* workspace,
                  bool ready))
GLIA_ISA_DECLARE(void, winograd_backward_filter_f32,
                 (const ConvShape&, const float* x, const float* dy, float* dw, float* dbias, void* workspace))

}  // namespace glia::cpu
