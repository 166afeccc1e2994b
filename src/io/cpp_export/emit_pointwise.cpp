// Elementwise ops and fused programs of them: one loop nest, one statement per operation.
#include <cmath>
#include <map>

#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "ops/pointwise.h"

namespace glia::io::cpp_export {

namespace {

using cpu::PwNode;
using cpu::PwOp;
using cpu::PwProgram;

struct Form {
  const char* floats;    // with $a, $b, $c; $T is the type
  const char* integers;  // null: as for floats
  const char* helper;    // a snippet that the float form needs
};

// The C++ expression of every operation. Comparisons give unsigned char.
const std::map<std::string_view, Form>& forms() {
  static const std::map<std::string_view, Form> m = {
      {"add", {"$a + $b", "$T($a + $b)", nullptr}},
      {"sub", {"$a - $b", "$T($a - $b)", nullptr}},
      {"mul", {"$a * $b", "$T($a * $b)", nullptr}},
      {"div", {"$a / $b", "detail::divide<$T>($a, $b)", nullptr}},
      {"fma", {"$a * $b + $c", "$T($a * $b + $c)", nullptr}},
      {"fnma", {"$c - $a * $b", "$T($c - $a * $b)", nullptr}},
      {"lerp", {"$a + ($b - $a) * $c", nullptr, nullptr}},
      {"squared_difference", {"($a - $b) * ($a - $b)", "$T(($a - $b) * ($a - $b))", nullptr}},
      {"neg", {"-$a", "$T(-$a)", nullptr}},
      {"abs", {"std::abs($a)", "$T($a < 0 ? -$a : $a)", nullptr}},
      {"sign", {"$a > 0 ? $T(1) : $a < 0 ? $T(-1) : $a", "$T(($a > 0) - ($a < 0))", nullptr}},
      {"square", {"$a * $a", "$T($a * $a)", nullptr}},
      {"sqrt", {"std::sqrt($a)", nullptr, nullptr}},
      {"rsqrt", {"$T(1) / std::sqrt($a)", nullptr, nullptr}},
      {"reciprocal", {"$T(1) / $a", "detail::divide<$T>(1, $a)", nullptr}},
      {"maximum", {"$a > $b || $a != $a ? $a : $b", "$a > $b ? $a : $b", nullptr}},
      {"minimum", {"$a < $b || $a != $a ? $a : $b", "$a < $b ? $a : $b", nullptr}},
      {"clip", {"$a < $b ? $b : $a > $c ? $c : $a", nullptr, nullptr}},
      {"pow", {"std::pow($a, $b)", nullptr, nullptr}},
      {"mod", {"detail::float_mod<$T>($a, $b)", "detail::modulo<$T>($a, $b)", "floats"}},
      {"fmod", {"std::fmod($a, $b)", "detail::remainder<$T>($a, $b)", nullptr}},
      {"floor_div", {"std::floor($a / $b)", "detail::floor_div<$T>($a, $b)", nullptr}},
      {"atan2", {"std::atan2($a, $b)", nullptr, nullptr}},
      {"hypot", {"std::hypot($a, $b)", nullptr, nullptr}},
      {"exp", {"detail::exp($a)", nullptr, "exp"}},
      {"exp2", {"std::exp2($a)", nullptr, nullptr}},
      {"expm1", {"std::expm1($a)", nullptr, nullptr}},
      {"log", {"std::log($a)", nullptr, nullptr}},
      {"log1p", {"std::log1p($a)", nullptr, nullptr}},
      {"log2", {"std::log2($a)", nullptr, nullptr}},
      {"log10", {"std::log10($a)", nullptr, nullptr}},
      {"logaddexp", {"detail::logaddexp<$T>($a, $b)", nullptr, "floats"}},
      {"erf", {"std::erf($a)", nullptr, nullptr}},
      {"erfc", {"std::erfc($a)", nullptr, nullptr}},
      {"lgamma", {"std::lgamma($a)", nullptr, nullptr}},
      {"sigmoid", {"detail::sigmoid($a)", nullptr, "sigmoid"}},
      {"log_sigmoid", {"-detail::softplus(-$a)", nullptr, "softplus"}},
      {"softplus", {"detail::softplus($a)", nullptr, "softplus"}},
      {"silu", {"detail::silu($a)", nullptr, "silu"}},
      {"relu", {"detail::relu($a)", "$a < 0 ? $T(0) : $a", "relu"}},
      {"gelu", {"detail::gelu($a)", nullptr, "gelu"}},
      {"gelu_tanh", {"detail::gelu_tanh($a)", nullptr, "gelu_tanh"}},
      {"tanh", {"detail::tanh($a)", nullptr, "tanh"}},
      {"floor", {"std::floor($a)", "$a", nullptr}},
      {"ceil", {"std::ceil($a)", "$a", nullptr}},
      {"round", {"std::nearbyint($a)", "$a", nullptr}},
      {"trunc", {"std::trunc($a)", "$a", nullptr}},
      {"eq", {"$a == $b", nullptr, nullptr}},
      {"ne", {"$a != $b", nullptr, nullptr}},
      {"lt", {"$a < $b", nullptr, nullptr}},
      {"le", {"$a <= $b", nullptr, nullptr}},
      {"gt", {"$a > $b", nullptr, nullptr}},
      {"ge", {"$a >= $b", nullptr, nullptr}},
      {"isnan", {"$a != $a", "0", nullptr}},
      {"isinf", {"std::isinf($a)", "0", nullptr}},
      {"isfinite", {"std::isfinite($a)", "1", nullptr}},
      {"logical_and", {"$a && $b", nullptr, nullptr}},
      {"logical_or", {"$a || $b", nullptr, nullptr}},
      {"logical_xor", {"($a != 0) != ($b != 0)", nullptr, nullptr}},
      {"logical_not", {"!$a", nullptr, nullptr}},
      {"bitwise_and", {"$T($a & $b)", nullptr, nullptr}},
      {"bitwise_or", {"$T($a | $b)", nullptr, nullptr}},
      {"bitwise_xor", {"$T($a ^ $b)", nullptr, nullptr}},
      {"select", {"$a ? $b : $c", nullptr, nullptr}},
  };
  return m;
}

std::string expand(std::string_view form, const std::string& type, const std::string (&operand)[3]) {
  std::string r;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '$') {
      r += form[i];
      continue;
    }
    const char c = form[++i];
    // A functional cast needs a name of one word.
    r += c == 'T' ? (type == "unsigned char" ? "std::uint8_t" : type) : operand[c - 'a'];
  }
  return r;
}

