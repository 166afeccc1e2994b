#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/cpu.h"
#include "ir/graph.h"
#include "runtime/executable.h"

namespace glia {
namespace {

Tensor numbers(const Shape& shape, DType dtype = DType::f32, double step = 0.61) {
  Tensor t(shape, dtype);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, std::round(8 * std::sin(step * static_cast<double>(i + 1))) / 4);
  return t;
}

struct Sample {
  Shape a, b;
  bool ta = false, tb = false;
};
const Sample kSamples[] = {
    {{3, 4}, {4, 5}},          {{4, 3}, {4, 5}, true},       {{3, 4}, {5, 4}, false, true}, {{4, 3}, {5, 4}, true, true},
    {{2, 3, 4}, {4, 5}},       {{2, 3, 4}, {2, 4, 5}},       {{2, 1, 3, 4}, {3, 4, 5}},     {{1, 6}, {6, 1}},
    {{2, 4, 3}, {2, 4, 1}, true}, {{7, 3, 4}, {7, 5, 4}, false, true}, {{0, 4}, {4, 5}}, {{3, 0}, {0, 5}},
    {{40, 70}, {70, 90}},      {{2, 3, 1, 4}, {1, 3, 4, 2}}, {{100, 64}, {64, 300}}};

// Every candidate against the reference, through a compiled graph with bias, residual and activation fused.
void check_sample(const Sample& s, DType dtype, double tolerance) {
  const ir::OpDef& op = ir::find_op("matmul");
  Tensor a = numbers(s.a, dtype), b = numbers(s.b, dtype, 0.37);
  auto graph = std::make_shared<ir::Graph>();
  Value x = ir::add_input(graph, {dtype, s.a}, "a"), y = ir::add_input(graph, {dtype, s.b}, "b");
  ir::Attrs attrs{{"transpose_a", s.ta}, {"transpose_b", s.tb}};
  Value plain = ir::apply1(op, attrs, {x, y});
  Tensor bias = numbers({plain.shape().back()}, dtype, 0.9), residual = numbers(plain.shape(), dtype, 1.3);
  Value v = ir::add_input(graph, {dtype, bias.shape()}, "bias");
  Value r = ir::add_input(graph, {dtype, residual.shape()}, "residual");
  attrs.set("bias", true), attrs.set("residual", true), attrs.set("activation", std::string("relu"));
  Value full = ir::apply1(op, attrs, {x, y, v, r});
  graph->set_outputs({plain, full});
  std::vector<Tensor> in{a, b, bias, residual};
  std::vector<Tensor> got = runtime::compile(*graph)->run(in);
  Tensor want0(plain.shape(), dtype), want1(plain.shape(), dtype);
  std::vector<Tensor> two{a, b};
  op.reference(ir::normalized(op, {{"transpose_a", s.ta}, {"transpose_b", s.tb}}), two, std::vector<Tensor>{want0});
  op.reference(ir::normalized(op, attrs), in, std::vector<Tensor>{want1});
  for (int64_t i = 0; i < want0.size(); ++i) {
    ASSERT_NEAR(got[0].item(i), want0.item(i), tolerance * (1 + std::abs(want0.item(i)))) << i;
    ASSERT_NEAR(got[1].item(i), want1.item(i), tolerance * (1 + std::abs(want1.item(i)))) << i;
  }
}

TEST(Matmul, CandidatesMatchTheReference) {
  for (const Sample& s : kSamples) {
    SCOPED_TRACE(to_string(s.a) + " x " + to_string(s.b));
    check_sample(s, DType::f32, 0);  // multiples of 1/4: sums are exact
    check_sample(s, DType::f64, 0);
    check_sample(s, DType::bf16, 1.0 / 128);
    check_sample(s, DType::f16, 1.0 / 1024);
    check_sample(s, DType::i32, 0);
  }
}

TEST(Matmul, GradientsAreThoseOfTheDefinition) {
  for (const Sample& s : kSamples) {
    if (num_elements(s.a) > 100 || num_elements(s.a) == 0) continue;
    SCOPED_TRACE(to_string(s.a) + " x " + to_string(s.b));
    auto f = [&](const Values& v) { return ops::sum(ops::sin(ops::matmul(v[0], v[1], s.ta, s.tb))); };
    Values args{numbers(s.a, DType::f64), numbers(s.b, DType::f64, 0.37)};
    Values g = grad(f)(args);
    for (size_t a = 0; a < 2; ++a)
      for (int64_t i = 0; i < args[a].tensor().size(); ++i) {
        auto at = [&](double d) {
          Values moved = args;
          Tensor t = args[a].tensor().clone();
          t.set_item(i, t.item(i) + d);
          moved[a] = t;
          return f(moved).tensor().item();
        };
        EXPECT_NEAR(g[a].tensor().item(i), (at(1e-6) - at(-1e-6)) / 2e-6, 1e-7) << a << " " << i;
      }
  }
}

TEST(Matmul, FusesADenseLayer) {
  auto graph = std::make_shared<ir::Graph>();
  Value x = ir::add_input(graph, {DType::f32, {8, 5, 6}}, "x"), w = ir::add_input(graph, {DType::f32, {6, 4}}, "w");
  Value b = ir::add_input(graph, {DType::f32, {4}}, "b");
  graph->set_outputs({ops::relu(ops::matmul(x, w) + b)});
  auto exe = runtime::compile(*graph);
  for (const auto& step : exe->plan().steps) EXPECT_TRUE(step.op == "matmul" || step.op == "copy") << plan::print(exe->plan());
  EXPECT_EQ(exe->plan().steps[0].kernel, "gemm");
}

void expect_error(const std::function<void()>& f, const std::string& want) {
  try {
    f();
    ADD_FAILURE() << "no error; expected: " << want;
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), want);
  }
}

TEST(Matmul, Errors) {
  expect_error([] { ops::matmul(Tensor({3, 4}), Tensor({5, 6})); },
               "matmul: the inner extents differ: 4 of (3, 4) and 5 of (5, 6).");
  expect_error([] { ops::matmul(Tensor({2, 3, 4}), Tensor({3, 4, 6})); },
               "matmul: shapes (2,) and (3,) cannot be broadcast together.");
  expect_error([] { ops::matmul(Tensor::scalar(1), Tensor({5, 6})); },
               "matmul: scalars cannot be multiplied as matrices. Received float32 () and float32 (5, 6).");
}

}  // namespace
}  // namespace glia
