// Checkpoints: what is written comes back, a resumed run is bitwise a run that never stopped.
#include <glia/checkpoint.h>
#include <glia/glia.h>
#include <glia/saving.h>

#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/kill_runs.h"
#include "io/checkpoint/resume_runs.h"
#include "io/file/atomic_file.h"
#include "support/faults.h"

namespace glia {
using test::contains;
using test::error_of;
using test::Scratch;

// Some points of the 60 steps: within accumulation, at and round the ends of epochs and of passes, the last step.
// Every one of them: resume_long_test.cpp.
TEST(Resume, Cnn) { check_resume(test::resume_cases()[0], {1, 10, 29, 59}); }
TEST(Resume, Lstm) { check_resume(test::resume_cases()[1], {7, 20}); }
TEST(Resume, Attention) { check_resume(test::resume_cases()[2], {14, 41}); }
TEST(Resume, CallbacksThatSetTheRate) { check_resume(test::resume_cases()[3], {20, 33, 50}); }
TEST(Resume, DatasetWithPassesLongerThanEpochs) { check_resume(test::resume_cases()[4], {4, 5, 7, 15, 29}); }
TEST(Resume, FromTheLastEpochOrTheLastTenthBatch) {
  check_resume(test::resume_cases()[0], {25, 30}, 0);
  check_resume(test::resume_cases()[0], {28}, 7);
}

TEST(Resume, ANewRunHasNoBackup) {  // stopped before anything was saved
  check_resume(test::resume_cases()[0], {3}, 0);
}

// A crash between the last save and the end: the run that comes after it trains no more, and ends as the first would
// have.
TEST(Resume, AfterEarlyStopping) {
  Tensor x = test::wave({40, 3}, 0.3), y = test::wave({40, 1}, 0.8);
  struct Crash : Callback {
    bool armed;
    int batches = 0;
    explicit Crash(bool a) : armed(a) {}
    void on_train_batch_end(int64_t, Logs&) override { ++batches; }
    void on_train_end(Logs&) override {
      if (armed) throw test::Power();
    }
  };
  Scratch dir;
  auto run = [&](bool crash, bool backup, int* batches) {
    set_random_seed(5);
    Sequential m({layers::Dense(1, {.input_shape = {3}})});
    m.compile({.optimizer = "adam", .loss = "mse"});
    auto end = std::make_shared<Crash>(crash);
    FitOptions o{.epochs = 50, .verbose = 0, .callbacks = {end}};
    if (backup) o.callbacks.push_back(callbacks::BackupAndRestore(dir.path("b")));
    o.callbacks.push_back(
        callbacks::EarlyStopping({.monitor = "loss", .min_delta = 10, .patience = 2, .restore_best_weights = true}));
    if (crash)
      EXPECT_THROW(m.fit(x, y, o), test::Power);
    else
      m.fit(x, y, o);
    *batches = end->batches;
    return m.get_weights();
  };
  int whole = 0, first = 0, second = 0;
  std::vector<Tensor> wanted = run(false, false, &whole);
  run(true, true, &first);
  std::vector<Tensor> got = run(false, true, &second);
  EXPECT_EQ(first, whole);
  EXPECT_EQ(second, 0);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(wanted[i].equals(got[i]));
}

static Sequential small(const char* optimizer = "adam") {
  Sequential m({layers::Dense(4, {.activation = "relu", .name = "hidden", .input_shape = {3}}),
                layers::Dense(1, {.name = "out"})});
  m.compile({.optimizer = optimizer, .loss = "mse"});
  return m;
}

TEST(Checkpoint, RestoresOptimizerAndModel) {
  Scratch dir;
  Tensor x = test::wave({32, 3}, 0.3), y = test::wave({32, 1}, 0.8);
  Sequential a = small();
  a.fit(x, y, {.epochs = 2, .verbose = 0});
  save_checkpoint(a, dir.path("a.glia"));
  a.fit(x, y, {.epochs = 2, .verbose = 0, .shuffle = false});
  Sequential b = small();
  TrainingPosition at = load_checkpoint(b, dir.path("a.glia"));
  EXPECT_EQ(at.epoch, 0);
  b.fit(x, y, {.epochs = 2, .verbose = 0, .shuffle = false});
  for (size_t i = 0; i < a.get_weights().size(); ++i) EXPECT_TRUE(a.get_weights()[i].equals(b.get_weights()[i]));
  EXPECT_EQ(b.optimizer()->iterations(), 4);
  Model c = models::load_model(dir.path("a.glia"));  // compiled as it was, its optimizer goes on
  load_checkpoint(b, dir.path("a.glia"));
  EXPECT_TRUE(c.predict(x).equals(b.predict(x)));
  EXPECT_EQ(c.optimizer()->iterations(), 2);
  b.fit(x, y, {.epochs = 2, .verbose = 0, .shuffle = false});
  c.fit(x, y, {.epochs = 2, .verbose = 0, .shuffle = false});
  for (size_t i = 0; i < b.get_weights().size(); ++i) EXPECT_TRUE(b.get_weights()[i].equals(c.get_weights()[i]));
  EXPECT_FALSE(models::load_model(dir.path("a.glia"), {.compile = false}).compiled());
  Sequential d = small("sgd");
  d.load_weights(dir.path("a.glia"));
  EXPECT_TRUE(d.predict(x).equals(models::load_glia(dir.path("a.glia")).predict(x)));
}

// argmax of floats is written with where(isnan(x), -inf, x): an infinity in the architecture.
TEST(Checkpoint, ArchitectureWithAnInfinity) {
  Scratch dir;
  Value x = Input({6});
  Model m({x}, {ops::argmax(layers::Dense(5)(x), -1)});
  m.save(dir.path("a.glia"));
  const Tensor rows = test::wave({7, 6}, 0.7);
  EXPECT_TRUE(models::load_glia(dir.path("a.glia")).predict(rows).equals(m.predict(rows)));
}

TEST(Checkpoint, EveryKindOfOptimizer) {
  Scratch dir;
  Tensor x = test::wave({32, 3}, 0.3), y = test::wave({32, 1}, 0.8);
  LearningRate schedule =
      optimizers::schedules::ExponentialDecay({.initial_learning_rate = 0.1, .decay_steps = 3, .decay_rate = 0.5});
  std::function<Optimizer()> makers[] = {
      [] { return optimizers::SGD(); },
      [&] { return optimizers::SGD({.learning_rate = schedule, .momentum = 0.9}); },
      [&] { return optimizers::SGD({.learning_rate = schedule}); },
      [] { return optimizers::Adafactor(); },
      [] { return optimizers::Nadam(); },
      [] { return optimizers::LossScaleOptimizer(optimizers::Adam({.use_ema = true})); }};
  for (auto& make : makers)
    for (int epochs : {0, 2}) {  // saved before and after the optimizer made its variables
      auto model = [&] {
        Sequential m({layers::Dense(1, {.use_bias = false, .input_shape = {3}})});
        m.compile({.optimizer = make(), .loss = "mse"});
        return m;
      };
      FitOptions o{.batch_size = 8, .epochs = epochs, .verbose = 0, .shuffle = false},
          more{.batch_size = 8, .epochs = 2, .verbose = 0, .shuffle = false};
      Sequential a = model(), b = model();
      if (epochs) a.fit(x, y, o);
      save_checkpoint(a, dir.path("o.glia"));
      load_checkpoint(b, dir.path("o.glia"));
      Model c = models::load_model(dir.path("o.glia"));
      a.fit(x, y, more), b.fit(x, y, more), c.fit(x, y, more);
      EXPECT_TRUE(a.get_weights()[0].equals(b.get_weights()[0])) << make()->class_name() << " " << epochs;
      EXPECT_TRUE(a.get_weights()[0].equals(c.get_weights()[0])) << make()->class_name() << " " << epochs;
    }
}

TEST(Checkpoint, ErrorsChangeNothing) {
  Scratch dir;
  Tensor x = test::wave({32, 3}, 0.3), y = test::wave({32, 1}, 0.8);
  Sequential a = small();
  a.fit(x, y, {.verbose = 0});
  std::string path = dir.path("a.glia");
  save_checkpoint(a, path);
  Sequential sgd = small("sgd");
  std::vector<Tensor> before = sgd.get_weights();
  EXPECT_HAS(error_of([&] { load_checkpoint(sgd, path); }),
             "the optimizer is SGD. The checkpoint was made with Adam; compile with the same");
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].equals(sgd.get_weights()[i]));
  Sequential other({layers::Dense(5, {.input_shape = {3}}), layers::Dense(1)});
  EXPECT_HAS(error_of([&] { load_checkpoint(other, path); }),
             "the tensor 'hidden/kernel' has shape (3, 4). The weight");
  EXPECT_HAS(error_of([&] { save_checkpoint(a, dir.path("a.bin")); }), "Checkpoints are .glia files");
  EXPECT_HAS(error_of([&] { load_checkpoint(a, dir.write("t.glia", "text, and no archive at all")); }),
             "not a readable zip archive");
}

