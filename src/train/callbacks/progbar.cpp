#include "train/callbacks/progbar.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "train/callback_list.h"

namespace glia {
namespace {

constexpr int kWidth = 20;
constexpr double kInterval = 0.05;

size_t columns(const std::string& utf8) {  // code points; all of ours are one column wide
  size_t n = 0;
  for (char c : utf8) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}
std::string repeat(const char* s, int n) {
  std::string r;
  for (int i = 0; i < n; ++i) r += s;
  return r;
}
std::string eta_text(double seconds) {
  int64_t s = static_cast<int64_t>(seconds);
  if (seconds > 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60);
  if (seconds > 60) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}s", s);
}
std::string time_text(double t) {
  if (t >= 1 || t == 0) return fmt::format(" {:.0f}s/step", t);
  if (t >= 1e-3) return fmt::format(" {:.0f}ms/step", t * 1e3);
  return fmt::format(" {:.0f}us/step", t * 1e6);
}
std::string value_text(double v, bool with_sign) {
  return (with_sign ? std::abs(v) : v) > 1e-3 ? fmt::format(" {:.4f}", v) : fmt::format(" {:.4e}", v);
}

}  // namespace

Progbar::Progbar(int64_t target, int verbose, Clock clock, std::function<void(const std::string&)> write)
    : target_(target), verbose_(verbose), clock_(std::move(clock)), write_(std::move(write)), start_(clock_()) {}

bool Progbar::due() const { return verbose_ == 1 && clock_() - last_ >= kInterval; }

double Progbar::seconds_per_step(int64_t current, double now) {
  if (current <= 0) return 0;
  double t = first_step_ >= 0 && current > 1 ? (now - first_step_) / static_cast<double>(current - 1)
                                             : (now - start_) / static_cast<double>(current);
  if (current == 1) first_step_ = now;
  return t;
}

std::string Progbar::bar_text(int64_t current, size_t& invisible) const {
  if (target_ <= 0) return fmt::format("{:>7}/Unknown", current);
  int digits = static_cast<int>(std::to_string(target_).size());
  int done = static_cast<int>(kWidth * (static_cast<double>(current) / static_cast<double>(target_)));
  std::string bar = fmt::format("\x1b[1m{:>{}}/{}\x1b[0m ", current, digits, target_);
  invisible += 8;
  if (done > 0) {
    bar += "\x1b[32m" + repeat("━", done) + "\x1b[0m";
    invisible += 9;
  }
  bar += "\x1b[37m" + repeat("━", kWidth - done) + "\x1b[0m";
  invisible += 9;
  return bar;
}

// One number of a metric that gives several, "f1_score[2]": their mean stands before it.
static bool is_component(const std::string& name) { return name.ends_with(']'); }

void Progbar::draw(int64_t current, const std::vector<Logs::Entry>& values, bool finalize, double now, double per_step) {
  size_t invisible = 0;
  std::string bar = bar_text(current, invisible), info;
  if (target_ > 0 && !finalize) info = fmt::format(" \x1b[1m{}\x1b[0m", eta_text(per_step * static_cast<double>(target_ - current)));
  else info = fmt::format(" \x1b[1m{:.0f}s\x1b[0m", now - start_);
  invisible += 8;
  info += time_text(per_step);
  for (auto& [name, v] : values)
    if (!is_component(name)) info += " - " + name + ":" + value_text(v, true);
  size_t width = columns(bar) + columns(info) - invisible;
  std::string out = std::string(previous_width_, '\b') + "\r" + bar + info;
  if (previous_width_ > width) out += std::string(previous_width_ - width, ' ');
  if (finalize) out += "\n";
  write_(out);
  previous_width_ = width;
}

void Progbar::update(int64_t current, const std::vector<Logs::Entry>& values, bool finalize) {
  double now = clock_(), per_step = seconds_per_step(current, now);
  if (verbose_ == 1) {
    if (now - last_ < kInterval && !finalize) return;
    draw(current, values, finalize, now, per_step);
  } else if (verbose_ == 2 && finalize && target_ > 0) {
    std::string out = fmt::format("{}/{} - {:.0f}s -{}", current, target_, now - start_, time_text(per_step));
    for (auto& [name, v] : values)
      if (!is_component(name)) out += " - " + name + ":" + value_text(v, false);
    write_(out + "\n");
  }
  last_ = now;
}

namespace {

class ProgbarLogger : public Callback {
 public:
  explicit ProgbarLogger(int verbose) : verbose_(verbose) {}
  void on_train_begin(Logs&) override { in_fit_ = true; }
  void on_epoch_begin(int epoch, Logs&) override {
    reset();
    if (params().epochs > 1) write(fmt::format("Epoch {}/{}\n", epoch + 1, params().epochs));
  }
  void on_train_batch_end(int64_t batch, Logs& logs) override { step(batch, &logs); }
  void on_epoch_end(int, Logs& logs) override { finish(logs); }
  void on_test_begin(Logs&) override { if (!in_fit_) reset(); }
  void on_test_batch_end(int64_t batch, Logs& logs) override { if (!in_fit_) step(batch, &logs); }
  void on_test_end(Logs& logs) override { if (!in_fit_) finish(logs); }
  void on_predict_begin(Logs&) override { reset(); }
  void on_predict_batch_end(int64_t batch, Logs&) override { step(batch, nullptr); }
  void on_predict_end(Logs& logs) override { finish(logs); }

 private:
  static void write(const std::string& s) {
    std::fwrite(s.data(), 1, s.size(), stdout);
    std::fflush(stdout);
  }
  void reset() {
    auto clock = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
    bar_ = std::make_unique<Progbar>(params().steps, verbose_, clock, write);
    seen_ = 0;
  }
  void step(int64_t batch, Logs* logs) {
    seen_ = batch + 1;
    if (seen_ == 1 || bar_->due()) bar_->update(seen_, logs ? logs->entries() : std::vector<Logs::Entry>{}, false);
  }
  void finish(Logs& logs) {
    if (bar_->target() <= 0) bar_->set_target(seen_);
    bar_->update(bar_->target(), logs.entries(), true);
  }
  int verbose_;
  bool in_fit_ = false;
  int64_t seen_ = 0;
  std::unique_ptr<Progbar> bar_;
};

}  // namespace

CallbackRef make_progbar_logger(int verbose) { return std::make_shared<ProgbarLogger>(verbose); }
int resolve_verbose(int verbose) { return verbose != kVerboseAuto ? verbose : isatty(STDOUT_FILENO) ? 1 : 2; }

}  // namespace glia
