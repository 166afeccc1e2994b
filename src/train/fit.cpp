// The one training loop and the one evaluation loop.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "train/callback_list.h"
#include "train/explain_nan.h"
#include "train/trainer.h"

namespace glia {

namespace {

constexpr int64_t kDefaultBatch = 32;

// Records the logs of every epoch.
class HistoryRecorder : public Callback {
 public:
  History history;
  void on_epoch_end(int epoch, Logs& logs) override {
    history.epoch.push_back(epoch);
    for (auto& [name, value] : logs) column(name).push_back(value);
  }
  // The epochs before a checkpoint: a resumed fit returns the whole history.
  std::string state_name() const override { return "History"; }
  void save_state(CallbackState& s) const override {
    s.tensors["epoch"] = {Tensor::from_vector<int32_t>({static_cast<int64_t>(history.epoch.size())}, {history.epoch.begin(), history.epoch.end()})};
    for (auto& [name, values] : history.history)
      s.tensors["of " + name] = {Tensor::from_vector<double>({static_cast<int64_t>(values.size())}, values)};
    for (size_t i = 0; i < history.history.size(); ++i) s.numbers["rank of " + history.history[i].first] = static_cast<double>(i);
  }
  void load_state(const CallbackState& s) override {
    history = {};
    std::map<double, std::string> names;
    for (auto& [key, rank] : s.numbers)
      if (key.starts_with("rank of ") && s.tensors.count(key.substr(5))) names[rank] = key.substr(8);
    for (auto& [rank, name] : names) {
      const Tensor& t = s.tensors.at("of " + name).at(0);
      for (int64_t i = 0; i < t.size(); ++i) column(name).push_back(t.item(i));
    }
    if (auto it = s.tensors.find("epoch"); it != s.tensors.end() && !it->second.empty())
      for (int64_t i = 0; i < it->second[0].size(); ++i) history.epoch.push_back(static_cast<int>(it->second[0].item(i)));
  }

 private:
  std::vector<double>& column(const std::string& name) {
    for (auto& [n, values] : history.history)
      if (n == name) return values;
    return history.history.emplace_back(name, std::vector<double>()).second;
  }
};

int64_t batch_size_of(std::optional<int64_t> given, const char* where) {
  int64_t b = given.value_or(kDefaultBatch);
  GLIA_CHECK(b > 0, "{}: batch_size must be at least 1. Received {}.", where, b);
  return b;
}

void check_ends(const Dataset& data, const std::optional<int64_t>& steps, const char* where, const char* option) {
  GLIA_CHECK(data.cardinality() != Dataset::kInfinite || steps, "{}: the dataset repeats for ever. Say with .{} how many batches to take.", where, option);
}

// Everything fit knows about one run.
struct FitRun {
  Trainer& trainer;
  Model& model;
  const FitOptions& options;
  Feed& train;
  std::function<Logs()> validate;  // empty without validation data
  FitState state = {};
  const FeedBatch* arrays = nullptr;  // the whole training data, when it is there
  bool nan_told = false;

  History run() {
    int verbose = resolve_verbose(options.verbose);
    int64_t steps = options.steps_per_epoch.value_or(train.steps());
    auto history = std::make_shared<HistoryRecorder>();
    std::vector<CallbackRef> list = options.callbacks;
    if (verbose) list.push_back(make_progbar_logger(verbose));
    list.push_back(history);
    CallbackList callbacks(list, model, FitParams{verbose, options.epochs, steps});
    Logs none, last;
    trainer.stop_training = false;
    FitPosition& at = state.at;
    at = {.epoch = options.initial_epoch, .shuffle_seed = train.seed()};
    state.callbacks = list;
    trainer.fit = &state;
    struct Guard {
      Trainer& t;
      ~Guard() { t.fit = nullptr; }
    } guard{trainer};
    callbacks.each(&Callback::on_train_begin, none);
    if (state.restore) go_on();
    while (at.epoch < options.epochs && !at.stop) {
      begin_epoch(callbacks);
      run_epoch(callbacks);
      Logs logs;
      for (auto& [name, value] : trainer.results()) logs.set(name, value);
      if (validate && validates(at.epoch + 1))
        for (auto& [name, value] : validate()) logs.set("val_" + name, value);
      callbacks.each(&Callback::on_epoch_end, at.epoch, logs);
      last = logs;
      ++at.epoch;
      at.batch = 0;
      do_later();
    }
    trainer.finish_training();
    callbacks.each(&Callback::on_train_end, last);
    return history->history;
  }

