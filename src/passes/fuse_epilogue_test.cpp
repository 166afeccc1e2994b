// Bias, residual and activation join the product that makes their operand.
#include <glia/ops.h>
#include <gtest/gtest.h>

#include "ir/graph.h"
#include "passes/pipeline.h"

namespace glia::passes {
namespace {

std::vector<std::string> ops_after_passes(ir::Graph& g) {
  auto work = g.clone();
  optimize(*work);
  std::vector<std::string> names;
  for (const ir::Node& n : work->nodes)
    if (n.op->name != "input") names.push_back(n.op->name);
  return names;
}

TEST(FuseEpilogue, BiasAndActivation) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {8, 16}}, "x"), w = ir::add_input(g, {DType::f32, {16, 32}}, "w");
  Value product = ops::matmul(x, w);
  Value b = ir::add_input(g, {DType::f32, {32}}, "b");
  g->set_outputs({ops::relu(product + b)});
  EXPECT_EQ(ops_after_passes(*g), std::vector<std::string>{"matmul"});
}

// Mixed precision: the bias is f32 and is cast after the product was made, as a layer reads it last.
TEST(FuseEpilogue, BiasThatMixedPrecisionCasts) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::bf16, {8, 16}}, "x"), w = ir::add_input(g, {DType::bf16, {16, 32}}, "w");
  Value product = ops::matmul(x, w);
  Value b = ir::add_input(g, {DType::f32, {32}}, "b");
  g->set_outputs({ops::relu(product + ops::cast(b, DType::bf16))});
  EXPECT_EQ(ops_after_passes(*g), (std::vector<std::string>{"cast", "matmul"}));
}

}  // namespace
}  // namespace glia::passes