TEST(Checkpoint, FailedWritesLeaveTheOldFile) {
  Scratch dir;
  std::filesystem::create_directories(dir.path("w"));
  Sequential a = small();
  test::check_failed_writes(dir.path("w/a.glia"), [&](const std::string& p) { save_checkpoint(a, p); });
}

TEST(Checkpoint, EveryBitIsGuarded) {
  Scratch dir;
  Sequential a = small();
  save_checkpoint(a, dir.path("a.glia"));
  std::string bytes = test::file_bytes(dir.path("a.glia"));
  std::vector<Tensor> before = a.get_weights();
  size_t at = bytes.find("weights/0.npy") + 13 + 128 + 5;  // inside the first tensor
  bytes[at] = static_cast<char>(bytes[at] ^ 4);
  std::string path = dir.write("b.glia", bytes);
  EXPECT_HAS(error_of([&] { load_checkpoint(a, path); }), "CRC");
  for (size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].equals(a.get_weights()[i]));
}

// 200 instants: resume_long_test.cpp.
TEST(Checkpoint, SurvivesKills) { test::check_kills(15, 1); }

TEST(Checkpoint, RemovesOnlyWhatNobodyWrites) {
  Scratch dir;
  std::string path = dir.path("b/m.glia"), stale = dir.write("b/m.glia.tmp.1.0", "half"),
              other = dir.write("b/n.glia.tmp.1.0", "half");
  io::AtomicFile writing(path);
  io::remove_stale_temporaries(path);
  EXPECT_FALSE(std::filesystem::exists(stale));
  EXPECT_TRUE(std::filesystem::exists(other));
  writing.write("whole");
  writing.commit();
  EXPECT_EQ(test::file_bytes(path), "whole");
}

