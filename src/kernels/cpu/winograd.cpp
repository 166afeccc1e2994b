#include "kernels/cpu/winograd.h"

#include <algorithm>

#include "kernels/cpu/winograd_plan.h"

namespace glia::cpu {
namespace {

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Tiles that are transformed at a time where channels are many, else 0.
int64_t most_in_chunk(const WinogradConv& c) {
  constexpr int64_t kFilterInL2 = 128 * 128, kChunkFloats = int64_t{2} << 20;
  return c.k * c.cols <= kFilterInL2 ? 0 : std::max<int64_t>(64, kChunkFloats / (kWinogradPoints * c.k));
}

// Multiply-adds of the direct convolution, which leaves out what lies in the padding.
double direct_work(const WinogradConv& c) {
  auto taps = [](int64_t out, int64_t in, int64_t pad) {
    int64_t n = 0;
    for (int64_t o = 0; o < out; ++o)
      for (int64_t t = o - pad; t < o - pad + 3; ++t) n += t >= 0 && t < in;
    return static_cast<double>(n);
  };
  return static_cast<double>(c.batch * c.k * c.cols) * taps(c.out_h, c.in_h, c.pad_y) * taps(c.out_w, c.in_w, c.pad_x);
}

}  // namespace

WinogradConv winograd_conv(const ConvShape& s, WinogradPass pass) {
  if (pass != WinogradPass::data)
    return {s.batch, s.in[1], s.in[2], s.out[1], s.out[2], s.cin, s.cout, s.pad[1], s.pad[2]};
  return {s.batch, s.out[1], s.out[2], s.in[1], s.in[2], s.cout, s.cin, 2 - s.pad[1], 2 - s.pad[2]};
}

int64_t winograd_parts(int64_t n, int64_t most) {
  const int64_t parts = std::max<int64_t>(1, (n + most - 1) / most);
  return parts > 16 || n < 16 ? parts : round_up(parts, n < 32 ? 2 : 4);
}

int64_t winograd_chunk(const WinogradConv& c) {
  const int64_t most = most_in_chunk(c), tiles = c.tiles();
  if (most == 0) return 0;
  const int64_t chunks = std::max<int64_t>(1, (tiles + most - 1) / most);
  return (tiles + chunks - 1) / chunks;
}

WinogradFilterPlan winograd_filter_plan(const WinogradConv& c) {
  constexpr int64_t kSumsInL2 = 128 * 128;
  if (c.k * c.cols > kSumsInL2) return {true, 1};
  return {false, std::clamp<int64_t>((int64_t{2} << 20) / (kWinogradPoints * c.k * c.cols), 4, 8)};
}

bool winograd_supported(const ConvShape& s) {
  if (s.groups != 1 || s.kernel[0] != 1 || s.in[0] != 1 || s.out[0] != 1 || s.stride[0] != 1 || s.pad[0] != 0) return false;
  for (int i : {1, 2})
    if (s.kernel[i] != 3 || s.stride[i] != 1 || s.dilation[i] != 1 || s.pad[i] > 2 || s.pad[i] < 0) return false;
  return true;
}

bool winograd_pays(const ConvShape& s, WinogradPass pass, bool kept) {
  constexpr double kLeastWork = 5e5;  // multiply-adds; small convolutions keep the rounding of the direct sum
  constexpr double kPerInput = 40, kPerOutput = 64, kPerWeight = 60;  // transforms, in multiply-adds
  if (!winograd_supported(s) || s.cin < 16 || s.cout < 16) return false;
  const WinogradConv c = winograd_conv(s, pass);
  const double pair = static_cast<double>(c.k) * static_cast<double>(c.cols);
  if (pair > 512 * 512) return false;  // the transformed filter leaves the caches
  const double tiles = static_cast<double>(c.tiles()), direct = direct_work(c);
  const double work = tiles * (kWinogradPoints * pair + kPerInput * static_cast<double>(c.k) +
                               kPerOutput * static_cast<double>(c.cols)) + (kept ? 0 : kPerWeight * pair);
  return direct >= kLeastWork && work < 0.85 * direct;
}

size_t winograd_workspace(const ConvShape& s, WinogradPass pass) {
  const WinogradConv c = winograd_conv(s, pass);
  if (pass == WinogradPass::filter)
    return static_cast<size_t>(winograd_filter_plan(c).sums * (kWinogradPoints * c.k * c.cols + round_up(c.cols, 16))) * sizeof(float);
  const int64_t matrices = kWinogradPoints + (pass == WinogradPass::data ? 9 : 0);  // the flipped taps
  // However many tiles are left where results are pooled: planes of a chunk, see winograd_plane.
  const int64_t planes = kWinogradPoints * (std::min(most_in_chunk(c), c.tiles()) * round_up(c.k, 16) + 32);
  return static_cast<size_t>(matrices * c.k * round_up(c.cols, 16) + planes) * sizeof(float);
}

}  // namespace glia::cpu
