// A 2x2 max pooling joins the convolution that it alone reads, and gradients stay what they were.
#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "passes/pipeline.h"

namespace glia::passes {
namespace {

Tensor steps(Shape shape, int64_t period, float scale) {
  Tensor t(std::move(shape));
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = scale * static_cast<float>(i * 7 % period - period / 2);
  return t;
}

std::vector<std::string> ops_of(const std::function<Values(const Values&)>& f, const std::vector<Shape>& shapes) {
  auto g = std::make_shared<ir::Graph>();
  Values in;
  for (const Shape& s : shapes) in.push_back(ir::add_input(g, {DType::f32, s}, "v" + std::to_string(in.size())));
  g->set_outputs(f(in));
  auto work = g->clone();
  optimize(*work, {.verify = true});
  std::vector<std::string> names;
  for (const ir::Node& n : work->nodes)
    if (n.op->name != "input") names.push_back(n.op->name);
  return names;
}
bool has(const std::vector<std::string>& v, const char* name) { return std::find(v.begin(), v.end(), name) != v.end(); }

const std::vector<Shape> kShapes = {{3, 13, 12, 16}, {3, 3, 16, 40}, {40}};

Values network(const Values& v) { return {ops::max_pool(ops::relu(ops::conv(v[0], v[1]) + v[2]), {2})}; }
Values training(const Values& v) {
  const Value h = network(v)[0];
  Values r = gradients({ops::sum(h * h)}, v);
  r.push_back(h);
  return r;
}

TEST(FusePool, OneStepWithBiasAndRelu) {
  EXPECT_EQ(ops_of(network, kShapes), std::vector<std::string>{"conv_max_pool"});
  const auto names = ops_of(training, kShapes);
  EXPECT_TRUE(has(names, "conv_max_pool")) << "the gradients need the pooled values and the argmax only";
  EXPECT_FALSE(has(names, "max_pool"));
}

TEST(FusePool, LeftAlone) {
  auto with = [](auto f) { return has(ops_of(f, kShapes), "conv_max_pool"); };
  EXPECT_FALSE(with([](const Values& v) { return Values{ops::max_pool(ops::conv(v[0], v[1]), {3})}; })) << "another window";
  EXPECT_FALSE(with([](const Values& v) { return Values{ops::max_pool(ops::conv(v[0], v[1]), {2}, {.strides = {1}})}; })) << "windows overlap";
  EXPECT_FALSE(with([](const Values& v) { return Values{ops::max_pool(ops::tanh(ops::conv(v[0], v[1])), {2})}; })) << "tanh";
  EXPECT_FALSE(with([](const Values& v) {
    const Value y = ops::conv(v[0], v[1]);
    return Values{ops::max_pool(y, {2}), y};
  })) << "the convolution's result is an output";
}

// mixed_bfloat16: bias and relu are computed in f32 between the casts where the one step is the faster.
TEST(FusePool, OfBfloat16) {
  auto half = [](const Values& v) {
    const DType t = DType::bf16;
    const Value y = ops::conv(ops::cast(v[0], t), ops::cast(v[1], t)) + ops::cast(v[2], t);
    return Values{ops::max_pool(ops::relu(y), {2})};
  };
  const std::vector<Shape> one_channel = {{4, 20, 20, 1}, {3, 3, 1, 32}, {32}};
  for (const auto& shapes : {kShapes, one_channel}) {
    EXPECT_TRUE(has(ops_of(half, shapes), "conv_max_pool"));
    const Values in{steps(shapes[0], 29, 0.05f), steps(shapes[1], 31, 0.02f), steps(shapes[2], 11, 0.1f)};
    set_disabled_passes({"fuse_pool"});
    const Value want = compile_function(half)(in)[0];
    set_disabled_passes({});
    const Value got = compile_function(half)(in)[0];
    ASSERT_EQ(got.dtype(), DType::bf16);
    for (int64_t j = 0; j < want.tensor().size(); ++j) {
      const double w = want.tensor().item(j);
      ASSERT_NEAR(got.tensor().item(j), w, std::abs(w) / 128 + 0.01) << j;  // one step of bfloat16
    }
  }
}

TEST(FusePool, SameValuesAndGradients) {
  const Values in{steps(kShapes[0], 29, 0.05f), steps(kShapes[1], 31, 0.02f), steps(kShapes[2], 11, 0.1f)};
  set_disabled_passes({"fuse_pool"});
  const Values want = compile_function(training)(in);
  set_disabled_passes({});
  const Values got = compile_function(training)(in);
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].shape(), want[i].shape());
    for (int64_t j = 0; j < want[i].tensor().size(); ++j) {
      const double w = want[i].tensor().item(j);
      ASSERT_NEAR(got[i].tensor().item(j), w, 1e-4 * std::max(1.0, std::abs(w))) << i << " " << j;
    }
  }
}

}  // namespace
}  // namespace glia::passes