std::string cast_text(Emitter& e, DType to, DType from, const std::string& v) {
  if (to == DType::bool_) return v + " != 0";
  if (!is_float(to) && is_float(from)) {
    e.needs("convert");
    return fmt::format("detail::to_integer<{}>({})", cpp_type(to), v);
  }
  return fmt::format("static_cast<{}>({})", cpp_type(to), v);
}

std::string operation(Emitter& e, const PwProgram& p, const PwNode& n, const std::vector<std::string>& name) {
  const auto dtype = [&](int v) { return static_cast<DType>(p.type(v)); };
  std::string operand[3];
  int k = 0;
  for (int v : {n.a, n.b, n.c}) operand[k++] = v < 0 ? "" : name[static_cast<size_t>(v)];
  if (n.op == PwOp::cast) return cast_text(e, static_cast<DType>(n.type), dtype(n.a), operand[0]);
  const std::string_view op = cpu::pw_info(n.op).name;
  const DType type = n.op == PwOp::select ? static_cast<DType>(n.type) : dtype(n.a);
  auto it = forms().find(op);
  static const std::vector<std::string_view> plain = {"sin",  "cos",  "tan",   "asin",  "acos", "atan",
                                                      "sinh", "cosh", "asinh", "acosh", "atanh"};
  if (it == forms().end()) {
    for (std::string_view f : plain)
      if (f == op) return fmt::format("std::{}({})", op, operand[0]);
    e.refuse(fmt::format("'{}' has no C++ form.", op));
  }
  const Form& f = it->second;
  if (is_float(type) && f.helper) e.needs(f.helper);
  if (is_float(type) && std::string_view(f.floats).find("detail::exp") == 0) e.needs("expd");
  if (!is_float(type) && f.integers) {
    if (std::string_view(f.integers).find("detail::") == 0) e.needs("integers");
    return expand(f.integers, cpp_type(type), operand);
  }
  if (!is_float(type) && f.helper) e.refuse(fmt::format("'{}' has no C++ form for {}.", op, dtype_name(type)));
  return expand(f.floats, cpp_type(type), operand);
}

}  // namespace

void emit_pointwise(Emitter& e) {
  const ir::Node& n = e.node();
  std::vector<TensorType> in;
  for (size_t i = 0; i < n.inputs.size(); ++i) in.push_back(e.in_type(i));
  const PwProgram p = ops::node_program(*n.op, n.attrs, in);
  const Shape& dims = e.out_type().shape;
  std::vector<std::vector<int64_t>> strides;
  for (const TensorType& t : in) strides.push_back(broadcast_strides(t.shape, dims));
  strides.push_back(dense_strides(dims));
  const Loops l = loops(dims, strides, 3);

  std::string text = "    {\n";
  for (size_t i = 0; i < in.size(); ++i)
    text += fmt::format("      const {}* __restrict p{} = {};\n", cpp_type(in[i].dtype), i, e.in(i));
  for (size_t o = 0; o < p.outputs.size(); ++o)
    text += fmt::format("      {}* __restrict y{} = {};\n", cpp_type(e.out_type(o).dtype), o, e.out(o));
  text += l.open + l.indent.substr(2) + "{\n";
  std::vector<bool> live(p.nodes.size());
  for (int v : p.outputs) live[static_cast<size_t>(v)] = true;
  for (size_t v = p.nodes.size(); v-- > 0;)
    for (int operand : {p.nodes[v].a, p.nodes[v].b, p.nodes[v].c})
      if (live[v] && operand >= 0) live[static_cast<size_t>(operand)] = true;
  std::vector<std::string> name;
  for (size_t v = 0; v < p.nodes.size(); ++v) {
    const PwNode& node = p.nodes[v];
    if (!live[v]) {
      name.emplace_back();
      continue;
    }
    const DType type = static_cast<DType>(node.type);
    if (node.op == PwOp::constant) {
      name.push_back(cpp_number(is_float(type) ? node.value : static_cast<double>(node.ivalue), type));
      if (!is_float(type) && type != DType::i64 && type != DType::u64)
        name.back() = fmt::format("static_cast<{}>({})", cpp_type(type), name.back());
      if (is_float(type) && node.value < 0) name.back() = "(" + name.back() + ")";
      continue;
    }
    name.push_back(fmt::format("v{}", v));
    const std::string value = node.op == PwOp::input
                                  ? fmt::format("p{}[{}]", node.index, l.index[static_cast<size_t>(node.index)])
                                  : operation(e, p, node, name);
    text += fmt::format("{}const {} {} = {};\n", l.indent, cpp_type(type), name.back(), value);
  }
  for (size_t o = 0; o < p.outputs.size(); ++o)
    text += fmt::format("{}y{}[{}] = {};\n", l.indent, o, l.index.back(), name[static_cast<size_t>(p.outputs[o])]);
  e.add(text + l.indent.substr(2) + "}\n    }\n");
}

}  // namespace glia::io::cpp_export
