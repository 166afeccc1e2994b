// Ops that exist for their gradient rule only (a decomposition but neither kernel nor reference) are replaced by
// their decomposition, so that later passes see its parts.
#include "base/error.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

void lower(Graph& g, const PassContext&) {
  auto needs = [](const Node& n) { return n.op->decompose && n.op->kernels.empty() && !n.op->reference; };
  for (bool again = true; again;) {
    again = false;
    for (const Node& n : g.nodes) again = again || needs(n);
    if (!again) return;
    Rewriter rw(g);
    for (int id = 0; id < rw.size(); ++id) {
      const Node& n = rw.node(id);
      if (!needs(n)) {
        rw.copy(id);
        continue;
      }
      Values in;
      for (Ref r : rw.mapped_inputs(id)) in.push_back(to_value(rw.fresh(), r));
      const size_t first = rw.fresh()->nodes.size();
      std::vector<Ref> out;
      for (const Value& v : n.op->decompose(n.attrs, in)) out.push_back(import_value(rw.fresh(), v));
      for (size_t i = first; i < rw.fresh()->nodes.size(); ++i) rw.fresh()->nodes[i].scope = n.scope;
      rw.replace(id, out);
    }
    rw.finish();
  }
}

}  // namespace glia::passes
