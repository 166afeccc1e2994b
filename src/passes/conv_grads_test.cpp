#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>

#include "passes/pipeline.h"

namespace glia::passes {
namespace {

Tensor waves(Shape shape, double step) {
  Tensor t(std::move(shape));
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, std::sin(step * static_cast<double>(i + 1)));
  return t;
}

int count(const ir::Graph& g, const std::string& op) {
  int n = 0;
  for (const ir::Node& node : g.nodes) n += node.op->name == op;
  return n;
}

Values network(const Values& v) {
  Value h = ops::max_pool(ops::relu(ops::conv(v[0], v[1], {.padding = "same"}) + v[2]), {2});
  return gradients({ops::sum(h * h)}, {v[1], v[2]});
}

TEST(ConvGrads, FewerPassesOverLargeTensors) {
  auto g = std::make_shared<ir::Graph>();
  Values in;
  for (Shape s : {Shape{2, 8, 8, 3}, Shape{3, 3, 3, 5}, Shape{5}})
    in.push_back(ir::add_input(g, {DType::f32, s}, "v"));
  g->set_outputs(network(in));
  run_pass(*g, "dce");
  run_pass(*g, "conv_grads");
  EXPECT_EQ(count(*g, "reduce_sum"), 0) << ir::print(*g);
  for (const ir::Node& n : g->nodes) {
    if (n.op->name == "relu_grad") {
      EXPECT_EQ(n.types[0].shape, (Shape{2, 4, 4, 5})) << ir::print(*g);
    }
  }
  EXPECT_EQ(count(*g, "relu_grad"), 1);
  EXPECT_EQ(count(*g, "max_pool_backprop"), 1);
}

TEST(ConvGrads, SameGradients) {
  const Values in{waves({2, 8, 8, 3}, 0.7), waves({3, 3, 3, 5}, 1.3), waves({5}, 2.1)};
  set_disabled_passes({"conv_grads"});
  const Values want = compile_function(network)(in);
  set_disabled_passes({});
  const Values got = compile_function(network)(in);
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].shape(), want[i].shape());
    for (int64_t j = 0; j < want[i].tensor().size(); ++j)
      ASSERT_NEAR(got[i].tensor().item(j), want[i].tensor().item(j), 1e-4) << i << " " << j;
  }
}

}  // namespace
}  // namespace glia::passes
