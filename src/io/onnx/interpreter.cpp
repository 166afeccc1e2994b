#include "io/onnx/interpreter.h"

#include <glia/ops.h>

#include <algorithm>
#include <map>

#include "io/file/path_name.h"
#include "ir/graph.h"

namespace glia::onnx {

const Operand* Scope::find(const std::string& name) const {
  for (const Scope* s = this; s; s = s->outer_)
    if (auto it = s->values_.find(name); it != s->values_.end()) return &it->second;
  return nullptr;
}

// ---- Node
// ----------------------------------------------------------------------------------------------------------------

const Operand& Node::operand(size_t i) const {
  if (!has(i)) fail(fmt::format("input {} is missing.", i));
  if (inputs_[i].is_sequence()) fail(fmt::format("input {} is a sequence. An array is expected.", i));
  if (inputs_[i].is_nothing()) fail(fmt::format("input {} is an optional value that is empty.", i));
  return inputs_[i];
}
Tensor Node::known(size_t i, const char* what) const {
  const Operand& x = operand(i);
  if (!x.stored().is_concrete())
    fail(fmt::format(
        "{} depends on data ('{}'). Shapes must be known when a step is compiled; give that input as a constant "
        "(onnx::ImportOptions::constants) if it never changes.",
        what, io::printable(def_.inputs[i])));
  return x.logical().tensor();
}
Ints Node::known_ints(size_t i, const char* what) const {
  const Tensor t = known(i, what);
  check(t.rank() <= 1 && !is_float(t.dtype()) && t.size() <= 65536,
        fmt::format("{} must be integers. Received {} {}.", what, dtype_name(t.dtype()), to_string(t.shape())));
  Ints r;
  for (int64_t k = 0; k < t.size(); ++k)
    r.push_back(t.dtype() == DType::i64 ? t.data<int64_t>()[k] : static_cast<int64_t>(t.item(k)));
  return r;
}
double Node::known_number(size_t i, const char* what) const {
  const Tensor t = known(i, what);
  check(t.size() == 1, fmt::format("{} must be one number. Received shape {}.", what, to_string(t.shape())));
  return t.item(0);
}

const Attribute* Node::attr(std::string_view name) const {
  auto it = def_.attributes.find(name);
  return it == def_.attributes.end() || it->second.kind == Attribute::none ? nullptr : &it->second;
}
bool Node::has_attr(std::string_view name) const { return attr(name) != nullptr; }

static const Attribute* typed(const Node& n, std::string_view name, Attribute::Kind kind, const char* word) {
  const Attribute* a = n.attr(name);
  if (a && a->kind != kind) n.fail(fmt::format("the attribute '{}' must be {}.", name, word));
  return a;
}
int64_t Node::i(std::string_view name, int64_t otherwise) const {
  const Attribute* a = typed(*this, name, Attribute::integer, "an integer");
  return a ? a->i : otherwise;
}
int64_t Node::i(std::string_view name) const {
  if (!has_attr(name)) fail(fmt::format("the attribute '{}' is missing.", name));
  return i(name, 0);
}
double Node::f(std::string_view name, double otherwise) const {
  const Attribute* a = typed(*this, name, Attribute::number, "a number");
  return a ? a->f : otherwise;
}
std::string Node::s(std::string_view name, const std::string& otherwise) const {
  const Attribute* a = typed(*this, name, Attribute::text, "a string");
  return a ? a->s : otherwise;
}
Ints Node::ints(std::string_view name, Ints otherwise) const {
  const Attribute* a = typed(*this, name, Attribute::integers, "a list of integers");
  return a ? a->ints : otherwise;
}
std::vector<double> Node::floats(std::string_view name, std::vector<double> otherwise) const {
  const Attribute* a = typed(*this, name, Attribute::numbers, "a list of numbers");
  return a ? a->floats : otherwise;
}
std::vector<std::string> Node::strings(std::string_view name) const {
  const Attribute* a = typed(*this, name, Attribute::texts, "a list of strings");
  return a ? a->strings : std::vector<std::string>{};
}
DType Node::dtype_of(int64_t type, std::string_view what) const {
  DType d;
  if (!dtype_of_type(static_cast<int>(type), &d))
    fail(fmt::format("{} is {}, which Glia does not have.", what, type_name(static_cast<int>(type))));
  return d;
}
DType Node::dtype_attr(std::string_view name, DType otherwise) const {
  return has_attr(name) ? dtype_of(i(name), fmt::format("the attribute '{}'", name)) : otherwise;
}
int64_t Node::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank) fail(fmt::format("axis {} is out of range for rank {}.", a, rank));
  return a < 0 ? a + rank : a;
}
bool Node::training() const { return run_.training(); }
void Node::fail(const std::string& text) const { throw_error("{}: {}: {}", run_.file().source, def_.title(), text); }

