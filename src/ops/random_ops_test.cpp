#include "ops/op_check.h"

namespace glia {
namespace {
using namespace testing_ops;

Tensor seed_of(int64_t seed, int64_t step) { return Tensor::from_vector<int64_t>({2}, {seed, step}); }

TEST(RandomOps, DependOnSeedStepAndStreamOnly) {
  const Tensor a = ops::random_uniform(seed_of(1, 2), 3, {100}).tensor();
  EXPECT_TRUE(a.equals(ops::random_uniform(seed_of(1, 2), 3, {100}).tensor()));
  EXPECT_FALSE(a.equals(ops::random_uniform(seed_of(2, 2), 3, {100}).tensor()));
  EXPECT_FALSE(a.equals(ops::random_uniform(seed_of(1, 3), 3, {100}).tensor()));
  EXPECT_FALSE(a.equals(ops::random_uniform(seed_of(1, 2), 4, {100}).tensor()));
  EXPECT_EQ(ops::random_normal(seed_of(1, 2), 0, {2, 3}, 0, 1, DType::bf16).dtype(), DType::bf16);
}

TEST(RandomOps, DropoutKeepsTheExpectationAndItsGradientTheMask) {
  const Tensor x = Tensor::full({20000}, 2), seed = seed_of(7, 1);
  const Tensor y = ops::dropout(x, 0.25, seed, 5).tensor();
  double sum = 0;
  for (int64_t i = 0; i < y.size(); ++i) {
    EXPECT_TRUE(y.item(i) == 0 || std::abs(y.item(i) - 2 / 0.75) < 1e-6);
    sum += y.item(i);
  }
  EXPECT_NEAR(sum / 20000, 2, 4 * 2 / 0.75 * std::sqrt(0.25 * 0.75 / 20000));
  check_gradient([&](const Values& v) { return ops::dropout(v[0], 0.25, seed, 5); }, {random_values({40, 3})});
  const Tensor rows = ops::dropout(Tensor::full({50, 4}, 1), 0.5, seed, 0, {50, 1}).tensor();
  for (int64_t i = 0; i < 50; ++i)
    for (int64_t j = 1; j < 4; ++j) EXPECT_EQ(rows.item(i * 4 + j), rows.item(i * 4));
  EXPECT_TRUE(ops::dropout(x, 0, seed, 0).tensor().equals(x));
  EXPECT_EQ(ops::dropout(x, 1, seed, 0).tensor().item(3), 0);
  EXPECT_THROW(ops::dropout(x, 1.5, seed, 0), Error);
}

TEST(RandomOps, CompositesDrawWhatTheySay) {
  const Tensor seed = seed_of(3, 0);
  const Tensor s = ops::sort(ops::random_shuffle(seed, 0, ops::arange(0, 50))).tensor();
  EXPECT_TRUE(s.equals(ops::arange(0, 50).tensor()));
  EXPECT_FALSE(ops::random_shuffle(seed, 0, ops::arange(0, 50)).tensor().equals(s));
  const Tensor logits = Tensor::from({1, 3}, {std::log(0.2), std::log(0.5), std::log(0.3)});
  const Tensor c = ops::random_categorical(seed, 1, logits, 20000).tensor();
  double count[3] = {};
  for (int64_t i = 0; i < c.size(); ++i) ++count[c.data<int32_t>()[i]];
  EXPECT_NEAR(count[0] / 20000, 0.2, 0.012);
  EXPECT_NEAR(count[1] / 20000, 0.5, 0.015);
  EXPECT_NEAR(ops::mean(ops::random_bernoulli(seed, 2, {20000}, 0.3)).tensor().item(), 0.3, 0.013);
  const Tensor k = ops::random_integers(seed, 3, {1000}, 5, 8).tensor();
  EXPECT_EQ(ops::min(k).tensor().item(), 5);
  EXPECT_EQ(ops::max(k).tensor().item(), 7);
}

}  // namespace
}  // namespace glia
