#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "ir/graph.h"
#include "runtime/executable.h"

namespace glia {
namespace {

using ops::DotProductAttention;

Tensor numbers(const Shape& shape, double step, DType dtype = DType::f32) {  // multiples of 1/4 in [-2, 2]
  Tensor t(shape, dtype);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, std::round(8 * std::sin(step * static_cast<double>(i + 1))) / 4);
  return t;
}
Tensor some_true(const Shape& shape) {
  Tensor t(shape, DType::bool_);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, i % 7 != 2 && i % 5 != 1);
  return t;
}

void expect_values(const Value& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.type().elements(), static_cast<int64_t>(want.size()));
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got.tensor().item(static_cast<int64_t>(i)), want[i], tolerance) << i;
}

// Numbers from Keras 3.15.1 with TensorFlow 2.21: tools/golden/attention.py.
TEST(Attention, MatchesKeras) {
  const Value q = numbers({1, 3, 2, 4}, 0.61), k = numbers({1, 5, 2, 4}, 0.37), v = numbers({1, 5, 2, 3}, 0.9);
  const Value bias = numbers({1, 2, 3, 5}, 1.3);
  const Value mask = Tensor::from({1, 1, 3, 5}, {1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1}, DType::bool_);
  auto attend = [&](const DotProductAttention& o) { return ops::dot_product_attention(q, k, v, o); };
  expect_values(attend({}), {0.96171629, 1.5911027, 0.82281107, 1.4825853, 1.2154648, 0.036832847, -0.47748512, -0.16066712,
                             0.20671237, 0.54463869, 0.1671555, -0.29303765, -0.37801251, 0.89861107, 1.5788927, 0.65933514,
                             1.2488834, 0.96052355}, 1e-6);
  expect_values(attend({.bias = bias}),
                {1.4679571, 1.9653552, 0.74165732, 1.2819079, 0.78934169, -0.2950286, 0.77310669, 0.9063499, 0.18248111,
                 -0.36780116, -0.19820401, 0.15032232, -0.13886377, 1.1783301, 1.7175636, 0.21204796, 1.5906587, 1.8362404}, 1e-6);
  expect_values(attend({.mask = mask}), {1.004162, 1.6685531, 0.87272251, 1.734603, 1.9754111, 0.73474586, -0.6, 0, 0.55, 0.75,
                                         0.3, -0.35, -0.025242765, 1.4202904, 1.9222896, 0.65930527, 1.2488629, 0.96052939}, 1e-6);
  expect_values(attend({.scale = 0.25, .is_causal = true}),
                {1.5, 2, 0.75, -1, -2, -1.5, 1.2950875, 1.9316958, 0.92076051, -0.93849653, -1.9648551, -1.5175724, -0.042964652,
                 1.4335303, 1.9445448, 1.0442115, -0.13326178, -1.1686307}, 1e-6);
  expect_values(attend({.bias = bias, .mask = mask}),
                {1.4821926, 1.9881036, 0.7544173, 1.5697443, 1.7372189, 0.60180211, -0.6, 0, 0.55, 0.75, 0.3, -0.35, -0.051793717,
                 1.3036312, 1.797917, 0.21203977, 1.5906565, 1.8362461}, 1e-6);
}

struct Sample {
  int64_t b, t, s, n, m, h, d;
  bool causal = false;
  int64_t offset = 0;
  Shape mask = {};
  DType mask_dtype = DType::bool_;
};
const Sample kSamples[] = {{2, 3, 4, 2, 2, 5, 6},
                           {1, 70, 70, 4, 2, 8, 8, true},
                           {2, 5, 9, 3, 1, 4, 7, true, 4},
                           {2, 3, 4, 2, 2, 5, 6, false, 0, {2, 1, 1, 4}},
                           {2, 6, 6, 2, 2, 3, 3, true, 0, {6, 6}, DType::f32},
                           {2, 3, 4, 4, 2, 5, 6, false, 0, {2, 4, 3, 4}},
                           {1, 1, 1, 1, 1, 1, 1}};

std::vector<Tensor> sample_inputs(const Sample& s, DType t) {
  std::vector<Tensor> in{numbers({s.b, s.t, s.n, s.h}, 0.61, t), numbers({s.b, s.s, s.m, s.h}, 0.37, t),
                         numbers({s.b, s.s, s.m, s.d}, 0.9, t)};
  if (!s.mask.empty()) in.push_back(s.mask_dtype == DType::bool_ ? some_true(s.mask) : numbers(s.mask, 1.3, t));
  return in;
}
ir::Attrs sample_attrs(const Sample& s) {
  return {{"scale", 0.4}, {"causal", s.causal}, {"causal_offset", s.offset}, {"mask", !s.mask.empty()}};
}

