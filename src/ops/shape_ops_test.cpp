// Moving elements, indexing, order, running sums: values by hand (checked with NumPy), gradients against differences.
#include "ops/op_check.h"

namespace glia {
namespace {
using namespace testing_ops;
using V = std::vector<float>;

Tensor counted(Shape shape, DType t = DType::f32) {
  Tensor x(shape, t);
  for (int64_t i = 0; i < x.size(); ++i) x.set_item(i, static_cast<double>(i));
  return x;
}
V list(const Value& v) { return v.tensor().to_vector(); }
template <class F>
void expect_error(F&& f, const std::string& part) {
  try {
    f();
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(ShapeOps, Transpose) {
  EXPECT_EQ(list(ops::transpose(counted({2, 3}))), (V{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(ops::transpose(counted({2, 3, 4}), {1, 0, 2}).shape(), (Shape{3, 2, 4}));
  EXPECT_EQ(list(ops::transpose(counted({2, 2, 2}), {2, 0, 1})), (V{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(ops::moveaxis(counted({2, 3, 4}), 0, -1).shape(), (Shape{3, 4, 2}));
  EXPECT_EQ(ops::swapaxes(counted({2, 3, 4}), 0, -1).shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(list(ops::transpose(counted({2, 3}, DType::u8))), (V{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(ops::transpose(counted({2, 3}, DType::bf16)).dtype(), DType::bf16);
  check_gradient([](const Values& v) { return ops::transpose(v[0], {2, 0, 1}); }, {random_values({2, 3, 4})});
  expect_error(
      [] {
        ops::transpose(counted({2, 3}), {0, 0});
      },
      "transpose: axes must be a permutation of 0 to 1. Received [0, 0]");
}

TEST(ShapeOps, SliceAndFlip) {
  const Tensor x = counted({3, 4});
  EXPECT_EQ(list(ops::slice(x, {1, 1}, {2, 2})), (V{5, 6, 9, 10}));
  EXPECT_EQ(list(ops::slice_axis(x, 1, 0, ops::kEnd, 2)), (V{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(list(ops::slice_axis(counted({6}), 0, -2, ops::kEnd)), (V{4, 5}));
  EXPECT_EQ(list(ops::slice_axis(counted({6}), 0, 4, 1, -2)), (V{4, 2}));
  EXPECT_EQ(list(ops::slice_axis(counted({6}), 0, 10, 20)), V{});
  EXPECT_EQ(list(ops::flip(x, {0})), (V{8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3}));
  EXPECT_EQ(list(ops::flip(counted({2, 2}))), (V{3, 2, 1, 0}));
  EXPECT_EQ(list(ops::roll(counted({5}), 2, 0)), (V{3, 4, 0, 1, 2}));
  EXPECT_EQ(list(ops::roll(counted({5}), -1, 0)), (V{1, 2, 3, 4, 0}));
  const Values parts = ops::split(counted({6}), 3);
  EXPECT_EQ(list(parts[1]), (V{2, 3}));
  EXPECT_EQ(list(ops::split(counted({6}), {1, 4}, 0)[1]), (V{1, 2, 3}));
  EXPECT_EQ(list(ops::unstack(x, 1)[2]), (V{2, 6, 10}));
  const Tensor r = random_values({4, 7});
  check_gradient([](const Values& v) { return ops::slice_axis(v[0], 1, 1, 6, 2); }, {r});
  check_gradient([](const Values& v) { return ops::slice_axis(v[0], 1, 5, 0, -2); }, {r});
  check_gradient([](const Values& v) { return ops::flip(v[0]); }, {r});
  check_gradient([](const Values& v) { return ops::roll(v[0], 3, 1); }, {r});
  expect_error([&] { ops::slice(x, {2, 0}, {2, 4}); }, "2 elements from index 2 do not lie within axis 0");
  expect_error([&] { ops::split(x, 3, 1); }, "cannot be cut into 3 equal parts");
}

TEST(ShapeOps, Pad) {
  EXPECT_EQ(list(ops::pad(counted({2, 2}), {{1, 0}, {0, 1}}, "constant", 9)), (V{9, 9, 9, 0, 1, 9, 2, 3, 9}));
  EXPECT_EQ(list(ops::pad(counted({4}), {{2, 2}}, "reflect")), (V{2, 1, 0, 1, 2, 3, 2, 1}));
  EXPECT_EQ(list(ops::pad(counted({4}), {{3, 3}}, "reflect")), (V{3, 2, 1, 0, 1, 2, 3, 2, 1, 0}));
  EXPECT_EQ(list(ops::pad(counted({3}), {{2, 3}}, "symmetric")), (V{1, 0, 0, 1, 2, 2, 1, 0}));
  EXPECT_EQ(list(ops::pad(counted({3}), {{2, 1}}, "edge")), (V{0, 0, 0, 1, 2, 2}));
  EXPECT_EQ(list(ops::pad(counted({2}, DType::bf16), {{1, 1}}, "constant", -2)), (V{-2, 0, 1, -2}));
  const Tensor r = random_values({3, 4});
  for (const char* mode : {"constant", "reflect", "symmetric", "edge"})
    check_gradient([mode](const Values& v) { return ops::pad(v[0], {{1, 2}, {2, 0}}, mode); }, {r});
  expect_error([&] { ops::pad(r, {{1, 1}, {1, 1}}, "mirror"); }, "pad: unknown mode 'mirror'.");
  expect_error([&] { ops::pad(r, {{3, 0}, {0, 0}}, "reflect"); }, "cannot add 3 and 0 cells to an axis of 3");
}

TEST(ShapeOps, JoinAndRepeat) {
  EXPECT_EQ(list(ops::concatenate({counted({2, 2}), counted({2, 1})})), (V{0, 1, 0, 2, 3, 1}));
  EXPECT_EQ(list(ops::concatenate({counted({1, 2}), counted({2, 2})}, 0)), (V{0, 1, 0, 1, 2, 3}));
  EXPECT_EQ(ops::concatenate({counted({2}, DType::i32), counted({2})}).dtype(), DType::f32);
  EXPECT_EQ(list(ops::stack({counted({2}), counted({2})}, 1)), (V{0, 0, 1, 1}));
  EXPECT_EQ(list(ops::repeat(counted({2, 2}), 2, 1)), (V{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(list(ops::tile(counted({2}), {2, 2})), (V{0, 1, 0, 1, 0, 1, 0, 1}));
  const Tensor a = random_values({2, 3}), b = random_values({2, 4}, -1, 1, 2);
  check_gradient([](const Values& v) { return ops::concatenate({v[0], v[1], v[0]}); }, {a, b});
  check_gradient([](const Values& v) { return ops::stack({v[0], v[0] * 2.0}, 1); }, {a});
  check_gradient([](const Values& v) { return ops::tile(v[0], {2, 3}); }, {a});
  check_gradient([](const Values& v) { return ops::repeat(v[0], 3, 0); }, {a});
  expect_error([] { ops::concatenate({counted({2, 2}), counted({3, 1})}); }, "shapes must agree except along axis 1");
}

TEST(ShapeOps, TakeAndScatter) {
  const Tensor x = counted({3, 2}), i = Tensor::from({2, 2}, {2, 0, -1, 1}, DType::i32);
  EXPECT_EQ(list(ops::take(x, i)), (V{4, 5, 0, 1, 4, 5, 2, 3}));
  EXPECT_EQ(ops::take(x, i).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(list(ops::take(x, Tensor::from({1}, {1}, DType::i64), 1)), (V{1, 3, 5}));
  EXPECT_EQ(list(ops::segment_sum(counted({3, 2}), Tensor::from({3}, {1, 1, 3}, DType::i32), 4)),
            (V{0, 0, 2, 4, 0, 0, 4, 5}));
  EXPECT_EQ(list(ops::take_along_axis(x, Tensor::from({3, 1}, {1, 0, 1}, DType::i32), 1)), (V{1, 2, 5}));
  EXPECT_EQ(list(ops::scatter(Tensor::from({2, 2}, {0, 1, 1, 0}, DType::i32), Tensor::from({2}, {5, 7}), {2, 3})),
            (V{0, 5, 0, 7, 0, 0}));
  EXPECT_EQ(list(ops::scatter_add(counted({3}), Tensor::from({2}, {2, 2}, DType::i32), Tensor::from({2}, {10, 1}))),
            (V{0, 1, 13}));
  EXPECT_EQ(list(ops::one_hot(Tensor::from({3}, {1, -1, 2}, DType::i32), 3)), (V{0, 1, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(ops::one_hot(i, 5, 0).shape(), (Shape{5, 2, 2}));
  const Tensor r = random_values({4, 3, 5}), j = Tensor::from({2, 2}, {2, 0, 1, 2}, DType::i32);
  check_gradient([&](const Values& v) { return ops::take(v[0], j, 0); }, {r});
  check_gradient([&](const Values& v) { return ops::take(v[0], j, 1); }, {r});
  check_gradient([&](const Values& v) { return ops::take(v[0], j, -1); }, {r});
  check_gradient(
      [&](const Values& v) {
        return ops::segment_sum(v[0], Tensor::from({4}, {1, 0, 1, 2}, DType::i32), 5);
      },
      {r});
  check_gradient(
      [&](const Values& v) {
        return ops::take_along_axis(
            v[0], Tensor::from({4, 1, 5}, {0, 1, 2, 0, 1, 2, 2, 2, 2, 1, 0, 0, 1, 0, 1, 2, 1, 0, 2, 1}, DType::i32),
            1);
      },
      {r});
  expect_error(
      [&] {
        ops::take(x, Tensor::from({2}, {0, 3}, DType::i32));
      },
      "take: index 3 at position 1 is out of range for 3 entries. Expected 0 to 2; an Embedding needs an input_dim above its largest id.");
  expect_error(
      [&] {
        ops::segment_sum(x, Tensor::from({2}, {0, 3}, DType::i32), 4);
      },
      "segment_sum: data must begin with the axes of the indices");
}

TEST(ShapeOps, Order) {
  const Tensor x = Tensor::from({2, 4}, {3, 1, NAN, 2, 5, 5, -1, 0});
  EXPECT_EQ(list(ops::argsort(x)), (V{1, 3, 0, 2, 2, 3, 0, 1}));
  const V sorted = list(ops::sort(x));
  EXPECT_EQ(V(sorted.begin() + 4, sorted.end()), (V{-1, 0, 5, 5}));
  EXPECT_TRUE(std::isnan(sorted[3]));
  EXPECT_EQ(list(ops::sort(Tensor::from({2, 2}, {3, 1, 2, 4}), 0)), (V{2, 1, 3, 4}));
  const Values top = ops::top_k(x, 2);
  EXPECT_EQ(list(top[0]), (V{3, 2, 5, 5}));
  EXPECT_EQ(list(top[1]), (V{0, 3, 0, 1}));
  const Tensor many = random_values({50, 301}, -1, 1, 3, DType::f32);
  const Tensor s = ops::sort(many).tensor();
  for (int64_t i = 0; i < 50; ++i)
    for (int64_t j = 1; j < 301; ++j) ASSERT_LE(s.item(i * 301 + j - 1), s.item(i * 301 + j));
  check_gradient([](const Values& v) { return ops::sort(v[0], 0); }, {random_values({5, 3})});
  check_gradient([](const Values& v) { return ops::top_k(v[0], 2)[0]; }, {random_values({3, 5})});
  expect_error([&] { ops::top_k(x, 5); }, "top_k: k must lie between 0 and the last axis");
}

TEST(ShapeOps, RunningSumsAndProducts) {
  const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(list(ops::cumsum(x, 1)), (V{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(list(ops::cumsum(x, 0)), (V{1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(list(ops::cumsum(x, 1, true)), (V{0, 1, 3, 0, 4, 9}));
  EXPECT_EQ(list(ops::cumsum(x, 1, false, true)), (V{6, 5, 3, 15, 11, 6}));
  EXPECT_EQ(list(ops::cumprod(x, 1)), (V{1, 2, 6, 4, 20, 120}));
  EXPECT_EQ(list(ops::cumsum(x.astype(DType::i64), -1)), (V{1, 3, 6, 4, 9, 15}));
  const Tensor r = random_values({3, 4, 70}, 0.5, 2);
  for (bool exclusive : {false, true})
    for (bool reverse : {false, true}) {
      check_gradient([=](const Values& v) { return ops::cumsum(v[0], 1, exclusive, reverse); }, {r});
      check_gradient([=](const Values& v) { return ops::cumprod(v[0], 1, exclusive, reverse); }, {r});
    }
}

TEST(ShapeOps, Constants) {
  EXPECT_EQ(list(ops::arange(0, 5, 2)), (V{0, 2, 4}));
  EXPECT_EQ(list(ops::linspace(0, 1, 3)), (V{0, 0.5, 1}));
  EXPECT_EQ(list(ops::eye(2, 3, 1)), (V{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(list(ops::tril(counted({2, 3}))), (V{0, 0, 0, 3, 4, 0}));
  EXPECT_EQ(list(ops::triu(counted({2, 3}))), (V{0, 1, 2, 0, 4, 5}));
}

}  // namespace
}  // namespace glia
