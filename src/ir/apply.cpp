// Emitting nodes: attribute normalisation, type inference, symbolic shapes, scopes.
#include <glia/string_tensor.h>

#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/scope_error.h"

namespace glia::ir {

namespace {
struct Scope { std::string path, title; };
thread_local std::vector<Scope> scopes;

const char* type_word(const AttrValue& v) {
  static const char* words[] = {"bool", "integer", "number", "string", "integers", "numbers"};
  return words[v.index()];
}
}  // namespace

ScopeGuard::ScopeGuard(const std::string& name, const std::string& class_name) {
  std::string path = scopes.empty() ? name : scopes.back().path + "/" + name;
  std::string title = class_name.empty() ? path : fmt::format("{} ({})", path, class_name);
  scopes.push_back({path, title});
}
ScopeGuard::~ScopeGuard() { scopes.pop_back(); }
std::string current_scope() { return scopes.empty() ? "" : scopes.back().path; }
std::string current_scope_title() { return scopes.empty() ? "" : scopes.back().title; }

Attrs normalized(const OpDef& op, Attrs given) {
  Attrs full;
  for (const AttrField& field : op.attrs) {
    const AttrValue* v = given.find(field.name);
    GLIA_CHECK(v || !field.required, "{}: the attribute '{}' is required ({}).", op.name, field.name, field.doc);
    AttrValue value = v ? *v : field.default_value;
    if (std::holds_alternative<double>(field.default_value) && std::holds_alternative<int64_t>(value))
      value = static_cast<double>(std::get<int64_t>(value));
    GLIA_CHECK(value.index() == field.default_value.index(), "{}: the attribute '{}' must be {}. Received {} ({}).", op.name,
               field.name, type_word(field.default_value), to_string(value), type_word(value));
    full.set(field.name, std::move(value));
  }
  for (auto& [name, value] : given.entries()) {
    if (full.find(name)) continue;
    std::vector<std::string> known;
    for (auto& f : op.attrs) known.push_back(f.name);
    throw_error("{}: unknown attribute '{}'.{}", op.name, name, did_you_mean(name, known));
  }
  return full;
}

std::vector<TensorType> infer_with_probes(const std::vector<TensorType>& in,
                                          const std::function<std::vector<TensorType>(const std::vector<TensorType>&)>& f) {
  bool unknown = false;
  for (auto& t : in)
    for (int64_t d : t.shape) unknown |= d < 0;
  if (!unknown) return f(in);
  auto probe = [&](int64_t batch, int64_t other) {
    std::vector<TensorType> types = in;
    for (auto& t : types)
      for (size_t i = 0; i < t.shape.size(); ++i)
        if (t.shape[i] < 0) t.shape[i] = i == 0 ? batch : other;
    return f(types);
  };
  std::vector<TensorType> a = probe(2, 120), b = probe(3, 200);
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t d = 0; d < a[i].shape.size(); ++d)
      if (a[i].shape[d] != b[i].shape[d]) a[i].shape[d] = -1;
  return a;
}

namespace {
std::vector<TensorType> infer_types(const OpDef& op, const Attrs& attrs, const std::vector<TensorType>& in) {
  auto infer = [&](const std::vector<TensorType>& types) { return op.infer({op, attrs, types}); };
  return naming_the_layer([&] { return infer_with_probes(in, infer); });
}
}  // namespace

std::shared_ptr<Graph> common_graph(const Values& inputs) {
  std::shared_ptr<Graph> graph;
  for (const Value& v : inputs) {
    GLIA_CHECK(v.defined(), "{}an op was called on an undefined Value.",
               current_scope_title().empty() ? "" : current_scope_title() + ": ");
    auto g = v.graph();
    if (!g || g == graph) continue;
    if (!graph) {
      graph = g;
      continue;
    }
    GLIA_CHECK(g->symbolic && graph->symbolic,
               "Values of two different traces were mixed. A Value must not outlive the function it was traced in.");
    graph->absorb(*g);
  }
  return graph;
}