TEST(ModelCheckpoint, KeepsEverythingAndResumes) {
  Scratch dir;
  Tensor x = test::wave({40, 3}, 0.3), y = test::wave({40, 1}, 0.8);
  Sequential a = small();
  a.fit(x, y,
        {.batch_size = 8,
         .epochs = 3,
         .verbose = 0,
         .callbacks = {callbacks::ModelCheckpoint(dir.path("e{epoch:02d}.glia")),
                       callbacks::ModelCheckpoint(dir.path("b{epoch}-{batch}.glia"), {.save_freq = 4})}});
  for (const char* name : {"e01.glia", "e02.glia", "e03.glia", "b1-4.glia", "b2-3.glia", "b3-2.glia"})
    EXPECT_TRUE(std::filesystem::exists(dir.path(name))) << name;
  io::Checkpoint c = io::Checkpoint::read(dir.path("b2-3.glia"));
  EXPECT_EQ(c.position().epoch, 1);
  EXPECT_EQ(c.position().batch, 3);
  EXPECT_EQ(io::Checkpoint::read(dir.path("e03.glia")).position().epoch, 3);
  Model last = models::load_glia(dir.path("e03.glia"));
  EXPECT_TRUE(last.predict(x).equals(a.predict(x)));
  EXPECT_HAS(error_of([] { callbacks::ModelCheckpoint("a.glia", {.save_weights_only = true}); }),
             "save_weights_only");
}

TEST(ModelCheckpoint, EndingsChooseTheFormat) {
  Scratch dir;
  Tensor x = test::wave({8, 3}, 0.3), y = test::wave({8, 1}, 0.8);
  Sequential a = small();
  a.fit(x, y,
        {.epochs = 2,
         .verbose = 0,
         .callbacks = {callbacks::ModelCheckpoint(dir.path("m.safetensors")),
                       callbacks::ModelCheckpoint(dir.path("m.keras"))}});
  EXPECT_TRUE(models::load_model(dir.path("m.keras")).predict(x).equals(a.predict(x)));
  Sequential b = small();
  b.load_weights(dir.path("m.safetensors"));
  EXPECT_TRUE(b.predict(x).equals(a.predict(x)));
}

TEST(BackupAndRestore, FallsBackToTheOneBefore) {
  Scratch dir;
  Tensor x = test::wave({40, 3}, 0.3), y = test::wave({40, 1}, 0.8);
  Sequential a = small();
  auto backup = [&] {
    return callbacks::BackupAndRestore(dir.path("b"), {.double_checkpoint = true, .delete_checkpoint = false});
  };
  a.fit(x, y, {.epochs = 3, .verbose = 0, .callbacks = {backup()}});
  std::filesystem::resize_file(dir.path("b/latest.glia"), 300);
  Sequential b = small();
  History h = b.fit(x, y, {.epochs = 3, .verbose = 0, .callbacks = {backup()}});
  EXPECT_EQ(h.epoch, (std::vector<int>{0, 1, 2}));
  for (size_t i = 0; i < a.get_weights().size(); ++i) EXPECT_TRUE(a.get_weights()[i].equals(b.get_weights()[i]));
}

TEST(CSVLogger, ResumedFitKeepsTheRows) {
  Scratch dir;
  Tensor x = test::wave({40, 3}, 0.3), y = test::wave({40, 1}, 0.8);
  auto run = [&](int64_t stop) {
    Sequential a = small();
    std::vector<CallbackRef> list = {callbacks::BackupAndRestore(dir.path("b")),
                                     callbacks::CSVLogger(dir.path("log.csv"))};
    if (stop >= 0) list.push_back(std::make_shared<test::StopBefore>(stop));
    a.fit(x, y, {.epochs = 4, .verbose = 0, .callbacks = list});
  };
  set_random_seed(3);
  run(-1);
  std::string whole = test::file_bytes(dir.path("log.csv"));
  set_random_seed(3);
  EXPECT_THROW(run(5), test::Power);
  run(-1);
  EXPECT_EQ(test::file_bytes(dir.path("log.csv")), whole);
}

}  // namespace glia
