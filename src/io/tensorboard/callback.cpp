// callbacks::TensorBoard.
#include <glia/tensorboard.h>

#include <chrono>
#include <optional>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/tensorboard/profile.h"
#include "train/trainer.h"

namespace glia::callbacks {
namespace {

using tensorboard::SummaryWriter;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

// Weights of rank 1 to 4 as images, laid out as Keras does it; undefined when they are none.
Tensor weight_image(const Tensor& weight) {
  Shape s;
  for (int64_t d : weight.shape())
    if (d != 1) s.push_back(d);
  if (weight.size() == 0) return {};
  if (s.size() == 1) return weight.reshape({1, s[0], 1, 1});
  if (s.size() == 2) {
    if (s[0] <= s[1]) return weight.reshape({1, s[0], s[1], 1});
    Tensor t({s[1], s[0]});
    for (int64_t i = 0; i < s[0]; ++i)
      for (int64_t j = 0; j < s[1]; ++j) t.set_item(j * s[0] + i, weight.item(i * s[1] + j));
    return t.reshape({1, s[1], s[0], 1});
  }
  if (s.size() == 3) {  // every kernel an image of its own
    Tensor t({s[2], s[0], s[1], 1});
    for (int64_t i = 0; i < s[0] * s[1]; ++i)
      for (int64_t k = 0; k < s[2]; ++k) t.set_item(k * s[0] * s[1] + i, weight.item(i * s[2] + k));
    return t;
  }
  if (s.size() == 4 && (s[3] == 3 || s[3] == 4)) return weight.reshape(s);
  return {};
}

class TensorBoardCallback : public Callback {
 public:
  TensorBoardCallback(std::string dir, TensorBoardOptions o) : dir_(std::move(dir)), options_(std::move(o)) {
    GLIA_CHECK(!dir_.empty(), "TensorBoard: log_dir is empty. Give a folder for the logs.");
    GLIA_CHECK(options_.update_freq >= 0 && options_.histogram_freq >= 0 && options_.embeddings_freq >= 0,
               "TensorBoard: frequencies must not be negative.");
    const Ints& p = options_.profile_batch;
    GLIA_CHECK(p.empty() || (p.size() <= 2 && p[0] >= 1 && p.back() >= p[0]),
               "TensorBoard: profile_batch is one batch, counted from 1, or the first and the last of several. Received {}.",
               to_string(Shape(p.begin(), p.end())));
  }
  ~TensorBoardCallback() override {
    if (profiling_) runtime::stop_trace();  // an error ended the training
  }