// ---- the table
// -------------------------------------------------------------------------------------------------------------

const std::vector<Operator>& operator_table() {
  static const std::vector<Operator> table = [] {
    std::vector<Operator> all;
    for (const OperatorList& list :
         {activation_operators(), arithmetic_operators(), attention_operators(), cast_operators(), conv_operators(),
          gather_operators(), loss_operators(), matmul_operators(), normalization_operators(), pool_operators(),
          quantize_operators(), reduce_operators(), resize_operators(), rnn_operators(), shape_operators(),
          signal_operators(), control_operators(), vision_operators(), sequence_operators(), box_operators(),
          ml_operators(), ml_svm_operators(), ml_tree_operators(), quantize_fused_operators()})
      all.insert(all.end(), list.begin(), list.end());
    return all;
  }();
  return table;
}
const Operator* find_operator(std::string_view domain, std::string_view name) {
  static const auto index = [] {
    std::map<std::string, const Operator*, std::less<>> m;
    for (const Operator& o : operator_table())
      GLIA_ASSERT(m.emplace(std::string(o.domain) + ":" + o.name, &o).second, std::string("listed twice: ") + o.name);
    return m;
  }();
  auto it = index.find(fmt::format("{}:{}", domain, name));
  return it == index.end() ? nullptr : it->second;
}
std::vector<std::string> operators() {
  std::vector<std::string> r;
  for (const Operator& o : operator_table()) r.push_back(*o.domain ? fmt::format("{}.{}", o.domain, o.name) : o.name);
  std::sort(r.begin(), r.end());
  return r;
}

// ---- Interpreter
// -----------------------------------------------------------------------------------------------------------

int64_t Interpreter::opset_of(const std::string& domain) const {
  const auto& list = function_ && !function_->opsets.empty() ? function_->opsets : file_.opsets;
  auto it = list.find(domain);
  return it == list.end() ? 1 : it->second;
}

Operands Interpreter::run(const Body& body, Scope& scope) {
  GLIA_CHECK(++depth_ < 64, "{}: graphs or functions call each other more than 64 deep.", file_.source);
  for (const Initializer& i : body.initializers) {
    if (scope.find(i.name)) continue;  // the layer's weights, or a constant given for an input
    if (i.tensor.defined())
      scope.set(i.name, Value(i.tensor));
    else
      scope.missing[i.name] = type_name(i.type);
  }
  const Scope* outer = scope_;
  for (const NodeDef& n : body.nodes) {
    scope_ = &scope;
    run_node(n, scope);
  }
  scope_ = outer;
  --depth_;
  Operands out;
  for (const ValueInfo& v : body.outputs) {
    const Operand* x = scope.find(v.name);
    GLIA_CHECK(x && x->defined(), "{}: the output '{}' is computed by no node.", file_.source, io::printable(v.name));
    out.push_back(*x);
  }
  return out;
}

// Sizes are multiplied later on; a product that overflows must not get there.
void Interpreter::check_size(const NodeDef& n, const Shape& s) const {
  int64_t all = 1;
  for (int64_t d : s)
    if (__builtin_mul_overflow(all, std::max<int64_t>(d, 1), &all) || all > int64_t{1} << 40)
      throw_error("{}: {}: a result of shape {} is too large.", file_.source, n.title(), to_string(s));
}

