#include "kernels/cpu/conv.h"

#include <algorithm>
#include <numeric>

#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/depthwise.h"

namespace glia::cpu {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// n things in equal parts of at most `most`: the size of a part and their number.
void split(int64_t n, int64_t most, int64_t* size, int64_t* parts) {
  int64_t p = std::max<int64_t>(1, ceil_div(n, std::max<int64_t>(1, most)));
  *size = std::max<int64_t>(1, ceil_div(n, p));
  *parts = std::max<int64_t>(1, ceil_div(n, *size));
}

constexpr int64_t kSlabBytes = 192 << 10;   // of input and output per unit: they stay in L2
constexpr int64_t kPanelBytes = 384 << 10;  // of weights per unit
constexpr double kUnitFlops = 1e6;          // about 10 us
constexpr int64_t kUnits = 16;              // wanted, for balance between threads
constexpr int64_t kFilterBlockBytes = 128 << 10;
constexpr int64_t kFilterBlockPixels = 96;  // fewer, and loading and storing the sums weighs
constexpr int64_t kFilterSumsBytes = 1 << 20;

// Pixels go first into units that suit the caches, then columns are cut if the weights are many or the units few.
void cut(TapConv& c) {
  const TapDim &z = c.d[0], &y = c.d[1], &x = c.d[2];
  double pixel_flops = 2.0 * c.taps() * c.k * c.cols * c.groups;
  int64_t pixel_bytes = 4 * (x.step * c.groups * c.k + c.groups * c.cols);  // of a pixel of out, and its input
  int64_t pixels = c.batch * z.count * y.count * x.count;
  int64_t work = static_cast<int64_t>(kUnitFlops / std::max(pixel_flops, 1.0)) + 1;
  int64_t most = std::max(work, std::min(std::max<int64_t>(kSlabBytes / pixel_bytes, 28), ceil_div(pixels, kUnits)));
  split(x.count, most, &c.width, &c.nx);
  int64_t rows = c.nx > 1 ? 1 : std::max<int64_t>(1, most / std::max<int64_t>(1, x.count));
  split(y.count, rows, &c.rows, &c.ny);
  int64_t images = c.ny * c.nx > 1 || z.count > 1 ? 1 : most / std::max<int64_t>(1, x.count * y.count);
  split(c.batch, images, &c.images, &c.nb);
  int64_t pixel_units = c.nb * z.count * c.ny * c.nx;
  int64_t column_bytes = 4 * c.taps() * c.k;
  int64_t span = std::max<int64_t>(32, kPanelBytes / std::max<int64_t>(1, column_bytes) / 64 * 64);
  if (pixel_units * c.groups < kUnits / 2) span = std::min<int64_t>(span, 32);
  if (span >= c.cols) span = c.cols;
  c.span = std::max<int64_t>(1, span);
  c.ns = std::max<int64_t>(1, ceil_div(c.cols, c.span));
  c.units = pixel_units * c.groups * c.ns;
}

void dense_strides(const int64_t extent[3], int64_t channels, int64_t stride[3], int64_t* image) {
  stride[2] = channels;
  stride[1] = extent[2] * stride[2];
  stride[0] = extent[1] * stride[1];
  *image = extent[0] * stride[0];
}

// Pointwise without stride or padding: all pixels are one row.
void flatten(TapConv& c) {
  if (c.taps() != 1) return;
  int64_t n = c.batch;
  for (const TapDim& d : c.d) {
    if (d.step != 1 || d.first != 0 || d.count != d.extent) return;
    n *= d.count;
  }
  if (c.out_stride[1] != c.d[2].count * c.out_stride[2] || c.out_stride[0] != c.d[1].count * c.out_stride[1]) return;
  for (TapDim& d : c.d) d.count = d.extent = 1;
  c.d[2].count = c.d[2].extent = n;
  c.batch = 1;
}

}  // namespace

TapRange taps_of(const TapDim& d, int64_t o) {
  int64_t base = o * d.step + d.first;
  if (base >= 0 && base + (d.taps - 1) * d.delta < d.extent) return {0, d.taps};  // nearly always: no divisions
  int64_t begin = base < 0 ? ceil_div(-base, d.delta) : 0;
  int64_t room = d.extent - 1 - base;
  int64_t end = room < 0 ? 0 : std::min(d.taps, room / d.delta + 1);
  if (begin >= end) return {0, 0};
  return {begin, end};
}

