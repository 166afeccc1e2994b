// The filter gradient of convolutions with few output channels: lanes run along the input channels.
#include "base/thread_pool.h"
#include "kernels/cpu/depth_filter.h"
#include "kernels/cpu/depthwise.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

// One value per output channel; there are few.
static void sum_pixels(const float* dy, int64_t pixels, int64_t channels, float* out) {
  for (int64_t c = 0; c < channels; ++c) out[c] = 0;
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < channels; ++c) out[c] += dy[p * channels + c];
}

}  // namespace

// Sums are held as [output channel][tap][input channel] and turned round at the end.
void narrow_backward_filter_f32(const ConvShape& s, const float* x, const float* dy, float* dw, float* dbias,
                                void* workspace) {
  float* ws = static_cast<float*>(workspace);
  const int64_t rows = s.batch * s.out[0] * s.out[1], per_column = s.taps() * s.cin, size = per_column * s.cout;
  const int64_t total = size + s.cout, sums = narrow_sums(s);
  parallel_for(sums, [&](int64_t i) {
    float* part = ws + i * total;
    const int64_t first = rows * i / sums, last = rows * (i + 1) / sums;
    std::memset(part, 0, static_cast<size_t>(size) * sizeof(float));
    if (dbias) sum_pixels(dy + first * s.out[2] * s.cout, (last - first) * s.out[2], s.cout, part + size);
    for (int64_t row = first; row < last; ++row)
      for (int64_t o = 0; o < s.cout; ++o) {
        const DepthFilterRun r{s, x, dy + o, s.cin, s.cout};
        depth_filter_line<true>(r, row / (s.out[0] * s.out[1]), row / s.out[1] % s.out[0], row % s.out[1],
                                part + o * per_column, nullptr);
      }
  });
  for (int64_t i = 0; i < total; ++i)
    for (int64_t j = 1; j < sums; ++j) ws[i] += ws[j * total + i];
  for (int64_t i = 0; i < per_column; ++i)
    for (int64_t o = 0; o < s.cout; ++o) dw[i * s.cout + o] = ws[o * per_column + i];
  for (int64_t o = 0; dbias && o < s.cout; ++o) dbias[o] = ws[size + o];
}

}  // namespace glia::cpu::GLIA_ISA_NS
