#include "base/thread_pool.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace glia {
namespace {

inline void cpu_relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool inside_parallel = false;

// One job at a time. Workers wait on `epoch_` (spin, then park); chunks are claimed from one atomic counter, so an
// interrupted thread does not hold the others back. Which thread runs a chunk never changes the result.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int t = 1; t < threads; ++t) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    stop_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (auto& w : workers_) w.join();
  }
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(int64_t chunks, ChunkFn fn, void* ctx) {
    fn_ = fn;
    ctx_ = ctx;
    chunks_ = chunks;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) > 0) epoch_.notify_all();
    inside_parallel = true;
    drain();
    inside_parallel = false;
    for (int spin = 0; busy_.load(std::memory_order_acquire) != 0; ++spin) {
      if (spin < 20000) cpu_relax();
      else std::this_thread::yield();
    }
  }

 private:
  void drain() {
    for (;;) {
      int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= chunks_) return;
      fn_(ctx_, i);
    }
  }
  void work() {
    inside_parallel = true;
    uint32_t seen = 0;
    for (;;) {
      uint32_t now = epoch_.load(std::memory_order_acquire);
      for (int spin = 0; now == seen && spin < kSpin; ++spin) {
        cpu_relax();
        now = epoch_.load(std::memory_order_acquire);
      }
      if (now == seen) {
        parked_.fetch_add(1, std::memory_order_seq_cst);
        while ((now = epoch_.load(std::memory_order_seq_cst)) == seen) epoch_.wait(seen);
        parked_.fetch_sub(1, std::memory_order_seq_cst);
      }
      seen = now;
      if (stop_.load()) return;
      drain();
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  static constexpr int kSpin = 2000;  // about 50 us of pause
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> busy_{0};
  std::atomic<int> parked_{0};
  std::atomic<bool> stop_{false};
  ChunkFn fn_ = nullptr;
  void* ctx_ = nullptr;
  int64_t chunks_ = 0;
};

int initial_threads() {
  if (const char* env = std::getenv("GLIA_NUM_THREADS"); env && *env) {
    char* end = nullptr;
    long n = std::strtol(env, &end, 10);
    GLIA_CHECK(*end == 0 && n >= 1 && n <= 4096, "GLIA_NUM_THREADS={}: expected a whole number of at least 1.", env);
    return static_cast<int>(n);
  }
  return usable_cores();
}

std::mutex g_mutex;  // held while a job runs; a second host thread runs inline
std::unique_ptr<Pool> g_pool;
std::atomic<int> g_threads{0};

int threads_wanted() {
  int n = g_threads.load(std::memory_order_relaxed);
  if (n == 0) {
    n = initial_threads();
    g_threads.store(n);
  }
  return n;
}

}  // namespace

int num_threads() { return threads_wanted(); }

void set_num_threads(int n) {
  GLIA_CHECK(n >= 1, "set_num_threads({}): expected at least 1.", n);
  g_threads.store(n);
}

void parallel_for_raw(int64_t chunks, ChunkFn fn, void* ctx) {
  int want = threads_wanted();
  std::unique_lock<std::mutex> lock(g_mutex, std::defer_lock);
  if (want == 1 || inside_parallel || !lock.try_lock()) {
    for (int64_t i = 0; i < chunks; ++i) fn(ctx, i);
    return;
  }
  if (!g_pool || g_pool->size() != want) g_pool = std::make_unique<Pool>(want);
  g_pool->run(chunks, fn, ctx);
}

}  // namespace glia
