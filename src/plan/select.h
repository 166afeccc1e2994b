// Kernel choice: the first candidate that accepts, else the op's reference.
#pragma once
#include "ir/graph.h"

namespace glia::plan {

struct Selection {
  ir::KernelPlan kernel;
  std::string name;
};
Selection select_kernel(const ir::Graph& g, int id, const std::vector<bool>& out_used, std::vector<bool> in_fixed);

}  // namespace glia::plan
