// Models with steps of their own, and metrics added by layers.
#include <glia/glia.h>
#include <gtest/gtest.h>

namespace glia {
namespace {

Tensor wave(const Shape& shape) {
  Tensor t(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = static_cast<float>((i * 37 % 23) - 11) / 11.f;
  return t;
}

struct Regressor : Layer, CustomSteps {
  LayerRef hidden = layers::Dense(5, {.activation = "tanh"}), out = layers::Dense(2);
  void build(const std::vector<Shape>&) override { track(hidden), track(out); }
  Values call(const Values& in, const CallOptions&) override { return {out(hidden(in[0]))}; }
  std::string class_name() const override { return "Regressor"; }
};
struct HandMade : Regressor {
  void train_step(Step& s) override {
    Values pred = s.call(s.x);
    Value loss = ops::mean(ops::square(s.y[0] - pred[0]));
    Values g = s.gradients(loss, trainable_weights());
    s.apply_gradients(g, trainable_weights());
    s.log("loss", loss);
    s.log("double", loss * 2.0);
    s.update_metrics(s.y, pred);
  }
};
template <class T>
Model regressor() {
  Model m(LayerRef(std::make_shared<T>()));
  m.compile({.optimizer = "adam", .loss = "mse", .metrics = {"mae"}});
  return m;
}

TEST(CustomStep, TheUsualStepByHandGivesTheUsualWeights) {
  Tensor x = wave({20, 3}), y = wave({20, 2});
  FitOptions options{.batch_size = 8, .epochs = 3, .verbose = 0, .validation_data = ValidationData{x, y}, .shuffle = false};
  struct Plain : Layer {
    LayerRef hidden = layers::Dense(5, {.activation = "tanh"}), out = layers::Dense(2);
    void build(const std::vector<Shape>&) override { track(hidden), track(out); }
    Values call(const Values& in, const CallOptions&) override { return {out(hidden(in[0]))}; }
    std::string class_name() const override { return "Plain"; }
  };
  Model usual = regressor<Plain>(), inherited = regressor<Regressor>(), by_hand = regressor<HandMade>();
  auto fit = [&](Model& m) {
    set_random_seed(7);  // weights are drawn when the first batch comes
    return m.fit(x, y, options);
  };
  History a = fit(usual), b = fit(inherited), c = fit(by_hand);
  for (const char* name : {"loss", "mae", "val_loss", "val_mae"}) {
    EXPECT_EQ(a[name], b[name]) << name;
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(a[name][i], c[name][i], 1e-6) << name;
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(c["double"][i], 2 * c["loss"][i], 1e-6);
  EXPECT_FALSE(c.contains("val_double"));
  for (size_t w = 0; w < usual.get_weights().size(); ++w)
    for (int64_t i = 0; i < usual.get_weights()[w].size(); ++i) {
      EXPECT_EQ(usual.get_weights()[w].item(i), inherited.get_weights()[w].item(i));
      EXPECT_NEAR(usual.get_weights()[w].item(i), by_hand.get_weights()[w].item(i), 1e-5);
    }
}

// Two players with an optimizer each: a pulls its weight to b, b runs from a; with rates 0.5 and 0.25 both are known.
struct Players : Layer, CustomSteps {
  Variable a, b;
  Optimizer first = optimizers::SGD({.learning_rate = 0.5}), second = optimizers::SGD({.learning_rate = 0.25});
  void build(const std::vector<Shape>&) override {
    a = add_weight("a", {}, initializers::Constant(1));
    b = add_weight("b", {}, initializers::Constant(3));
  }
  Values call(const Values& in, const CallOptions&) override { return {in[0] + a.value() + b.value()}; }
  std::string class_name() const override { return "Players"; }
  void train_step(Step& s) override {
    s.call(s.x);
    Value distance = ops::square(a.value() - b.value());
    s.minimize(distance, first, {a});
    s.minimize(-ops::square(a.value() - b.value()), second, {b});
    s.log("distance", distance);
  }
};
TEST(CustomStep, TwoOptimizersTakeTurns) {
  auto players = std::make_shared<Players>();
  Model m{LayerRef(players)};
  m.compile({.optimizer = "sgd", .loss = "mse"});
  Logs logs = m.train_on_batch(wave({2, 1}), wave({2, 1}));
  EXPECT_DOUBLE_EQ(logs["distance"], 4.0);
  EXPECT_DOUBLE_EQ(players->a.tensor().item(), 3.0);  // 1 - 0.5 * 2 (1 - 3)
  EXPECT_DOUBLE_EQ(players->b.tensor().item(), 3.0);  // 3 + 0.25 * 2 (3 - 3): b meets the new a
}

// The example of glia/custom_step.h: a step with its own loss needs none from compile(), and no targets.
struct Autoencoder : Layer, CustomSteps {
  LayerRef code = layers::Dense(2, {.activation = "tanh"}), out = layers::Dense(3);
  void build(const std::vector<Shape>&) override { track(code), track(out); }
  Values call(const Values& in, const CallOptions&) override { return {out(code(in[0]))}; }
  std::string class_name() const override { return "Autoencoder"; }
  void train_step(Step& s) override {
    Values z = s.call(s.x);
    Value loss = ops::mean(ops::square(z[0] - s.x[0] + random::normal(s.x[0].shape(), {.stddev = 0.01})));
    s.minimize(loss);
    s.log("loss", loss);
  }
};
TEST(CustomStep, AStepWithItsOwnLossNeedsNoneFromCompile) {
  for (const bool with_y : {true, false}) {
    set_random_seed(1);
    Model m(LayerRef(std::make_shared<Autoencoder>()));
    m.compile({.optimizer = optimizers::Adam({.learning_rate = 0.02})});
    const Tensor x = wave({32, 3});
    History h = m.fit(x, with_y ? Data(x) : Data(), {.epochs = 200, .verbose = 0});
    EXPECT_LT(h["loss"].back(), 0.5 * h["loss"].front());
    EXPECT_EQ(to_string(m.predict(x).shape()), "(32, 3)");
  }
}

struct Watched : Layer {
  Values call(const Values& in, const CallOptions&) override {
    add_metric(ops::mean(in[0]), "mean_input");
    return {in[0]};
  }
  std::string class_name() const override { return "Watched"; }
};
TEST(CustomStep, ALayerAddsAMetric) {
  Sequential m({LayerRef(std::make_shared<Watched>()), layers::Dense(1, {.input_shape = {2}})});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  Tensor x = Tensor::from({3, 2}, {1, 2, 3, 4, 5, 9}), y = wave({3, 1});
  History h = m.fit(x, y, {.batch_size = 2, .epochs = 1, .verbose = 0, .shuffle = false});
  EXPECT_NEAR(h["mean_input"][0], 4.0, 1e-6);  // batches of 2 and 1 examples count by their size
  EXPECT_NEAR(m.evaluate(x, y, {.verbose = 0})["mean_input"], 4.0, 1e-6);
}

TEST(CustomStep, RefusesUpdatesInATestStep) {
  struct Wrong : Regressor {
    void test_step(Step& s) override { s.minimize(ops::mean(s.call(s.x)[0])); }
  };
  Model m = regressor<Wrong>();
  try {
    m.evaluate(wave({4, 3}), wave({4, 2}), {.verbose = 0});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("called in a test step"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace glia
