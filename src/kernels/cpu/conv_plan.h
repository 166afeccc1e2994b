// Geometry shared by the convolution kernels: what each pass computes, as loops over taps, and how the work is cut.
// Inner header of kernels/cpu/conv*; plain code, the same for every instruction set.
//
//   TapConv c = tap_forward(shape);                     // forward
//   for each phase p: TapConv c = tap_backward(shape, p)  // backward-data: one convolution per residue of the stride
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/conv.h"

namespace glia::cpu {

// One dimension: output o and tap t read input o * step + first + t * delta, if that lies in [0, extent).
struct TapDim {
  int64_t count = 1, step = 1, first = 0, taps = 1, delta = 1, extent = 1;
  int64_t kernel_first = 0, kernel_delta = 1;  // tap t is kernel index kernel_first + t * kernel_delta
};

struct TapRange {
  int64_t begin, end;
};
TapRange taps_of(const TapDim&, int64_t o);  // the taps that fall inside the input
TapRange interior(const TapDim&);            // the outputs for which every tap falls inside

// out[o, c] = sum over taps t and channels k of in[o * step + first + t * delta, k] * w[t, k, c], per group.
struct TapConv {
  TapDim d[3];
  int64_t batch = 1, groups = 1, k = 1, cols = 1;  // k and cols per group
  int64_t in_image = 0, in_stride[3] = {};         // in floats
  int64_t out_image = 0, out_stride[3] = {}, out_offset = 0;
  // the cut into units
  int64_t images = 1, nb = 1;  // per unit; units over the batch
  int64_t rows = 1, ny = 1;    // rows of y per unit; units over y
  int64_t width = 1, nx = 1;   // pixels of x per unit
  int64_t span = 64, ns = 1;   // columns per unit (a multiple of 32 or all)
  int64_t units = 1;

  int64_t taps() const { return d[0].taps * d[1].taps * d[2].taps; }
  bool merge_x() const { return d[2].delta == 1 && groups == 1 && in_stride[2] == k; }   // x taps and k in one loop
  int64_t packed_size() const { return groups * taps() * k * ((cols + 15) / 16 * 16); }  // floats
};

TapConv tap_forward(const ConvShape&);
int64_t backward_phases(const ConvShape&);
TapConv tap_backward(const ConvShape&, int64_t phase);

// What the convolutions in bfloat16 keep in their workspace, as offsets in floats. Pairs along the channels that are summed over
// take the place of floats, so such a convolution has half of them; where their number is odd all is widened to f32.
struct Bf16Plan {
  ConvShape shape;  // as the kernels see it
  bool pairs = true;
  int64_t weight_count = 0, input_count = 0;  // of x or dy, where they are widened
  int64_t packed = 0, weights = 0, wide = 0, total = 0;
};
Bf16Plan plan_bf16(const ConvShape&, bool backward_data);

// The filter gradient: units are (a range of pieces of output rows) x (a range of tiles). Each range of pieces has
// its own sums, which are added up at the end in order.
struct FilterPlan {
  int64_t seg = 1, nseg = 1;  // pixels of a piece, pieces per output row
  int64_t pieces = 1;         // in all
  int64_t sums = 1;           // ranges of pieces
  int64_t parts = 1;          // ranges of tiles
  int64_t block = 1;          // pieces walked through by all tiles before the next ones: they stay in cache
  bool merge_x = false;       // x taps and channels are one loop
  bool pad_copy = false;      // x is copied with its padding first (few channels)
  int64_t filter_size = 0;    // floats
};
constexpr int64_t kFilterMaxBlock = 64;
FilterPlan plan_filter(const ConvShape&);
ConvShape padded_shape(const ConvShape&);  // the same convolution over the copy: no padding left

}  // namespace glia::cpu
