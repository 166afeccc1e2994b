#include <glia/dataset.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "data/test_files.h"

namespace glia {
using test::error_of;

static Tensor arange(int64_t n, Shape shape = {}) {
  Tensor t({n});
  for (int64_t i = 0; i < n; ++i) t.data<float>()[i] = static_cast<float>(i);
  return shape.empty() ? t : t.reshape(shape);
}

// The values of all elements of one pass, one vector an element.
static std::vector<std::vector<float>> pass(const Dataset& d, uint64_t epoch = 0) {
  std::vector<std::vector<float>> out;
  Batch b;
  for (auto next = d.open(epoch); next(b);) out.push_back(b.x[0].to_vector());
  return out;
}
static std::vector<float> flat(const Dataset& d, uint64_t epoch = 0) {
  std::vector<float> out;
  for (auto& v : pass(d, epoch)) out.insert(out.end(), v.begin(), v.end());
  return out;
}

TEST(Dataset, BatchesRowsOfTensors) {
  Dataset d = Dataset::from_tensors(arange(14, {7, 2}), arange(7).astype(DType::i32), arange(7)).batch(3);
  EXPECT_EQ(d.cardinality(), 3);
  std::vector<Shape> shapes;
  for (const Batch& b : d) {
    shapes.push_back(b.x[0].shape());
    EXPECT_EQ(b.y[0].dtype(), DType::i32);
    EXPECT_EQ(b.x[0].item(0), 2 * b.y[0].item(0));
    EXPECT_EQ(b.sample_weight[0].dim(0), b.x[0].dim(0));
  }
  EXPECT_EQ(shapes, (std::vector<Shape>{{3, 2}, {3, 2}, {1, 2}}));
  EXPECT_EQ(pass(Dataset::from_tensors(arange(7)).batch(3, {.drop_remainder = true})).size(), 2u);
  EXPECT_EQ(Dataset::from_tensors(arange(0)).batch(4).cardinality(), 0);
  EXPECT_TRUE(pass(Dataset::from_tensors(arange(0)).batch(4)).empty());
}

TEST(Dataset, TableAndElementPathsAgree) {
  // An identity map() hides the table, so that batches are stacked from single examples.
  auto same = [](Batch b) { return b; };
  Dataset table = Dataset::from_tensors(arange(22, {11, 2}));
  EXPECT_EQ(pass(table.batch(4)), pass(table.map(same).batch(4)));
  for (uint64_t epoch : {0, 1, 5}) {
    Dataset shuffled = table.shuffle({.seed = 3});
    EXPECT_EQ(pass(shuffled.batch(4), epoch), pass(shuffled.map(same).batch(4), epoch));
    EXPECT_EQ(pass(shuffled.skip(2).take(5).batch(4), epoch), pass(shuffled.map(same).skip(2).take(5).batch(4), epoch));
  }
  EXPECT_EQ(flat(table.skip(3).take(2)), (std::vector<float>{6, 7, 8, 9}));
  EXPECT_EQ(flat(table.map(same).skip(3).take(2)), (std::vector<float>{6, 7, 8, 9}));
  EXPECT_TRUE(flat(table.skip(30)).empty());
  EXPECT_TRUE(flat(table.map(same).skip(30)).empty());
}

TEST(Dataset, ShuffleIsSeededAndComplete) {
  Dataset base = Dataset::from_tensors(arange(100));
  for (int64_t buffer : {0, 7, 1000}) {
    Dataset d = base.shuffle({.buffer_size = buffer, .seed = 42});
    std::vector<float> first = flat(d, 0), second = flat(d, 1), sorted = first;
    EXPECT_EQ(first, flat(d, 0)) << "the same pass twice";
    EXPECT_NE(first, second) << "passes differ";
    EXPECT_NE(first, flat(base.shuffle({.buffer_size = buffer, .seed = 43}), 0));
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, flat(base));
    Dataset fixed = base.shuffle({.buffer_size = buffer, .seed = 42, .reshuffle_each_iteration = false});
    EXPECT_EQ(flat(fixed, 0), flat(fixed, 9));
  }
  // A window of 7 cannot bring an element forward by more than 6 places.
  std::vector<float> near = flat(base.shuffle({.buffer_size = 7, .seed = 1}));
  for (std::size_t i = 0; i < near.size(); ++i) EXPECT_LE(near[i], static_cast<float>(i + 6));
  Dataset twice = base.shuffle({.seed = 1}).shuffle({.seed = 2});
  std::vector<float> all = flat(twice.batch(9));
  EXPECT_EQ(all, flat(twice));
  EXPECT_EQ(std::set<float>(all.begin(), all.end()).size(), 100u);
}

