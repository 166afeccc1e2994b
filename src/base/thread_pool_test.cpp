#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace glia {

TEST(ThreadPool, RunsEveryChunkOnceJobAfterJob) {
  const int before = num_threads();
  for (int threads : {1, 2, 4}) {
    set_num_threads(threads);
    for (int job = 0; job < 3000; ++job) {
      const int64_t chunks = job % 7;
      std::vector<std::atomic<int>> hits(static_cast<size_t>(chunks));
      parallel_for(chunks, [&](int64_t i) { hits[static_cast<size_t>(i)].fetch_add(1 + job); });
      for (auto& h : hits) ASSERT_EQ(h.load(), 1 + job);
    }
  }
  set_num_threads(before);
}

TEST(ThreadPool, RunsEachOfManyChunksOnce) {
  const int before = num_threads();
  for (int threads : {2, 3, 7}) {
    set_num_threads(threads);
    for (int64_t chunks : {255, 256, 1793, 100000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(chunks));
      parallel_for(chunks, [&](int64_t i) { hits[static_cast<size_t>(i)].fetch_add(1); });
      for (auto& h : hits) ASSERT_EQ(h.load(), 1) << chunks << " chunks, " << threads << " threads";
    }
  }
  set_num_threads(before);
}

TEST(ThreadPool, NestedCallsAndManyCallersGetAllTheirChunks) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job)
        parallel_for(4, [&](int64_t i) { parallel_for(3, [&](int64_t j) { sum.fetch_add(i * 3 + j); }); });
    });
  for (auto& c : callers) c.join();
  EXPECT_EQ(sum.load(), 4 * 200 * 66);
}

TEST(ThreadPool, WritesAreVisibleToTheCaller) {
  std::vector<int64_t> x(64);
  for (int64_t job = 1; job < 2000; ++job) {
    parallel_for(64, [&](int64_t i) { x[static_cast<size_t>(i)] += i; });
    ASSERT_EQ(x[63], 63 * job);
  }
}

}  // namespace glia
