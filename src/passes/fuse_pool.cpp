// A 2x2 max pooling that alone reads a convolution's result becomes part of it:
//
//   %2 = conv(%0, %1)   %3, %4 = max_pool(%2) {window=[2, 2], strides=[2, 2]}      ->      %3, %4 = conv_max_pool(%0, %1)
//
// The larger tensor is then never in memory. The gradient of max_pool needs its argmax only.
#include "ops/conv_family.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

void fuse_pool(Graph& g, const PassContext&) {
  const auto users = users_of(g);
  std::vector<int> pool_of(g.nodes.size(), -1);
  bool any = false;
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    const Node& pool = g.nodes[id];
    if (!ops::is_square_max_pool(pool)) continue;
    const int from = pool.inputs[0].node;
    const Node& conv = g.nodes[from];
    if (conv.op->name != "conv" || users[from].size() != 1) continue;
    if (!ops::conv_max_pool_fits(conv.attrs, g.type(conv.inputs[0]), g.type(conv.inputs[1]).shape)) continue;
    pool_of[from] = id;
    any = true;
  }
  if (!any) return;
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    if (pool_of[id] >= 0) continue;  // made where the pooling is
    const int conv = rw.node(id).inputs.empty() ? -1 : rw.node(id).inputs[0].node;
    if (conv < 0 || pool_of[conv] != id) {
      rw.copy(id);
      continue;
    }
    Node both = rw.node(conv);
    both.op = &find_op("conv_max_pool");
    both.inputs = rw.mapped_inputs(conv);
    both.types = rw.node(id).types;
    const Ref first = rw.add(std::move(both));
    rw.replace(id, {first, {first.node, 1}});
  }
  rw.finish();
}

}  // namespace glia::passes