TEST(Dataset, EveryPermutationIsEquallyLikely) {
  Dataset d = Dataset::from_tensors(arange(3)).shuffle({.seed = 5}).batch(3);
  std::map<std::vector<float>, int> count;
  for (uint64_t epoch = 0; epoch < 6000; ++epoch) ++count[pass(d, epoch)[0]];
  ASSERT_EQ(count.size(), 6u);
  for (auto& [order, n] : count) EXPECT_NEAR(n, 1000, 145);  // 5 standard deviations
}

TEST(Dataset, LoopsOverTheSameObjectAreSuccessivePasses) {
  Dataset d = Dataset::from_tensors(arange(20)).shuffle({.seed = 1}).batch(20);
  std::vector<std::vector<float>> seen;
  for (int i = 0; i < 3; ++i) {
    for (const Batch& b : d) seen.push_back(b.x[0].to_vector());
  }
  for (uint64_t e = 0; e < 3; ++e) EXPECT_EQ(seen[e], pass(d, e)[0]);
}

TEST(Dataset, RepeatShufflesEachRepetitionAnew) {
  Dataset base = Dataset::from_tensors(arange(10)).shuffle({.seed = 1});
  Dataset thrice = base.repeat(3);
  EXPECT_EQ(thrice.cardinality(), 30);
  std::vector<float> all = flat(thrice, 1), expected;
  for (uint64_t e : {3, 4, 5}) {
    for (float v : flat(base, e)) expected.push_back(v);
  }
  EXPECT_EQ(all, expected);
  Dataset forever = base.repeat();
  EXPECT_EQ(forever.cardinality(), Dataset::kInfinite);
  EXPECT_EQ(flat(forever.take(25)).size(), 25u);
  EXPECT_EQ(forever.take(25).batch(10).cardinality(), 3);
  EXPECT_TRUE(flat(Dataset::from_tensors(arange(0)).repeat()).empty());  // ends instead of spinning
  EXPECT_TRUE(flat(base.repeat(0)).empty());
  EXPECT_HAS(error_of([&] { forever.shuffle(); }), "cannot be shuffled as a whole");
}

TEST(Dataset, PrefetchGivesTheSameElements) {
  std::atomic<int> running{0};
  Dataset d = Dataset::from_tensors(arange(50)).shuffle({.seed = 1}).batch(7).map([&](Batch b) {
    ++running;
    return b;
  });
  for (int64_t depth : {1, 3, 100}) EXPECT_EQ(pass(d.prefetch(depth), 2), pass(d, 2));
  running = 0;
  {
    Batch b;
    auto next = d.prefetch(2).open(0);
    EXPECT_TRUE(next(b));  // and the pass is left here: the thread must stop
  }
  EXPECT_LE(running, 4);
  EXPECT_EQ(pass(d.prefetch(2).prefetch(2).repeat(2)).size(), 16u);
}

TEST(Dataset, PrefetchWorksAheadOfTheConsumer) {
  std::atomic<int> produced{0};
  Dataset d = Dataset::from_tensors(arange(10)).map([&](Batch b) {
    ++produced;
    return b;
  });
  Batch b;
  auto next = d.prefetch(4).open(0);
  ASSERT_TRUE(next(b));
  while (produced < 5) std::this_thread::yield();  // 1 taken + 4 ahead, without being asked
  for (int i = 1; i < 10; ++i) ASSERT_TRUE(next(b));
  EXPECT_FALSE(next(b));
  EXPECT_FALSE(next(b));
}

