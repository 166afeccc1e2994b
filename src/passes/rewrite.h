// Building a new graph from an old one, node by node in order.
//
//   Rewriter rw(g);
//   for (int id = 0; id < rw.size(); ++id)
//     if (Ref better = ...; better.node >= 0) rw.replace(id, {better});  // refs of the new graph
//     else rw.copy(id);
//   rw.finish();                                                         // g now holds the new graph
#pragma once
#include "ir/graph.h"

namespace glia::passes {

class Rewriter {
 public:
  explicit Rewriter(ir::Graph& g) : old_(g), fresh_(std::make_shared<ir::Graph>()), map_(g.nodes.size()) {}
  int size() const { return static_cast<int>(old_.nodes.size()); }
  const ir::Node& node(int id) const { return old_.nodes[id]; }
  const std::shared_ptr<ir::Graph>& fresh() const { return fresh_; }

  ir::Ref mapped(ir::Ref r) const { return map_[r.node][r.output]; }
  std::vector<ir::Ref> mapped_inputs(int id) const;
  void copy(int id);
  void replace(int id, std::vector<ir::Ref> outputs) { map_[id] = std::move(outputs); }
  ir::Ref add(ir::Node node) { return {fresh_->add(std::move(node)), 0}; }
  ir::Ref view(ir::Ref r, const TensorType& type, const std::string& scope);  // r under another shape; r itself if it has it
  void finish();

 private:
  ir::Graph& old_;
  std::shared_ptr<ir::Graph> fresh_;
  std::vector<std::vector<ir::Ref>> map_;
};

// users[id] = ids of nodes that read any output of id (with repetition), outputs of the graph counted as node -1.
std::vector<std::vector<int>> users_of(const ir::Graph& g);

}  // namespace glia::passes
