#include "io/onnx/symbolic_graph.h"

#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"
#include "io/cpp_export/predict_graph.h"
#include "nn/trace.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::onnx {
namespace {

// Weights are inputs of a traced graph; here they become constants.
void bind_weights(ir::Graph& g, const std::vector<Variable>& variables) {
  std::vector<int> plain;
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    if (!variables[i].defined()) {
      plain.push_back(g.inputs[i]);
      continue;
    }
    ir::Node& n = g.nodes[static_cast<size_t>(g.inputs[i])];
    n.scope = variables[i].path();
    n.op = &ir::constant_op();
    n.attrs = {};
    n.constant = variables[i].tensor();
  }
  g.inputs = plain;
}

// Ops that `keeps` does not want are written as simpler ones, where they know how.
void decompose_others(ir::Graph& g, bool (*keeps)(const std::string& op)) {
  for (bool again = true; again;) {
    again = false;
    passes::Rewriter rw(g);
    for (int id = 0; id < rw.size(); ++id) {
      const ir::Node& n = rw.node(id);
      if (!n.op->decompose || keeps(n.op->name)) {
        rw.copy(id);
        continue;
      }
      Values in;
      for (ir::Ref r : rw.mapped_inputs(id)) in.push_back(ir::to_value(rw.fresh(), r));
      const size_t first = rw.fresh()->nodes.size();
      std::vector<ir::Ref> out;
      for (const Value& v : n.op->decompose(n.attrs, in)) out.push_back(ir::import_value(rw.fresh(), v));
      for (size_t i = first; i < rw.fresh()->nodes.size(); ++i) rw.fresh()->nodes[i].scope = n.scope;
      rw.replace(id, out);
      again = true;
    }
    rw.finish();
  }
}

std::shared_ptr<ir::Graph> trace_once(const Model& model, const std::vector<TensorType>& types,
                                      bool (*keeps)(const std::string& op)) {
  Trace t(false);
  Values x;
  for (const TensorType& type : types) x.push_back(t.input(type, fmt::format("x{}", x.size())));
  const Values y = model.ptr()->apply(x);
  t.finish(y);
  auto g = t.graph->clone();
  g->updates.clear();
  g->outputs.resize(y.size());
  bind_weights(*g, t.input_variables);
  io::cpp_export::widen(*g, {DType::bf16});  // runtimes lack it for most operators
  passes::run_pass(*g, "dce");
  decompose_others(*g, keeps);
  for (const char* pass : {"dce", "simplify", "cse", "fuse_epilogue", "dce"}) passes::run_pass(*g, pass);
  return g;
}

bool same_structure(const ir::Graph& a, const ir::Graph& b) {
  if (a.nodes.size() != b.nodes.size() || a.outputs != b.outputs || a.inputs != b.inputs) return false;
  for (size_t i = 0; i < a.nodes.size(); ++i)
    if (a.nodes[i].op != b.nodes[i].op || a.nodes[i].inputs != b.nodes[i].inputs) return false;
  return true;
}

constexpr int64_t kBatch = 3, kOtherBatch = 5, kExtent = 64, kOtherExtent = 96;

std::vector<TensorType> numbered(std::vector<TensorType> types, const std::vector<SymbolicGraph::Symbol>& symbols,
                                 size_t changed) {
  for (size_t k = 0; k < symbols.size(); ++k)
    for (auto [input, axis] : symbols[k].places) {
      const bool batch = axis == 0;
      types[static_cast<size_t>(input)].shape[static_cast<size_t>(axis)] =
          k + 1 == changed ? (batch ? kOtherBatch : kOtherExtent) : (batch ? kBatch : kExtent);
    }
  return types;
}

