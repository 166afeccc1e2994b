#include <glia/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace glia {

TEST(Tensor, MakesReshapesAndSlices) {
  Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(x.size(), 6);
  EXPECT_EQ(x.slice(1, 2).item(0), 4);
  EXPECT_EQ(x.reshape({3, -1}).shape(), (Shape{3, 2}));
  std::vector<int64_t> rows{1, 0, 1};
  EXPECT_EQ(x.take(rows).to_vector(), (std::vector<float>{4, 5, 6, 1, 2, 3, 4, 5, 6}));
  EXPECT_THROW(x.data<double>(), Error);
  EXPECT_THROW(x.reshape({4, 2}), Error);
  EXPECT_THROW(Tensor({-1, 2}), Error);
}

TEST(Tensor, ConvertsHalfTypesRoundToNearestEven) {
  for (float v : {0.f, -0.f, 1.f, 65504.f, 1e-7f, 3.14159f, 1e-24f, -2.5f}) {
    EXPECT_NEAR(to_float(to_float16(v)), v, std::abs(v) * 0.0005 + 3e-8) << v;
    EXPECT_NEAR(to_float(to_bfloat16(v)), v, std::abs(v) * 0.004) << v;
  }
  EXPECT_TRUE(std::isinf(to_float(to_float16(65520.f))));
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(NAN))));
  EXPECT_EQ(to_bfloat16(1.00390625f).bits, 0x3f80);  // half way between 1 and the next: to even
  Tensor big = Tensor::from_vector<int64_t>({1}, {(int64_t{1} << 53) + 1});
  EXPECT_EQ(big.astype(DType::i32).data<int32_t>()[0], 1);
  EXPECT_EQ(big.astype(DType::i4).item(0), 1);  // the lowest bits, as ml_dtypes keeps them; a float has lost them
  Tensor many = Tensor::from_vector<int32_t>({4}, {16777217 + 8, -9, 17, 7});
  EXPECT_EQ(many.astype(DType::i4).to_vector(), (std::vector<float>{-7, 7, 1, 7}));
  EXPECT_EQ(many.astype(DType::u2).to_vector(), (std::vector<float>{1, 3, 1, 3}));
}

TEST(Tensor, VersionTellsChanges) {
  Tensor t = Tensor::zeros({4}), view = t.reshape({2, 2});
  auto first = t.version();
  ASSERT_TRUE(first);
  EXPECT_EQ(view.version(), first);
  view.set_item(1, 3);
  auto second = t.version();
  ASSERT_TRUE(second);
  EXPECT_NE(second, first);
  t.fill(2);
  EXPECT_NE(t.version(), second);
  auto third = t.version();
  t.copy_from(Tensor::zeros({4}));
  EXPECT_NE(t.version(), third);
  auto fourth = t.version();
  EXPECT_EQ(t.cdata<float>()[0], 0);
  EXPECT_EQ(t.item(1), 0);
  EXPECT_TRUE(t.clone().equals(t));
  EXPECT_EQ(t.version(), fourth);
  EXPECT_THROW(t.cdata<double>(), Error);
  view.data<float>()[0] = 1;           // from now on somebody may write unseen
  EXPECT_FALSE(t.version());
  t.close();                           // shared with `view`: stays so
  EXPECT_FALSE(t.version());
  view = Tensor();
  t.close();
  EXPECT_TRUE(t.version());
  float own[2] = {1, 2};
  EXPECT_FALSE(Tensor::wrap({2}, DType::f32, own, nullptr).version());
}

}  // namespace glia
