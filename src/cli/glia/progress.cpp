#include "cli/glia/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/error.h"

namespace glia::cli {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

class Line {
 public:
  explicit Line(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}
  void redraw(const std::string& text) {
    if (quiet_ || !terminal_ || seconds_since(last_) < 0.1) return;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    last_ = Clock::now();
    drawn_ = true;
  }
  void finish(const std::string& text) {
    if (quiet_) return;
    std::fprintf(stderr, "%s%s\n", drawn_ ? "\r\033[K" : "", text.c_str());
    drawn_ = false;
  }
  void clear() {
    if (drawn_) std::fprintf(stderr, "\r\033[K");
    drawn_ = false;
  }

 private:
  bool quiet_, terminal_, drawn_ = false;
  Clock::time_point last_{};
};

std::string values_text(const Logs& logs) {
  std::string r;
  for (const auto& [name, value] : logs) r += fmt::format("  {} {:.5g}", name, value);
  return r;
}

class TrainProgress : public Callback {
 public:
  explicit TrainProgress(bool quiet) : line_(quiet) {}
  void on_epoch_begin(int, Logs&) override { start_ = Clock::now(); }
  void on_train_batch_end(int64_t batch, Logs&) override {
    const std::string of = params().steps > 0 ? fmt::format("/{}", params().steps) : "";
    line_.redraw(fmt::format("epoch {}/{}  step {}{}", epoch_ + 1, params().epochs, batch + 1, of));
  }
  void on_epoch_end(int epoch, Logs& logs) override {
    line_.finish(
        fmt::format("epoch {}/{}  {:.1f} s{}", epoch + 1, params().epochs, seconds_since(start_), values_text(logs)));
    epoch_ = epoch + 1;
  }

 private:
  Line line_;
  int epoch_ = 0;
  Clock::time_point start_;
};

class PredictProgress : public Callback {
 public:
  PredictProgress(bool quiet, int64_t batches) : line_(quiet), batches_(batches), start_(Clock::now()) {}
  void on_predict_batch_end(int64_t batch, Logs&) override {
    if (seconds_since(start_) > 2) line_.redraw(fmt::format("batch {}/{}", batch + 1, batches_));
  }
  void on_predict_end(Logs&) override { line_.clear(); }
  void on_test_batch_end(int64_t batch, Logs& logs) override { on_predict_batch_end(batch, logs); }
  void on_test_end(Logs&) override { line_.clear(); }

 private:
  Line line_;
  int64_t batches_;
  Clock::time_point start_;
};

}  // namespace

CallbackRef train_progress(const Context& context) { return std::make_shared<TrainProgress>(context.quiet); }
CallbackRef predict_progress(const Context& context, int64_t rows, int64_t batch_size) {
  return std::make_shared<PredictProgress>(context.quiet, (rows + batch_size - 1) / std::max<int64_t>(1, batch_size));
}

}  // namespace glia::cli
