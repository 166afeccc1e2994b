// Executable: an optimised, planned graph bound to memory. run() does no allocation, no lookup and no shape code.
//
//   auto exe = compile(graph);
//   exe->run(inputs, outputs);   // raw pointers, one per graph input and output
//
// GLIA_PROFILE=1 prints time per step with its layer path when the process ends.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/thread_choice.h"

namespace glia::runtime {

// Memory that the executables of one model share (train, test, predict, smaller last batch).
class Arena {
 public:
  ~Arena();
  void reserve(size_t bytes);  // grows; the base may move
  char* base() const { return base_; }
  std::mutex& mutex() { return mutex_; }

 private:
  char* base_ = nullptr;
  size_t size_ = 0;
  std::mutex mutex_;
};

class Executable {
 public:
  Executable(plan::Plan plan, std::shared_ptr<Arena> arena);

  // inputs[i]: data of graph input i. outputs[o]: where output o goes; ignored for outputs that update an input.
  // fixed_changed: whether the data of a fixed input may differ from the last run; what is made of them alone is kept if not.
  void run(std::span<void* const> inputs, std::span<void* const> outputs, bool fixed_changed = true);
  // Convenience: checks types, allocates the outputs that are not updates (those come back undefined).
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  const plan::Plan& plan() const { return plan_; }

 private:
  struct Call {
    ir::KernelFn fn;
    ir::KernelArgs args;
  };
  void bind(std::span<void* const> inputs, std::span<void* const> outputs);
  struct Guard {
    size_t call, slot;
    bool expected;
  };
  // f(i) for every call that this run needs, in order. refresh: those of fixed inputs too.
  template <class F>
  void each_call(bool refresh, F&& f) const;
  bool wanted(size_t call, size_t& next) const;
  void run_calls(bool refresh);

  plan::Plan plan_;
  std::shared_ptr<Arena> arena_;
  Arena kept_;                             // what depends on fixed inputs alone
  std::vector<void*> slots_;               // argument pointers of all calls, contiguous
  std::vector<Call> calls_;
  std::vector<size_t> fixed_calls_, keeping_calls_;  // run when a fixed input changed; those with a kept workspace
  std::vector<size_t> run_calls_;                    // the others, run every time
  bool ready_ = false;
  std::vector<Guard> guards_;              // in the order of the calls
  std::vector<std::vector<size_t>> input_slots_, output_slots_;
  std::vector<std::pair<size_t, int64_t>> arena_slots_;  // slot, byte offset
  std::vector<std::pair<size_t, int64_t>> work_slots_;   // call, byte offset
  std::vector<void*> bound_inputs_, bound_outputs_;
  char* bound_base_ = nullptr;
  int profile_id_ = -1;
  ThreadChoice threads_{0};
};

// Optimises a clone of the graph and plans it. fixed: per input, whether it seldom changes (see plan::make_plan).
std::shared_ptr<Executable> compile(const ir::Graph& g, std::shared_ptr<Arena> arena = nullptr, std::vector<bool> fixed = {});

}  // namespace glia::runtime
