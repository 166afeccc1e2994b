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

std::vector<std::string> heavy_and_adds(const std::vector<std::string>& all) {
  std::vector<std::string> names;
  for (const std::string& n : all)
    if (n != "reshape") names.push_back(n);
  return names;
}

// EinsumDense with heads: the bias has two axes, which are one of the product's.
TEST(FuseEpilogue, BiasOfTwoAxes) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {24, 16}}, "x"), w = ir::add_input(g, {DType::f32, {16, 12}}, "w");
  Value heads = ops::reshape(ops::matmul(x, w), {2, 12, 4, 3});
  Value b = ir::add_input(g, {DType::f32, {4, 3}}, "b"), other = ir::add_input(g, {DType::f32, {12, 4, 3}}, "other");
  g->set_outputs({heads + b});
  EXPECT_EQ(heavy_and_adds(ops_after_passes(*g)), std::vector<std::string>{"matmul"});
  g->set_outputs({heads + other});  // differs from row to row
  EXPECT_EQ(heavy_and_adds(ops_after_passes(*g)), (std::vector<std::string>{"matmul", "add"}));
}

// Residuals of sequences: the product has flat rows.
TEST(FuseEpilogue, ResidualBehindAReshape) {
  auto g = std::make_shared<ir::Graph>();
  Value x = ir::add_input(g, {DType::f32, {2, 12, 16}}, "x"), w = ir::add_input(g, {DType::f32, {16, 16}}, "w");
  Value b = ir::add_input(g, {DType::f32, {16}}, "b");
  g->set_outputs({x + ops::reshape(ops::matmul(ops::reshape(x, {24, 16}), w) + b, {2, 12, 16})});
  EXPECT_EQ(heavy_and_adds(ops_after_passes(*g)), std::vector<std::string>{"matmul"});
}

}  // namespace
}  // namespace glia::passes
