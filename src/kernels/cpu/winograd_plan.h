// Geometry shared by the Winograd kernels. Inner header of kernels/cpu/winograd*; the same for every instruction set.
#pragma once
#include "kernels/cpu/winograd.h"

namespace glia::cpu {

constexpr int64_t kWinogradPoints = 16;           // products per tile and pair of channels
constexpr int64_t kWinogradBuffer = int64_t{128} << 10;  // floats on the stack of a thread: transformed tiles stay in L2

// out[y, x, cols] = sum over 3x3 taps and k of in[y + i - pad_y, x + j - pad_x, k] w[i, j, k, cols]
struct WinogradConv {
  int64_t batch = 1, in_h = 1, in_w = 1, out_h = 1, out_w = 1, k = 1, cols = 1, pad_y = 0, pad_x = 0;

  int64_t tiles_y() const { return (out_h + 1) / 2; }
  int64_t tiles_x() const { return (out_w + 1) / 2; }
  int64_t tiles() const { return batch * tiles_y() * tiles_x(); }
};
WinogradConv winograd_conv(const ConvShape&, WinogradPass);  // of the filter pass: that of the forward pass

struct WinogradTileAt {  // tile t of all, in order
  int64_t image, y, x;   // of its first result
};
static inline WinogradTileAt winograd_tile_at(const WinogradConv& c, int64_t t) {
  const int64_t tx = c.tiles_x(), ty = c.tiles_y(), row = t / tx;
  return {row / ty, row % ty * 2, t % tx * 2};
}

// n tiles in parts of at most `most`, as even as can be: few parts come in fours, for the balance between threads.
int64_t winograd_parts(int64_t n, int64_t most);

// Forward and backward-data with many channels: the tiles of a chunk are transformed into the workspace first, so that the
// transformed filter is read once for all of them. 0 with fewer: a thread's block of tiles is enough.
int64_t winograd_chunk(const WinogradConv&);

// The filter pass. Few channels: ranges of tiles have their own sums, which stay in L2. Many: a thread takes one of the 16
// points, and each reads x and dy anew.
struct WinogradFilterPlan {
  bool by_points = false;
  int64_t sums = 1;  // sets of sums
};
WinogradFilterPlan winograd_filter_plan(const WinogradConv&);

}  // namespace glia::cpu
