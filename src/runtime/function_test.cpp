#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/graph.h"
#include "passes/pipeline.h"
#include "runtime/executable.h"

namespace glia {
namespace {

TEST(Function, ComputesConcreteValuesAtOnce) {
  Value x = Tensor::from({2, 2}, {1, 2, 3, 4});
  Value y = ops::matmul(x, x) + Tensor::from({2}, {10, 20});
  EXPECT_EQ(y.tensor().to_vector(), (std::vector<float>{17, 30, 25, 42}));
  EXPECT_EQ(ops::sum(x, {0}).tensor().to_vector(), (std::vector<float>{4, 6}));
}

TEST(Function, DifferentiatesToAnyOrder) {
  auto cube = [](const Values& v) { return ops::sum(v[0] * v[0] * v[0]); };
  Value x = Tensor::from({2}, {2, 3}, DType::f64);
  EXPECT_EQ(grad(cube)({x})[0].tensor().item(1), 27);
  auto second = [&](const Values& v) { return ops::sum(grad(cube)(v)[0]); };
  EXPECT_EQ(grad(second)({x})[0].tensor().item(0), 12);
  auto third = [&](const Values& v) { return ops::sum(grad(second)(v)[0]); };
  EXPECT_EQ(grad(third)({x})[0].tensor().item(0), 6);
}

TEST(Function, DifferentiatesAPerceptronLikeFiniteDifferences) {
  auto f = [](const Values& v) {
    Value h = ops::relu(ops::matmul(v[0], v[1]) + v[2]);
    Value p = ops::sigmoid(ops::matmul(h, v[3]));
    return ops::mean(ops::square(p - 0.3));
  };
  Values args;
  for (Shape s : {Shape{4, 3}, Shape{3, 5}, Shape{5}, Shape{5, 2}}) {
    Tensor t(s, DType::f64);
    for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, std::sin(1.7 * static_cast<double>(i + 1 + t.rank())));
    args.emplace_back(t);
  }
  Values r = value_and_grad(f)(args);
  for (size_t a = 0; a < args.size(); ++a)
    for (int64_t i = 0; i < args[a].tensor().size(); ++i) {
      auto at = [&](double d) {
        Values moved = args;
        Tensor t = args[a].tensor().clone();
        t.set_item(i, t.item(i) + d);
        moved[a] = t;
        return f(moved).tensor().item();
      };
      double numeric = (at(1e-6) - at(-1e-6)) / 2e-6;
      EXPECT_NEAR(r[a + 1].tensor().item(i), numeric, 1e-8) << a << " " << i;
    }
}

TEST(Function, UpdatesInputsInPlaceAndTogether) {
  auto g = std::make_shared<ir::Graph>();
  Value m = ir::add_input(g, {DType::f32, {40}}, "m"), v = ir::add_input(g, {DType::f32, {40}}, "v");
  Value w = ir::add_input(g, {DType::f32, {40}}, "w"), d = ir::add_input(g, {DType::f32, {40}}, "d");
  Value m2 = m + (d - m) * 0.1, v2 = v + (d * d - v) * 0.01;
  Value w2 = w - m2 * 0.5 / (ops::sqrt(v2) + 1e-3) - m * 0.25;  // reads the old m after the new one exists
  g->set_outputs({m2, v2, w2});
  g->updates = {{0, 0}, {1, 1}, {2, 2}};
  auto exe = runtime::compile(*g);
  EXPECT_EQ(exe->plan().steps.size(), 1u) << plan::print(exe->plan());
  std::vector<Tensor> in;
  for (double x : {1.0, 2.0, 3.0, 4.0}) in.push_back(Tensor::full({40}, x));
  exe->run(in);
  EXPECT_NEAR(in[0].item(39), 1.3, 1e-6);
  EXPECT_NEAR(in[1].item(39), 2.14, 1e-6);
  EXPECT_NEAR(in[2].item(39), 3 - 1.3 * 0.5 / (std::sqrt(2.14) + 1e-3) - 0.25, 1e-6);
}

// One branch of a choice is computed, not both; what a branch inside of the other decides waits for the outer condition.
TEST(Executable, SkipsTheBranchThatIsNotChosen) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {20, 20}}, "x"), outer = ir::add_input(g, {DType::f32, {}}, "outer"), inner = ir::add_input(g, {DType::f32, {}}, "inner");
  Value first = outer > 0.0, second = inner > 0.0;
  Value a = ops::matmul(ops::exp(x), x), b = ops::matmul(x, x), c = ops::softmax(x);
  g->set_outputs({ops::where(first, a + 1.0, ops::where(second, b * 2.0, c)) * 0.5});
  auto exe = runtime::compile(*g);
  const std::string text = plan::print(exe->plan());
  int guarded = 0;
  for (const plan::Step& s : exe->plan().steps) guarded += !s.guards.empty();
  EXPECT_GE(guarded, 5) << text;
  EXPECT_NE(text.find("unless"), std::string::npos) << text;
  Tensor ones = Tensor::full({20, 20}, 1);
  auto result = [&](double o, double i) { return exe->run(std::vector<Tensor>{ones, Tensor::scalar(o), Tensor::scalar(i)})[0].item(399); };
  for (int round = 0; round < 2; ++round) {
    EXPECT_NEAR(result(1, -1), (20 * std::exp(1.0) + 1) / 2, 1e-4);
    EXPECT_NEAR(result(-1, 1), 20, 1e-4);
    EXPECT_NEAR(result(-1, -1), 0.025, 1e-6);
    EXPECT_NEAR(result(1, 1), (20 * std::exp(1.0) + 1) / 2, 1e-4);
  }
}

