// The choice is fed with made-up times: it must not depend on this machine's.
#include "runtime/thread_choice.h"

#include <gtest/gtest.h>

#include "base/thread_pool.h"

namespace glia::runtime {
namespace {

// A plan of three steps that take 300, 3000 and 30'000 ns on one thread, half of that and `handoff` more on two.
struct Machine {
  int64_t handoff;
  ThreadChoice choice{3};
  static constexpr int64_t kAlone[3] = {300, 3000, 30000};

  int64_t step(size_t i) const { return choice.alone(i) ? kAlone[i] : kAlone[i] / 2 + handoff; }
  void run() {
    const bool timed = choice.begin();
    int64_t total = 0;
    for (size_t i = 0; i < 3; ++i) {
      total += step(i);
      if (choice.calibrating()) choice.record(i, step(i));
    }
    if (timed) choice.end(total);
  }
  std::vector<bool> alone_after(int runs) {
    for (int i = 0; i < runs; ++i) run();
    return {choice.alone(0), choice.alone(1), choice.alone(2)};
  }
};

class ThreadChoiceTest : public testing::Test {
 protected:
  void SetUp() override { set_num_threads(2); }
  void TearDown() override { set_num_threads(threads_); }
  int threads_ = num_threads();
};
using Alone = std::vector<bool>;

TEST_F(ThreadChoiceTest, ShortStepsRunAloneWhereHandingOverCostsMore) {
  EXPECT_EQ(Machine{.handoff = 50}.alone_after(100), (Alone{false, false, false}));
  EXPECT_EQ(Machine{.handoff = 1000}.alone_after(100), (Alone{true, false, false}));
  EXPECT_EQ(Machine{.handoff = 2000}.alone_after(100), (Alone{true, true, false}));
  EXPECT_EQ(Machine{.handoff = 50000}.alone_after(100), (Alone{true, true, true}));
}

TEST_F(ThreadChoiceTest, LooksAgainWhenTheMachineHasChanged) {
  Machine m{.handoff = 50};
  EXPECT_EQ(m.alone_after(100), (Alone{false, false, false}));
  m.handoff = 2000;
  EXPECT_EQ(m.alone_after(20000), (Alone{true, true, false}));
  m.handoff = 50;
  EXPECT_EQ(m.alone_after(20000), (Alone{false, false, false}));
}

TEST_F(ThreadChoiceTest, LongRunsAndOneThreadAreLeftAlone) {
  EXPECT_EQ(Machine{.handoff = 3'000'000}.alone_after(100), (Alone{false, false, false}));
  set_num_threads(1);
  Machine m{.handoff = 2000};
  EXPECT_FALSE(m.choice.begin());
}

}  // namespace
}  // namespace glia::runtime