int64_t Interpreter::most_nodes(const File& file) {
  std::size_t n = file.graph.nodes.size();
  for (const auto& [name, f] : file.functions) n += f.nodes.size();
  return 5000 + 200 * static_cast<int64_t>(n);
}

void Interpreter::run_node(const NodeDef& n, Scope& scope) {
  if (--nodes_left_ < 0)
    throw_error("{}: {}: its functions call each other until there are more than {} nodes.", file_.source, n.title(), most_nodes(file_));
  Operands in;
  for (const std::string& name : n.inputs) {
    const Operand* x = name.empty() ? nullptr : scope.find(name);
    if (!x && !name.empty()) {
      if (auto it = scope.missing.find(name); it != scope.missing.end())
        throw_error("{}: {}: the input '{}' is {}, which Glia does not have.", file_.source, n.title(),
                    io::printable(name), it->second);
      throw_error("{}: {}: the input '{}' is neither an input, a weight nor the result of an earlier node.",
                  file_.source, n.title(), io::printable(name));
    }
    in.push_back(x ? *x : Operand());
  }
  Operands out;
  const Operator* op = find_operator(n.domain, n.op);
  if (auto f = file_.functions.find(n.domain + ":" + n.op); f != file_.functions.end() && !op) {
    out = call_function(f->second, n, std::move(in));
  } else {
    GLIA_CHECK(op, "{}: {}: the operator '{}{}{}' is not supported.", file_.source, n.title(), n.domain,
               n.domain.empty() ? "" : ".", n.op);
    Node node(*this, n, std::move(in), opset_of(n.domain));
    ir::ScopeGuard scope_name(n.name.empty() ? n.op : n.name.front() == '/' ? n.name.substr(1) : n.name, n.op);
    try {
      out = op->import(node);
    } catch (const Error& e) {
      const std::string what = e.what();
      if (what.starts_with(file_.source)) throw;
      throw_error("{}: {}: {}", file_.source, n.title(), what);
    } catch (const std::length_error& e) {  // sizes from a file that no container can have
      throw_error("{}: {}: sizes that do not fit in memory.", file_.source, n.title());
    } catch (const std::bad_alloc&) {
      throw_error("{}: {}: not enough memory.", file_.source, n.title());
    }
  }
  for (size_t i = 0; i < n.outputs.size(); ++i) {
    if (n.outputs[i].empty()) continue;
    GLIA_CHECK(i < out.size() && out[i].defined(), "{}: {}: output {} ('{}') of the operator '{}' is not supported.",
               file_.source, n.title(), i, io::printable(n.outputs[i]), n.op);
    if (!out[i].is_sequence() && !out[i].is_nothing()) check_size(n, out[i].stored().shape());
    scope.set(n.outputs[i], out[i]);
  }
}

// Attributes of the body's nodes that refer to attributes of the call get their values.
static void bind_attributes(Body& body, const NodeDef& call) {
  for (NodeDef& n : body.nodes)
    for (auto it = n.attributes.begin(); it != n.attributes.end();) {
      Attribute& a = it->second;
      if (a.body) {
        a.body = std::make_shared<Body>(*a.body);
        bind_attributes(*a.body, call);
      }
      if (!a.reference.empty()) {
        auto given = call.attributes.find(a.reference);
        if (given == call.attributes.end()) {
          it = n.attributes.erase(it);
          continue;
        }
        a = given->second;
      }
      ++it;
    }
}

Operands Interpreter::call_function(const Body& f, const NodeDef& call, Operands inputs) {
  Body bound = f;
  bind_attributes(bound, call);
  Scope inner;
  for (size_t i = 0; i < bound.inputs.size(); ++i)
    inner.set(bound.inputs[i].name, i < inputs.size() ? inputs[i] : Operand());
  const Body* before = function_;
  function_ = &bound;
  Operands out = run(bound, inner);
  function_ = before;
  return out;
}

}  // namespace glia::onnx
