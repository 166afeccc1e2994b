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

// One job at a time. Workers wait on `epoch_` (spin, then park). Chunks are claimed from `ticket_` = job number << 32 |
// next chunk, so a worker that wakes up late can neither touch a newer job nor be waited for: the caller waits for chunks,
// not for workers, and does all the work itself when the other cores are taken by other processes.
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
    GLIA_ASSERT(chunks < kClosed, "parallel_for: too many chunks");
    const uint32_t number = epoch_.load(std::memory_order_relaxed) + 1;
    const uint64_t first = static_cast<uint64_t>(number) << 32;
    ticket_.store(first | kClosed, std::memory_order_relaxed);  // late workers claim nothing from here on
    fn_.store(fn, std::memory_order_relaxed);
    ctx_.store(ctx, std::memory_order_relaxed);
    chunks_.store(chunks, std::memory_order_release);  // whoever sees it sees the closed ticket
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(first, std::memory_order_release);
    epoch_.store(number, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) > 0) epoch_.notify_all();
    inside_parallel = true;
    drain(number);
    inside_parallel = false;
    for (int spin = 0; done_.load(std::memory_order_acquire) != chunks; ++spin) {
      if (spin < kSpin) cpu_relax();
      else std::this_thread::yield();
    }
  }

 private:
  void drain(uint32_t job) {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const int64_t chunk = static_cast<int64_t>(ticket & 0xffffffffu);
      if (static_cast<uint32_t>(ticket >> 32) != job || chunk >= chunks_.load(std::memory_order_acquire)) return;
      if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      fn_.load(std::memory_order_relaxed)(ctx_.load(std::memory_order_relaxed), chunk);
      done_.fetch_add(1, std::memory_order_release);
      ticket = ticket_.load(std::memory_order_acquire);
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
      drain(now);
    }
  }

  static constexpr int kSpin = 2000;  // about 50 us of pause
  static constexpr int64_t kClosed = 0xffffffff;
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<uint64_t> ticket_{kClosed};
  alignas(64) std::atomic<int64_t> done_{0};
  alignas(64) std::atomic<ChunkFn> fn_{nullptr};
  std::atomic<void*> ctx_{nullptr};
  std::atomic<int64_t> chunks_{0};
  std::atomic<int> parked_{0};
  std::atomic<bool> stop_{false};
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