TEST(Dataset, ExceptionsReachTheConsumer) {
  Dataset d = Dataset::from_tensors(arange(10)).map([](Batch b) {
    if (b.x[0].item() == 3) throw std::runtime_error("element 3 is bad");
    return b;
  });
  for (Dataset source : {d, d.prefetch(2), d.prefetch(8).batch(1)}) {
    int seen = 0;
    std::string message = error_of([&] {
      for (const Batch& b : source) seen += static_cast<int>(b.x.size());
    });
    EXPECT_EQ(message, "element 3 is bad");
    EXPECT_EQ(seen, 3);
  }
}

TEST(Dataset, MapMayWriteToWhatItIsGiven) {
  const Tensor x = Tensor::from({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), before = x.clone();
  auto negate = [](Batch b) {
    for (float& v : b.x[0].span<float>()) v = -v;
    return b;
  };
  const Dataset rows = Dataset::from_tensors(x);
  const Dataset shared = Dataset::from_generator([&x](uint64_t) -> Dataset::Next {
    return [&x, i = 0](Batch& out) mutable {
      out = Batch{};
      out.x = {x};
      return i++ == 0;
    };
  });
  for (const Dataset& d : {rows.map(negate).batch(4), rows.batch(2).map(negate), rows.shuffle().map(negate).batch(3), rows.shuffle().batch(2).map(negate),
                           rows.take(2).map(negate).prefetch(), shared.map(negate), rows.batch(4).map([&](Batch) { return Batch{{x}}; }).map(negate)}) {
    for (int pass = 0; pass < 2; ++pass)
      for (const Batch& b : d) EXPECT_LT(b.x[0].item(0), 0);  // the second pass sees the same data as the first
    EXPECT_TRUE(x.equals(before));
  }
}

TEST(Dataset, GeneratorsAndSeveralTensors) {
  Dataset d = Dataset::from_generator([](uint64_t epoch) {
    return [i = 0, epoch](Batch& b) mutable {
      if (i == 3) return false;
      double v = static_cast<double>(epoch * 10) + i++;
      b = {{Tensor::scalar(v), Tensor::from({2}, {v, -v})}, {Tensor::scalar(v, DType::i32)}, {}};
      return true;
    };
  });
  EXPECT_EQ(d.cardinality(), Dataset::kUnknown);
  Batch b;
  auto next = d.batch(2).open(1);
  ASSERT_TRUE(next(b));
  EXPECT_EQ(b.x[0].to_vector(), (std::vector<float>{10, 11}));
  EXPECT_EQ(b.x[1].shape(), (Shape{2, 2}));
  EXPECT_EQ(b.y[0].dtype(), DType::i32);
  EXPECT_TRUE(b.sample_weight.empty());
}

TEST(Dataset, SaysWhatIsWrong) {
  EXPECT_HAS(error_of([] { Dataset::from_tensors(arange(3), arange(4)); }), "Received 3 and 4");
  EXPECT_HAS(error_of([] { Dataset::from_tensors(Tensor()); }), "x is empty");
  EXPECT_HAS(error_of([] { Dataset::from_tensors(Tensor::scalar(1)); }), "at least one axis");
  EXPECT_HAS(error_of([] { Dataset::from_tensors(arange(3)).batch(0); }), "at least 1. Received 0");
  EXPECT_HAS(error_of([] { Dataset::from_tensors(arange(3)).prefetch(0); }), "at least 1");
  EXPECT_HAS(error_of([] { Dataset::from_tensors(arange(3)).take(-1); }), "0 or more");
  Dataset ragged = Dataset::from_generator([](uint64_t) {
    return [i = 0](Batch& b) mutable {
      b = {{Tensor::zeros({++i})}, {}, {}};
      return i < 4;
    };
  });
  EXPECT_HAS(error_of([&] { pass(ragged.batch(2)); }), "example 1 of the batch is float32 (2,) but the first is float32 (1,)");
}

TEST(Dataset, SeveralThreadsMayIterateAtOnce) {
  Dataset d = Dataset::from_tensors(arange(64)).shuffle({.seed = 1}).batch(8).prefetch(2);
  std::vector<std::thread> threads;
  std::atomic<int> total{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const Batch& b : d) total += static_cast<int>(b.x[0].dim(0));
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(total, 4 * 64);
}

}  // namespace glia