  bool validates(int epoch) const {
    const ValidationFrequency& f = options.validation_freq;
    if (!f.epochs) return epoch % std::max(1, f.every) == 0;
    return std::find(f.epochs->begin(), f.epochs->end(), epoch) != f.epochs->end();
  }

  // Puts a checkpoint's state back and the data where it stood. Optimizer, losses and metrics make their variables for the
  // first batch, so one is looked at.
  void go_on() {
    const FitPosition& at = state.at;
    train.set_seed(at.shuffle_seed);
    train.start(static_cast<uint64_t>(at.pass_epoch));
    FeedBatch first;
    GLIA_CHECK(train.next(first), "fit: the dataset gave no batch.");
    if (!options.class_weight.empty()) first.w = trainer.class_weights_for(first.y, options.class_weight);
    trainer.prepare(Mode::train, first);
    state.restore();
    trainer.stop_training = at.stop;
    if (!at.pass_open && at.batch == 0) return;
    train.start(static_cast<uint64_t>(at.pass_epoch));
    train.skip(at.pass_batch);
  }

  void begin_epoch(CallbackList& callbacks) {
    FitPosition& at = state.at;
    bool inside = at.batch > 0;  // a resumed fit begins in the middle
    if (!inside) trainer.reset_metrics();
    Logs begin;
    callbacks.each(&Callback::on_epoch_begin, at.epoch, begin);
    if (inside) return state.restore();  // what the hooks of an epoch's begin have set is older
    if (options.steps_per_epoch && at.pass_open) return;
    train.start(static_cast<uint64_t>(at.epoch));
    at.pass_epoch = at.epoch;
    at.pass_batch = 0;
  }

  void run_epoch(CallbackList& callbacks) {
    FitPosition& at = state.at;
    FeedBatch b;
    int64_t limit = options.steps_per_epoch.value_or(INT64_MAX);
    auto logs_now = [this] { return Logs([this] { return trainer.results(); }); };
    while (at.batch < limit) {
      if (!train.next(b)) {
        GLIA_CHECK(at.batch > 0 || options.steps_per_epoch, "fit: the dataset gave no batch.");
        if (options.steps_per_epoch)
          log_warning("Your input ran out of data; interrupting training. Make sure that your dataset can generate at least "
                      "steps_per_epoch * epochs batches; Dataset::repeat() may help.");
        break;
      }
      if (!options.class_weight.empty()) b.w = trainer.class_weights_for(b.y, options.class_weight);
      Logs logs;
      callbacks.each(&Callback::on_train_batch_begin, at.batch, logs);
      trainer.run(Mode::train, b);
      logs = logs_now();
      callbacks.each(&Callback::on_train_batch_end, at.batch, logs);
      ++at.batch;
      ++at.pass_batch;
      do_later();
      if (at.stop) break;
    }
    for (auto& [name, value] : trainer.results())
      if (name == "loss" && std::isnan(value)) explain_nan(b, at.batch, at.epoch, arrays, nan_told);
    // The next epoch goes on with this pass when steps_per_epoch cut it short of its end.
    at.pass_open = at.batch >= limit && !(train.steps() > 0 && at.pass_batch >= train.steps());
  }

