#include "runtime/thread_choice.h"

#include <algorithm>

#include "base/thread_pool.h"

namespace glia::runtime {
namespace {

constexpr int64_t kLongest = 3'000'000;      // ns of a run; longer ones have little to gain
constexpr int64_t kWarmRuns = 3, kCalibratingRuns = 3, kTriesOfLevel = 4;
constexpr int64_t kRestRuns = 1000, kRestNs = 100'000'000;  // between two searches: both must have passed

}  // namespace

bool ThreadChoice::begin() {
  if (state_ == State::off) return false;
  if (state_ == State::rest) {
    if (--left_ > 0) return false;
    begin_tries();
  } else if (state_ == State::warm && num_threads() == 1) {
    return false;
  }
  return true;
}

void ThreadChoice::record(size_t step, int64_t ns) { ns_[step] = std::min(ns_[step], ns); }

void ThreadChoice::end(int64_t ns) {
  if (state_ == State::warm) {
    if (--left_ > 0) return;
    state_ = ns > kLongest ? State::off : State::calibrate;
    left_ = kCalibratingRuns;
    if (state_ == State::calibrate) std::fill(alone_.begin(), alone_.end(), 1);
    return;
  }
  if (state_ == State::calibrate) {
    if (--left_ > 0) return;
    make_levels();
    return begin_tries();
  }
  Level& now = levels_[level_];
  if (left_ < kTriesOfLevel) now.best = std::min(now.best, ns);  // the first finds the caches as another level left them
  if (--left_ > 0) return;
  left_ = kTriesOfLevel;
  if (level_ + 1 < levels_.size()) return use(level_ + 1);
  const auto better = [](const Level& a, const Level& b) { return a.best < b.best; };
  const size_t best = static_cast<size_t>(std::min_element(levels_.begin(), levels_.end(), better) - levels_.begin());
  if (levels_[best].best * 100 < levels_[chosen_].best * 98) chosen_ = best;
  use(chosen_);
  state_ = State::rest;
  left_ = std::max(kRestRuns, kRestNs / std::max<int64_t>(1, levels_[chosen_].best));
}

// A level for every doubling of the limit that puts other steps on one thread; the last one all of them.
void ThreadChoice::make_levels() {
  levels_ = {{0, 0}};
  size_t before = 0;
  for (int64_t limit = 500; limit < 2 * kLongest; limit *= 2) {
    const size_t count = static_cast<size_t>(std::count_if(ns_.begin(), ns_.end(), [&](int64_t ns) { return ns < limit; }));
    if (count > before) levels_.push_back({limit, 0});
    before = count;
  }
}

void ThreadChoice::begin_tries() {
  for (Level& l : levels_) l.best = INT64_MAX;
  state_ = State::tries;
  left_ = kTriesOfLevel;
  use(0);
}

void ThreadChoice::use(size_t level) {
  level_ = level;
  for (size_t i = 0; i < ns_.size(); ++i) alone_[i] = ns_[i] < levels_[level].limit;
}

}  // namespace glia::runtime