// The tiled kernels and the decomposition against the definition.
TEST(Attention, KernelsAndDecompositionMatchTheReference) {
  for (const Sample& s : kSamples) {
    SCOPED_TRACE(fmt::format("t {} s {} heads {}/{} mask {}", s.t, s.s, s.n, s.m, to_string(s.mask)));
    std::vector<Tensor> in = sample_inputs(s, DType::f32);
    for (const char* name : {"attention", "attention_grad"}) {
      const ir::OpDef& op = ir::find_op(name);
      std::vector<Tensor> args(in.begin(), in.begin() + 3);
      if (op.name == "attention_grad") {
        std::vector<Tensor> out{Tensor({s.b, s.t, s.n, s.d}), Tensor({s.b, s.n, s.t})};
        ir::find_op("attention").reference(sample_attrs(s), in, out);
        args.insert(args.end(), {out[0], out[1], numbers(out[0].shape(), 1.7)});
      }
      if (in.size() == 4) args.push_back(in[3]);
      auto graph = std::make_shared<ir::Graph>();
      Values v;
      for (const Tensor& t : args) v.push_back(ir::add_input(graph, {t.dtype(), t.shape()}, "x"));
      Values tiled = ir::apply(op, sample_attrs(s), v), outputs = tiled;
      for (const Value& x : op.decompose(ir::normalized(op, sample_attrs(s)), v)) outputs.push_back(x);
      graph->set_outputs(outputs);
      std::vector<Tensor> got = runtime::compile(*graph)->run(args), want;
      for (const Value& x : tiled) want.push_back(Tensor(x.shape()));
      op.reference(ir::normalized(op, sample_attrs(s)), args, want);
      for (size_t o = 0; o < got.size(); ++o)
        for (int64_t i = 0; i < got[o].size(); ++i) {
          const double w = want[o % want.size()].item(i);
          ASSERT_NEAR(got[o].item(i), w, 1e-5 * (1 + std::abs(w))) << name << " output " << o << " at " << i;
        }
    }
  }
}

// First and second derivatives, in double, against finite differences.
TEST(Attention, GradientsAreThoseOfTheDefinition) {
  for (const Sample& s : kSamples) {
    if (s.t > 10) continue;
    SCOPED_TRACE(fmt::format("t {} s {} heads {}/{} mask {}", s.t, s.s, s.n, s.m, to_string(s.mask)));
    auto f = [&](const Values& v) {
      DotProductAttention o{.scale = 0.4, .is_causal = s.causal, .causal_offset = s.offset};
      if (v.size() == 4) o.bias = v[3];
      else if (!s.mask.empty()) o.mask = some_true(s.mask);
      return ops::sum(ops::sin(ops::dot_product_attention(v[0], v[1], v[2], o)));
    };
    auto g = [&](const Values& v) {
      Values d = grad(f)(v);
      Value r = ops::sum(ops::square(d[0]));
      for (size_t i = 1; i < d.size(); ++i) r = r + ops::sum(ops::square(d[i]));
      return r;
    };
    std::vector<Tensor> in = sample_inputs(s, DType::f64);
    if (in.size() == 4 && in[3].dtype() == DType::bool_) in.pop_back();
    Values args(in.begin(), in.end());
    for (const auto& h : {std::function<Value(const Values&)>(f), std::function<Value(const Values&)>(g)}) {
      Values d = grad(h)(args);
      for (size_t a = 0; a < args.size(); ++a) {  // along one direction per argument
        Tensor direction = numbers(args[a].shape(), 2.3, DType::f64);
        double want = 0, got = 0;
        for (double sign : {1.0, -1.0}) {
          Values moved = args;
          Tensor t = args[a].tensor().clone();
          for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, t.item(i) + sign * 1e-5 * direction.item(i));
          moved[a] = t;
          want += sign * h(moved).tensor().item() / 2e-5;
        }
        for (int64_t i = 0; i < direction.size(); ++i) got += d[a].tensor().item(i) * direction.item(i);
        EXPECT_NEAR(got, want, 1e-6 * (1 + std::abs(want))) << "argument " << a;
      }
    }
  }
}

TEST(Attention, LongHeadsAreComposed) {
  const Value q = numbers({1, 2, 1, 600}, 0.61), v = numbers({1, 2, 1, 600}, 0.9);
  const Value wide = ops::dot_product_attention(q, q, v);
  std::vector<Tensor> in{q.tensor(), q.tensor(), v.tensor()}, out{Tensor({1, 2, 1, 600}), Tensor({1, 1, 2})};
  ir::find_op("attention").reference({{"scale", 1 / std::sqrt(600.0)}, {"causal", false}, {"causal_offset", int64_t{0}}, {"mask", false}},
                                     in, out);
  for (int64_t i = 0; i < out[0].size(); ++i) ASSERT_NEAR(wide.tensor().item(i), out[0].item(i), 1e-5) << i;
}

void expect_error(const std::function<void()>& f, const std::string& want) {
  try {
    f();
    ADD_FAILURE() << "no error; expected: " << want;
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), want);
  }
}

TEST(Attention, Errors) {
  const Value q = Tensor({1, 3, 4, 8}), k = Tensor({1, 5, 4, 8});
  expect_error([&] { ops::dot_product_attention(Tensor({3, 4, 8}), k, k); },
               "dot_product_attention: query must be (batch, time, heads, size). Received float32 (3, 4, 8).");
  expect_error([&] { ops::dot_product_attention(q, Tensor({1, 5, 3, 8}), Tensor({1, 5, 3, 8})); },
               "attention: the number of query heads must be a multiple of the key heads. Received 4 and 3.");
  expect_error([&] { ops::dot_product_attention(q, Tensor({1, 5, 4, 7}), k); },
               "attention: key must be (batch, keys, kv_heads, 8) and value (batch, keys, kv_heads, any) with batch 1. Received float32 "
               "(1, 5, 4, 7) and float32 (1, 5, 4, 8).");
  expect_error([&] { ops::dot_product_attention(q, k, k, {.mask = Tensor({3, 4}, DType::bool_)}); },
               "attention: shapes (3, 4) and (1, 4, 3, 5) cannot be broadcast together.");
  expect_error([&] { ops::dot_product_attention(q, k, k, {.mask = Tensor({3, 5})}); },
               "dot_product_attention: the mask must be bool. Received float32 (3, 5). Pass values to add as bias.");
}

}  // namespace
}  // namespace glia