Ref import_value(const std::shared_ptr<Graph>& g, const Value& v) {
  if (v.is_concrete()) return {add_constant(g, v.tensor()).node(), 0};
  GLIA_ASSERT(v.graph() == g, "value of another graph");
  return {v.node(), v.output()};
}

Values apply(const OpDef& op, Attrs attrs, const Values& inputs) {
  int n = static_cast<int>(inputs.size());
  for (const Value& v : inputs)
    GLIA_CHECK(!v.defined() || v.dtype() != kStringDType,
               "{}{}: takes numbers. Received strings of shape {}. Put a layer over text before it: TextVectorization, StringLookup, Hashing "
               "or HashedCrossing.",
               current_scope_title().empty() ? "" : current_scope_title() + ": ", op.name, glia::to_string(v.shape()));
  if (!op.traits.moves && !op.traits.view && !op.traits.pointwise)
    for (const Value& v : inputs)
      GLIA_CHECK(!v.defined() || !is_cast_only(v.dtype()), "{}: {} is stored, moved and cast, but not computed with. Cast it to a wider dtype first.",
                 op.name, dtype_name(v.dtype()));
  GLIA_CHECK(n >= op.min_inputs && (op.max_inputs < 0 || n <= op.max_inputs), "{}: expected {}{} inputs. Received {}.",
             op.name, op.min_inputs, op.max_inputs == op.min_inputs ? "" : " or more", n);
  attrs = normalized(op, std::move(attrs));
  std::shared_ptr<Graph> graph = common_graph(inputs);
  if (!graph) return run_eagerly(op, attrs, inputs);
  Node node;
  std::vector<TensorType> in;
  for (const Value& v : inputs) {
    node.inputs.push_back(import_value(graph, v));
    in.push_back(graph->type(node.inputs.back()));
  }
  node.op = &op;
  node.types = infer_types(op, attrs, in);
  node.attrs = std::move(attrs);
  node.scope = current_scope();
  size_t outputs = node.types.size();
  int id = graph->add(std::move(node));
  Values out;
  for (size_t i = 0; i < outputs; ++i) out.emplace_back(graph, id, static_cast<int>(i));
  return out;
}

Value apply1(const OpDef& op, Attrs attrs, const Values& inputs) { return apply(op, std::move(attrs), inputs)[0]; }

bool is_epilogue_activation(std::string_view name) {
  for (std::string_view known : {"relu", "sigmoid", "tanh", "gelu", "gelu_tanh", "silu"})
    if (name == known) return true;
  return false;
}

int64_t normalize_axis(int64_t axis, int64_t rank, std::string_view op) {
  GLIA_CHECK(axis >= -rank && axis < rank, "{}: axis {} is out of range for rank {}.", op, axis, rank);
  return axis < 0 ? axis + rank : axis;
}

Ints normalize_axes(const Ints& axes, int64_t rank, std::string_view op) {
  Ints r;
  for (int64_t a : axes) r.push_back(normalize_axis(a, rank, op));
  std::sort(r.begin(), r.end());
  GLIA_CHECK(std::adjacent_find(r.begin(), r.end()) == r.end(), "{}: an axis is named twice in {}.", op,
             to_string(AttrValue(axes)));
  return r;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op) {
  size_t n = std::max(a.size(), b.size());
  Shape r(n);
  for (size_t i = 0; i < n; ++i) {
    int64_t x = i + a.size() < n ? 1 : a[i + a.size() - n], y = i + b.size() < n ? 1 : b[i + b.size() - n];
    GLIA_CHECK(x == y || x == 1 || y == 1, "{}: shapes {} and {} cannot be broadcast together.", op, glia::to_string(a),
               glia::to_string(b));
    r[i] = x == 1 ? y : x;
  }
  return r;
}

}  // namespace glia::ir
