// Local algebra: identities that leave every finite value as it was.
#include "passes/pipeline.h"
#include "passes/rewrite.h"
#include "tensor/convert.h"

namespace glia::passes {
using namespace ir;

namespace {

bool is_scalar_constant(const Graph& g, Ref r, double value) {
  const Node& n = g.nodes[r.node];
  return n.op == &constant_op() && n.constant.size() == 1 && n.constant.item(0) == value;
}
bool is_zeros(const Graph& g, Ref r) {
  const Node& n = g.nodes[r.node];
  if (n.op != &constant_op() || n.constant.size() > 4096) return false;
  for (int64_t i = 0; i < n.constant.size(); ++i)
    if (n.constant.item(i) != 0) return false;
  return true;
}

// A Ref of the new graph that equals output 0 of the new node `n`, or an invalid Ref.
Ref simpler(Graph& g, const Node& n) {
  const std::string& op = n.op->name;
  auto same_type = [&](Ref r) { return g.type(r) == n.types[0]; };
  auto in = [&](size_t i) { return n.inputs[i]; };
  auto producer = [&](Ref r) -> const Node& { return g.nodes[r.node]; };
  if (op == "add") {
    for (size_t i : {0u, 1u})
      if ((is_scalar_constant(g, in(1 - i), 0) || is_zeros(g, in(1 - i))) && same_type(in(i))) return in(i);
  } else if (op == "sub") {
    if (is_scalar_constant(g, in(1), 0) && same_type(in(0))) return in(0);
  } else if (op == "mul") {
    for (size_t i : {0u, 1u})
      if (is_scalar_constant(g, in(1 - i), 1) && same_type(in(i))) return in(i);
  } else if (op == "div") {
    if (is_scalar_constant(g, in(1), 1) && same_type(in(0))) return in(0);
  } else if (op == "cast" || op == "broadcast_to" || op == "stop_gradient") {
    if (same_type(in(0))) return in(0);
  } else if (op == "neg" && producer(in(0)).op->name == "neg") {
    return producer(in(0)).inputs[0];
  } else if (op == "reshape") {
    Ref root = in(0);
    if (producer(root).op == n.op) root = producer(root).inputs[0];
    if (g.type(root) == n.types[0]) return root;
    if (!(root == in(0))) {
      Node direct = n;
      direct.inputs = {root};
      return {g.add(std::move(direct)), 0};
    }
  }
  return {};
}

}  // namespace

void simplify(Graph& g, const PassContext&) {
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    rw.copy(id);
    int fresh = rw.mapped({id, 0}).node;
    const Node n = rw.fresh()->nodes[fresh];
    if (n.types.size() != 1 || n.inputs.empty()) continue;
    if (Ref r = simpler(*rw.fresh(), n); r.node >= 0) rw.replace(id, {r});
  }
  rw.finish();
}

}  // namespace glia::passes