// One symbol per open extent; `shared`: those at the same axis are one.
std::vector<SymbolicGraph::Symbol> open_extents(const std::vector<TensorType>& types,
                                                const std::vector<std::string>& names, const std::string& batch_name,
                                                bool shared) {
  std::vector<SymbolicGraph::Symbol> r;
  for (size_t i = 0; i < types.size(); ++i)
    for (size_t a = 0; a < types[i].shape.size(); ++a) {
      if (types[i].shape[a] >= 0) continue;
      const std::string name = a == 0                        ? batch_name
                               : shared || types.size() == 1 ? fmt::format("extent_{}", a)
                                                             : fmt::format("{}_{}", names[i], a);
      auto it = std::find_if(r.begin(), r.end(), [&](const auto& s) { return s.name == name; });
      if (it == r.end()) it = r.insert(r.end(), {name, {}});
      it->places.emplace_back(static_cast<int>(i), static_cast<int>(a));
    }
  return r;
}

}  // namespace

SymbolicGraph trace_symbolic(const Model& model, const std::string& batch_name,
                             bool (*keeps)(const std::string& op)) {
  const std::vector<Shape> shapes = model.input_shapes();
  GLIA_CHECK(!shapes.empty(),
             "onnx::save: the model '{}' has no input shape yet. Give input_shape, or call it on data first.",
             model.name());
  const std::vector<DType> dtypes = io::cpp_export::input_dtypes(model, shapes.size());
  SymbolicGraph r;
  std::vector<TensorType> types;
  for (size_t i = 0; i < shapes.size(); ++i) types.push_back({dtypes[i], shapes[i]});
  r.input_names = model.input_names();
  for (size_t i = r.input_names.size(); i < types.size(); ++i)
    r.input_names.push_back(types.size() == 1 ? "input" : fmt::format("input_{}", i));
  std::string problem;
  for (bool shared : {false, true}) {
    r.symbols = open_extents(types, r.input_names, batch_name, shared);
    r.traces.clear();
    try {
      for (size_t k = 0; k <= r.symbols.size(); ++k)
        r.traces.push_back(trace_once(model, numbered(types, r.symbols, k), keeps));
      problem.clear();
      break;
    } catch (const Error& e) {  // two open extents that must be equal
      problem = e.what();
      if (shared) throw;
    }
  }
  for (size_t k = 0; k < r.symbols.size(); ++k)
    GLIA_CHECK(same_structure(*r.traces[0], *r.traces[1 + k]),
               "onnx::save: the operations of '{}' depend on the extent '{}' (a recurrent layer that is unrolled, "
               "for instance). Give the input that extent as a number.",
               model.name(), r.symbols[k].name);
  r.output_names = model.output_names();
  const size_t outputs = r.graph().outputs.size();
  for (size_t i = r.output_names.size(); i < outputs; ++i)
    r.output_names.push_back(outputs == 1 ? "output" : fmt::format("output_{}", i));
  return r;
}

Dims SymbolicGraph::extent(ir::Ref r, int axis) const {
  Dims d;
  for (const auto& t : traces) d.push_back(t->type(r).shape[static_cast<size_t>(axis)]);
  return d;
}
std::vector<Dims> SymbolicGraph::shape(ir::Ref r) const {
  std::vector<Dims> s;
  for (int i = 0; i < graph().type(r).rank(); ++i) s.push_back(extent(r, i));
  return s;
}
std::vector<Dims> SymbolicGraph::attr_ints(int node, const std::string& name) const {
  const size_t n = graph().nodes[static_cast<size_t>(node)].attrs.ints(name).size();
  std::vector<Dims> r(n);
  for (const auto& t : traces)
    for (size_t i = 0; i < n; ++i) r[i].push_back(t->nodes[static_cast<size_t>(node)].attrs.ints(name)[i]);
  return r;
}
Dims SymbolicGraph::attr_int(int node, const std::string& name) const {
  Dims r;
  for (const auto& t : traces) r.push_back(t->nodes[static_cast<size_t>(node)].attrs.i(name));
  return r;
}

}  // namespace glia::onnx
