// Which steps of a plan are worth more than one thread. Handing work to another core costs 0.1 to 1 us and the transfer of what it
// reads and writes, which differs from machine to machine and, on a virtual one, from second to second; so it is found by trying.
// Steps that take less than some time on one thread run on one; the time is that with which whole runs are fastest, and is looked
// for again now and then. Only for short runs. What is computed does not depend on it.
//
//   const bool timed = choice.begin();        // before a run
//   choice.alone(i);                          // whether step i runs on one thread
//   if (choice.calibrating()) choice.record(i, ns);
//   if (timed) choice.end(ns);                // after it
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace glia::runtime {

class ThreadChoice {
 public:
  explicit ThreadChoice(size_t steps) : alone_(steps, 0), ns_(steps, INT64_MAX) {}

  bool begin();  // true: the run is to be timed
  bool alone(size_t step) const { return alone_[step] != 0; }
  bool calibrating() const { return state_ == State::calibrate; }
  void record(size_t step, int64_t ns);  // of a run all of whose steps run alone
  void end(int64_t ns);

 private:
  enum class State : uint8_t { warm, calibrate, tries, rest, off };
  struct Level {
    int64_t limit;  // steps below run on one thread
    int64_t best;   // ns of a run
  };
  void make_levels();
  void begin_tries();
  void use(size_t level);

  State state_ = State::warm;
  int64_t left_ = 3;  // runs of this state, or of this level
  std::vector<uint8_t> alone_;
  std::vector<int64_t> ns_;  // of each step on one thread
  std::vector<Level> levels_;
  size_t level_ = 0, chosen_ = 0;
};

}  // namespace glia::runtime
