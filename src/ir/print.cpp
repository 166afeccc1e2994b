// Graphs as text, and back.
//
//   graph {
//     %0 = input() {name="x"} : float32[2,3]
//     %1 = relu(%0) {} : float32[2,3] @dense
//     %2 = constant() {} : float32[2] = [1.0, 0.5]
//     return %1, %2
//     updates 0->1
//   }
#include <bit>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "ir/graph.h"
#include "tensor/convert.h"

namespace glia::ir {
namespace {

std::string type_text(const TensorType& t) {
  std::string r = std::string(dtype_name(t.dtype)) + "[";
  for (size_t i = 0; i < t.shape.size(); ++i) r += (i ? "," : "") + std::to_string(t.shape[i]);
  return r + "]";
}
std::string ref_text(Ref r) { return r.output ? fmt::format("%{}.{}", r.node, r.output) : fmt::format("%{}", r.node); }

std::string data_text(const Tensor& t) {
  std::string r = " = [";
  for (int64_t i = 0; i < t.size(); ++i) {
    if (i) r += ", ";
    if (t.dtype() == DType::i64) r += std::to_string(t.data<int64_t>()[i]);
    else if (t.dtype() == DType::u64) r += std::to_string(t.data<uint64_t>()[i]);
    else r += fmt::format("{}", t.item(i));
  }
  return r + "]";
}

// A reader over the text of one graph.
class Parser {
 public:
  explicit Parser(std::string_view text) : s_(text) {}

  std::shared_ptr<Graph> graph() {
    auto g = std::make_shared<Graph>();
    expect("graph");
    expect("{");
    while (peek() == '%') node(*g);
    if (accept("return"))
      do {
        if (peek() != '%') break;
        g->outputs.push_back(ref(*g));
      } while (accept(","));
    if (accept("updates"))
      do {
        int a = static_cast<int>(integer());
        expect("->");
        int b = static_cast<int>(integer());
        check(a >= 0 && a < static_cast<int>(g->inputs.size()) && b >= 0 && b < static_cast<int>(g->outputs.size()),
              "an update of existing inputs and outputs");
        g->updates.emplace_back(a, b);
      } while (accept(","));
    expect("}");
    return g;
  }

