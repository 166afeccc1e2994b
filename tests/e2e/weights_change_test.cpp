// Predict keeps what it derives from the weights (packed filters, half-precision copies) from call to call. Whatever way the
// weights change, the next prediction must be that of the new ones: here, that of the model compiled anew.
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace glia {
namespace {

Sequential small_cnn() {
  return Sequential({
      layers::Conv2D(40, {3, 3}, {.activation = "relu", .input_shape = {12, 12, 8}}),
      layers::BatchNormalization(),
      layers::Conv2D(72, {1, 1}, {.activation = "relu"}),
      layers::DepthwiseConv2D({3, 3}),
      layers::Flatten(),
      layers::Dense(160, {.activation = "relu"}),
      layers::Dense(10, {.activation = "softmax"}),
  });
}

Tensor numbers(Shape shape) {
  Tensor t(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, static_cast<double>(i * 7919 % 101) / 101 - 0.5);
  return t;
}

class WeightsChange : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    dtype_policy_before_ = dtype_policy();
    set_dtype_policy(GetParam());
    model_ = std::make_unique<Sequential>(small_cnn());
    compile();
    x_ = numbers({8, 12, 12, 8});
    y_ = Tensor::zeros({8}, DType::i32);
    last_ = model_->predict(x_, {.verbose = 0});
    ASSERT_TRUE(model_->predict(x_, {.verbose = 0}).equals(last_));
  }
  void TearDown() override { set_dtype_policy(dtype_policy_before_); }
  void compile() { model_->compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}); }
  void expect_new(const char* how) {
    Tensor now = model_->predict(x_, {.verbose = 0}), again = model_->predict(x_, {.verbose = 0});
    compile();
    Tensor fresh = model_->predict(x_, {.verbose = 0});
    EXPECT_TRUE(now.equals(fresh)) << how << ": predicted with old weights";
    EXPECT_TRUE(again.equals(fresh)) << how;
    EXPECT_FALSE(now.equals(last_)) << how << " changed nothing";
    last_ = fresh;
  }
  Variable kernel(size_t layer) { return model_->layers()[layer]->weights()[0]; }

  std::string dtype_policy_before_;
  std::unique_ptr<Sequential> model_;
  Tensor x_, y_, last_;
};

TEST_P(WeightsChange, ByTensorFunctions) {
  kernel(0).tensor().set_item(5, 3.0);
  expect_new("set_item");
  kernel(2).tensor().fill(0.01);
  expect_new("fill");
  kernel(5).tensor().copy_from(numbers(kernel(5).shape()));
  expect_new("copy_from");
  kernel(6).assign(Value(numbers(kernel(6).shape())));
  expect_new("assign");
  kernel(3).tensor().slice(1, 2).fill(0.3);
  expect_new("a slice");
}

TEST_P(WeightsChange, ThroughAPointerThatStays) {
  float* p = kernel(0).tensor().data<float>();
  for (int i = 0; i < 3; ++i) {
    p[7] += 2;
    expect_new("a raw pointer");
    p[40] -= 2;  // after a prediction, through the same pointer
    expect_new("a raw pointer, later");
  }
}

TEST_P(WeightsChange, ByTraining) {
  model_->train_on_batch(x_, y_);
  expect_new("train_on_batch");
  model_->fit(x_, y_, {.epochs = 1, .verbose = 0});
  expect_new("fit");
  for (size_t frozen : {0u, 2u}) model_->layers()[frozen]->set_trainable(false);
  compile();
  model_->fit(x_, y_, {.epochs = 2, .verbose = 0});
  expect_new("fit with frozen layers");
}

TEST_P(WeightsChange, BySettingAndLoading) {
  std::vector<Tensor> weights = model_->get_weights();
  for (Tensor& w : weights) w = w.clone(), w.set_item(0, w.item(0) + 0.7);
  model_->set_weights(weights);
  expect_new("set_weights");
  const std::string path = (std::filesystem::temp_directory_path() / "glia_weights_change.safetensors").string();
  for (Tensor& w : weights) w.set_item(0, w.item(0) - 0.2);
  Sequential other = small_cnn();
  other.set_weights(weights);
  other.save_weights(path);
  model_->load_weights(path);
  expect_new("load_weights");
  std::filesystem::remove(path);
}

// What reads the weights leaves them known as unchanged, or predictions would derive everything anew for ever.
TEST_P(WeightsChange, ReadingIsNoChange) {
  const auto dir = std::filesystem::temp_directory_path() / "glia_weights_read";
  std::filesystem::create_directories(dir);
  model_->fit(x_, y_, {.epochs = 1, .verbose = 0});
  model_->evaluate(x_, y_, {.verbose = 0});
  model_->get_weights();
  model_->save_weights((dir / "m.safetensors").string());
  model_->save((dir / "m.glia").string());
  model_->predict(x_, {.verbose = 0});
  for (const LayerRef& layer : model_->layers())
    for (const Variable& v : layer->weights()) EXPECT_TRUE(v.tensor().version()) << v.path();
  std::filesystem::remove_all(dir);
}

INSTANTIATE_TEST_SUITE_P(Policies, WeightsChange, testing::Values("float32", "mixed_bfloat16"));

}  // namespace
}  // namespace glia
