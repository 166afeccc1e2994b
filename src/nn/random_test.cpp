// glia::random: what it draws from, and when it draws anew.
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <cmath>

namespace glia {
namespace {

std::vector<float> drawn(const Value& v) { return v.tensor().to_vector(); }

TEST(Random, ASeedStandsForItself) {
  EXPECT_EQ(drawn(random::normal({50}, {.seed = 3})), drawn(random::normal({50}, {.seed = 3})));
  EXPECT_NE(drawn(random::normal({50}, {.seed = 3})), drawn(random::normal({50}, {.seed = 4})));
  EXPECT_EQ(drawn(random::shuffle(ops::arange(0, 20), {.seed = 1})), drawn(random::shuffle(ops::arange(0, 20), {.seed = 1})));
}

TEST(Random, WithoutSeedEachCallDrawsAnewAndTheProgramRepeats) {
  set_random_seed(7);
  const auto a = drawn(random::uniform({50})), b = drawn(random::uniform({50}));
  EXPECT_NE(a, b);
  set_random_seed(7);
  EXPECT_EQ(drawn(random::uniform({50})), a);
  EXPECT_EQ(drawn(random::uniform({50})), b);
}

TEST(Random, RangesAndTypes) {
  for (float v : drawn(random::uniform({1000}, {.minval = -2, .maxval = 3}))) EXPECT_TRUE(v >= -2 && v < 3);
  const Value ids = random::randint({1000}, 2, 6);
  EXPECT_EQ(ids.dtype(), DType::i32);
  for (float v : drawn(ids)) EXPECT_TRUE(v >= 2 && v < 6);
  double sum = 0, squares = 0;
  for (float v : drawn(random::normal({20000}, {.mean = 5, .stddev = 2, .seed = 1}))) sum += v, squares += (v - 5) * (v - 5);
  EXPECT_NEAR(sum / 20000, 5, 0.06);       // four standard errors
  EXPECT_NEAR(squares / 20000, 4, 0.16);
  for (float v : drawn(random::truncated_normal({1000}))) EXPECT_LE(std::abs(v), 2);
  for (float v : drawn(random::binomial({100}, 5, 0.5))) EXPECT_TRUE(v >= 0 && v <= 5);
  for (float v : drawn(random::beta({100}, Tensor::scalar(2), Tensor::scalar(3)))) EXPECT_TRUE(v >= 0 && v <= 1);
  for (float v : drawn(random::gamma({100}, Tensor::scalar(2)))) EXPECT_GT(v, 0);
  for (float v : drawn(random::categorical(Tensor::from({1, 3}, {0, -1e9, 0}), 100))) EXPECT_NE(v, 1);
  for (float v : drawn(random::dropout(Tensor::full({100}, 1), 0.5))) EXPECT_TRUE(v == 0 || v == 2);
}

// Inside a training step: other numbers in every step and use, the same for the same seed.
struct Noise : Layer {
  std::optional<int64_t> seed;
  explicit Noise(std::optional<int64_t> s) : seed(s) {}
  std::string class_name() const override { return "Noise"; }
  Value call(const Value& x) override { return x + random::normal(x.shape(), {.seed = seed}) - random::normal(x.shape(), {.seed = seed}); }
};
std::vector<double> two_losses(std::optional<int64_t> seed) {
  set_random_seed(1);
  Sequential m({make_layer<Noise>(seed)});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  std::vector<double> r;
  for (int i = 0; i < 2; ++i) {
    m.reset_metrics();
    r.push_back(m.train_on_batch(Tensor::zeros({1, 8}), Tensor::zeros({1, 8}))["loss"]);
  }
  return r;
}
TEST(Random, StepsDrawAnew) {
  const std::vector<double> a = two_losses({});
  EXPECT_GT(a[0], 0);  // the two uses of one step differ
  EXPECT_NE(a[0], a[1]);
  EXPECT_EQ(a, two_losses({}));
  EXPECT_EQ(two_losses(3), (std::vector<double>{0, 0}));
}

// Numbers beside arrays, as keras.ops takes them.
TEST(NumberOperands, TakeTheTypeOfTheArray) {
  const Value x = Tensor::from({3}, {-1, 0.5, 2}), n = Tensor::from({3}, {-2, 0, 3}, DType::i32);
  EXPECT_EQ(drawn(ops::power(x, 2.0)), (std::vector<float>{1, 0.25, 4}));
  EXPECT_EQ(drawn(ops::power(2.0, x)), (std::vector<float>{0.5, std::sqrt(2.f), 4}));
  EXPECT_EQ(drawn(ops::maximum(x, 0.0)), (std::vector<float>{0, 0.5, 2}));
  EXPECT_EQ(drawn(ops::minimum(1.0, x)), (std::vector<float>{-1, 0.5, 1}));
  EXPECT_EQ(drawn(ops::mod(x, 1.0)), (std::vector<float>{0, 0.5, 0}));
  EXPECT_EQ(drawn(ops::floor_divide(x, 2.0)), (std::vector<float>{-1, 0, 1}));
  EXPECT_EQ(drawn(ops::where(x > 0.0, x, 0.0)), (std::vector<float>{0, 0.5, 2}));
  EXPECT_EQ(drawn(ops::where(x > 0.0, 1.0, -1.0)), (std::vector<float>{-1, 1, 1}));
  EXPECT_EQ(drawn(ops::equal(n, 3.0)), (std::vector<float>{0, 0, 1}));
  EXPECT_EQ(ops::maximum(n, 1.0).dtype(), DType::i32);
  EXPECT_EQ(ops::maximum(n, 0.5).dtype(), DType::f32);
}

}  // namespace
}  // namespace glia
