// Control flow, forward derivatives, and functions that only run on concrete values. (The numbers of all others come from Keras:
// glia-parity runs tests/golden/more.jsonl.gz.)
#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>

#include <glia/error.h>

namespace glia {
namespace {

Tensor vector(std::initializer_list<double> v) { return Tensor::from({static_cast<int64_t>(v.size())}, v); }
std::vector<float> numbers(const Value& v) { return v.tensor().to_vector(); }
using Floats32 = std::vector<float>;

TEST(Control, CondRunsOneBranchOrSelects) {
  int calls = 0;
  auto branch = [&](const Value& x, double f) { return [&calls, x, f] { return ++calls, Values{x * f}; }; };
  const Value x = vector({1, -2});
  EXPECT_EQ(numbers(ops::cond(ops::sum(x) > 0.0, branch(x, 2), branch(x, -1))[0]), (Floats32{-1, 2}));
  EXPECT_EQ(calls, 1);
  Function f = compile_function([](const Values& v) {
    return ops::cond(ops::sum(v[0]) > 0.0, [&] { return Values{v[0] * 2.0}; }, [&] { return Values{-v[0]}; });
  });
  EXPECT_EQ(numbers(f({x})[0]), (Floats32{-1, 2}));
  EXPECT_EQ(numbers(f({Value(vector({3, -2}))})[0]), (Floats32{6, -4}));
  const std::vector<std::function<Values(const Values&)>> branches{[](const Values& v) { return Values{v[0] + 1.0}; },
                                                                   [](const Values& v) { return Values{v[0] * 10.0}; }};
  for (int64_t i : {-3, 0, 1, 7}) {  // clipped
    const Value index(Tensor::scalar(static_cast<double>(i), DType::i32));
    const Floats32 want = i <= 0 ? Floats32{2, -1} : Floats32{10, -20};
    EXPECT_EQ(numbers(ops::switch_(index, branches, {x})[0]), want);
    Function g = compile_function([&](const Values& v) { return ops::switch_(v[0], branches, {v[1]}); });
    EXPECT_EQ(numbers(g({index, x})[0]), want);
  }
}

TEST(Control, Loops) {
  auto below = [](const Values& v) { return ops::sum(v[0]) < 100.0; };
  auto twice = [](const Values& v) { return Values{v[0] * 2.0}; };
  EXPECT_EQ(numbers(ops::while_loop(below, twice, {Value(vector({1, 2}))})[0]), (Floats32{64, 128}));
  EXPECT_EQ(numbers(ops::while_loop(below, twice, {Value(vector({1, 2}))}, 3)[0]), (Floats32{8, 16}));
  Function bounded = compile_function([&](const Values& v) { return ops::while_loop(below, twice, v, 20); });
  EXPECT_EQ(numbers(bounded({Value(vector({1, 2}))})[0]), (Floats32{64, 128}));
  Function open = compile_function([&](const Values& v) { return ops::while_loop(below, twice, v); });
  EXPECT_THROW(open({Value(vector({1, 2}))}), Error);
  const Values sum = ops::fori_loop(2, 5, [](int64_t i, const Values& v) { return Values{v[0] + static_cast<double>(i)}; }, {Value(Tensor::scalar(0))});
  EXPECT_EQ(sum[0].tensor().item(), 2 + 3 + 4);
}

TEST(Control, ScansAndMaps) {
  const Value xs = Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6});
  auto add = [](const Values& carry, const Values& x) -> ops::ScanStep {
    Value s = carry[0] + x[0];
    return {{s}, {s * 2.0}};
  };
  const ops::ScanStep forward = ops::scan(add, {ops::zeros({2})}, {xs}), backward = ops::scan(add, {ops::zeros({2})}, {xs}, {}, true);
  EXPECT_EQ(numbers(forward.carry[0]), (Floats32{9, 12}));
  EXPECT_EQ(numbers(forward.outputs[0]), (Floats32{2, 4, 8, 12, 18, 24}));
  EXPECT_EQ(numbers(backward.outputs[0]), (Floats32{18, 24, 16, 20, 10, 12}));
  auto sum = [](const Values& a, const Values& b) { return Values{a[0] + b[0]}; };
  for (int64_t n : {1, 2, 3, 5, 8}) {
    const Value x = ops::arange(1, static_cast<double>(n) + 1, 1, DType::f32);
    EXPECT_EQ(numbers(ops::associative_scan(sum, {x})[0]), numbers(ops::cumsum(x)));
    EXPECT_EQ(numbers(ops::associative_scan(sum, {x}, true)[0]), numbers(ops::cumsum(x, 0, false, true)));
  }
  EXPECT_EQ(numbers(ops::map([](const Values& v) { return Values{ops::sum(v[0])}; }, {xs})[0]), (Floats32{3, 7, 11}));
}

TEST(Control, ForwardDerivatives) {
  auto f = [](const Values& v) { return Values{ops::sin(v[0]) * v[1], ops::sum(v[0])}; };
  const Value a = vector({0.5, 1}), b = vector({2, 3}), da = vector({1, -1}), db = vector({0, 2});
  const auto [y, dy] = ops::jvp(f, {a, b}, {da, db});
  ASSERT_EQ(dy.size(), 2u);
  EXPECT_NEAR(y[0].tensor().item(1), std::sin(1) * 3, 1e-6);
  EXPECT_NEAR(dy[0].tensor().item(0), std::cos(0.5) * 2, 1e-6);
  EXPECT_NEAR(dy[0].tensor().item(1), -std::cos(1) * 3 + std::sin(1) * 2, 1e-6);
  EXPECT_NEAR(dy[1].tensor().item(), 0, 1e-6);
}

