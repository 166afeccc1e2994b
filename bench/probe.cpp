#include "probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "base/cpu.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace glia::bench {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

volatile float sink;  // keeps the accumulators alive

// Each burst does `n` rounds of independent multiply-adds, enough of them in flight to hide the latency, and returns the
// number of floating point operations. The values stay near 1, so no denormals slow them down.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) double burst_avx512(int64_t n) {
  __m512 a[16], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
  for (int i = 0; i < 16; ++i) a[i] = _mm512_set1_ps(1.0f + 0.01f * static_cast<float>(i));
  for (int64_t k = 0; k < n; ++k) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = _mm512_fmadd_ps(a[i], x, y);
  }
  for (int i = 1; i < 16; ++i) a[0] = _mm512_add_ps(a[0], a[i]);
  sink = _mm512_cvtss_f32(a[0]);
  return static_cast<double>(n) * 16 * 16 * 2;
}
__attribute__((target("avx2,fma"))) double burst_avx2(int64_t n) {
  __m256 a[12], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
  for (int i = 0; i < 12; ++i) a[i] = _mm256_set1_ps(1.0f + 0.01f * static_cast<float>(i));
  for (int64_t k = 0; k < n; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) a[i] = _mm256_fmadd_ps(a[i], x, y);
  }
  for (int i = 1; i < 12; ++i) a[0] = _mm256_add_ps(a[0], a[i]);
  sink = _mm256_cvtss_f32(a[0]);
  return static_cast<double>(n) * 12 * 8 * 2;
}
#endif
double burst_plain(int64_t n) {
  float a[32];
  for (int i = 0; i < 32; ++i) a[i] = 1.0f + 0.01f * static_cast<float>(i);
  for (int64_t k = 0; k < n; ++k)
    for (float& v : a) v = v * 0.999f + 0.001f;
  for (int i = 1; i < 32; ++i) a[0] += a[i];
  sink = a[0];
  return static_cast<double>(n) * 32 * 2;
}

double burst(int64_t n) {
#if defined(__x86_64__)
  if (best_isa() == Isa::avx512) return burst_avx512(n);
  if (best_isa() == Isa::avx2) return burst_avx2(n);
#endif
  return burst_plain(n);
}

// Runs `work(thread)` (which returns an amount) again and again on every thread for the given time; the result is the
// sum over the threads of each one's best rate, so that a burst disturbed by another process does not count.
template <class F>
double best_rate(int threads, double seconds, F work) {
  std::vector<double> best(static_cast<std::size_t>(threads), 0.0);
  auto run = [&](int t) {
    const auto begin = Clock::now();
    do {
      const auto start = Clock::now();
      const double amount = work(t);
      best[static_cast<std::size_t>(t)] = std::max(best[static_cast<std::size_t>(t)], amount / seconds_since(start));
    } while (seconds_since(begin) < seconds);
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(run, t);
  run(0);
  for (auto& t : pool) t.join();
  double sum = 0;
  for (double b : best) sum += b;
  return sum;
}

}  // namespace

double peak_gflops(int threads, double seconds) {
  return best_rate(threads, seconds, [](int) { return burst(20000); }) * 1e-9;
}

double handoff_ns() {
  constexpr int kRuns = 41, kTrips = 200;
  alignas(64) std::atomic<int> ball{0};
  std::thread other([&] {
    for (int i = 0; i < kRuns * kTrips; ++i) {
      while (ball.load(std::memory_order_acquire) != 2 * i + 1) {
      }
      ball.store(2 * i + 2, std::memory_order_release);
    }
  });
  std::vector<double> ns;
  for (int run = 0, i = 0; run < kRuns; ++run) {
    const auto start = Clock::now();
    for (int trip = 0; trip < kTrips; ++trip, ++i) {
      ball.store(2 * i + 1, std::memory_order_release);
      while (ball.load(std::memory_order_acquire) != 2 * i + 2) {
      }
    }
    ns.push_back(seconds_since(start) * 1e9 / kTrips);
  }
  other.join();
  std::nth_element(ns.begin(), ns.begin() + kRuns / 2, ns.end());
  return ns[kRuns / 2];
}

double copy_gbs(int threads, double seconds) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  std::vector<std::vector<char>> from, to;
  for (int t = 0; t < threads; ++t) {
    from.emplace_back(kBytes, char{1});
    to.emplace_back(kBytes, char{2});
  }
  return best_rate(threads, seconds, [&](int t) {
           const auto i = static_cast<std::size_t>(t);
           std::memcpy(to[i].data(), from[i].data(), kBytes);
           return 2.0 * static_cast<double>(kBytes);
         }) * 1e-9;
}

}  // namespace glia::bench