TapRange interior(const TapDim& d) {
  if (d.taps == 0) return {0, d.count};
  int64_t begin = d.first < 0 ? ceil_div(-d.first, d.step) : 0;
  int64_t room = d.extent - 1 - d.first - (d.taps - 1) * d.delta;
  int64_t end = room < 0 ? 0 : std::min(d.count, room / d.step + 1);
  begin = std::min(begin, d.count);
  return {begin, std::max(begin, end)};
}

TapConv tap_forward(const ConvShape& s) {
  TapConv c;
  for (int i = 0; i < 3; ++i) c.d[i] = {s.out[i], s.stride[i], -s.pad[i], s.kernel[i], s.dilation[i], s.in[i], 0, 1};
  c.batch = s.batch;
  c.groups = s.groups;
  c.k = s.cin / s.groups;
  c.cols = s.cout / s.groups;
  dense_strides(s.in, s.cin, c.in_stride, &c.in_image);
  dense_strides(s.out, s.cout, c.out_stride, &c.out_image);
  flatten(c);
  cut(c);
  return c;
}

int64_t backward_phases(const ConvShape& s) { return s.stride[0] * s.stride[1] * s.stride[2]; }

// Inputs i = r + t * stride of one residue r meet the taps with (i + pad - tap * dilation) divisible by the stride;
// these are an arithmetic progression, walked from the last tap to the first so that dy is read forwards.
TapConv tap_backward(const ConvShape& s, int64_t phase) {
  TapConv c;
  c.batch = s.batch;
  c.groups = s.groups;
  c.k = s.cout / s.groups;
  c.cols = s.cin / s.groups;
  dense_strides(s.out, s.cout, c.in_stride, &c.in_image);
  int64_t whole[3];
  dense_strides(s.in, s.cin, whole, &c.out_image);
  for (int i = 2; i >= 0; --i) {
    int64_t st = s.stride[i], dil = s.dilation[i], r = phase % st;
    phase /= st;
    int64_t g = std::gcd(st, dil), period = st / g, first = -1;
    for (int64_t t = 0; t < std::min(period, s.kernel[i]); ++t)
      if ((r + s.pad[i] - t * dil) % st == 0) {
        first = t;
        break;
      }
    int64_t n = first < 0 ? 0 : (s.kernel[i] - 1 - first) / period + 1, last = first + (n - 1) * period;
    TapDim& d = c.d[i];
    d.count = s.in[i] > r ? (s.in[i] - r - 1) / st + 1 : 0;
    d.step = 1;
    d.taps = n;
    d.delta = dil / g;
    d.extent = s.out[i];
    d.first = n == 0 ? 0 : (r + s.pad[i] - last * dil) / st;
    d.kernel_first = last;
    d.kernel_delta = -period;
    c.out_stride[i] = whole[i] * st;
    c.out_offset += whole[i] * r;
  }
  flatten(c);
  cut(c);
  return c;
}

size_t depthwise_repeated_bytes(const ConvShape& s) {
  return s.cout == s.cin ? 0 : s.batch * s.in_pixels() * s.cout * sizeof(float);
}

bool conv_keeps_weights(const ConvShape& s, size_t workspace) {
  constexpr int64_t kMostPixels = 1024;       // with more, packing is a few percent of the convolution
  constexpr size_t kSmall = size_t{1} << 20;  // but small ones cost no memory to speak of
  return !s.depthwise() && workspace > 0 && (s.batch * s.out_pixels() <= kMostPixels || workspace <= kSmall);
}

size_t conv_forward_workspace(const ConvShape& s) {
  if (s.depthwise()) return depthwise_repeated_bytes(s);
  return tap_forward(s).packed_size() * sizeof(float);
}

size_t conv_backward_data_workspace(const ConvShape& s) {
  if (s.depthwise()) return depthwise_repeated_bytes(s);
  int64_t n = 0;
  for (int64_t p = 0; p < backward_phases(s); ++p) n += tap_backward(s, p).packed_size();
  return n * sizeof(float);
}

bool conv_max_pool_supported(const ConvShape& s) {
  constexpr int64_t kMostChannels = 8192;  // four pixels of these are held on the stack
  return s.groups == 1 && s.taps() > 1 && s.kernel[0] == 1 && s.out[0] == 1 && s.in[0] == 1 && s.out[1] >= 2 &&
         s.out[2] >= 2 && s.cout <= kMostChannels;
}

