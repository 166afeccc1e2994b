// The training loop end to end: learning, reproducibility, options of fit, callbacks.
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/thread_pool.h"
#include "passes/pipeline.h"

namespace glia {
namespace {

struct Silence {  // no progress output in tests
  static FitOptions options(int epochs, int64_t batch = 32) { return {.batch_size = batch, .epochs = epochs, .verbose = 0}; }
};

Sequential digits_model() {
  return Sequential({
      layers::Conv2D(8, {3, 3}, {.activation = "relu", .input_shape = {8, 8, 1}}),
      layers::MaxPooling2D({2, 2}),
      layers::Flatten(),
      layers::Dense(32, {.activation = "relu"}),
      layers::Dropout(0.1),
      layers::Dense(10, {.activation = "softmax"}),
  });
}

void compile(Model& m, Optimizer optimizer = "adam") {
  m.compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
}

TEST(Fit, LearnsTheEmbeddedDigits) {
  set_random_seed(1);
  auto [train, test] = datasets::digits();
  Sequential m = digits_model();
  compile(m);
  History h = m.fit(train.x, train.y, Silence::options(40));
  EXPECT_EQ(h["loss"].size(), 40u);
  EXPECT_LT(h["loss"].back(), 0.3 * h["loss"].front());
  Logs scores = m.evaluate(test.x, test.y, {.verbose = 0});
  EXPECT_GT(scores["accuracy"], 0.90);
  Tensor p = m.predict(test.x);
  EXPECT_EQ(p.shape(), (Shape{360, 10}));
  double sum = 0;
  for (int64_t i = 0; i < 10; ++i) sum += p.item(i);
  EXPECT_NEAR(sum, 1, 1e-5);
}

std::vector<Tensor> weights_after(int threads, bool passes) {
  set_num_threads(threads);
  passes::set_disabled_passes(passes ? std::vector<std::string>{} : std::vector<std::string>{"all"});
  clear_session();
  set_random_seed(3);
  auto [train, test] = datasets::digits();
  Value image = Input({8, 8, 1});
  Value rows = layers::Reshape({8, 8})(image);
  Value h = layers::LSTM(12, {.return_sequences = true})(rows);
  Value a = layers::Attention()({h, h});
  Value c = layers::Flatten()(layers::Conv2D(6, {3, 3}, {.activation = "relu"})(image));
  Value both = layers::Concatenate()({layers::Flatten()(a), c});
  Value y = layers::Dense(10, {.activation = "softmax"})(layers::Dropout(0.2)(layers::BatchNormalization()(both)));
  Model m({image}, {y});
  compile(m);
  m.fit(train.x.slice(0, 640), train.y.slice(0, 640), Silence::options(1));
  set_num_threads(2);
  passes::set_disabled_passes({});
  return m.get_weights();
}

TEST(Fit, GivesTheSameBitsForAnyNumberOfThreads) {
  std::vector<Tensor> one = weights_after(1, true);
  for (int n : {2, 4}) {
    std::vector<Tensor> many = weights_after(n, true);
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equals(many[i])) << n << " threads, weight " << i;
  }
}

TEST(Fit, GivesTheSameResultWithoutOptionalPasses) {
  std::vector<Tensor> on = weights_after(2, true), off = weights_after(2, false);
  for (size_t i = 0; i < on.size(); ++i)
    for (int64_t k = 0; k < on[i].size(); ++k) ASSERT_NEAR(on[i].item(k), off[i].item(k), 2e-3) << i;
}

TEST(Fit, RunsWholeModelsInDouble) {
  set_dtype_policy("float64");
  clear_session();
  set_random_seed(5);
  auto [train, test] = datasets::digits();
  Sequential m = digits_model();
  set_dtype_policy("float32");
  compile(m);
  EXPECT_EQ(m.get_weights()[0].dtype(), DType::f64);
  History h = m.fit(train.x.slice(0, 320), train.y.slice(0, 320), Silence::options(3));
  EXPECT_LT(h["loss"][2], h["loss"][0]);
}

TEST(Fit, TakesValidationDataAndSplits) {
  auto [train, test] = datasets::digits();
  Sequential m = digits_model();
  compile(m);
  FitOptions o = Silence::options(2);
  o.validation_split = 0.25;
  History h = m.fit(train.x, train.y, o);
  std::vector<std::string> keys;
  for (auto& [k, v] : h.history) keys.push_back(k);
  EXPECT_EQ(keys, (std::vector<std::string>{"accuracy", "loss", "val_accuracy", "val_loss"}));
  Logs last = m.evaluate(train.x.slice(1077, 1437), train.y.slice(1077, 1437), {.verbose = 0});
  EXPECT_NEAR(last["loss"], h["val_loss"][1], 1e-5);
  o = Silence::options(1);
  o.validation_data = ValidationData{test.x, test.y, {}};
  EXPECT_TRUE(m.fit(train.x, train.y, o).contains("val_loss"));
}

TEST(Fit, WeighsSamplesAndClasses) {
  Tensor x = Tensor::from({4, 1}, {1, 2, 3, 4}), y = Tensor::from({4, 1}, {1, 0, 1, 0});
  Sequential m({layers::Dense(1, {.kernel_initializer = "ones", .input_shape = {1}})});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  // errors 0, 4, 4, 16; weights 1, 2, 0, 1: (0 + 8 + 0 + 16) / 4
  Logs l = m.evaluate(x, y, {.verbose = 0, .sample_weight = Tensor::from({4}, {1, 2, 0, 1})});
  EXPECT_NEAR(l["loss"], 6, 1e-6);
  m.reset_metrics();  // train_on_batch goes on from the state that evaluate left, as in Keras
  Logs t = m.train_on_batch(x, y, {.class_weight = {{0, 2.0}, {1, 0.5}}});  // (0 + 8 + 2 + 32) / 4
  EXPECT_NEAR(t["loss"], 10.5, 1e-5);
}

TEST(Fit, AveragesASmallerLastBatchBySize) {
  Tensor x = Tensor::from({3, 1}, {0, 0, 3}), y = Tensor::zeros({3, 1});
  Sequential m({layers::Dense(1, {.kernel_initializer = "ones", .input_shape = {1}})});
  m.compile({.optimizer = optimizers::SGD({.learning_rate = 0.0}), .loss = "mse"});
  EXPECT_NEAR(m.evaluate(x, y, {.batch_size = 2, .verbose = 0})["loss"], 3, 1e-6);
  FitOptions o = Silence::options(1, 2);
  o.shuffle = false;
  EXPECT_NEAR(m.fit(x, y, o)["loss"][0], 3, 1e-6);
}

TEST(Fit, TrainsOnDatasets) {
  set_random_seed(2);
  auto [train, test] = datasets::digits();
  Sequential m = digits_model();
  compile(m);
  Dataset data = Dataset::from_tensors(train.x, train.y).shuffle({.seed = 4}).batch(64).prefetch(2);
  History h = m.fit(data, {.epochs = 4, .verbose = 0});
  EXPECT_LT(h["loss"][3], h["loss"][0]);
  EXPECT_GT(m.evaluate(Dataset::from_tensors(test.x, test.y).batch(50), {.verbose = 0})["accuracy"], 0.5);
}

TEST(Fit, HandlesSeveralInputsAndOutputsByName) {
  set_random_seed(7);
  Value a = Input({3}, {.name = "a"}), b = Input({2}, {.name = "b"});
  Value h = layers::Concatenate()({a, b});
  Value price = layers::Dense(1, {.name = "price"})(h), kind = layers::Dense(3, {.activation = "softmax", .name = "kind"})(h);
  Model m({a, b}, {price, kind});
  m.compile({.optimizer = "adam", .loss = std::map<std::string, LossArg>{{"price", "mse"}, {"kind", "sparse_categorical_crossentropy"}},
             .metrics = {"mae", "accuracy"}});
  Tensor xa = Tensor::full({10, 3}, 0.5), xb = Tensor::full({10, 2}, 1.0), yp = Tensor::full({10, 1}, 2.0), yk = Tensor::zeros({10}, DType::i32);
  History hist = m.fit(std::map<std::string, Tensor>{{"b", xb}, {"a", xa}}, std::map<std::string, Tensor>{{"kind", yk}, {"price", yp}}, Silence::options(3));
  for (const char* key : {"loss", "price_loss", "kind_loss", "price_mae", "kind_accuracy"}) EXPECT_TRUE(hist.contains(key)) << key;
  EXPECT_NEAR(hist["loss"][0], hist["price_loss"][0] + hist["kind_loss"][0], 1e-5);
}

TEST(Fit, RunsCustomLayersLossesAndMetrics) {
  struct Scale : Layer {
    Variable gain;
    std::string class_name() const override { return "Scale"; }
    void build(const std::vector<Shape>& in) override { gain = add_weight("gain", {in[0].back()}, "ones"); }
    Value call(const Value& x) override { return x * gain.value(); }
  };
  Sequential m({make_layer<Scale>(), layers::Dense(1)});
  m.compile({.optimizer = optimizers::SGD({.learning_rate = 0.05}),
             .loss = losses::custom("fourth", [](const Value& t, const Value& p) { return ops::mean(ops::square(ops::square(t - p)), {-1}); }),
             .metrics = {metrics::custom("largest", [](const Value& t, const Value& p) { return ops::max(ops::abs(t - p), {-1}); })}});
  Tensor x = Tensor::from({4, 2}, {0, 1, 1, 0, 1, 1, 0, 0}), y = Tensor::from({4, 1}, {1, 1, 2, 0});
  History h = m.fit(x, y, Silence::options(30));
  EXPECT_LT(h["loss"].back(), h["loss"].front());
  EXPECT_TRUE(h.contains("largest"));
}

TEST(Callbacks, StopSaveAndLog) {
  namespace fs = std::filesystem;
  fs::path dir = fs::temp_directory_path() / "glia_callbacks_test";
  fs::remove_all(dir);
  fs::create_directories(dir);
  Tensor x = Tensor::from({4, 1}, {1, 2, 3, 4}), y = Tensor::from({4, 1}, {2, 4, 6, 8});
  Sequential m({layers::Dense(1, {.input_shape = {1}})});
  m.compile({.optimizer = optimizers::SGD({.learning_rate = 0.0}), .loss = "mse"});
  FitOptions o = Silence::options(20);
  o.shuffle = false;
  o.callbacks = {callbacks::EarlyStopping({.monitor = "loss", .patience = 3}),
                 callbacks::ModelCheckpoint((dir / "w-{epoch:02d}.safetensors").string(), {.monitor = "loss", .save_best_only = true}),
                 callbacks::CSVLogger((dir / "log.csv").string()),
                 callbacks::ReduceLROnPlateau({.monitor = "loss", .factor = 0.5, .patience = 2})};
  History h = m.fit(x, y, o);
  EXPECT_EQ(h["loss"].size(), 4u);  // the first epoch is the best; three without improvement
  EXPECT_TRUE(h.contains("learning_rate"));
  EXPECT_TRUE(fs::exists(dir / "w-01.safetensors"));
  EXPECT_FALSE(fs::exists(dir / "w-02.safetensors"));
  std::ifstream log(dir / "log.csv");
  std::string header;
  std::getline(log, header);
  EXPECT_EQ(header, "epoch,loss,val_loss");
  std::vector<Tensor> w = m.get_weights();
  m.set_weights({Tensor::zeros({1, 1}), Tensor::zeros({1})});
  m.load_weights((dir / "w-01.safetensors").string());
  EXPECT_TRUE(m.get_weights()[0].equals(w[0]));
  fs::remove_all(dir);
}

TEST(Callbacks, HooksComeInKerasOrder) {
  struct Recorder : Callback {
    std::string seen;
    void on_train_begin(Logs&) override { seen += "T("; }
    void on_train_end(Logs&) override { seen += ")T"; }
    void on_epoch_begin(int, Logs&) override { seen += "e("; }
    void on_epoch_end(int, Logs&) override { seen += ")e"; }
    void on_train_batch_begin(int64_t, Logs&) override { seen += "b("; }
    void on_train_batch_end(int64_t, Logs& l) override { seen += l.contains("loss") ? ")b" : "?"; }
  };
  auto r = std::make_shared<Recorder>();
  Sequential m({layers::Dense(1, {.input_shape = {1}})});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  FitOptions o = Silence::options(1, 2);
  o.callbacks = {r};
  m.fit(Tensor::zeros({4, 1}), Tensor::zeros({4, 1}), o);
  EXPECT_EQ(r->seen, "T(e(b()bb()b)e)T");
}

TEST(Schedules, DriveTheLearningRate) {
  Sequential m({layers::Dense(1, {.input_shape = {1}})});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  FitOptions o = Silence::options(3);
  o.callbacks = {callbacks::LearningRateScheduler([](int epoch, double) { return 0.1 / (epoch + 1); })};
  History h = m.fit(Tensor::zeros({4, 1}), Tensor::zeros({4, 1}), o);
  EXPECT_NEAR(h["learning_rate"][2], 0.1 / 3, 1e-7);
}

}  // namespace
}  // namespace glia
