// softmax, cross-entropy, layer and batch normalisation: kernels against decompositions, gradients against
// differences.
#include "ops/op_check.h"

namespace glia {
namespace {
using namespace testing_ops;

TEST(NnOps, SoftmaxFamily) {
  for (auto [shape, axis] :
       {std::pair{Shape{4, 7}, -1}, {Shape{3, 40}, -1}, {Shape{2, 5, 6}, 1}, {Shape{5}, 0}, {Shape{2, 3, 130}, 0}}) {
    const Tensor x = random_values(shape, -4, 4), dy = random_values(shape, -1, 1, 2);
    const ir::Attrs attrs{{"axis", int64_t{axis}}};
    check_decomposition("softmax", attrs, {x});
    check_decomposition("log_softmax", attrs, {x});
    check_decomposition("softmax_grad", attrs, {x, dy});
    check_decomposition("log_softmax_grad", attrs, {x, dy});
    const int64_t at = axis;
    check_gradient([at](const Values& v) { return ops::softmax(v[0], at); }, {x});
    check_gradient([at](const Values& v) { return ops::log_softmax(v[0], at); }, {x});
    check_gradient([at](const Values& v) { return ops::logsumexp(v[0], {at}); }, {x});
    check_gradient(
        [at](const Values& v) {  // second order
          auto f = [at](const Values& u) { return weighted(ops::softmax(u[0], at)); };
          return grad(f)(v)[0];
        },
        {x});
  }
  EXPECT_THROW(ops::softmax(Tensor::zeros({2, 3}), 2), Error);
  EXPECT_EQ(ops::softmax(Tensor::zeros({4}, DType::bf16)).dtype(), DType::bf16);
}

TEST(NnOps, SparseCrossEntropy) {
  const Tensor x = random_values({6, 5}, -3, 3), d = random_values({6}, 0.5, 1, 3);
  const Tensor labels = Tensor::from({6}, {0, 4, 2, 2, 1, 3}, DType::i32),
               some = Tensor::from({6}, {0, 4, -1, 2, -1, 3}, DType::i64);
  const ir::Attrs none, ignore{{"has_ignore", true}, {"ignore", int64_t{-1}}};
  check_decomposition("sparse_cross_entropy", none, {x, labels});
  check_decomposition("sparse_cross_entropy", ignore, {x, some});
  const Tensor lse = ops::logsumexp(x, {-1}).tensor();
  check_decomposition("sparse_cross_entropy_grad", none, {x, labels, lse, d});
  check_decomposition("sparse_cross_entropy_grad", ignore, {x, some, lse, d});
  check_gradient([&](const Values& v) { return ops::sparse_cross_entropy_with_logits(v[0], labels); }, {x});
  const int64_t skip = -1;
  check_gradient([&](const Values& v) { return ops::sparse_cross_entropy_with_logits(v[0], some, &skip); }, {x});
  check_gradient([&](const Values& v) { return ops::sparse_categorical_crossentropy(labels, ops::softmax(v[0])); },
                 {x});
  const Tensor onehot = ops::one_hot(labels, 5, -1, DType::f64).tensor();
  check_gradient([&](const Values& v) { return ops::categorical_crossentropy(onehot, v[0], true); }, {x});
  check_gradient([&](const Values& v) { return ops::binary_crossentropy(onehot, v[0], true); }, {x});
  check_gradient([&](const Values& v) { return ops::binary_crossentropy(onehot, ops::sigmoid(v[0])); }, {x});
  // The three ways to say the same thing agree.
  const Tensor a = ops::sparse_cross_entropy_with_logits(x, labels).tensor();
  expect_near(ops::categorical_crossentropy(onehot, x, true).tensor(), a, 1e-12);
  expect_near(ops::categorical_crossentropy(onehot, ops::softmax(x)).tensor(), a, 1e-9);
  expect_near(ops::sparse_categorical_crossentropy(labels, ops::softmax(x)).tensor(), a, 1e-9);
  try {
    ops::sparse_cross_entropy_with_logits(x, Tensor::from({6}, {0, 4, 2, 9, 1, 3}, DType::i32));
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "sparse_cross_entropy: label 9 at position 3 is not one of the 5 classes (0 to 4).");
  }
  EXPECT_THROW(ops::sparse_cross_entropy_with_logits(x, Tensor::zeros({5}, DType::i32)), Error);
}

TEST(NnOps, LayerAndRmsNorm) {
  const Tensor x = random_values({3, 4, 6}, 0, 3), gamma = random_values({6}, 0.5, 2, 2),
               beta = random_values({6}, -1, 1, 3), dy = random_values({3, 4, 6}, -1, 1, 4);
  for (bool scale : {false, true})
    for (bool center : {false, true}) {
      std::vector<Tensor> in{x};
      if (scale) in.push_back(gamma);
      if (center) in.push_back(beta);
      check_decomposition("layer_norm", {{"scale", scale}, {"center", center}}, in, 1e-4);
    }
  check_decomposition("layer_norm", {{"rms", true}, {"scale", true}, {"epsilon", 1e-6}}, {x, gamma}, 1e-4);
  const Values y = ir::apply(ir::find_op("layer_norm"), {}, {x});
  check_decomposition("layer_norm_grad", {{"scale", true}, {"center", true}},
                      {x, y[1].tensor(), y[2].tensor(), dy, gamma}, 1e-4);
  check_decomposition("layer_norm_grad", {{"rms", true}}, {x, y[1].tensor(), y[2].tensor(), dy}, 1e-4);
  check_gradient([](const Values& v) { return ops::layer_norm(v[0], v[1], v[2]); }, {x, gamma, beta});
  check_gradient([](const Values& v) { return ops::layer_norm(v[0], {}, v[1], 1e-5); }, {x, beta});
  check_gradient([](const Values& v) { return ops::layer_norm(v[0], {}, {}, 1e-3, 2); }, {x});
  check_gradient([](const Values& v) { return ops::rms_norm(v[0], v[1]); }, {x, gamma});
  check_gradient(
      [](const Values& v) {
        auto f = [](const Values& u) { return weighted(ops::layer_norm(u[0], u[1], {})); };
        return grad(f)(v)[0];
      },
      {x, gamma});
  EXPECT_THROW(ops::layer_norm(x, Tensor::zeros({5}, DType::f64), {}), Error);
}

TEST(NnOps, BatchNorm) {
  const Tensor x = random_values({4, 5, 3}, 0, 3), gamma = random_values({3}, 0.5, 2, 2),
               beta = random_values({3}, -1, 1, 3), dy = random_values({4, 5, 3}, -1, 1, 4);
  check_decomposition("channel_moments", {}, {x});
  check_decomposition("channel_moments", {}, {random_values({700, 70})});
  check_decomposition("channel_grad_sums", {}, {x, dy, random_values({3}, 1, 2, 5), gamma});
  check_gradient([](const Values& v) { return ops::batch_norm_training(v[0], v[1], v[2]).y; }, {x, gamma, beta});
  check_gradient([](const Values& v) { return ops::relu(ops::batch_norm_training(v[0], {}, v[1]).y + 0.1); },
                 {x, beta});
  check_gradient([](const Values& v) { return ops::batch_norm_training(v[0], {}, {}).mean; }, {x});
  check_gradient([](const Values& v) { return ops::batch_norm_training(v[0], {}, {}).variance; }, {x});
  check_gradient(
      [](const Values& v) { return ops::batch_normalization(v[0], v[1], ops::square(v[2]) + 1.0, 1, v[3], v[4]); },
      {random_values({2, 3, 4}), beta, gamma, random_values({3}, -1, 1, 6), random_values({3}, -1, 1, 7)});
  // By definition, on f32 too.
  const auto r = ops::batch_norm_training(x.astype(DType::f32), gamma, beta, 1e-3);
  for (int64_t c = 0; c < 3; ++c) {
    double mean = 0, var = 0;
    for (int64_t i = 0; i < 20; ++i) mean += x.item(i * 3 + c) / 20;
    for (int64_t i = 0; i < 20; ++i) var += std::pow(x.item(i * 3 + c) - mean, 2) / 20;
    EXPECT_NEAR(r.mean.tensor().item(c), mean, 1e-6);
    EXPECT_NEAR(r.variance.tensor().item(c), var, 1e-6);
    for (int64_t i = 0; i < 20; ++i)
      EXPECT_NEAR(r.y.tensor().item(i * 3 + c),
                  (x.item(i * 3 + c) - mean) / std::sqrt(var + 1e-3) * gamma.item(c) + beta.item(c), 1e-5);
  }
  const Values m = ops::moments(x, {0, 1});
  expect_near(m[1].tensor().astype(DType::f32), r.variance.tensor(), 1e-5);
  check_gradient([](const Values& v) { return ops::moments(v[0], {1})[1]; }, {x});
  EXPECT_THROW(ops::batch_norm_training(Tensor::zeros({3}), {}, {}), Error);
}

TEST(NnOps, Reductions) {
  const Tensor x = random_values({4, 5, 6}, 0.5, 2);
  using Axes = std::vector<int64_t>;
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}, Axes{0, 2}, Axes{1}})
    for (bool keep : {false, true}) {
      check_gradient([&](const Values& v) { return ops::sum(v[0], axes, keep); }, {x});
      check_gradient([&](const Values& v) { return ops::mean(v[0], axes, keep); }, {x});
      check_gradient([&](const Values& v) { return ops::max(v[0], axes, keep); }, {x});
      check_gradient([&](const Values& v) { return ops::prod(v[0], axes, keep); }, {x}, 1e-5);
      for (const char* name :
           {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"}) {  // kernel against reference
        const ir::OpDef& op = ir::find_op(name);
        const ir::Attrs attrs{{"axes", axes}, {"keepdims", keep}};
        const Tensor got = ir::apply1(op, attrs, {x}).tensor();
        Tensor want(got.shape(), DType::f64);
        op.reference(attrs, std::vector<Tensor>{x}, std::vector<Tensor>{want});
        expect_near(got, want, 1e-12);
      }
    }
  const Tensor i = Tensor::from({2, 3}, {5, 7, 7, 1, -2, -2}, DType::i32);
  EXPECT_EQ(ops::argmax(i).tensor().to_vector(), (std::vector<float>{1, 0}));
  EXPECT_EQ(ops::argmin(i, 0, true).tensor().to_vector(), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(ops::argmin(i, 0, true).shape(), (Shape{1, 3}));
  EXPECT_EQ(ops::any(ops::greater(i, Tensor::scalar(6, DType::i32)), {1}).tensor().to_vector(),
            (std::vector<float>{1, 0}));
}

}  // namespace
}  // namespace glia
