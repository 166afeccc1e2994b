#include "ir/lazy.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"

namespace glia::ir {

std::vector<std::vector<int>> readers_of(const Graph& g) {
  std::vector<std::vector<int>> readers(g.nodes.size());
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id)
    for (Ref r : g.nodes[id].inputs) readers[r.node].push_back(id);
  return readers;
}

bool is_whole_select(const Graph& g, int id) {
  const Node& n = g.nodes[id];
  return n.op->name == "select" && g.type(n.inputs[0]).shape.empty() && !n.types[0].shape.empty();
}

std::vector<int> only_for(const Graph& g, const std::vector<std::vector<int>>& readers, int select, int input) {
  const Node& s = g.nodes[select];
  std::set<int> outputs, found;
  for (Ref r : g.outputs) outputs.insert(r.node);
  std::set<int, std::greater<>> open{s.inputs[input].node};  // from late to early: all readers of a node are decided before it
  auto reads_otherwise = [&](int reader, int node) {
    if (reader != select) return found.count(reader) == 0;
    for (int i = 0; i < 3; ++i)
      if (i != input && s.inputs[i].node == node) return true;
    return false;
  };
  bool worthwhile = false;
  while (!open.empty()) {
    const int id = *open.begin();
    open.erase(open.begin());
    const Node& n = g.nodes[id];
    if (n.op == &input_op() || n.op == &constant_op() || outputs.count(id)) continue;
    if (std::any_of(readers[id].begin(), readers[id].end(), [&](int reader) { return reads_otherwise(reader, id); })) continue;
    found.insert(id);
    for (Ref r : n.inputs) open.insert(r.node);
    worthwhile |= !n.op->traits.pointwise && !n.op->traits.view && n.types[0].elements() >= 256;
  }
  if (!worthwhile) return {};
  return {found.begin(), found.end()};
}

}  // namespace glia::ir
