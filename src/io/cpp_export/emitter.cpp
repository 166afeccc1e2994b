#include "io/cpp_export/emitter.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "plan/arena.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

const EmitTable& table() {
  static const EmitTable t = [] {
    EmitTable m;
    add_product_emitters(m);
    add_window_emitters(m);
    add_row_emitters(m);
    add_order_emitters(m);
    add_move_emitters(m);
    add_recurrent_emitters(m);
    return m;
  }();
  return t;
}

std::string identifier(const std::string& text) {
  std::string r;
  for (char c : text) r += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (r.empty() || std::isdigit(static_cast<unsigned char>(r[0]))) r = "w_" + r;
  return r;
}

}  // namespace

EmitFn find_emitter(const std::string& op) {
  if (const OpDef* def = find_op_or_null(op); def && def->traits.pointwise) return emit_pointwise;
  auto it = table().find(op);
  return it == table().end() ? nullptr : it->second;
}
std::vector<std::string> exportable_ops() {
  std::vector<std::string> r;
  for (auto& [name, fn] : table()) r.push_back(name);
  return r;
}

Emitter::Emitter(const Graph& g) : g_(g), last_use_(g.nodes.size(), -1) {
  const int end = static_cast<int>(g.nodes.size());
  for (int id = 0; id < end; ++id)
    for (Ref r : g.nodes[static_cast<size_t>(id)].inputs)
      if (!g.nodes[static_cast<size_t>(id)].op->traits.view) last_use_[static_cast<size_t>(root(r).node)] = id;
  for (Ref r : g.outputs) last_use_[static_cast<size_t>(root(r).node)] = end;
}

Ref Emitter::root(Ref r) const {
  while (g_.nodes[static_cast<size_t>(r.node)].op->traits.view) r = g_.nodes[static_cast<size_t>(r.node)].inputs[0];
  return r;
}

std::string Emitter::title_of(const Node& n) const {
  const size_t slash = n.scope.rfind('/');
  const std::string layer = slash == std::string::npos ? n.scope : n.scope.substr(slash + 1);
  return layer.empty() ? n.op->name : layer + ": " + n.op->name;
}

void Emitter::refuse(const std::string& why) const {
  throw_error("export --c++: {}: {} The ops that can be exported are the elementwise ones and: {}.", title_of(node()),
              why, fmt::join(exportable_ops(), ", "));
}
void Emitter::require_f32() {
  for (Ref r : node().inputs)
    if (is_float(g_.type(r).dtype) && g_.type(r).dtype != DType::f32)
      refuse(fmt::format("the op is exported for float32 only, not {}.", dtype_name(g_.type(r).dtype)));
}

const Tensor* Emitter::constant(size_t i) const {
  const Node& n = g_.nodes[static_cast<size_t>(root(node().inputs[i]).node)];
  return n.op == &constant_op() ? &n.constant : nullptr;
}

std::string Emitter::in(size_t i) {
  const Ref r = root(node().inputs[i]);
  const Node& n = g_.nodes[static_cast<size_t>(r.node)];
  if (n.op == &constant_op()) return weight(n.scope, n.constant);
  auto it = expression_.find(r);
  GLIA_ASSERT(it != expression_.end(), "operand without a place");
  return it->second;
}

bool Emitter::used(size_t o) const {
  const Ref wanted{id_, static_cast<int>(o)};
  for (const Node& n : g_.nodes)
    for (Ref r : n.inputs)
      if (r == wanted) return true;
  return std::find(g_.outputs.begin(), g_.outputs.end(), wanted) != g_.outputs.end();
}

void Emitter::place(Ref r, const std::string& name) {
  const bool read = r.output == 0 || used(static_cast<size_t>(r.output));
  const int last = read ? std::max(id_, last_use_[static_cast<size_t>(r.node)]) : id_;
  steps_.back().buffers.push_back(buffers_.size());
  buffers_.push_back({name, cpp_type(g_.type(r).dtype), std::max<size_t>(g_.type(r).bytes(), 1), id_, last, 0});
  expression_[r] = name;
}