  void do_later() {
    state.at.stop = trainer.stop_training;
    std::vector<std::function<void()>> now = std::move(state.later);
    state.later.clear();
    for (auto& f : now) f();
  }
};

Logs evaluate_feed(Trainer& trainer, Model& model, Feed& feed, const EvaluateOptions& options, bool own_output) {
  int verbose = own_output ? resolve_verbose(options.verbose) : 0;
  std::vector<CallbackRef> list = options.callbacks;
  int64_t steps = options.steps.value_or(feed.steps());
  if (verbose) list.push_back(make_progbar_logger(verbose));
  CallbackList callbacks(list, model, own_output ? std::optional(FitParams{verbose, 1, steps}) : std::nullopt);
  trainer.reset_metrics();
  Logs none;
  callbacks.each(&Callback::on_test_begin, none);
  feed.start(0);
  FeedBatch b;
  int64_t step = 0;
  for (; step < options.steps.value_or(INT64_MAX) && feed.next(b); ++step) {
    Logs begin;
    callbacks.each(&Callback::on_test_batch_begin, step, begin);
    trainer.run(Mode::test, b);
    Logs logs([&trainer] { return trainer.results(); });
    callbacks.each(&Callback::on_test_batch_end, step, logs);
  }
  GLIA_CHECK(step > 0, "evaluate: the dataset gave no batch.");
  Logs logs;
  for (auto& [name, value] : trainer.results()) logs.set(name, value);
  callbacks.each(&Callback::on_test_end, logs);
  return logs;
}

// Loss and metric state of the training epoch, put aside while validation uses the same variables.
class MetricsAside {
 public:
  explicit MetricsAside(Trainer& t) : trainer_(t), saved_(t.save_metric_state()) {}
  ~MetricsAside() { trainer_.restore_metric_state(saved_); }
  MetricsAside(const MetricsAside&) = delete;

