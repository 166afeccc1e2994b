// y = (conv(x, w) + b) s + t, with s and t per channel, is conv(x, w s) + (b s + t): batch normalisation at
// prediction costs nothing then.
#include <algorithm>
#include <map>

#include "io/cpp_export/predict_graph.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

// A constant that is one number or one number per channel of the last axis; `channels` values, or none.
std::vector<double> per_channel(const Graph& g, ir::Ref r, int64_t channels) {
  while (g.nodes[static_cast<size_t>(r.node)].op->name == "broadcast_to" ||
         g.nodes[static_cast<size_t>(r.node)].op->name == "reshape") {
    const ir::Ref from = g.nodes[static_cast<size_t>(r.node)].inputs[0];
    const Shape &a = g.type(from).shape, &b = g.type(r).shape;
    if (!a.empty() && !b.empty() && a.back() != b.back() && num_elements(a) != 1) return {};
    r = from;
  }
  const Node& n = g.nodes[static_cast<size_t>(r.node)];
  if (n.op != &constant_op() || n.types[0].dtype != DType::f32) return {};
  const bool vector =
      n.constant.size() == channels && (n.types[0].shape.empty() || n.types[0].shape.back() == channels);
  if (n.constant.size() != 1 && !vector) return {};
  std::vector<double> v(static_cast<size_t>(channels));
  for (int64_t c = 0; c < channels; ++c) v[static_cast<size_t>(c)] = n.constant.item(n.constant.size() == 1 ? 0 : c);
  return v;
}

struct Affine {
  std::vector<double> scale, shift;
  int last = -1;  // the node whose value is replaced
  bool scaled = false;
  int steps = 0;
};

// Follows the single users of `id` while they scale or shift channels.
Affine chain_of(const Graph& g, const std::vector<std::vector<int>>& users, int id, int64_t channels) {
  Affine a{std::vector<double>(static_cast<size_t>(channels), 1),
           std::vector<double>(static_cast<size_t>(channels), 0), id, false, 0};
  int at = id;
  while (users[static_cast<size_t>(at)].size() == 1 && users[static_cast<size_t>(at)][0] >= 0) {
    const int next = users[static_cast<size_t>(at)][0];
    const Node& n = g.nodes[static_cast<size_t>(next)];
    const std::string& op = n.op->name;
    if (n.inputs.size() != 2 || n.types[0] != g.nodes[static_cast<size_t>(at)].types[0] || n.inputs[0] == n.inputs[1])
      break;
    const bool first = n.inputs[0].node == at;
    const std::vector<double> v = per_channel(g, n.inputs[first ? 1 : 0], channels);
    if (v.empty() || !(op == "add" || op == "mul" || (op == "sub" && first) || (op == "div" && first))) break;
    for (size_t c = 0; c < v.size(); ++c) {
      if (op == "add")
        a.shift[c] += v[c];
      else if (op == "sub")
        a.shift[c] -= v[c];
      else {
        const double s = op == "mul" ? v[c] : 1 / v[c];
        a.scale[c] *= s, a.shift[c] *= s;
        a.scaled = true;
      }
    }
    ++a.steps;
    a.last = at = next;
  }
  return a;
}

bool foldable(const Graph& g, const Node& n) {
  const bool conv = n.op->name == "conv", matmul = n.op->name == "matmul";
  if ((!conv && !matmul) || n.inputs.size() != 2) return false;
  const Node& w = g.nodes[static_cast<size_t>(n.inputs[1].node)];
  if (w.op != &constant_op() || w.types[0].dtype != DType::f32 || n.types[0].dtype != DType::f32) return false;
  return conv || (w.types[0].rank() == 2 && !n.attrs.b("transpose_b"));
}

Tensor scaled_columns(const Tensor& w, const std::vector<double>& scale) {
  Tensor r = w.clone();
  const auto channels = static_cast<int64_t>(scale.size());
  for (int64_t i = 0; i < r.size(); ++i)
    r.data<float>()[i] = static_cast<float>(r.data<float>()[i] * scale[static_cast<size_t>(i % channels)]);
  return r;
}

ir::Ref add_weight(passes::Rewriter& rw, Tensor t, const std::string& scope) {
  Node c;
  c.op = &constant_op();
  c.types = {{t.dtype(), t.shape()}};
  c.constant = std::move(t);
  c.scope = scope;
  return rw.add(std::move(c));
}

}  // namespace

void fold_affine(Graph& g) {
  const std::vector<std::vector<int>> users = passes::users_of(g);
  std::map<int, int> heavy_of;  // last node of a chain -> its conv
  std::map<int, Affine> chains;
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    const Node& n = g.nodes[static_cast<size_t>(id)];
    if (!foldable(g, n)) continue;
    Affine a = chain_of(g, users, id, n.types[0].shape.back());
    if (!a.scaled && a.steps < 2) continue;
    heavy_of[a.last] = id;
    chains[id] = std::move(a);
  }
  passes::Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    auto it = heavy_of.find(id);
    if (it == heavy_of.end()) {
      rw.copy(id);
      continue;
    }
    const Node& n = rw.node(it->second);
    const Node& w = rw.node(n.inputs[1].node);
    const Affine& a = chains[it->second];
    Node heavy = n;
    heavy.inputs = {rw.mapped(n.inputs[0]), add_weight(rw, scaled_columns(w.constant, a.scale), w.scope)};
    Tensor shift({static_cast<int64_t>(a.shift.size())});
    for (size_t c = 0; c < a.shift.size(); ++c) shift.data<float>()[c] = static_cast<float>(a.shift[c]);
    Node add;
    add.op = &find_op("add");
    add.attrs = normalized(*add.op, {});
    add.inputs = {rw.add(std::move(heavy)), add_weight(rw, shift, n.scope + "/shift")};
    add.types = n.types;
    add.scope = n.scope;
    rw.replace(id, {rw.add(std::move(add))});
  }
  rw.finish();
  passes::run_pass(g, "dce");
}

}  // namespace glia::io::cpp_export
