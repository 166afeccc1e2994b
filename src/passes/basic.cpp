// Dead code, constant folding, common subexpressions.
#include <unordered_map>

#include "base/error.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

void remove_dead(Graph& g, const PassContext&) {
  std::vector<bool> live(g.nodes.size());
  for (Ref r : g.outputs) live[r.node] = true;
  for (int id = static_cast<int>(g.nodes.size()) - 1; id >= 0; --id)
    if (live[id])
      for (Ref r : g.nodes[id].inputs) live[r.node] = true;
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id)
    if (live[id] || g.nodes[id].op == &input_op()) rw.copy(id);
  rw.finish();
}

namespace {
constexpr int64_t kFoldLimit = 1 << 20;  // elements; larger results are left to be computed

bool foldable(const Graph& g, const Node& n) {
  if (n.inputs.empty() || n.op->traits.random) return false;
  int64_t in = 0, out = 0;
  for (Ref r : n.inputs) {
    if (g.nodes[r.node].op != &constant_op()) return false;
    in += g.type(r).elements();
  }
  for (auto& t : n.types) out += t.elements();
  return out <= kFoldLimit && (out <= 1024 || out <= 4 * in);  // never trade a scalar for a big array
}
}  // namespace

void fold_constants(Graph& g, const PassContext&) {
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    rw.copy(id);
    int fresh = rw.mapped({id, 0}).node;
    const Node n = rw.fresh()->nodes[fresh];
    if (!foldable(*rw.fresh(), n)) continue;
    Values in;
    for (Ref r : n.inputs) in.emplace_back(rw.fresh()->nodes[r.node].constant);
    std::vector<Ref> out;
    for (const Value& v : run_eagerly(*n.op, n.attrs, in)) {
      Node c;
      c.op = &constant_op();
      c.types = {v.type()};
      c.constant = v.tensor();
      c.scope = n.scope;
      out.push_back(rw.add(std::move(c)));
    }
    rw.replace(id, out);
  }
  rw.finish();
}

void merge_common(Graph& g, const PassContext&) {
  Rewriter rw(g);
  std::unordered_map<std::string, std::vector<Ref>> seen;
  for (int id = 0; id < rw.size(); ++id) {
    const Node& n = rw.node(id);
    bool big_constant = n.op == &constant_op() && n.constant.size() > 64;
    if (n.op == &input_op() || big_constant) {
      rw.copy(id);
      continue;
    }
    std::string key = n.op->name + n.attrs.to_string();
    for (Ref r : rw.mapped_inputs(id)) key += fmt::format(",{}.{}", r.node, r.output);
    if (n.op == &constant_op()) {
      key += glia::to_string(n.types[0]);
      key.append(static_cast<const char*>(n.constant.craw()), n.constant.bytes());
    }
    auto it = seen.find(key);
    if (it != seen.end()) {
      rw.replace(id, it->second);
      continue;
    }
    rw.copy(id);
    std::vector<Ref> out;
    for (int i = 0; i < static_cast<int>(n.types.size()); ++i) out.push_back(rw.mapped({id, i}));
    seen.emplace(std::move(key), std::move(out));
  }
  rw.finish();
}

}  // namespace glia::passes
