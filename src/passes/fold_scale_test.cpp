// Scales and shifts per channel join fixed weights.
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ir/graph.h"
#include "passes/pipeline.h"
#include "runtime/executable.h"

namespace glia::passes {
namespace {

struct Net {
  std::shared_ptr<ir::Graph> g = std::make_shared<ir::Graph>();
  std::vector<Value> in;
  std::vector<bool> fixed;
  Value add(Shape s, bool is_fixed) {
    in.push_back(ir::add_input(g, {DType::f32, std::move(s)}, "in" + std::to_string(in.size())));
    fixed.push_back(is_fixed);
    return in.back();
  }
};

std::vector<std::string> ops_after_passes(const Net& net, bool with_fixed) {
  auto work = net.g->clone();
  optimize(*work, {.verify = true, .fixed = with_fixed ? net.fixed : std::vector<bool>{}});
  std::vector<std::string> names;
  for (const ir::Node& n : work->nodes)
    if (n.op->name != "input" && n.op->name != "constant") names.push_back(n.op->name);
  return names;
}
int64_t count(const std::vector<std::string>& v, const std::string& s) { return std::count(v.begin(), v.end(), s); }

Tensor ramp(const Shape& s, float first, float step) {
  Tensor t(s);
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = first + step * static_cast<float>(i % 23);
  return t;
}

std::vector<float> run(const Net& net, const std::vector<Tensor>& values, const std::vector<bool>& fixed, const Shape& out) {
  auto program = runtime::compile(*net.g, nullptr, fixed);
  std::vector<void*> in;
  for (const Tensor& t : values) in.push_back(const_cast<void*>(t.craw()));
  Tensor y(out);
  void* outputs[] = {y.raw()};
  for (int i = 0; i < 2; ++i) program->run(in, outputs, i == 0);
  return {y.data<float>(), y.data<float>() + y.size()};
}

Value normalised(Net& net, const Value& y, int64_t channels) {
  Value mean = net.add({channels}, true), scale = net.add({channels}, true), beta = net.add({channels}, true);
  return (y - mean) * scale + beta;
}

TEST(FoldScale, BatchNormBehindAConvolution) {
  Net net;
  Value x = net.add({2, 9, 9, 3}, false), w = net.add({3, 3, 3, 8}, true), b = net.add({8}, true);
  net.g->set_outputs({ops::relu(normalised(net, ops::conv(x, w) + b, 8))});
  const auto folded = ops_after_passes(net, true);
  EXPECT_EQ(folded.back(), "conv") << "bias and relu are in its epilogue";
  EXPECT_EQ(count(folded, "conv"), 1);
  EXPECT_NE(ops_after_passes(net, false).back(), "conv") << "weights that change are not scaled in every run";
  const std::vector<Tensor> values = {ramp({2, 9, 9, 3}, -1, 0.1f), ramp({3, 3, 3, 8}, -1, 0.09f), ramp({8}, 0.1f, 0.2f),
                                      ramp({8}, -0.5f, 0.3f), ramp({8}, 0.5f, 0.25f), ramp({8}, -1, 0.3f)};
  const auto want = run(net, values, {}, {2, 7, 7, 8}), got = run(net, values, net.fixed, {2, 7, 7, 8});
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-5 * std::max(1.f, std::abs(want[i]))) << i;
}

TEST(FoldScale, AlsoBehindAMatrixProductAndUnderOtherShapes) {
  Net net;
  Value x = net.add({64, 12}, false), w = net.add({12, 16}, true), s = net.add({1, 16}, true), t = net.add({1, 16}, true);
  net.g->set_outputs({ops::matmul(x, w) * s - t});
  EXPECT_EQ(ops_after_passes(net, true).back(), "matmul");
  const std::vector<Tensor> values = {ramp({64, 12}, -1, 0.1f), ramp({12, 16}, -1, 0.09f), ramp({1, 16}, 0.5f, 0.1f), ramp({1, 16}, -1, 0.2f)};
  const auto want = run(net, values, {}, {64, 16}), got = run(net, values, net.fixed, {64, 16});
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-5 * std::max(1.f, std::abs(want[i]))) << i;
}

TEST(FoldScale, LeavesAloneWhatItMayNotTouch) {
  {
    Net net;  // the sum itself is an output
    Value x = net.add({64, 12}, false), w = net.add({12, 16}, true), s = net.add({16}, true);
    Value y = ops::matmul(x, w);
    net.g->set_outputs({y, y * s});
    EXPECT_NE(ops_after_passes(net, true).back(), "matmul");
  }
  {
    Net net;  // a scale that changes with every run
    Value x = net.add({64, 12}, false), w = net.add({12, 16}, true), s = net.add({16}, false);
    net.g->set_outputs({ops::matmul(x, w) * s});
    EXPECT_NE(ops_after_passes(net, true).back(), "matmul");
  }
  {
    Net net;  // one row: the scaled weights would cost more memory than the pass over the result
    Value x = net.add({1, 12}, false), w = net.add({12, 16}, true), s = net.add({16}, true);
    net.g->set_outputs({ops::matmul(x, w) * s});
    EXPECT_NE(ops_after_passes(net, true).back(), "matmul");
  }
  {
    Net net;  // m - y
    Value x = net.add({64, 12}, false), w = net.add({12, 16}, true), m = net.add({16}, true), s = net.add({16}, true);
    net.g->set_outputs({(m - ops::matmul(x, w)) * s});
    EXPECT_NE(ops_after_passes(net, true).back(), "matmul");
  }
}

}  // namespace
}  // namespace glia::passes