TEST(Graph, PrintsAndParses) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {2, 3}}, "x");
  g->set_outputs({ops::sum(ops::exp(x * 2.0), {1}, true)});
  std::string text = ir::print(*g);
  auto back = ir::parse(text);
  EXPECT_EQ(ir::print(*back), text);
  ir::verify(*back, "parse");
  EXPECT_THROW(ir::parse("graph { %0 = nonsense() {} : float32[] }"), Error);
}

TEST(Passes, FusePointwiseAcrossBroadcast) {
  auto g = ir::parse(R"(graph {
    %0 = input() {name="x"} : float32[4,8]
    %1 = input() {name="b"} : float32[8]
    %2 = add(%0, %1) {} : float32[4,8]
    %3 = constant() {} : float32[] = [2]
    %4 = mul(%2, %3) {} : float32[4,8]
    %5 = tanh(%4) {} : float32[4,8]
    return %5
  })");
  passes::run_pass(*g, "fuse_pointwise");
  passes::run_pass(*g, "dce");
  EXPECT_EQ(g->nodes.size(), 3u) << ir::print(*g);
}

// y = x exp(w) + b, with w and b fixed: exp(w) is computed once, until told that a fixed input changed.
TEST(Executable, KeepsWhatFixedInputsGive) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {8, 200}}, "x"), w = ir::add_input(g, {DType::f32, {200, 300}}, "w"),
        b = ir::add_input(g, {DType::f32, {300}}, "b");
  g->set_outputs({ops::matmul(x, ops::exp(w)) + b});
  auto exe = runtime::compile(*g, nullptr, {false, true, true});
  EXPECT_GE(exe->plan().kept_bytes, 200u * 300u * 4u);
  Tensor xs = Tensor::full({8, 200}, 1), ws = Tensor::zeros({200, 300}), bs = Tensor::full({300}, 0.5), out({8, 300});
  auto run = [&](bool changed) {
    std::vector<void*> in{xs.raw(), ws.raw(), bs.raw()}, to{out.raw()};
    exe->run(in, to, changed);
    return out.item(2 * 300 + 7);
  };
  EXPECT_EQ(run(false), 200.5);  // the first run computes all
  ws.fill(1);
  bs.fill(1);
  EXPECT_EQ(run(false), 201);    // b is read where it lies
  EXPECT_NEAR(run(true), 200 * std::exp(1.0) + 1, 1e-2);
  xs.fill(2);
  EXPECT_NEAR(run(false), 400 * std::exp(1.0) + 1, 1e-2);
  Tensor other = Tensor::zeros({200, 300});
  ws = other;                    // a fixed input at another address counts as changed
  EXPECT_EQ(run(false), 401);
}

// An input that an output updates is not fixed, whatever the caller says.
TEST(Executable, UpdatedInputsAreNotFixed) {
  auto g = std::make_shared<ir::Graph>();
  Value w = ir::add_input(g, {DType::f32, {3}}, "w");
  g->set_outputs({ops::exp(w), w + 1.0});
  g->updates = {{0, 1}};
  auto exe = runtime::compile(*g, nullptr, {true});
  Tensor ws = Tensor::zeros({3}), out({3});
  std::vector<void*> in{ws.raw()}, to{out.raw(), nullptr};
  for (int i = 0; i < 3; ++i) {
    exe->run(in, to, false);
    EXPECT_NEAR(out.item(0), std::exp(static_cast<double>(i)), 1e-5);
  }
}

}  // namespace
}  // namespace glia
