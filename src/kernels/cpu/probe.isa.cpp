#include "kernels/cpu/gemm_tile.h"

namespace glia::cpu::GLIA_ISA_NS {

// Independent sums, enough to cover the latency of two FMA pipes; returns the number of operations done.
double fma_burst(int64_t rounds, float* sink) {
#if defined(__AVX512F__) || defined(GLIA_NEON)
  constexpr int kSums = 24;
#else
  constexpr int kSums = 12;
#endif
  vf acc[kSums], x = vf::set1(sink[0]), y = vf::set1(sink[1]);
  GLIA_UNROLL for (int i = 0; i < kSums; ++i) acc[i] = vf::set1(static_cast<float>(i));
  for (int64_t r = 0; r < rounds; ++r) {
    GLIA_UNROLL for (int i = 0; i < kSums; ++i) acc[i] = fma(acc[i], x, y);
  }
  vf sum = acc[0];
  GLIA_UNROLL for (int i = 1; i < kSums; ++i) sum = sum + acc[i];
  sink[2] = hsum(sum);
  return 2.0 * vf::W * kSums * static_cast<double>(rounds);
}

}  // namespace glia::cpu::GLIA_ISA_NS
