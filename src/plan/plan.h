// Plan: a graph turned into a flat list of kernel calls over one arena with fixed offsets. Made once per executable.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::plan {

// Where an argument lives.
enum class Place : uint8_t { none, arena, input, output, constant };
struct Slot {
  Place place = Place::none;
  int64_t at = 0;  // arena: byte offset; input, output, constant: index
};

struct Step {
  ir::KernelFn fn = nullptr;
  std::shared_ptr<const void> params;
  std::vector<Slot> in, out;
  Slot work;
  std::string op, kernel, scope;  // for dumps and the profiler
  std::string note;               // shapes
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Tensor> constants;
  std::vector<TensorType> input_types, output_types;
  std::vector<int> update_of_output;  // input position whose memory the output shares, or -1
  size_t arena_bytes = 0;
  size_t unshared_bytes = 0;          // sum of all buffers, what it would take without reuse
};

Plan make_plan(const ir::Graph& g);
std::string print(const Plan& p);

}  // namespace glia::plan
