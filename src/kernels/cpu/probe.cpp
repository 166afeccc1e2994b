#include "kernels/cpu/probe.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "kernels/cpu/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace glia::cpu {

GLIA_ISA_DECLARE(double, fma_burst, (int64_t rounds, float* sink))

namespace {

using Burst = double (*)(int64_t rounds, float* sink);

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"))) double bf16_burst(int64_t rounds, float* sink) {
  __m512 s0 = _mm512_set1_ps(sink[0]), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0,
         s10 = s0, s11 = s0;
  __m512bh x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3f803f80)), y = x;
  for (int64_t r = 0; r < rounds; ++r) {
    s0 = _mm512_dpbf16_ps(s0, x, y), s1 = _mm512_dpbf16_ps(s1, x, y), s2 = _mm512_dpbf16_ps(s2, x, y);
    s3 = _mm512_dpbf16_ps(s3, x, y), s4 = _mm512_dpbf16_ps(s4, x, y), s5 = _mm512_dpbf16_ps(s5, x, y);
    s6 = _mm512_dpbf16_ps(s6, x, y), s7 = _mm512_dpbf16_ps(s7, x, y), s8 = _mm512_dpbf16_ps(s8, x, y);
    s9 = _mm512_dpbf16_ps(s9, x, y), s10 = _mm512_dpbf16_ps(s10, x, y), s11 = _mm512_dpbf16_ps(s11, x, y);
  }
  __m512 sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + ((s8 + s9) + (s10 + s11));
  sink[2] = _mm512_cvtss_f32(sum);
  return 2.0 * 32 * 12 * static_cast<double>(rounds);
}
#endif

double best_rate(Burst burst, int threads) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int rep = 0; rep < 8; ++rep) {
    std::vector<double> rate(static_cast<size_t>(threads));
    auto work = [&](size_t t) {
      float sink[3] = {0.999f, 0.001f, 0};
      auto begin = Clock::now();
      double ops = burst(200000, sink);
      rate[t] = ops / std::chrono::duration<double>(Clock::now() - begin).count();
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, static_cast<size_t>(t));
    work(0);
    for (auto& o : others) o.join();
    double sum = 0;
    for (double r : rate) sum += r;
    best = std::max(best, sum * 1e-9);
  }
  return best;
}

}  // namespace

double peak_gflops(int threads) { return best_rate(GLIA_ISA_SELECT(fma_burst), threads); }

double peak_bf16_gflops(int threads) {
#if defined(__x86_64__)
  if (cpu_has_avx512_bf16()) return best_rate(bf16_burst, threads);
#endif
  (void)threads;
  return 0;
}

}  // namespace glia::cpu
