// CSVLogger, TerminateOnNaN, LambdaCallback.
#include <glia/callbacks.h>
#include <glia/model.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/error.h"

namespace glia::callbacks {
namespace {

class CSVLoggerCallback : public Callback {
 public:
  CSVLoggerCallback(std::string filename, CSVLoggerOptions o) : filename_(std::move(filename)), options_(std::move(o)) {}
  ~CSVLoggerCallback() override { close(); }

  void on_train_begin(Logs&) override {
    close();
    header_ = !options_.append || !std::filesystem::exists(filename_) || std::filesystem::file_size(filename_) == 0;
    fresh_ = !options_.append;  // the old rows go when the first new one comes: a resumed fit keeps them
    file_ = std::fopen(filename_.c_str(), "a");
    GLIA_CHECK(file_, "CSVLogger: cannot open '{}' for writing. Check that the folder exists and may be written to.", filename_);
    keys_.clear();
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    if (!file_) return;
    if (keys_.empty()) {
      for (auto& [name, value] : logs) keys_.push_back(name);
      std::sort(keys_.begin(), keys_.end());
      bool any_val = std::any_of(keys_.begin(), keys_.end(), [](auto& k) { return k.rfind("val_", 0) == 0; });
      if (!any_val)  // Keras reserves the validation columns
        for (size_t i = 0, n = keys_.size(); i < n; ++i) keys_.push_back("val_" + keys_[i]);
      if (header_) {
        std::string line = "epoch";
        for (auto& k : keys_) line += options_.separator + k;
        write(line);
      }
    }
    std::string line = std::to_string(epoch);
    for (auto& k : keys_) line += options_.separator + (logs.contains(k) ? fmt::format("{}", logs[k]) : "NA");
    write(line);
    std::fflush(file_);
  }
  void on_train_end(Logs&) override { close(); }

  std::string state_name() const override { return "CSVLogger"; }
  void save_state(CallbackState& s) const override {
    std::error_code ec;
    auto size = std::filesystem::file_size(filename_, ec);
    s.numbers["bytes"] = ec || fresh_ ? 0 : static_cast<double>(size);
  }
  void load_state(const CallbackState& s) override {
    auto it = s.numbers.find("bytes");
    std::error_code ec;
    if (it == s.numbers.end() || !(it->second > 0) || !(it->second <= static_cast<double>(std::filesystem::file_size(filename_, ec)))) return;
    std::filesystem::resize_file(filename_, static_cast<std::uintmax_t>(it->second), ec);  // rows of epochs that come again
    fresh_ = header_ = false;
  }

 private:
  void write(const std::string& line) {
    if (fresh_) {
      std::error_code ec;
      std::filesystem::resize_file(filename_, 0, ec);
      fresh_ = false;
    }
    bool ok = std::fputs((line + "\n").c_str(), file_) >= 0;
    GLIA_CHECK(ok, "CSVLogger: writing '{}' failed; is the disk full?", filename_);
  }
  void close() {
    if (file_) std::fclose(file_);
    file_ = nullptr;
  }
  std::string filename_;
  CSVLoggerOptions options_;
  std::FILE* file_ = nullptr;
  bool header_ = true, fresh_ = true;
  std::vector<std::string> keys_;
};

class TerminateOnNaNCallback : public Callback {
 public:
  void on_train_batch_end(int64_t batch, Logs& logs) override {
    if (!logs.contains("loss") || std::isfinite(logs["loss"])) return;
    fmt::print("Batch {}: Invalid loss, terminating training\n", batch);
    model().stop_training();
  }
};

class LambdaCallbackImpl : public Callback {
 public:
  explicit LambdaCallbackImpl(LambdaCallbackOptions o) : o_(std::move(o)) {}
  void on_epoch_begin(int e, Logs& l) override { if (o_.on_epoch_begin) o_.on_epoch_begin(e, l); }
  void on_epoch_end(int e, Logs& l) override { if (o_.on_epoch_end) o_.on_epoch_end(e, l); }
  void on_train_begin(Logs& l) override { if (o_.on_train_begin) o_.on_train_begin(l); }
  void on_train_end(Logs& l) override { if (o_.on_train_end) o_.on_train_end(l); }
  void on_train_batch_begin(int64_t b, Logs& l) override { if (o_.on_train_batch_begin) o_.on_train_batch_begin(b, l); }
  void on_train_batch_end(int64_t b, Logs& l) override { if (o_.on_train_batch_end) o_.on_train_batch_end(b, l); }

 private:
  LambdaCallbackOptions o_;
};

}  // namespace

CallbackRef CSVLogger(std::string filename, CSVLoggerOptions o) { return std::make_shared<CSVLoggerCallback>(std::move(filename), std::move(o)); }
CallbackRef TerminateOnNaN() { return std::make_shared<TerminateOnNaNCallback>(); }
CallbackRef LambdaCallback(LambdaCallbackOptions o) { return std::make_shared<LambdaCallbackImpl>(std::move(o)); }

}  // namespace glia::callbacks
