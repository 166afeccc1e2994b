#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

namespace glia {
namespace {

Tensor random(Shape shape, uint64_t seed, DType dtype = DType::f64) {
  Tensor t(std::move(shape), dtype);
  for (int64_t i = 0; i < t.size(); ++i) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    t.set_item(i, static_cast<double>(static_cast<int64_t>(seed >> 33) - (1ll << 30)) / (1ll << 30));
  }
  return t;
}

Value dot(const Value& a, const Value& b) { return ops::sum(a * b); }

struct OpCase {
  const char* name;
  std::function<Value(const Values&)> f;
  std::vector<Shape> shapes;
  bool linear_in_first = true;  // max_pool is only piecewise linear
};

std::vector<OpCase> op_cases() {
  using namespace ops;
  auto conv_case = [](ConvOptions o) { return [o](const Values& v) { return conv(v[0], v[1], o); }; };
  return {
      {"conv 2-D valid", conv_case({}), {{2, 6, 5, 3}, {3, 2, 3, 4}}},
      {"conv 2-D same stride", conv_case({.strides = {2}, .padding = "same"}), {{2, 6, 7, 3}, {3, 3, 3, 4}}},
      {"conv 2-D dilated", conv_case({.padding = "same", .dilation_rate = {2, 1}}), {{1, 7, 6, 2}, {3, 3, 2, 3}}},
      {"conv 2-D groups", conv_case({.padding = "same"}), {{1, 5, 5, 6}, {3, 3, 2, 9}}},
      {"conv 2-D pads", conv_case({.pads = {{0, 2}, {1, 0}}}), {{1, 5, 5, 2}, {3, 3, 2, 3}}},
      {"conv 1x1", conv_case({}), {{2, 4, 5, 6}, {1, 1, 6, 7}}},
      {"conv 1x1 stride", conv_case({.strides = {2}}), {{2, 4, 5, 6}, {1, 1, 6, 7}}},
      {"conv 1-D", conv_case({.strides = {2}, .padding = "same"}), {{2, 9, 3}, {4, 3, 5}}},
      {"conv 3-D", conv_case({.padding = "same"}), {{1, 4, 3, 5, 2}, {2, 3, 3, 2, 3}}},
      {"depthwise",
       [](const Values& v) { return depthwise_conv(v[0], v[1], {.strides = {2}, .padding = "same"}); },
       {{2, 6, 5, 3}, {3, 3, 3, 2}}},
      {"conv_transpose same",
       [](const Values& v) { return conv_transpose(v[0], v[1], {.strides = {2}, .padding = "same"}); },
       {{2, 3, 4, 3}, {3, 3, 2, 3}}},
      {"conv_transpose valid",
       [](const Values& v) {
         return conv_transpose(v[0], v[1], {.strides = {3, 2}});
       },
       {{1, 3, 4, 2}, {2, 3, 4, 2}}},
      {"conv_transpose output padding",
       [](const Values& v) {
         return conv_transpose(v[0], v[1], {.strides = {2}, .padding = "same", .output_padding = {1}});
       },
       {{1, 4, 3}, {5, 2, 3}}},
      {"average_pool",
       [](const Values& v) { return average_pool(v[0], {3}, {.strides = {2}, .padding = "same"}); },
       {{2, 6, 5, 3}}},
      {"average_pool 1-D", [](const Values& v) { return average_pool(v[0], {2}); }, {{2, 7, 3}}},
      {"max_pool",
       [](const Values& v) {
         return max_pool(v[0], {2, 2});
       },
       {{2, 6, 5, 3}},
       false},
      {"max_pool overlapping",
       [](const Values& v) { return max_pool(v[0], {3}, {.strides = {1}, .padding = "same"}); },
       {{1, 5, 6, 2}},
       false},
      {"adaptive_average_pool", [](const Values& v) { return adaptive_average_pool(v[0], {3, 2}); }, {{2, 7, 4, 3}}},
      {"adaptive_max_pool", [](const Values& v) { return adaptive_max_pool(v[0], {2, 3}); }, {{1, 5, 6, 2}}, false},
      {"conv channels first", conv_case({.padding = "same", .data_format = "channels_first"}),
       {{2, 3, 5, 6}, {3, 3, 3, 4}}},
      {"max_pool channels first",
       [](const Values& v) { return max_pool(v[0], {2}, {.data_format = "channels_first"}); },
       {{2, 3, 5, 6}},
       false},
      {"max_pool 3-D",
       [](const Values& v) {
         return max_pool(v[0], {2, 3, 1});
       },
       {{1, 4, 6, 3, 2}},
       false},
  };
}

Values arguments(const OpCase& c, DType dtype, double move = 0) {
  Values v;
  for (size_t i = 0; i < c.shapes.size(); ++i) {
    Tensor t = random(c.shapes[i], 10 + i, DType::f64), d = random(c.shapes[i], 20 + i, DType::f64);
    for (int64_t j = 0; j < t.size(); ++j) t.set_item(j, t.item(j) + move * d.item(j));
    v.push_back(t.astype(dtype));
  }
  return v;
}

// Directional derivative of f at the arguments, by the gradient and by central differences.
void check_gradient(const std::string& name, const OpCase& c, const std::function<Value(const Values&)>& f) {
  const Values g = grad(f)(arguments(c, DType::f64));
  double by_gradient = 0;
  for (size_t i = 0; i < c.shapes.size(); ++i) {
    const Tensor d = random(c.shapes[i], 20 + i), gi = g[i].tensor();
    ASSERT_EQ(gi.shape(), c.shapes[i]) << name;
    for (int64_t j = 0; j < d.size(); ++j) by_gradient += d.item(j) * gi.item(j);
  }
  const double h = 1e-5;
  const Function at = compile_function([&](const Values& v) -> Values { return {f(v)}; });
  const double up = at(arguments(c, DType::f64, h))[0].tensor().item();
  const double down = at(arguments(c, DType::f64, -h))[0].tensor().item();
  EXPECT_NEAR((up - down) / (2 * h), by_gradient, 1e-6 * (1 + std::abs(by_gradient))) << name;
}

TEST(ConvOps, Gradients) {
  for (const OpCase& c : op_cases()) {
    const Shape out = c.f(arguments(c, DType::f64)).shape();
    const Tensor weight = random(out, 30);
    auto loss = [&](const Values& v) { return dot(ops::sin(c.f(v)), weight); };
    check_gradient(c.name, c, loss);
    // second order: the gradient of a function of the gradient
    auto of_gradient = [&](const Values& v) {
      Value s;
      for (const Value& g : gradients({loss(v)}, v)) {
        const Value part = ops::sum(ops::square(g));
        s = s.defined() ? s + part : part;
      }
      return s;
    };
    check_gradient(std::string(c.name) + ", second order", c, of_gradient);
  }
}

TEST(ConvOps, FloatsAgreeWithDoubles) {
  for (const OpCase& c : op_cases()) {
    const Tensor a = c.f(arguments(c, DType::f64)).tensor(), b = c.f(arguments(c, DType::f32)).tensor();
    ASSERT_EQ(a.shape(), b.shape()) << c.name;
    EXPECT_EQ(b.dtype(), DType::f32);
    for (int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.item(i), b.item(i), 2e-5) << c.name;
    const Tensor h = c.f(arguments(c, DType::bf16)).tensor();
    EXPECT_EQ(h.dtype(), DType::bf16) << c.name;
    for (int64_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a.item(i), h.item(i), 0.2) << c.name;
  }
}

TEST(ConvOps, BiasAndActivationFuse) {
  const Tensor x = random({2, 6, 6, 3}, 1, DType::f32), w = random({3, 3, 3, 20}, 2, DType::f32),
               b = random({20}, 3, DType::f32);
  const Tensor r = random({2, 6, 6, 20}, 4, DType::f32), w1 = random({1, 1, 3, 20}, 5, DType::f32);
  Function f = compile_function([](const Values& v) -> Values {
    return {ops::relu(ops::conv(v[0], v[1], {.padding = "same"}) + v[2] + v[3])};
  });
  for (const Tensor& kernel : {w, w1}) {
    const Tensor got = f({x, kernel, b, r})[0].tensor(), plain = ops::conv(x, kernel, {.padding = "same"}).tensor();
    for (int64_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got.item(i), std::max(0.0, plain.item(i) + b.item(i % 20) + r.item(i)), 1e-5);
  }
}

// Lengths of keras.backend's conv_transpose (compute_conv_transpose_output_shape of Keras 3.15.1).
TEST(ConvOps, TransposedLengths) {
  struct Row {
    int64_t n, k, s;
    const char* padding;
    int64_t output_padding, want;
  };
  for (const Row& r : {Row{4, 3, 2, "valid", -1, 9},
                       {4, 2, 3, "valid", -1, 12},
                       {4, 3, 2, "same", -1, 8},
                       {4, 3, 2, "valid", 1, 10},
                       {4, 3, 2, "same", 1, 8},
                       {5, 4, 1, "same", -1, 5},
                       {5, 4, 3, "same", 2, 14},
                       {1, 5, 1, "valid", -1, 5}}) {
    ops::ConvTransposeOptions o{.strides = {r.s}, .padding = r.padding};
    if (r.output_padding >= 0) o.output_padding = {r.output_padding};
    EXPECT_EQ(ops::conv_transpose(random({1, r.n, 2}, 1), random({r.k, 3, 2}, 2), o).shape(), (Shape{1, r.want, 3}))
        << r.n << " " << r.k << " " << r.s << " " << r.padding << " " << r.output_padding;
  }
}

TEST(ConvOps, ChannelsFirstIsTheSameTransposed) {
  const Tensor x = random({2, 5, 6, 3}, 1, DType::f32), w = random({3, 3, 3, 4}, 2, DType::f32);
  const Value last = ops::conv(x, w, {.padding = "same"});
  const Value first =
      ops::conv(ops::transpose(x, {0, 3, 1, 2}), w, {.padding = "same", .data_format = "channels_first"});
  EXPECT_TRUE(ops::transpose(first, {0, 2, 3, 1}).tensor().equals(last.tensor()));
}

// Keras's rule: cell i covers floor(i n / size) up to ceil((i + 1) n / size).
TEST(ConvOps, AdaptivePoolWindows) {
  const Tensor x = Tensor::from({1, 5, 1}, {1, 2, 4, 8, 16});
  EXPECT_EQ(ops::adaptive_average_pool(x, {2}).tensor().to_vector(), (std::vector<float>{7.f / 3, 28.f / 3}));
  EXPECT_EQ(ops::adaptive_max_pool(x, {3}).tensor().to_vector(), (std::vector<float>{2, 8, 16}));
  EXPECT_EQ(ops::adaptive_max_pool(x, {5}).tensor().to_vector(), (std::vector<float>{1, 2, 4, 8, 16}));
}

TEST(ConvOps, FirstMaximumGetsTheGradient) {
  const Tensor x = Tensor::from({1, 2, 2, 1}, {1, 3, 3, 3});
  const Tensor g = grad([](const Values& v) { return ops::sum(ops::max_pool(v[0], {2})); })({x})[0].tensor();
  EXPECT_EQ(g.to_vector(), (std::vector<float>{0, 1, 0, 0}));
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

TEST(ConvOps, Errors) {
  const Tensor x = random({2, 6, 5, 3}, 1);
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 2, 4}, 2));
            }),
            "conv: the input has 3 channels, which is no multiple of the 2 that the kernel takes. Received input (2, "
            "6, 5, 3) "
            "and kernel (3, 3, 2, 4).");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 1, 4}, 2));
            }),
            "conv: 4 filters cannot be dealt to 3 groups (input channels / kernel channels). Received input (2, 6, "
            "5, 3) and "
            "kernel (3, 3, 1, 4).");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({7, 3, 3, 4}, 2));
            }),
            "conv: a window of 7 (dilation counted) does not fit into an axis of 6 with padding 0 + 0. Use a larger "
            "input, a "
            "smaller window or padding \"same\".");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 4}, 2));
            }),
            "conv: expected a kernel of the input's rank. Received input (2, 6, 5, 3) and kernel (3, 3, 4).");
  EXPECT_EQ(error_of([&] {
              ops::conv(random({2, 3}, 1), random({3, 3}, 2));
            }),
            "conv: expected an input of rank 3, 4 or 5 (batch, spatial axes, channels). Received shape (2, 3).");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 3, 4}, 2), {.strides = {1, 2, 3}});
            }),
            "conv: strides needs one entry, or one per spatial axis (2). Received [1, 2, 3].");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 3, 4}, 2), {.padding = "sane"});
            }),
            "conv: unknown padding \"sane\". Expected \"valid\" or \"same\".");
  EXPECT_EQ(error_of([&] {
              ops::conv(x, random({3, 3, 3, 4}, 2), {.strides = {0}});
            }),
            "conv: strides must be at least 1. Received [0, 0].");
  EXPECT_EQ(error_of([&] { ops::max_pool(x, {0}); }), "max_pool: strides must be at least 1. Received [0, 0].");
  EXPECT_EQ(
      error_of([&] {
        ops::conv_transpose(x, random({3, 3, 4, 2}, 2));
      }),
      "conv_transpose: expected a kernel (spatial axes, filters, 3 channels). Received input (2, 6, 5, 3) and kernel "
      "(3, 3, 4, 2).");
  EXPECT_EQ(error_of([&] {
              ops::depthwise_conv(x, random({3, 3, 2, 2}, 2));
            }),
            "depthwise_conv: expected a kernel (spatial axes, 3 channels, multiplier). Received input (2, 6, 5, 3) "
            "and kernel "
            "(3, 3, 2, 2).");
}

}  // namespace
}  // namespace glia
