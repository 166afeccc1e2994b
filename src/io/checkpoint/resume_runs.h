// For tests: three trainings of 60 steps with everything on that has state, run whole or stopped at a step and gone
// on with.
#pragma once
#include <gtest/gtest.h>

#include <glia/glia.h>

#include <cmath>
#include <functional>

#include "data/test_files.h"

namespace glia::test {

struct Outcome {
  std::vector<Tensor> weights, optimizer;
  History history;
};

inline Tensor wave(Shape shape, double step) {
  Tensor t(std::move(shape));
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<float>()[i] = static_cast<float>(std::sin(step * static_cast<double>(i + 1)));
  return t;
}
inline Tensor classes(int64_t rows, int64_t count) {
  Tensor t({rows}, DType::i32);
  for (int64_t i = 0; i < rows; ++i) t.data<int32_t>()[i] = static_cast<int32_t>((i * i + i / 3) % count);
  return t;
}

struct Power : std::runtime_error {
  Power() : std::runtime_error("power cut") {}
};
// Ends the run as a crash would, before the step (counted over the whole run).
struct StopBefore : Callback {
  int64_t step, done = 0;
  explicit StopBefore(int64_t s) : step(s) {}
  void on_train_batch_begin(int64_t, Logs&) override {
    if (done++ == step) throw Power();
  }
};

struct ResumeCase {
  const char* name;
  std::function<Sequential()> model;
  Shape input;
  bool with_plateau = false;  // callbacks that set the rate, instead of a schedule
  bool dataset = false;       // from a Dataset, a pass of which takes three epochs; 30 steps
};

inline std::vector<ResumeCase> resume_cases() {
  using namespace layers;
  auto cnn = [] {
    return Sequential({Conv2D(4, {3, 3}, {.activation = "relu", .input_shape = {6, 6, 2}}), BatchNormalization(),
                       SpatialDropout2D(0.2), Flatten(), Dense(8, {.activation = "relu"}), Dropout(0.3),
                       Dense(3, {.activation = "softmax"})});
  };
  auto lstm = [] {
    return Sequential(
        {LSTM(6, {.dropout = 0.2, .recurrent_dropout = 0.1, .return_sequences = true, .input_shape = {5, 3}}), GRU(5),
         GaussianNoise(0.1), Dense(3, {.activation = "softmax"})});
  };
  auto attention = [] {
    Value in = Input({5, 8});
    Value a = MultiHeadAttention(2, 4, {.dropout = 0.2})({in, in});
    Value x = LayerNormalization()(ops::add(in, a));
    x = GlobalAveragePooling1D()(Dropout(0.2)(x));
    Model m({in}, {Dense(3, {.activation = "softmax"})(x)});
    Sequential s;
    static_cast<Model&>(s) = m;
    return s;
  };
  return {{"cnn", cnn, {6, 6, 2}},
          {"lstm", lstm, {5, 3}},
          {"attention", attention, {5, 8}},
          {"plateau", cnn, {6, 6, 2}, true},
          {"dataset", cnn, {6, 6, 2}, false, true}};
}

inline Model compiled_model(const ResumeCase& c) {
  Sequential model = c.model();
  LearningRate rate = 0.02;
  if (!c.with_plateau)
    rate = optimizers::schedules::CosineDecay(
        {.initial_learning_rate = 0.02, .decay_steps = 25, .alpha = 0.1, .warmup_target = 0.03, .warmup_steps = 5});
  model.compile({.optimizer = optimizers::Adam({.learning_rate = rate,
                                                .global_clipnorm = 1.0,
                                                .use_ema = true,
                                                .ema_momentum = 0.9,
                                                .ema_overwrite_frequency = 7,
                                                .gradient_accumulation_steps = 3}),
                 .loss = "sparse_categorical_crossentropy",
                 .metrics = {"accuracy"}});
  return model;
}

// 60 steps: 6 epochs of 10 (batches of 8, the last of 5).
inline Outcome train(const ResumeCase& c, const std::string& backup, int64_t stop_before, int64_t save_freq) {
  Model model = compiled_model(c);
  int64_t rows = 77;
  Shape shape = c.input;
  shape.insert(shape.begin(), rows);
  Tensor x = wave(shape, 0.37), y = classes(rows, 3);
  FitOptions o{.batch_size = 8, .epochs = 6, .verbose = 0};
  if (!backup.empty()) o.callbacks.push_back(callbacks::BackupAndRestore(backup, {.save_freq = save_freq}));
  o.callbacks.push_back(
      callbacks::EarlyStopping({.monitor = "loss", .patience = 50, .restore_best_weights = c.with_plateau}));
  if (c.with_plateau) {
    o.callbacks.push_back(
        callbacks::LearningRateScheduler([](int epoch, double lr) { return epoch == 2 ? lr * 0.7 : lr; }));
    o.callbacks.push_back(callbacks::ReduceLROnPlateau({.monitor = "val_loss", .patience = 1, .min_delta = 0.5}));
  }
  if (stop_before >= 0) o.callbacks.push_back(std::make_shared<StopBefore>(stop_before));
  o.validation_data = ValidationData{x.slice(0, 20), y.slice(0, 20), {}};
  Outcome r;
  if (c.dataset) {  // 15 batches a pass, epochs of 5
    o.batch_size = std::nullopt;
    o.steps_per_epoch = 5;
    Dataset d = Dataset::from_tensors(x, y)
                    .shuffle({.buffer_size = 20, .seed = 3})
                    .batch(8, {.drop_remainder = true})
                    .prefetch(2)
                    .repeat(2)
                    .take(15);
    r.history = model.fit(d, o);
  } else {
    r.history = model.fit(x, y, o);
  }
  r.weights = model.get_weights();
  for (const Variable& v : model.optimizer()->variables()) r.optimizer.push_back(v.tensor().clone());
  return r;
}

inline void expect_same(const Outcome& a, const Outcome& b, const std::string& when) {
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (size_t i = 0; i < a.weights.size(); ++i)
    EXPECT_TRUE(a.weights[i].equals(b.weights[i])) << when << ": weight " << i;
  ASSERT_EQ(a.optimizer.size(), b.optimizer.size());
  for (size_t i = 0; i < a.optimizer.size(); ++i)
    EXPECT_TRUE(a.optimizer[i].equals(b.optimizer[i])) << when << ": optimizer variable " << i;
  EXPECT_EQ(a.history.epoch, b.history.epoch) << when;
  EXPECT_EQ(a.history.history, b.history.history) << when;
}

// Trains whole, then for each stop: cut off there, gone on with in a process that knows nothing (another seed, other
// weights).
inline void check_resume(const ResumeCase& c, const std::vector<int64_t>& stops, int64_t save_freq = 1) {
  SCOPED_TRACE(c.name);
  set_random_seed(7);
  Outcome whole = train(c, "", -1, 0);
  for (int64_t stop : stops) {
    Scratch dir;
    std::string backup = dir.path("backup");
    set_random_seed(7);
    EXPECT_THROW(train(c, backup, stop, save_freq), Power);
    bool saved = std::filesystem::exists(backup + "/latest.glia");
    EXPECT_EQ(saved, save_freq > 0 ? stop >= save_freq : stop > (c.dataset ? 5 : 10));
    set_random_seed(saved ? 1234 + stop : 7);  // before the first backup it is a new run
    expect_same(train(c, backup, -1, save_freq), whole, "stopped before step " + std::to_string(stop));
    EXPECT_FALSE(std::filesystem::exists(backup)) << "the backup is deleted in the end";
  }
}

}  // namespace glia::test