bool conv_bf16_supported(const ConvShape& s, bool backward_data) {
  const int64_t columns = (backward_data ? s.cin : s.cout) / std::max<int64_t>(1, s.groups);
  return current_isa() == Isa::avx512 && cpu_has_avx512_bf16() && !s.depthwise() && columns > 4;
}

Bf16Plan plan_bf16(const ConvShape& s, bool backward_data) {
  Bf16Plan p{.shape = s};
  int64_t& summed = backward_data ? p.shape.cout : p.shape.cin;
  p.pairs = summed / s.groups % 2 == 0;
  if (p.pairs) summed /= 2;
  p.weight_count = s.taps() * (s.cin / s.groups) * s.cout;
  p.input_count = backward_data ? s.batch * s.out_pixels() * s.cout : s.batch * s.in_pixels() * s.cin;
  const auto take = [&](int64_t n) {
    const int64_t at = p.total;
    p.total += ceil_div(n, 16) * 16;
    return at;
  };
  const size_t packed = backward_data ? conv_backward_data_workspace(p.shape) : conv_forward_workspace(p.shape);
  p.packed = take(static_cast<int64_t>(packed / sizeof(float)));
  // Pairs of the forward pass are rows interleaved; those of the other lie in the weights already.
  p.weights = take(p.pairs ? (backward_data ? 0 : p.weight_count / 2) : p.weight_count);
  p.wide = take(p.pairs ? 0 : p.input_count);
  return p;
}

size_t conv_forward_bf16_workspace(const ConvShape& s) { return plan_bf16(s, false).total * sizeof(float); }
size_t conv_backward_data_bf16_workspace(const ConvShape& s) { return plan_bf16(s, true).total * sizeof(float); }

ConvShape padded_shape(const ConvShape& s) {
  ConvShape p = s;
  for (int i = 0; i < 3; ++i) {
    p.pad[i] = 0;
    p.in[i] = std::max<int64_t>(0, s.out[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1;
  }
  return p;
}

FilterPlan plan_filter(const ConvShape& s) {
  FilterPlan p;
  bool padding = false;
  for (int i = 0; i < 3; ++i) padding |= s.pad[i] > 0 || padded_shape(s).in[i] > s.in[i];
  const bool can_merge = s.dilation[2] == 1 && s.groups == 1;
  p.pad_copy = padding && can_merge && s.cin < 8;
  p.merge_x = can_merge && (!padding || p.pad_copy);
  p.filter_size = s.taps() * (s.cin / s.groups) * s.cout;
  const int64_t pixel_bytes = 4 * (s.stride[2] * s.cin + s.cout);
  split(s.out[2], std::max<int64_t>(32, kFilterBlockBytes / pixel_bytes), &p.seg, &p.nseg);
  p.pieces = s.batch * s.out[0] * s.out[1] * p.nseg;
  const double flops = 2.0 * s.batch * s.out_pixels() * p.filter_size;
  int64_t sums = std::min<int64_t>(kFilterSumsBytes / (4 * std::max<int64_t>(1, p.filter_size)), kUnits);
  sums = std::min({sums, p.pieces, static_cast<int64_t>(flops / kUnitFlops)});
  int64_t size;
  split(p.pieces, ceil_div(std::max<int64_t>(1, p.pieces), std::max<int64_t>(1, sums)), &size, &p.sums);
  p.parts = std::clamp<int64_t>(static_cast<int64_t>(flops / kUnitFlops / p.sums), 1, ceil_div(kUnits, p.sums));
  // A part reads all of x but, tiles being ordered by columns, only its share of dy.
  const int64_t part_bytes = 4 * (s.stride[2] * s.cin + std::max<int64_t>(32, s.cout / p.parts));
  const int64_t pixels = std::max(kFilterBlockBytes / part_bytes, kFilterBlockPixels);
  p.block = std::clamp<int64_t>(pixels / std::max<int64_t>(1, p.seg), 1, kFilterMaxBlock);
  return p;
}

size_t conv_backward_filter_workspace(const ConvShape& s) {
  if (s.depthwise()) return depthwise_repeated_bytes(s) + kDepthwiseSums * (s.taps() + 1) * s.cout * sizeof(float);
  if (narrow_filter(s)) return narrow_sums(s) * (s.taps() * s.cin + 1) * s.cout * sizeof(float);
  const FilterPlan p = plan_filter(s);
  int64_t n = p.sums > 1 ? p.sums * (p.filter_size + s.cout) : 0;
  if (p.pad_copy) n += s.batch * padded_shape(s).in_pixels() * s.cin;
  return n * sizeof(float);
}

}  // namespace glia::cpu