TEST(Concrete, ShapesThatDependOnData) {
  const Value x = Tensor::from({2, 3}, {1, 0, 2, 0, 0, 3});
  const Values at = ops::nonzero(x);
  EXPECT_EQ(numbers(at[0]), (Floats32{0, 0, 1}));
  EXPECT_EQ(numbers(at[1]), (Floats32{0, 2, 2}));
  EXPECT_EQ(numbers(ops::boolean_mask(x, x > 0.0)), (Floats32{1, 2, 3}));
  const Values u = ops::unique(Value(vector({3, 1, 3, NAN, NAN})), {.return_counts = true});
  EXPECT_EQ(u[0].tensor().size(), 3);  // NaN is one value
  EXPECT_EQ(numbers(u[1]), (Floats32{1, 2, 2}));
  EXPECT_EQ(numbers(ops::bincount_of(Value(Tensor::from({4}, {0, 3, 3, 1}, DType::i32)))), (Floats32{1, 1, 0, 2}));
  EXPECT_EQ(ops::view(Value(Tensor::from({1}, {1.0})), DType::i32).tensor().item(), 0x3f800000);
  for (const auto& f : std::vector<std::function<Values(const Values&)>>{
           [](const Values& v) { return ops::nonzero(v[0]); }, [](const Values& v) { return ops::unique(v[0]); },
           [](const Values& v) { return Values{ops::boolean_mask(v[0], v[0] > 0.0)}; }, [](const Values& v) { return Values{ops::bincount_of(v[0])}; }})
    EXPECT_THROW(compile_function(f)({x}), Error);
  const auto bits = compile_function([](const Values& v) { return Values{ops::view(v[0], DType::i32)}; });
  EXPECT_EQ(bits({x})[0].tensor().item(0), 0x3f800000);
}

TEST(Concrete, IndexingAsPython) {
  using ops::Index;
  const Value x = ops::reshape(ops::arange(0, 24, 1, DType::f32), {2, 3, 4});
  EXPECT_EQ(ops::get_item(x, {Index::at(-1)}).shape(), (Shape{3, 4}));
  EXPECT_EQ(numbers(ops::get_item(x, {Index::ellipsis(), Index::at(0)})), (Floats32{0, 4, 8, 12, 16, 20}));
  EXPECT_EQ(numbers(ops::get_item(x, {Index::at(0), Index::range({}, {}, -2), Index::range(1, 3)})), (Floats32{9, 10, 1, 2}));
  EXPECT_EQ(ops::get_item(x, {Index::all(), Index::new_axis(), Index::at(1)}).shape(), (Shape{2, 1, 4}));
  EXPECT_THROW(ops::get_item(x, {Index::at(2)}), Error);
}

TEST(Linalg, RefusesWhatHasNoAnswer) {
  const Value singular = Tensor::from({2, 2}, {1, 2, 2, 4});
  EXPECT_THROW(ops::solve(singular, ops::ones({2})), Error);
  EXPECT_THROW(ops::cholesky(Value(Tensor::from({2, 2}, {1, 2, 2, 1}))), Error);
  EXPECT_THROW(ops::inv(ops::ones({2, 3})), Error);
  EXPECT_NEAR(ops::det(singular).tensor().item(), 0, 1e-6);
  const Value a = Tensor::from({2, 2}, {2, 1, 1, 3});
  EXPECT_EQ(numbers(ops::matrix_power(a, 3)), (Floats32{15, 20, 20, 35}));
  EXPECT_NEAR(ops::matmul(ops::matrix_power(a, -2), ops::matmul(a, a)).tensor().item(1), 0, 1e-6);
}

TEST(Linalg, LargerMatricesKeepTheirPromises) {
  const Value seed(Tensor::from_vector<int64_t>({2}, {3, 0})), a = ops::random_normal(seed, 0, {60, 40});
  const Values usv = ops::svd(a, true);
  auto largest = [](const Value& v) { return ops::max(ops::abs(v)).tensor().item(); };
  Value s = ops::concatenate({ops::diag(usv[1]), ops::zeros({20, 40})}, 0);
  EXPECT_LT(largest(ops::matmul(ops::matmul(usv[0], s), usv[2]) - a), 1e-4);
  EXPECT_LT(largest(ops::matmul(usv[0], usv[0], true) - ops::eye(60)), 1e-5);
  const Value symmetric = ops::matmul(a, a, true);
  const Values ev = ops::eigh(symmetric);
  EXPECT_LT(largest(ops::matmul(symmetric, ev[1]) - ev[1] * ops::expand_dims(ev[0], 0)), 2e-3);
  const Values qr = ops::qr(a, "complete");
  EXPECT_LT(largest(ops::matmul(qr[0], qr[1]) - a), 1e-5);
  const Value p = ops::pinv(a);
  EXPECT_LT(largest(ops::matmul(p, a) - ops::eye(40)), 1e-5);
}

}  // namespace
}  // namespace glia