std::string Emitter::out(size_t o) {
  const Ref r{id_, static_cast<int>(o)};
  auto it = expression_.find(r);
  if (it != expression_.end()) return it->second;
  place(r, o == 0 ? fmt::format("b{}", id_) : fmt::format("b{}_{}", id_, o));
  return expression_[r];
}

std::string Emitter::scratch(int64_t floats) {
  const std::string name = fmt::format("work{}{}", id_, std::string(steps_.back().buffers.size(), '_'));
  steps_.back().buffers.push_back(buffers_.size());
  buffers_.push_back({name, "float", static_cast<size_t>(std::max<int64_t>(floats, 1)) * 4, id_, id_, 0});
  return name;
}

std::string Emitter::weight(const std::string& name, const Tensor& data) {
  auto it = weight_of_.find(data.craw());
  if (it != weight_of_.end()) return it->second;
  const std::string stem = identifier(name.empty() ? "constant" : name);
  std::string unique = stem;
  for (int k = 1; !weight_names_.insert(unique).second; ++k) unique = fmt::format("{}_{}", stem, k);
  weights_.push_back({unique, data});
  return weight_of_[data.craw()] = "weights::" + unique;
}

std::string Emitter::prepared(size_t i, const std::string& how, const std::function<Tensor(const Tensor&)>& make) {
  const Node& n = g_.nodes[static_cast<size_t>(root(node().inputs[i]).node)];
  std::string& known = prepared_[{n.constant.craw(), how}];
  if (known.empty()) known = weight(n.scope, make(n.constant));
  return known;
}

void Emitter::add(std::string statement) {
  if (!statement.empty() && statement.back() != '\n') statement += '\n';
  if (statement.compare(0, 4, "    ") != 0) statement.insert(0, "    ");
  steps_.back().body += statement;
}

// A computed value that is an output, once, is computed right there.
void Emitter::plan_outputs() {
  std::map<Ref, int> times;
  for (Ref r : g_.outputs) ++times[root(r)];
  for (size_t o = 0; o < g_.outputs.size(); ++o) {
    const Ref r = root(g_.outputs[o]);
    const Node& n = g_.nodes[static_cast<size_t>(r.node)];
    if (times[r] == 1 && n.op != &input_op() && n.op != &constant_op()) expression_[r] = fmt::format("out{}", o);
  }
}
void Emitter::copy_outputs() {
  for (size_t o = 0; o < g_.outputs.size(); ++o) {
    const Ref r = root(g_.outputs[o]);
    const Node& n = g_.nodes[static_cast<size_t>(r.node)];
    const std::string from = n.op == &constant_op() ? weight(n.scope, n.constant) : expression_.at(r);
    if (from == fmt::format("out{}", o)) continue;
    steps_.back().body += fmt::format("    std::copy({0}, {0} + {1}, out{2});\n", from, g_.type(r).elements(), o);
  }
}

void Emitter::run() {
  for (size_t i = 0; i < g_.inputs.size(); ++i) expression_[{g_.inputs[i], 0}] = fmt::format("in{}", i);
  plan_outputs();
  for (id_ = 0; id_ < static_cast<int>(g_.nodes.size()); ++id_) {
    const Node& n = node();
    if (n.op == &input_op() || n.op == &constant_op() || n.op->traits.view) continue;
    const EmitFn fn = find_emitter(n.op->name);
    if (!fn) refuse(fmt::format("'{}' has no C++ form.", n.op->name));
    for (const TensorType& t : n.types) cpp_type(t.dtype);
    std::string shapes;
    for (size_t i = 0; i < n.inputs.size(); ++i)
      if (!constant(i)) shapes += (shapes.empty() ? "" : ", ") + glia::to_string(in_type(i).shape);
    steps_.push_back(
        {fmt::format("    // {}, {} -> {}\n", title_of(n), shapes, glia::to_string(out_type().shape)), {}, {}});
    fn(*this);
  }
  steps_.emplace_back();
  copy_outputs();
  assemble();
}

