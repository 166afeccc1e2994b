#include "ir/graph.h"

#include <map>

#include "base/error.h"

namespace glia::ir {

int Graph::add(Node node) {
  nodes.push_back(std::move(node));
  return static_cast<int>(nodes.size()) - 1;
}

std::shared_ptr<Graph> Graph::clone() const {
  auto g = std::make_shared<Graph>();
  g->nodes = nodes;
  g->inputs = inputs;
  g->outputs = outputs;
  g->updates = updates;
  g->symbolic = symbolic;
  return g;
}

void Graph::set_outputs(const Values& values) {
  outputs.clear();
  auto self = shared_from_this();
  for (const Value& v : values) outputs.push_back(import_value(self, v));
}

void Graph::absorb(Graph& other) {
  GLIA_ASSERT(symbolic && other.symbolic && this != &other);
  int offset = static_cast<int>(nodes.size());
  for (Node& n : other.nodes) {
    for (Ref& r : n.inputs) r.node += offset;
    nodes.push_back(std::move(n));
  }
  for (int id : other.inputs) inputs.push_back(id + offset);
  other.nodes.clear();
  other.merged_into = shared_from_this();
  other.merged_offset = offset;
}

const OpDef& input_op() {
  static const OpDef def{.name = "input", .doc = "An array given from outside.", .min_inputs = 0, .max_inputs = 0,
                         .attrs = {{"name", std::string(), "name of the input"}}, .differentiable = false};
  return def;
}
const OpDef& constant_op() {
  static const OpDef def{.name = "constant", .doc = "A fixed array.", .min_inputs = 0, .max_inputs = 0,
                         .differentiable = false};
  return def;
}
const OpDef& call_op() {
  static const OpDef def{.name = "call", .doc = "A layer or composite function of a functional model.", .min_inputs = 0,
                         .max_inputs = -1, .attrs = {{"callee", std::string(), "its name"}}};
  return def;
}

Value add_input(const std::shared_ptr<Graph>& g, TensorType type, const std::string& name) {
  Node n;
  n.op = &input_op();
  n.attrs.set("name", name);
  n.types = {std::move(type)};
  int id = g->add(std::move(n));
  g->inputs.push_back(id);
  return {g, id};
}

Value add_constant(const std::shared_ptr<Graph>& g, Tensor t) {
  Node n;
  n.op = &constant_op();
  n.types = {{t.dtype(), t.shape()}};
  n.constant = std::move(t);
  n.scope = current_scope();
  return {g, g->add(std::move(n))};
}

Values add_call(const std::shared_ptr<Graph>& g, std::shared_ptr<Callable> callee, const Values& inputs) {
  GLIA_ASSERT(g->symbolic);
  Node n;
  std::vector<TensorType> in;
  for (const Value& v : inputs) {
    n.inputs.push_back(import_value(g, v));
    in.push_back(g->type(n.inputs.back()));
  }
  n.op = &call_op();
  n.attrs.set("callee", callee->call_name());
  n.types = infer_with_probes(in, [&](const std::vector<TensorType>& types) {
    auto probe = std::make_shared<Graph>();
    Values args;
    for (auto& t : types) args.push_back(add_input(probe, t, ""));
    std::vector<TensorType> out;
    for (const Value& v : callee->call_traced(args)) out.push_back(v.type());
    return out;
  });
  n.callee = std::move(callee);
  size_t outputs = n.types.size();
  int id = g->add(std::move(n));
  Values out;
  for (size_t i = 0; i < outputs; ++i) out.emplace_back(g, id, static_cast<int>(i));
  return out;
}

Value to_value(const std::shared_ptr<Graph>& g, Ref r) { return {g, r.node, r.output}; }

void verify(const Graph& g, std::string_view after) {
  auto fail = [&](int id, const char* what) {
    assert_failed("graph", __FILE__, __LINE__, fmt::format("after {}: node %{} {}\n{}", after, id, what, print(g, false)));
  };
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    const Node& n = g.nodes[id];
    if (!n.op) fail(id, "has no op");
    std::vector<TensorType> in;
    for (Ref r : n.inputs) {
      if (r.node < 0 || r.node >= id) fail(id, "reads a later node");
      if (r.output < 0 || r.output >= static_cast<int>(g.nodes[r.node].types.size())) fail(id, "reads no such output");
      in.push_back(g.type(r));
    }
    if (n.op == &input_op() || n.op == &call_op()) continue;
    if (n.op == &constant_op()) {
      if (!n.constant.defined() || TensorType{n.constant.dtype(), n.constant.shape()} != n.types[0]) fail(id, "is a bad constant");
      continue;
    }
    if (g.symbolic) continue;
    if (!(normalized(*n.op, n.attrs) == n.attrs)) fail(id, "has attributes out of form");
    if (n.op->infer({*n.op, n.attrs, in}) != n.types) fail(id, "has types that differ from its rule");
  }
  for (Ref r : g.outputs)
    if (r.node < 0 || r.node >= static_cast<int>(g.nodes.size())) fail(r.node, "is an output but does not exist");
  for (auto [i, o] : g.updates)
    if (g.type(g.outputs[o]) != g.nodes[g.inputs[i]].types[0]) fail(g.inputs[i], "is updated with another type");
}

bool structurally_equal(const Graph& a, const Graph& b) { return print(a) == print(b); }

}  // namespace glia::ir