 private:
  void node(Graph& g) {
    int id = id_number();
    check(id == static_cast<int>(g.nodes.size()), "nodes numbered in order");
    expect("=");
    Node n;
    std::string name = word();
    n.op = find_op_or_null(name);
    check(n.op, "a known op");
    expect("(");
    while (peek() != ')') {
      n.inputs.push_back(ref(g));
      if (!accept(",")) break;
    }
    expect(")");
    n.attrs = attrs();
    expect(":");
    do n.types.push_back(type());
    while (accept(","));
    if (accept("@"))
      while (p_ < s_.size() && s_[p_] != ' ' && s_[p_] != '\n') n.scope += s_[p_++];
    if (n.op == &constant_op()) n.constant = data(n.types[0]);
    if (n.op == &input_op()) g.inputs.push_back(id);
    g.add(std::move(n));
  }
  Tensor data(const TensorType& t) {
    Tensor out(t.shape, t.dtype);
    expect("=");
    expect("[");
    for (int64_t i = 0; i < out.size(); ++i) {
      if (i) expect(",");
      if (t.dtype == DType::i64) out.data<int64_t>()[i] = integer();
      else if (t.dtype == DType::u64) out.data<uint64_t>()[i] = from_chars<uint64_t>();
      else out.set_item(i, number());
    }
    expect("]");
    return out;
  }
  Attrs attrs() {
    Attrs a;
    expect("{");
    while (peek() != '}') {
      std::string name = word();
      expect("=");
      a.set(name, attr_value());
      if (!accept(",")) break;
    }
    expect("}");
    return a;
  }
  AttrValue attr_value() {
    char c = peek();
    if (accept("true")) return true;
    if (accept("false")) return false;
    if (c == '"') return quoted();
    if (accept("f[")) return list<double>([&] { return number(); });
    if (accept("[")) return list<int64_t>([&] { return integer(); });
    size_t end = s_.find_first_of(",}", p_);
    std::string_view token = s_.substr(p_, end - p_);
    if (token.find_first_of(".einf") == std::string_view::npos) return integer();
    return number();
  }
  template <class T, class F>
  std::vector<T> list(F read) {
    std::vector<T> r;
    while (peek() != ']') {
      r.push_back(read());
      if (!accept(",")) break;
    }
    expect("]");
    return r;
  }
  std::string quoted() {
    std::string r;
    for (++p_; p_ < s_.size() && s_[p_] != '"'; ++p_) {
      if (s_[p_] == '\\' && p_ + 1 < s_.size()) {
        ++p_;
        r += s_[p_] == 'n' ? '\n' : s_[p_];
      } else r += s_[p_];
    }
    expect("\"");
    return r;
  }
  TensorType type() {
    TensorType t;
    t.dtype = dtype_from_name(word());
    expect("[");
    t.shape = list<int64_t>([&] { return integer(); });
    return t;
  }
  Ref ref(const Graph& g) {
    Ref r;
    r.node = id_number();
    check(r.node >= 0 && r.node < static_cast<int>(g.nodes.size()), "an earlier node");
    if (p_ < s_.size() && s_[p_] == '.') ++p_, r.output = static_cast<int>(integer());
    check(r.output >= 0 && r.output < static_cast<int>(g.nodes[r.node].types.size()), "an output of that node");
    return r;
  }
  int id_number() {
    expect("%");
    return static_cast<int>(integer());
  }
  template <class T>
  T from_chars() {
    skip();
    T v{};
    auto [end, ec] = std::from_chars(s_.data() + p_, s_.data() + s_.size(), v);
    check(ec == std::errc(), "a number");
    p_ = static_cast<size_t>(end - s_.data());
    return v;
  }
  int64_t integer() { return from_chars<int64_t>(); }
  double number() { return from_chars<double>(); }
  std::string word() {
    skip();
    std::string r;
    while (p_ < s_.size() && (std::isalnum(static_cast<unsigned char>(s_[p_])) || s_[p_] == '_')) r += s_[p_++];
    check(!r.empty(), "a name");
    return r;
  }
  void skip() {
    while (p_ < s_.size() && std::isspace(static_cast<unsigned char>(s_[p_]))) ++p_;
  }
  char peek() {
    skip();
    return p_ < s_.size() ? s_[p_] : '\0';
  }
  bool accept(std::string_view t) {
    skip();
    if (s_.substr(p_, t.size()) != t) return false;
    p_ += t.size();
    return true;
  }
  void expect(std::string_view t) { check(accept(t), t); }
  void check(bool ok, std::string_view expected) {
    if (ok) return;
    size_t line = 1;
    for (size_t i = 0; i < std::min(p_, s_.size()); ++i) line += s_[i] == '\n';
    throw_error("graph text, line {}: expected {} at '{}'.", line, expected, s_.substr(std::min(p_, s_.size()), 30));
  }

  std::string_view s_;
  size_t p_ = 0;
};

}  // namespace

std::string print(const Graph& g, bool with_data) {
  std::string r = "graph {\n";
  for (size_t id = 0; id < g.nodes.size(); ++id) {
    const Node& n = g.nodes[id];
    r += fmt::format("  %{} = {}(", id, n.op->name);
    for (size_t i = 0; i < n.inputs.size(); ++i) r += (i ? ", " : "") + ref_text(n.inputs[i]);
    r += fmt::format(") {} : ", n.attrs.to_string());
    for (size_t i = 0; i < n.types.size(); ++i) r += (i ? ", " : "") + type_text(n.types[i]);
    if (!n.scope.empty()) r += " @" + n.scope;
    if (n.op == &constant_op() && (with_data || n.constant.size() <= 4)) r += data_text(n.constant);
    r += "\n";
  }
  r += "  return";
  for (size_t i = 0; i < g.outputs.size(); ++i) r += (i ? ", " : " ") + ref_text(g.outputs[i]);
  r += "\n";
  for (size_t i = 0; i < g.updates.size(); ++i)
    r += fmt::format("{}{}->{}", i ? ", " : "  updates ", g.updates[i].first, g.updates[i].second);
  return r + (g.updates.empty() ? "}\n" : "\n}\n");
}

std::shared_ptr<Graph> parse(std::string_view text) { return Parser(text).graph(); }

}  // namespace glia::ir
