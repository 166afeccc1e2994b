#include <glia/callbacks.h>
#include <glia/checkpoint.h>

#include <filesystem>

#include "base/error.h"
#include "train/callbacks/monitor.h"
#include "train/trainer.h"

namespace glia::callbacks {
namespace {

// Fills {epoch}, {epoch:02d}, {loss:.4f} in a path.
std::string fill_path(const std::string& pattern, int epoch, int64_t batch, Logs& logs) {
  std::string r;
  for (size_t i = 0; i < pattern.size(); ++i) {
    size_t close = pattern[i] == '{' ? pattern.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      r += pattern[i];
      continue;
    }
    std::string inside = pattern.substr(i + 1, close - i - 1), name = inside.substr(0, inside.find(':'));
    std::string spec = inside.size() > name.size() ? "{" + inside.substr(name.size()) + "}" : "{}";
    try {
      r += name == "epoch" ? fmt::format(fmt::runtime(spec), epoch + 1)
           : name == "batch" ? fmt::format(fmt::runtime(spec), batch + 1)
                             : fmt::format(fmt::runtime(spec), logs[name]);
    } catch (const fmt::format_error& e) {
      throw_error("ModelCheckpoint: bad placeholder '{{{}}}' in the path '{}': {}.", inside, pattern, e.what());
    }
    i = close;
  }
  return r;
}

class ModelCheckpointCallback : public MonitorCallback {
 public:
  ModelCheckpointCallback(std::string path, ModelCheckpointOptions o)
      : MonitorCallback("ModelCheckpoint", o.monitor, o.mode, 0), path_(std::move(path)), options_(std::move(o)), best_(options_.initial_value_threshold) {
    GLIA_CHECK(!options_.save_weights_only || !path_.ends_with(".glia"), "ModelCheckpoint: save_weights_only, but '{}' is a file of everything. "
               "Give a name that ends in .safetensors.", path_);
  }

  void on_epoch_begin(int epoch, Logs&) override { epoch_ = epoch; }
  void on_train_batch_end(int64_t batch, Logs& logs) override {
    if (options_.save_freq > 0 && ++batches_ >= options_.save_freq) {
      batches_ = 0;
      save(epoch_, batch, logs);
    }
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    if (options_.save_freq == 0) save(epoch, 0, logs);
  }
  std::string state_name() const override { return "ModelCheckpoint"; }
  void save_state(CallbackState& s) const override {
    s.numbers["batches"] = static_cast<double>(batches_);
    if (best_) s.numbers["best"] = *best_;
  }
  void load_state(const CallbackState& s) override {
    if (auto it = s.numbers.find("batches"); it != s.numbers.end()) batches_ = static_cast<int64_t>(it->second);
    if (auto it = s.numbers.find("best"); it != s.numbers.end()) best_ = it->second;
  }

 private:
  void save(int epoch, int64_t batch, Logs& logs) {
    std::string path = fill_path(path_, epoch, batch, logs);
    if (!wanted(epoch, logs, path)) return;
    std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent);
    const bool weights_name = path.ends_with(".weights.h5") || path.ends_with(".weights.json") || path.ends_with(".safetensors");
    if (options_.save_weights_only || weights_name) return model().save_weights(path);
    if (!path.ends_with(".glia")) return model().save(path);
    // When all callbacks have seen the batch or epoch, so that their state in the file is that after it.
    model().trainer().fit->later.push_back([this, path] { save_checkpoint(model(), path); });
  }
  bool wanted(int epoch, Logs& logs, const std::string& path) {
    std::string say;
    bool yes = true;
    std::optional<double> now = options_.save_best_only ? monitored(logs) : std::nullopt;
    if (!now) {
      say = fmt::format("saving model to {}", path);
    } else {
      std::string before = best_ ? fmt::format("{:.5f}", *best_) : "None";
      yes = is_improvement(*now, best_);
      if (yes) best_ = now;
      say = yes ? fmt::format("{} improved from {} to {:.5f}, saving model to {}", monitor(), before, *now, path)
                : fmt::format("{} did not improve from {}", monitor(), before);
    }
    if (options_.verbose) fmt::print("\nEpoch {}: {}\n", epoch + 1, say);
    return yes;
  }

  std::string path_;
  ModelCheckpointOptions options_;
  std::optional<double> best_;
  int epoch_ = 0;
  int64_t batches_ = 0;
};

}  // namespace

CallbackRef ModelCheckpoint(std::string path, ModelCheckpointOptions o) {
  return std::make_shared<ModelCheckpointCallback>(std::move(path), std::move(o));
}

}  // namespace glia::callbacks
