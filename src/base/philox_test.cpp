#include "base/philox.h"

#include <gtest/gtest.h>

#include <vector>

namespace glia {

// The known answers that come with Random123.
TEST(Philox, AgreesWithTheReference) {
  using A = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0), (A{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, ~uint64_t{0}), (A{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (A{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, StreamsAreUniformAndDiffer) {
  PhiloxStream a(1, 0), b(1, 1);
  std::vector<int> count(7);
  int same = 0;
  for (int i = 0; i < 70000; ++i) {
    uint64_t v = a.below(7);
    ASSERT_LT(v, 7u);
    ++count[v];
    same += v == b.below(7);
  }
  for (int c : count) EXPECT_NEAR(c, 10000, 500);  // 5 standard deviations are 463
  EXPECT_NEAR(same, 10000, 500);
  double u = a.uniform();
  EXPECT_TRUE(u >= 0 && u < 1);
}

}  // namespace glia
