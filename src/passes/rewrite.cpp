#include "passes/rewrite.h"

#include "base/error.h"

namespace glia::passes {
using namespace ir;

std::vector<Ref> Rewriter::mapped_inputs(int id) const {
  std::vector<Ref> r;
  for (Ref in : old_.nodes[id].inputs) r.push_back(mapped(in));
  return r;
}

void Rewriter::copy(int id) {
  Node n = old_.nodes[id];
  n.inputs = mapped_inputs(id);
  size_t outputs = n.types.size();
  int fresh = fresh_->add(std::move(n));
  map_[id].clear();
  for (size_t i = 0; i < outputs; ++i) map_[id].push_back({fresh, static_cast<int>(i)});
}

Ref Rewriter::view(Ref r, const TensorType& type, const std::string& scope) {
  if (fresh_->type(r) == type) return r;
  Node n;
  n.op = &find_op("reshape");
  n.attrs.set("shape", type.shape);
  n.inputs = {r};
  n.types = {type};
  n.scope = scope;
  return add(std::move(n));
}

void Rewriter::finish() {
  // The order of the inputs is the caller's, whatever order a pass copied them in.
  for (int id : old_.inputs)
    if (!map_[id].empty()) fresh_->inputs.push_back(mapped({id, 0}).node);
  for (Ref r : old_.outputs) fresh_->outputs.push_back(mapped(r));
  old_.nodes = std::move(fresh_->nodes);
  old_.inputs = std::move(fresh_->inputs);
  old_.outputs = std::move(fresh_->outputs);
}

std::vector<std::vector<int>> users_of(const Graph& g) {
  std::vector<std::vector<int>> users(g.nodes.size());
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id)
    for (Ref r : g.nodes[id].inputs) users[r.node].push_back(id);
  for (Ref r : g.outputs) users[r.node].push_back(-1);
  return users;
}

}  // namespace glia::passes