void Emitter::assemble() {
  std::vector<plan::Interval> intervals;
  for (const Buffer& b : buffers_) intervals.push_back({b.bytes, b.first, b.last, 0});
  arena_bytes_ = plan::pack(intervals);
  for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].offset = intervals[i].offset;
  for (const StepText& s : steps_) {
    text_ += s.title;
    for (size_t i : s.buffers) {
      const Buffer& b = buffers_[i];
      text_ += fmt::format("    {0}* const {1} = at<{0}>({2});\n", b.type, b.name, b.offset);
    }
    text_ += s.body;
  }
}

// ---- text ----

std::string cpp_type(DType t) {
  switch (t) {
    case DType::f32:
      return "float";
    case DType::f64:
      return "double";
    case DType::i32:
      return "std::int32_t";
    case DType::i64:
      return "std::int64_t";
    case DType::u8:
      return "std::uint8_t";
    case DType::i8:
      return "std::int8_t";
    case DType::i16:
      return "std::int16_t";
    case DType::u16:
      return "std::uint16_t";
    case DType::u32:
      return "std::uint32_t";
    case DType::u64:
      return "std::uint64_t";
    case DType::bool_:
      return "unsigned char";
    default:
      break;
  }
  throw_error("export --c++: {} has no C++ type. Set the model's dtype policy to \"float32\".", dtype_name(t));
}

std::string cpp_number(double v, DType t) {
  if (!is_float(t)) {
    if (t == DType::i64) return fmt::format("INT64_C({})", static_cast<int64_t>(v));
    if (t == DType::u64) return fmt::format("UINT64_C({})", static_cast<uint64_t>(v));
    return fmt::format("{}", static_cast<int64_t>(v));
  }
  const std::string type = t == DType::f32 ? "float" : "double";
  if (std::isnan(v)) return "std::numeric_limits<" + type + ">::quiet_NaN()";
  if (std::isinf(v)) return (v < 0 ? "-std::numeric_limits<" : "std::numeric_limits<") + type + ">::infinity()";
  std::string s = t == DType::f32 ? fmt::format("{}", static_cast<float>(v)) : fmt::format("{}", v);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return t == DType::f32 ? s + "f" : s;
}

std::string braces(const std::vector<int64_t>& v) { return fmt::format("{{{}}}", fmt::join(v, ", ")); }

std::vector<int64_t> dense_strides(const Shape& s) {
  std::vector<int64_t> r(s.size(), 1);
  for (size_t d = s.size(); d-- > 1;) r[d - 1] = r[d] * s[d];
  return r;
}
std::vector<int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  std::vector<int64_t> own = dense_strides(from), r(to.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) r[to.size() - from.size() + i] = own[i];
  return r;
}

Loops loops(const std::vector<int64_t>& dims, const std::vector<std::vector<int64_t>>& strides, int depth) {
  std::vector<int64_t> extent;
  std::vector<std::vector<int64_t>> step(strides.size());
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] == 1) continue;
    bool merge = !extent.empty();
    for (size_t k = 0; k < strides.size() && merge; ++k) merge = step[k].back() == strides[k][d] * dims[d];
    if (merge)
      extent.back() *= dims[d];
    else
      extent.push_back(dims[d]);
    for (size_t k = 0; k < strides.size(); ++k) {
      if (merge)
        step[k].back() = strides[k][d];
      else
        step[k].push_back(strides[k][d]);
    }
  }
  Loops r;
  r.index.assign(strides.size(), "");
  std::string pad(static_cast<size_t>(2 * depth), ' ');
  for (size_t d = 0; d < extent.size(); ++d) {
    const std::string i = fmt::format("i{}", d);
    r.open += fmt::format("{0}for (std::int64_t {1} = 0; {1} < {2}; ++{1})\n", pad, i, extent[d]);
    pad += "  ";
    for (size_t k = 0; k < strides.size(); ++k) {
      if (step[k][d] == 0) continue;
      std::string term = step[k][d] == 1 ? i : fmt::format("{} * {}", i, step[k][d]);
      r.index[k] += (r.index[k].empty() ? "" : " + ") + term;
    }
  }
  for (std::string& s : r.index)
    if (s.empty()) s = "0";
  r.indent = pad;
  return r;
}

}  // namespace glia::io::cpp_export
