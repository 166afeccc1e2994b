#include <glia/function.h>
#include <glia/losses.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

namespace glia {
namespace {

double value_of(const Loss& loss, const Value& t, const Value& p, const Value& w = {}) { return (*loss)(t, p, w).tensor().item(); }

// Numbers computed with Keras 3.15.1 on TensorFlow 2.21.
TEST(Losses, ReductionsAndWeights) {
  Tensor t = Tensor::from({2, 2}, {0, 1, 0, 0}), p = Tensor::from({2, 2}, {1, 1, 1, 0}), w = Tensor::from({2}, {0.7, 0.3});
  EXPECT_NEAR(value_of(losses::MeanSquaredError(), t, p), 0.5, 1e-6);
  EXPECT_NEAR(value_of(losses::MeanSquaredError(), t, p, w), 0.25, 1e-6);  // sum(w l) / 2, not / sum(w)
  EXPECT_NEAR(value_of(losses::MeanSquaredError({.reduction = "sum"}), t, p), 1, 1e-6);
  EXPECT_NEAR(value_of(losses::MeanSquaredError({.reduction = "mean_with_sample_weight"}), t, p, w), 0.5, 1e-6);
  EXPECT_EQ((*losses::MeanSquaredError({.reduction = "none"}))(t, p).shape(), Shape{2});
}

TEST(Losses, MaskCountsTheValidOnly) {
  Value p = Value(Tensor::from({1, 3, 1}, {1, 2, 9})).with_mask(Tensor::from({1, 3}, {1, 1, 0}, DType::bool_));
  Tensor t = Tensor::zeros({1, 3, 1});
  EXPECT_NEAR(value_of(losses::MeanSquaredError(), t, p), 2.5, 1e-6);  // (1 + 4) / 2
}

TEST(Losses, BinaryClipsInFloat32) {  // keras.md section 5
  Tensor zero = Tensor::from({1, 1}, {0}), one = Tensor::from({1, 1}, {1});
  EXPECT_NEAR(value_of(losses::BinaryCrossentropy(), one, zero), 16.118, 1e-3);
  EXPECT_NEAR(value_of(losses::BinaryCrossentropy(), zero, one), 15.942, 1e-3);
  EXPECT_NEAR(value_of(losses::BinaryCrossentropy(), one, one), 1.19e-7, 2e-9);
}

TEST(Losses, SoftmaxIsTracedBackToItsLogits) {
  // logits so far apart that the probability of class 1 is 0 in float32: only the logits give the true loss of 200.
  Tensor logits = Tensor::from({1, 2}, {100, -100}), label = Tensor::from({1}, {1}, DType::i64), hot = Tensor::from({1, 2}, {0, 1});
  auto through_softmax = [&](const Loss& loss, const Value& t) {
    return compile_function([&](const Values& v) { return Values{(*loss)(t, ops::softmax(v[0]))}; })({logits})[0].tensor().item();
  };
  EXPECT_NEAR(through_softmax(losses::SparseCategoricalCrossentropy(), label), 200, 1e-3);
  EXPECT_NEAR(through_softmax(losses::CategoricalCrossentropy(), hot), 200, 1e-3);
  auto through_sigmoid = compile_function([&](const Values& v) {
    return Values{(*losses::BinaryCrossentropy())(Tensor::from({1, 2}, {0, 1}), ops::sigmoid(v[0]))};
  });
  EXPECT_NEAR(through_sigmoid({logits})[0].tensor().item(), 100, 1e-3);
  // A probability given as such is clipped.
  EXPECT_NEAR(value_of(losses::SparseCategoricalCrossentropy(), label, Tensor::from({1, 2}, {1, 0})), 16.118, 1e-3);
}

TEST(Losses, CrossentropyByShapes) {
  auto resolved = [](Shape t, Shape p) { return resolve_loss("ce", {DType::f32, t}, {DType::f32, p})->class_name(); };
  EXPECT_EQ(resolved({8, 1}, {8, 1}), "BinaryCrossentropy");
  EXPECT_EQ(resolved({8}, {8, 3}), "SparseCategoricalCrossentropy");
  EXPECT_EQ(resolved({8, 1}, {8, 3}), "SparseCategoricalCrossentropy");
  EXPECT_EQ(resolved({8, 3}, {8, 3}), "CategoricalCrossentropy");
}

TEST(Losses, OneOfOnesOwn) {
  Loss third = losses::custom("third", [](const Value& t, const Value& p) { return ops::mean(ops::abs(t - p), {-1}) / 3.0; });
  EXPECT_NEAR(value_of(third, Tensor::from({2, 1}, {0, 0}), Tensor::from({2, 1}, {3, 6})), 1.5, 1e-6);
}

TEST(Losses, MistakesAreTold) {
  auto message = [](const std::function<void()>& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  Tensor p = Tensor::full({2, 3}, 0.5), t = Tensor::zeros({2, 3});
  EXPECT_EQ(message([&] { (*losses::SparseCategoricalCrossentropy())(t, p); }),
            "sparse_categorical_crossentropy: expected integer labels of shape (2,) for y_pred (2, 3). Received y_true (2, 3). One-hot "
            "labels need categorical_crossentropy.");
  EXPECT_EQ(message([&] { (*losses::MeanSquaredError())(Tensor::zeros({3, 4, 2}), Tensor::zeros({3, 4, 2}), Tensor::zeros({3})); }),
            "mean_squared_error: sample_weight of shape (3,) does not fit a loss of shape (3, 4) per sample. Give it one axis of 1 per "
            "missing axis, e.g. (batch, 1).");
  EXPECT_EQ(message([] { losses::Huber({.reduction = "avg"}); }).substr(0, 36), "huber_loss: unknown reduction 'avg'.");
}

}  // namespace
}  // namespace glia
