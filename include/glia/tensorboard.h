// Logs for TensorBoard: numbers, distributions, images, texts, the graph of a model, hyperparameters.
//
//   model.fit(x, y, {.epochs = 20, .callbacks = {callbacks::TensorBoard("logs/run1", {.histogram_freq = 1})}});
//   // tensorboard --logdir logs
//
//   tensorboard::SummaryWriter log("logs/mine");
//   log.scalar("accuracy", 0.93, 1);
//   log.histogram("weights", w, 1);
//   log.image("digits", images, 1);                       // (n, height, width, channels)
//
// Event files as TensorFlow 2 writes them: TFRecord frames with masked CRC-32C round Event messages.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <glia/callback.h>
#include <glia/model.h>
#include <glia/tensor.h>

namespace glia {
namespace tensorboard {

using HParam = std::variant<bool, double, std::string>;

class SummaryWriter {
 public:
  // Makes the folder and a new event file in it. Throws Error when that fails, as does every function below, naming
  // the file.
  explicit SummaryWriter(const std::string& logdir);
  ~SummaryWriter();
  SummaryWriter(SummaryWriter&&) noexcept;

  void scalar(const std::string& tag, double value, int64_t step);
  // Any dtype and shape; `buckets` of equal width between the least and the greatest value.
  void histogram(const std::string& tag, const Tensor& values, int64_t step, int64_t buckets = 30);
  // (height, width, channels) or several (n, height, width, channels) with 1, 3 or 4 channels: uint8, or floats from
  // 0 to 1 (others are clipped). At most `max_outputs` of them are kept.
  void image(const std::string& tag, const Tensor& images, int64_t step, int64_t max_outputs = 3);
  void text(const std::string& tag, std::string_view markdown, int64_t step);
  // The layers and how they are joined, for the Graphs tab; its Keras form as well where the model has one.
  void graph(const Model& model);
  // What distinguishes this run in the HParams tab; call it once, before the metrics.
  void hparams(const std::map<std::string, HParam>& values);
  void end_session(bool success = true);  // the run's state in that tab
  void flush();
  const std::string& path() const;  // of the event file

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tensorboard

namespace callbacks {

struct TensorBoardOptions {
  int histogram_freq = 0;  // epochs between histograms of the weights; 0: none
  bool write_graph = true;
  bool write_images = false;  // weights as images, with the histograms
  bool write_steps_per_second = false;
  int64_t update_freq = 0;  // batches between batch_* scalars; 0: only those of epochs ("epoch" in Keras)
  int embeddings_freq = 0;  // epochs between copies of the embeddings for the Projector tab; 0: none
  std::map<std::string, std::string>
      embeddings_metadata;  // layer name -> file of labels, one a line, relative to log_dir
  std::map<std::string, tensorboard::HParam> hparams = {};  // of this run
  // Batches of this fit, counted from 1, whose steps are timed one by one: {n} or {first, last}; empty: none. The time line
  // goes to log_dir/train/plugins/profile/TIME, for TensorBoard's profile plugin (.xplane.pb) and for Perfetto or
  // chrome://tracing (.trace.json.gz).
  Ints profile_batch = {};
};
// Throws Error for negative frequencies and a profile_batch that is not one or two batches in order.
// Scalars epoch_*, batch_*, evaluation_*_vs_iterations with Keras's names and steps, in log_dir/train and
// log_dir/validation.
CallbackRef TensorBoard(std::string log_dir = "logs", TensorBoardOptions options = {});

}  // namespace callbacks
}  // namespace glia
