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

// One job at a time. Every thread first takes the chunks of its own contiguous share (the same share in every job of
// the same size, so that data stay in the caches of the core that wrote them: two cores of a machine may be far
// apart), then those that others have not begun. The caller waits for chunks, not for workers: it does all the work
// itself when the other cores are taken by other processes. A share is claimed from its `slot`: job number << 16 |
// claims so far; the number makes that a worker that wakes up late can neither touch a newer job nor repeat an old
// one, and that a slot needs no reset. What all threads read of a job lies in one cache line.
class Pool {
 public:
  explicit Pool(int threads) : slots_(static_cast<size_t>(threads)) {
    for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { work(t); });
  }
  ~Pool() {
    stop_.store(true);
    publish(nullptr, nullptr, 0);
    for (auto& w : workers_) w.join();
  }
  int size() const { return static_cast<int>(slots_.size()); }

  void run(int64_t chunks, ChunkFn fn, void* ctx) {
    const uint64_t number = publish(fn, ctx, chunks);
    inside_parallel = true;
    finished_by_workers_ += chunks - drain(0, {number, fn, ctx, chunks});
    inside_parallel = false;
    for (int spin = 0; done_.load(std::memory_order_acquire) != finished_by_workers_; ++spin) {
      if (spin < kSpin)
        cpu_relax();
      else
        std::this_thread::yield();
    }
  }

 private:
  struct Job {
    uint64_t number;
    ChunkFn fn;
    void* ctx;
    int64_t chunks;
  };
  struct alignas(64) Slot {
    std::atomic<uint64_t> claims{0};
  };

  // A sequence lock: an odd number says that the fields are being written.
  uint64_t publish(ChunkFn fn, void* ctx, int64_t chunks) {
    const uint64_t number = number_.load(std::memory_order_relaxed) + 2;
    number_.store(number - 1, std::memory_order_relaxed);
    fn_.store(fn, std::memory_order_release);
    ctx_.store(ctx, std::memory_order_release);
    chunks_.store(chunks, std::memory_order_release);
    number_.store(number, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) > 0) {
      wake_.fetch_add(1, std::memory_order_seq_cst);
      wake_.notify_all();
    }
    return number;
  }
  // False where a newer job is being published meanwhile.
  bool read_job(Job& job) const {
    job.number = number_.load(std::memory_order_acquire);
    job.fn = fn_.load(std::memory_order_acquire);
    job.ctx = ctx_.load(std::memory_order_acquire);
    job.chunks = chunks_.load(std::memory_order_acquire);
    return job.number % 2 == 0 && number_.load(std::memory_order_relaxed) == job.number;
  }

  // Runs what is left of `job`, beginning with the share of thread `self`; the number of chunks done here.
  int64_t drain(int self, const Job& job) {
    const int threads = size();
    int64_t mine = 0;
    for (int i = 0; i < threads; ++i) {
      const int share = self + i < threads ? self + i : self + i - threads;
      const int64_t begin = job.chunks * share / threads, end = job.chunks * (share + 1) / threads;
      mine += drain_share(slots_[static_cast<size_t>(share)].claims, job, begin, end);
    }
    return mine;
  }
  static int64_t drain_share(std::atomic<uint64_t>& claims, const Job& job, int64_t begin, int64_t end) {
    const int64_t grain = (end - begin) / kClaims + 1;  // chunks per claim
    int64_t mine = 0;
    uint64_t seen = claims.load(std::memory_order_relaxed);
    while (begin < end) {
      if ((seen >> 16) > job.number) break;
      const uint64_t next = (seen >> 16) == job.number ? (seen & 0xffff) : 0;
      const int64_t first = begin + static_cast<int64_t>(next) * grain;
      if (first >= end) break;
      if (!claims.compare_exchange_weak(seen, (job.number << 16) | (next + 1), std::memory_order_relaxed)) continue;
      const int64_t last = first + grain < end ? first + grain : end;
      for (int64_t chunk = first; chunk < last; ++chunk) job.fn(job.ctx, chunk);
      mine += last - first;
      seen = claims.load(std::memory_order_relaxed);
    }
    return mine;
  }

  void work(int self) {
    inside_parallel = true;
    uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; number_.load(std::memory_order_relaxed) == seen && spin < kSpin; ++spin) cpu_relax();
      if (number_.load(std::memory_order_relaxed) == seen) park(seen);
      Job job;
      if (!read_job(job)) continue;
      if (stop_.load()) return;
      seen = job.number;
      if (const int64_t mine = drain(self, job)) done_.fetch_add(mine, std::memory_order_release);
    }
  }
  void park(uint64_t seen) {
    parked_.fetch_add(1, std::memory_order_seq_cst);
    for (;;) {
      const uint32_t wake = wake_.load(std::memory_order_seq_cst);
      if (number_.load(std::memory_order_seq_cst) != seen) break;
      wake_.wait(wake);
    }
    parked_.fetch_sub(1, std::memory_order_seq_cst);
  }

  static constexpr int kSpin = 2000;       // about 50 us of pause
  static constexpr int64_t kClaims = 256;  // of a share, at most
  std::vector<Slot> slots_;
  std::vector<std::thread> workers_;
  int64_t finished_by_workers_ = 0;  // in all jobs so far, as the caller counts
  alignas(64) std::atomic<uint64_t> number_{0};
  std::atomic<ChunkFn> fn_{nullptr};
  std::atomic<void*> ctx_{nullptr};
  std::atomic<int64_t> chunks_{0};
  alignas(64) std::atomic<int64_t> done_{0};  // chunks done by workers, in all jobs so far
  alignas(64) std::atomic<int> parked_{0};
  std::atomic<uint32_t> wake_{0};
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

bool run_inline(bool on) {
  const bool was = inside_parallel;
  inside_parallel = on;
  return was;
}

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