 private:
  Trainer& trainer_;
  std::vector<Tensor> saved_;
};

}  // namespace

History Model::fit(const Data& x, const Data& y, const FitOptions& o) {
  GLIA_CHECK(compiled(), "{}: fit needs compile() first: model.compile({{.optimizer = \"adam\", .loss = ...}}).", name());
  Trainer& t = *trainer_;
  FeedBatch all = t.prepare("fit", x, y, o.sample_weight), held;
  const int64_t n = all.size;
  GLIA_CHECK(all.w.empty() || o.class_weight.empty(), "fit: give sample_weight or class_weight, not both.");
  GLIA_CHECK(o.validation_split >= 0 && o.validation_split < 1, "fit: validation_split must lie in [0, 1). Received {}.", o.validation_split);
  if (o.validation_data) {
    const ValidationData& v = *o.validation_data;
    held = t.prepare("fit (validation_data)", v.x, v.y, v.sample_weight, "validation ");
  } else if (o.validation_split > 0) {
    int64_t split = static_cast<int64_t>(std::floor(static_cast<double>(n) * (1 - o.validation_split)));
    GLIA_CHECK(split > 0 && split < n, "fit: validation_split {} of {} rows leaves {} for training and {} for validation.", o.validation_split, n, split, n - split);
    held = all.rows(split, n);
    all = all.rows(0, split);
  }
  // Without a batch size the steps deal out the rows that are left to train on; validation does the same with its own steps.
  auto dealt = [](int64_t rows, std::optional<int64_t> steps) { return steps && *steps > 0 ? std::max<int64_t>(1, (rows + *steps - 1) / *steps) : kDefaultBatch; };
  const int64_t batch = batch_size_of(o.batch_size.value_or(dealt(all.size, o.steps_per_epoch)), "fit");
  const int64_t validation_batch = o.validation_batch_size.value_or(o.batch_size.value_or(dealt(held.size, o.validation_steps)));
  uint64_t seed = static_cast<uint64_t>(seed_variable().tensor().cdata<int64_t>()[0]);
  std::vector<TensorType> outputs = t.check_targets(all, std::min(batch, all.size), !o.class_weight.empty());
  if (held.size) t.check_labels(held.y, outputs);
  t.encode_ahead(all);
  if (held.size) t.encode_ahead(held);
  std::unique_ptr<Feed> validation;
  if (held.size) validation = array_feed(std::move(held), {validation_batch});
  const FeedBatch arrays{all.x, all.y, {}};
  auto feed = array_feed(std::move(all), {batch, o.shuffle, seed});
  FitRun run{.trainer = t, .model = *this, .options = o, .train = *feed, .arrays = &arrays};
  EvaluateOptions eo{.verbose = 0, .steps = o.validation_steps, .callbacks = o.callbacks};  // as Keras: their on_test hooks run
  std::unique_ptr<Feed> from_dataset;
  if (o.validation_dataset) check_ends(*o.validation_dataset, o.validation_steps, "fit", "validation_steps");
  if (o.validation_dataset) from_dataset = dataset_feed(*o.validation_dataset, t.encoder());
  Feed* v = validation ? validation.get() : from_dataset.get();
  if (v)
    run.validate = [&, v] {
      MetricsAside aside(t);
      return evaluate_feed(t, *this, *v, eo, false);
    };
  return run.run();
}

History Model::fit(const Dataset& data, const FitOptions& o) {
  GLIA_CHECK(compiled(), "{}: fit needs compile() first: model.compile({{.optimizer = \"adam\", .loss = ...}}).", name());
  GLIA_CHECK(o.validation_split == 0, "fit: validation_split is for arrays. Split a Dataset with utils::split_dataset, and give the second part as .validation_dataset.");
  GLIA_CHECK(o.sample_weight.empty(), "fit: sample_weight is for arrays. The batches of a Dataset carry their own (Batch::sample_weight).");
  check_ends(data, o.steps_per_epoch, "fit", "steps_per_epoch");
  if (o.validation_dataset) check_ends(*o.validation_dataset, o.validation_steps, "fit", "validation_steps");
  auto feed = dataset_feed(data, trainer_->encoder());
  FitRun run{.trainer = *trainer_, .model = *this, .options = o, .train = *feed};
  EvaluateOptions eo{.verbose = 0, .steps = o.validation_steps, .callbacks = o.callbacks};  // as Keras: their on_test hooks run
  std::unique_ptr<Feed> v;
  if (o.validation_dataset) v = dataset_feed(*o.validation_dataset, trainer_->encoder());
  if (o.validation_data) {
    const ValidationData& d = *o.validation_data;
    v = array_feed(trainer_->prepare("fit (validation_data)", d.x, d.y, d.sample_weight, "validation "),
                   {o.validation_batch_size.value_or(kDefaultBatch)});
  }
  if (v)
    run.validate = [&] {
      MetricsAside aside(*trainer_);
      return evaluate_feed(*trainer_, *this, *v, eo, false);
    };
  return run.run();
}

Logs Model::evaluate(const Data& x, const Data& y, const EvaluateOptions& o) {
  GLIA_CHECK(compiled(), "{}: evaluate needs compile() first.", name());
  Trainer& t = *trainer_;
  FeedBatch all = t.prepare("evaluate", x, y, o.sample_weight);
  int64_t batch = batch_size_of(o.batch_size, "evaluate");
  t.check_targets(all, std::min(batch, all.size), false);
  auto feed = array_feed(std::move(all), {batch});
  return evaluate_feed(t, *this, *feed, o, true);
}

Logs Model::evaluate(const Dataset& data, const EvaluateOptions& o) {
  GLIA_CHECK(compiled(), "{}: evaluate needs compile() first.", name());
  check_ends(data, o.steps, "evaluate", "steps");
  auto feed = dataset_feed(data, trainer_->encoder());
  return evaluate_feed(*trainer_, *this, *feed, o, true);
}

std::vector<Tensor> Model::predict_all(const Data& x, const PredictOptions& o) {
  Trainer& t = *trainer_;
  std::vector<Tensor> out;
  FeedBatch all = t.prepare("predict", x, {}, {});
  const int64_t n = all.size, batch = batch_size_of(o.batch_size, "predict");
  auto feed = array_feed(std::move(all), {batch});
  int verbose = o.verbose == kVerboseAuto ? resolve_verbose(o.verbose) : o.verbose;
  std::vector<CallbackRef> list = o.callbacks;
  if (verbose) list.push_back(make_progbar_logger(verbose));
  CallbackList callbacks(list, *this, FitParams{verbose, 1, feed->steps()});
  Logs logs;
  callbacks.each(&Callback::on_predict_begin, logs);
  feed->start(0);
  FeedBatch b;
  std::vector<void*> to;
  int64_t done = 0, step = 0;
  for (; step < o.steps.value_or(INT64_MAX) && feed->next(b); ++step) {
    callbacks.each(&Callback::on_predict_batch_begin, step, logs);
    if (out.empty())
      for (TensorType type : t.predict_types(b)) {
        GLIA_CHECK(!type.shape.empty() && type.shape[0] == b.size, "predict: an output has shape {}; its first axis must be the batch of {}.",
                   to_string(type.shape), b.size);
        type.shape[0] = n;
        out.emplace_back(type.shape, type.dtype);
      }
    to.clear();
    for (const Tensor& r : out) to.push_back(static_cast<char*>(r.raw()) + r.bytes() / static_cast<size_t>(n) * static_cast<size_t>(done));
    t.run(Mode::predict, b, to);
    done += b.size;
    callbacks.each(&Callback::on_predict_batch_end, step, logs);
  }
  callbacks.each(&Callback::on_predict_end, logs);
  if (done < n)
    for (Tensor& r : out) r = r.slice(0, done);
  return out;
}

Tensor Model::predict(const Data& x, const PredictOptions& o) { return predict_all(x, o)[0]; }
Tensor Model::predict(const Dataset& data, const PredictOptions& o) { return predict_all(data, o)[0]; }

std::vector<Tensor> Model::predict_all(const Dataset& data, const PredictOptions& o) {
  check_ends(data, o.steps, "predict", "steps");
  std::vector<std::vector<Tensor>> parts;
  auto feed = dataset_feed(data, trainer_->encoder());
  feed->start(0);
  FeedBatch b;
  for (int64_t step = 0; step < o.steps.value_or(INT64_MAX) && feed->next(b); ++step) {
    Data x(b.x);
    x.strings = std::move(b.text);
    FeedBatch p = trainer_->prepare("predict", x, {}, {});
    p.encoded = std::move(b.encoded);
    parts.push_back(trainer_->predict(p));
  }
  GLIA_CHECK(!parts.empty(), "predict: the dataset gave no batch.");
  std::vector<Tensor> out;
  for (size_t k = 0; k < parts[0].size(); ++k) {
    Shape s = parts[0][k].shape();
    s[0] = 0;
    for (auto& p : parts) s[0] += p[k].dim(0);
    Tensor all(s, parts[0][k].dtype());
    int64_t at = 0;
    for (auto& p : parts) {
      all.slice(at, at + p[k].dim(0)).copy_from(p[k]);
      at += p[k].dim(0);
    }
    out.push_back(all);
  }
  return out;
}

std::vector<Tensor> Model::predict_on_batch(const Data& x) {
  FeedBatch b = trainer_->prepare("predict_on_batch", x, {}, {});
  return trainer_->predict(b);
}

static Logs on_batch(Model& model, Mode mode, const Data& x, const Data& y, const OnBatchOptions& o) {
  const char* where = mode == Mode::train ? "train_on_batch" : "test_on_batch";
  GLIA_CHECK(model.compiled(), "{}: {} needs compile() first.", model.name(), where);
  Trainer& t = model.trainer();
  FeedBatch b = t.prepare(where, x, y, o.sample_weight);
  if (!o.class_weight.empty()) b.w = t.class_weights_for(b.y, o.class_weight);
  t.check_targets(b, b.size, false);
  t.run(mode, b);
  Logs logs;
  for (auto& [name, value] : t.results()) logs.set(name, value);
  return logs;
}
Logs Model::train_on_batch(const Data& x, const Data& y, const OnBatchOptions& o) { return on_batch(*this, Mode::train, x, y, o); }
Logs Model::test_on_batch(const Data& x, const Data& y, const OnBatchOptions& o) { return on_batch(*this, Mode::test, x, y, o); }

}  // namespace glia
