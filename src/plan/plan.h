// Plan: a graph turned into a flat list of kernel calls over one arena with fixed offsets. Made once per executable.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::plan {

// Where an argument lives. kept: memory of the executable's own, for what depends on fixed inputs (weights) alone.
enum class Place : uint8_t { none, arena, input, output, constant, kept };
struct Slot {
  Place place = Place::none;
  int64_t at = 0;  // arena, kept: byte offset; input, output, constant: index
};

// A step with guards runs only where all of these conditions, looked at in order, hold: its result is read by one branch of a select.
struct Guard {
  Slot condition;  // a bool
  bool expected = true;
};

struct Step {
  ir::KernelFn fn = nullptr;
  std::shared_ptr<const void> params;
  std::vector<Slot> in, out;
  Slot work;
  bool fixed = false;             // depends on fixed inputs alone: runs only when one of them has changed
  std::vector<Guard> guards;
  std::string op, kernel, scope;  // for dumps and the profiler
  std::string note;               // shapes
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Tensor> constants;
  std::vector<TensorType> input_types, output_types;
  std::vector<int> update_of_output;  // input position whose memory the output shares, or -1
  std::vector<bool> fixed;            // per input
  size_t arena_bytes = 0, kept_bytes = 0;
  size_t unshared_bytes = 0;          // sum of all buffers, what it would take without reuse
};

// fixed: which inputs seldom change between runs (none when empty); inputs that an output updates never count as such.
Plan make_plan(const ir::Graph& g, std::vector<bool> fixed = {});
std::string print(const Plan& p);

}  // namespace glia::plan
