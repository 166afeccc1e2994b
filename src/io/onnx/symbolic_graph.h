// The prediction of a model as a graph whose extents may be open: it is traced once with plain numbers and once per
// open extent with another number there; extents and attributes that differ depend on it.
#pragma once
#include <glia/model.h>

#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::onnx {

using Dims = std::vector<int64_t>;  // one number seen in the different traces; all equal: known

struct SymbolicGraph {
  struct Symbol {
    std::string name;                         // "batch"
    std::vector<std::pair<int, int>> places;  // (input, axis)
  };
  std::vector<Symbol> symbols;
  std::vector<std::shared_ptr<ir::Graph>> traces;  // [0] plain, [1 + k] with symbol k changed
  std::vector<std::string> input_names, output_names;

  const ir::Graph& graph() const { return *traces[0]; }
  Dims extent(ir::Ref r, int axis) const;
  std::vector<Dims> shape(ir::Ref r) const;
  std::vector<Dims> attr_ints(int node, const std::string& name) const;  // entry by entry
  Dims attr_int(int node, const std::string& name) const;
  const Tensor& constant(int node, size_t trace) const {
    return traces[trace]->nodes[static_cast<size_t>(node)].constant;
  }
};
inline bool is_known(const Dims& d) {
  for (int64_t v : d)
    if (v != d[0]) return false;
  return true;
}

// Weights are constants named by their paths; ops that `keeps` refuses and that have a decomposition are decomposed.
// Throws Error where an extent must be known but is open.
SymbolicGraph trace_symbolic(const Model& model, const std::string& batch_name, bool (*keeps)(const std::string& op));

}  // namespace glia::onnx