  void on_train_begin(Logs&) override {
    step_ = batch_ = 0;
    graph_written_ = false;
    if (!options_.hparams.empty()) writer(root_, dir_).hparams(options_.hparams);
  }
  void on_epoch_begin(int, Logs&) override {
    epoch_start_ = Clock::now();
    epoch_step_ = step_;
  }
  void on_train_batch_begin(int64_t, Logs&) override {
    ++batch_;
    if (!options_.profile_batch.empty() && batch_ == options_.profile_batch[0]) {
      runtime::start_trace();
      profiling_ = true;
    }
    batch_start_ = Clock::now();
  }
  void on_train_batch_end(int64_t, Logs& logs) override {
    if (profiling_ && batch_ >= options_.profile_batch.back()) end_profile();
    if (options_.write_graph && !graph_written_) {  // the model is built by now, whatever it is
      writer(train_, dir_ + "/train").graph(model());
      graph_written_ = true;
    }
    ++step_;  // Keras counts batches from 1
    if (options_.update_freq > 0 && step_ % options_.update_freq == 0) {
      SummaryWriter& w = writer(train_, dir_ + "/train");
      if (options_.write_steps_per_second)
        w.scalar("batch_steps_per_second", 1 / std::max(seconds_since(batch_start_), 1e-9), step_);
      for (auto& [name, value] : logs) w.scalar("batch_" + name, value, step_);
    }
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    SummaryWriter& w = writer(train_, dir_ + "/train");
    for (auto& [name, value] : logs) {
      if (name.rfind("val_", 0) != 0) {
        w.scalar("epoch_" + name, value, epoch);
      } else {
        SummaryWriter& v = writer(validation_, dir_ + "/validation");
        v.scalar("evaluation_" + name.substr(4) + "_vs_iterations", value, model().optimizer()->iterations());
        v.scalar("epoch_" + name.substr(4), value, epoch);
      }
    }
    if (!logs.contains("learning_rate")) w.scalar("epoch_learning_rate", model().optimizer()->learning_rate(), epoch);
    if (options_.write_steps_per_second)
      w.scalar("epoch_steps_per_second",
               static_cast<double>(step_ - epoch_step_) / std::max(seconds_since(epoch_start_), 1e-9), epoch);
    if (options_.histogram_freq > 0 && epoch % options_.histogram_freq == 0) log_weights(epoch);
    if (options_.embeddings_freq > 0 && epoch % options_.embeddings_freq == 0) log_embeddings();
    w.flush();
    if (validation_) validation_->flush();
  }
  void on_test_end(Logs& logs) override {
    SummaryWriter& w = writer(validation_, dir_ + "/validation");
    int64_t iterations = model().optimizer()->iterations();
    for (auto& [name, value] : logs) w.scalar("evaluation_" + name + "_vs_iterations", value, iterations);
    w.flush();
  }
  void on_train_end(Logs&) override {
    if (profiling_) end_profile();  // fewer batches than were asked for
    if (root_) root_->end_session();
    for (auto* w : {&root_, &train_, &validation_})
      if (*w) (*w)->flush();
  }
  std::string state_name() const override { return "TensorBoard"; }
  void save_state(CallbackState& s) const override {
    s.numbers["step"] = static_cast<double>(step_);
    s.numbers["graph_written"] = graph_written_;
  }
  void load_state(const CallbackState& s) override {
    if (auto it = s.numbers.find("step"); it != s.numbers.end()) step_ = static_cast<int64_t>(it->second);
    if (auto it = s.numbers.find("graph_written"); it != s.numbers.end()) graph_written_ = it->second != 0;
  }

 private:
  static SummaryWriter& writer(std::optional<SummaryWriter>& w, const std::string& dir) {
    if (!w) w.emplace(dir);
    return *w;
  }
  void end_profile() {
    profiling_ = false;
    io::write_profile(dir_ + "/train", runtime::stop_trace());
  }
  void log_weights(int epoch) {
    SummaryWriter& w = writer(train_, dir_ + "/train");
    for (const LayerRef& layer : model().layers())
      for (const Variable& v : layer->weights()) {
        std::string name = model().name() + "/" + v.path();
        w.histogram(name + "/histogram", v.tensor(), epoch);
        if (!options_.write_images) continue;
        if (Tensor image = weight_image(v.tensor()); image.defined()) w.image(name + "/image", image, epoch);
      }
  }
  // The Projector tab reads tab-separated numbers that a text message names.
  void log_embeddings() {
    std::string config;
    for (const LayerRef& layer : model().layers()) {
      if (layer->class_name() != "Embedding" || layer->weights().empty()) continue;
      Tensor t = layer->weights()[0].tensor();
      std::string file = "embedding_" + layer->name() + ".tsv", rows;
      for (int64_t i = 0; i < t.size(); ++i) rows += fmt::format("{}{}", t.item(i), (i + 1) % t.dim(1) ? '\t' : '\n');
      io::write_file(dir_ + "/" + file, rows);
      config += fmt::format("embeddings {{\n  tensor_name: \"{}\"\n  tensor_path: \"{}\"\n", layer->name(), file);
      if (auto it = options_.embeddings_metadata.find(layer->name()); it != options_.embeddings_metadata.end())
        config += fmt::format("  metadata_path: \"{}\"\n", it->second);
      config += "}\n";
    }
    if (!config.empty()) io::write_file(dir_ + "/projector_config.pbtxt", config);
  }

  std::string dir_;
  TensorBoardOptions options_;
  std::optional<SummaryWriter> root_, train_, validation_;
  int64_t step_ = 0, epoch_step_ = 0;
  int64_t batch_ = 0;  // of this fit; step_ goes on after a resume
  bool graph_written_ = false, profiling_ = false;
  Clock::time_point epoch_start_, batch_start_;
};

}  // namespace

CallbackRef TensorBoard(std::string log_dir, TensorBoardOptions options) {
  return std::make_shared<TensorBoardCallback>(std::move(log_dir), std::move(options));
}

}  // namespace glia::callbacks
