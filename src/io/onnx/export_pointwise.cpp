// Export rules of elementwise ops, and the forms of those that ONNX builds from others.
#include <glia/ops.h>

#include <cmath>

#include "io/onnx/exporter.h"
#include "io/onnx/operand.h"

namespace glia::onnx {
namespace {

// The names of the inputs in one common order, and that order.
struct Aligned {
  std::vector<std::string> names;
  Ints axes;
};
Aligned align(Exporter& ex, const ir::Node& n) {
  Aligned r;
  const size_t rank = n.types[0].shape.size();
  int64_t most = -1;
  for (ir::Ref in : n.inputs) {
    const Item& it = ex.item(in);
    if (!it.axes.empty() && it.axes.size() == rank && ex.type(in).elements() > most)
      r.axes = it.axes, most = ex.type(in).elements();
  }
  // An operand of lower rank that is not known would have to be reshaped first; then everything goes in plain order.
  for (ir::Ref in : n.inputs)
    if (!ex.known(in) && ex.type(in).shape.size() < rank && ex.type(in).rank() > 0 && ex.type(in).elements() != 1)
      r.axes.clear();
  for (ir::Ref in : n.inputs) {
    const Shape s = ex.type(in).shape;
    if (r.axes.empty() || s.empty()) {
      r.names.push_back(ex.plain(in));
    } else if (s.size() == rank) {
      r.names.push_back(ex.in_order(in, r.axes));
    } else if (ex.known(in)) {
      Shape full(rank - s.size(), 1);
      full.insert(full.end(), s.begin(), s.end());
      Tensor t = permuted(Value(ex.item(in).constant.reshape(full)), inverse(r.axes)).tensor();
      Shape trimmed = t.shape();  // (1, C, 1, 1) -> (C, 1, 1)
      while (trimmed.size() > 1 && trimmed[0] == 1) trimmed.erase(trimmed.begin());
      r.names.push_back(ex.tensor(t.reshape(trimmed), ex.graph().nodes[static_cast<size_t>(in.node)].scope));
    } else {
      r.names.push_back(ex.plain(in));  // one element
    }
  }
  return r;
}

const std::map<std::string, const char*>& same_names() {
  static const std::map<std::string, const char*> m = {
      {"add", "Add"},         {"sub", "Sub"},           {"mul", "Mul"},
      {"div", "Div"},         {"neg", "Neg"},           {"abs", "Abs"},
      {"sign", "Sign"},       {"sqrt", "Sqrt"},         {"reciprocal", "Reciprocal"},
      {"maximum", "Max"},     {"minimum", "Min"},       {"pow", "Pow"},
      {"exp", "Exp"},         {"log", "Log"},           {"sin", "Sin"},
      {"cos", "Cos"},         {"tan", "Tan"},           {"asin", "Asin"},
      {"acos", "Acos"},       {"atan", "Atan"},         {"sinh", "Sinh"},
      {"cosh", "Cosh"},       {"tanh", "Tanh"},         {"asinh", "Asinh"},
      {"acosh", "Acosh"},     {"atanh", "Atanh"},       {"erf", "Erf"},
      {"sigmoid", "Sigmoid"}, {"softplus", "Softplus"}, {"relu", "Relu"},
      {"floor", "Floor"},     {"ceil", "Ceil"},         {"round", "Round"},
      {"eq", "Equal"},        {"lt", "Less"},           {"le", "LessOrEqual"},
      {"gt", "Greater"},      {"ge", "GreaterOrEqual"}, {"isnan", "IsNaN"},
      {"isinf", "IsInf"},     {"logical_and", "And"},   {"logical_or", "Or"},
      {"logical_xor", "Xor"}, {"logical_not", "Not"},   {"select", "Where"}};
  return m;
}

void export_same(Exporter& ex, const ir::Node& n, int id) {
  const Aligned a = align(ex, n);
  ex.define({id, 0}, ex.emit1(same_names().at(n.op->name), a.names), a.axes);
}

// Those that ONNX has to build: from names to a name.
std::string composed(Exporter& ex, const ir::Node& n, const std::vector<std::string>& in) {
  const std::string& op = n.op->name;
  const DType t = n.inputs.empty() ? n.types[0].dtype : ex.type(n.inputs[0]).dtype;
  const auto num = [&](double v) { return ex.scalar(v, t); };
  const auto un = [&](const char* o, const std::string& x) { return ex.emit1(o, {x}); };
  const auto bin = [&](const char* o, const std::string& x, const std::string& y) { return ex.emit1(o, {x, y}); };
  const std::string &a = in[0], &b = in.size() > 1 ? in[1] : in[0], &c = in.size() > 2 ? in[2] : in[0];
  if (op == "square") return bin("Mul", a, a);
  if (op == "rsqrt") return un("Reciprocal", un("Sqrt", a));
  if (op == "fma") return bin("Add", bin("Mul", a, b), c);
  if (op == "fnma") return bin("Sub", c, bin("Mul", a, b));
  if (op == "lerp") return bin("Add", a, bin("Mul", bin("Sub", b, a), c));
  if (op == "squared_difference") {
    const std::string d = bin("Sub", a, b);
    return bin("Mul", d, d);
  }
  if (op == "clip") return bin("Min", bin("Max", a, b), c);
  if (op == "fmod") return ex.emit1("Mod", {a, b}, {{"fmod", int64_t{1}}});
  if (op == "mod") {
    if (!is_float(t)) return bin("Mod", a, b);
    return bin("Sub", a, bin("Mul", un("Floor", bin("Div", a, b)), b));
  }
  if (op == "floor_div") {
    if (is_float(t)) return un("Floor", bin("Div", a, b));
    return bin("Div", bin("Sub", a, bin("Mod", a, b)), b);  // Mod takes the sign of b, so this divides without a rest
  }
  if (op == "hypot") return un("Sqrt", bin("Add", bin("Mul", a, a), bin("Mul", b, b)));
  if (op == "atan2") {  // of a and b; half a turn further left of the axis, on the side of a
    const std::string half_turn = ex.emit1("Where", {bin("Less", a, num(0)), num(-M_PI), num(M_PI)});
    const std::string left = bin("Less", b, num(0)), none = bin("And", bin("Equal", a, num(0)), bin("Equal", b, num(0)));
    const std::string angle = un("Atan", ex.emit1("Where", {none, num(0), bin("Div", a, b)}));
    return bin("Add", angle, ex.emit1("Where", {left, half_turn, num(0)}));
  }
  if (op == "exp2") return bin("Pow", num(2), a);
  if (op == "expm1") return bin("Sub", un("Exp", a), num(1));
  if (op == "log1p") return un("Log", bin("Add", a, num(1)));
  if (op == "log2") return bin("Mul", un("Log", a), num(1 / std::log(2.0)));
  if (op == "log10") return bin("Mul", un("Log", a), num(1 / std::log(10.0)));
  if (op == "logaddexp") return bin("Add", bin("Max", a, b), un("Softplus", un("Neg", un("Abs", bin("Sub", a, b)))));
  if (op == "erfc") return bin("Sub", num(1), un("Erf", a));
  if (op == "log_sigmoid") return un("Neg", un("Softplus", un("Neg", a)));
  if (op == "trunc") return bin("Mul", un("Floor", un("Abs", a)), un("Sign", a));
  if (op == "ne") return un("Not", bin("Equal", a, b));
  if (op == "isfinite") return un("Not", bin("Or", un("IsNaN", a), un("IsInf", a)));
  if (op == "relu_grad" || op == "sigmoid_grad" || op == "tanh_grad")
    ex.fail(n, "a gradient inside of a prediction is not exported.");
  if (ex.opset() >= 18) {
    if (op == "bitwise_and") return bin("BitwiseAnd", a, b);
    if (op == "bitwise_or") return bin("BitwiseOr", a, b);
    if (op == "bitwise_xor") return bin("BitwiseXor", a, b);
    if (op == "bitwise_not") return un("BitwiseNot", a);
  }
  if (is_epilogue_name(op)) return ex.activation(op, a, t);
  ex.fail(n, fmt::format("ONNX has no operator for it in opset {}.", ex.opset()));
}
void export_composed(Exporter& ex, const ir::Node& n, int id) {
  const Aligned a = align(ex, n);
  ex.define({id, 0}, composed(ex, n, a.names), a.axes);
}
void export_cast(Exporter& ex, const ir::Node& n, int id) {
  const Aligned a = align(ex, n);
  ex.define({id, 0}, ex.cast(a.names[0], n.types[0].dtype), a.axes);
}
void export_through(Exporter& ex, const ir::Node& n, int id) { ex.define({id, 0}, ex.item(n.inputs[0])); }

}  // namespace

bool is_epilogue_name(const std::string& name) {
  return name == "gelu" || name == "gelu_tanh" || name == "silu" || name == "relu" || name == "sigmoid" ||
         name == "tanh";
}

std::string Exporter::activation(const std::string& name, const std::string& x, DType t) {
  const auto num = [&](double v) { return scalar(v, t); };
  if (name == "relu") return emit1("Relu", {x});
  if (name == "sigmoid") return emit1("Sigmoid", {x});
  if (name == "tanh") return emit1("Tanh", {x});
  if (name == "silu") return emit1("Mul", {x, emit1("Sigmoid", {x})});
  if (opset() >= 20) return emit1("Gelu", {x}, {{"approximate", std::string(name == "gelu_tanh" ? "tanh" : "none")}});
  const std::string half = emit1("Mul", {x, num(0.5)});
  if (name == "gelu")
    return emit1("Mul", {half, emit1("Add", {emit1("Erf", {emit1("Mul", {x, num(std::sqrt(0.5))})}), num(1)})});
  const std::string cube = emit1("Mul", {emit1("Mul", {x, x}), x});
  const std::string inner =
      emit1("Mul", {emit1("Add", {x, emit1("Mul", {cube, num(0.044715)})}), num(std::sqrt(2 / M_PI))});
  return emit1("Mul", {half, emit1("Add", {emit1("Tanh", {inner}), num(1)})});
}

ExportRules pointwise_rules() {
  ExportRules r;
  for (auto& [name, op] : same_names()) r[name] = export_same;
  for (const char* name : {"square",       "rsqrt",       "fma",  "fnma",      "lerp",        "squared_difference",
                           "clip",         "fmod",        "mod",  "floor_div", "hypot",       "exp2", "atan2",
                           "expm1",        "log1p",       "log2", "log10",     "logaddexp",   "erfc",
                           "log_sigmoid",  "trunc",       "ne",   "isfinite",  "bitwise_and", "bitwise_or",
                           "bitwise_xor",  "bitwise_not", "gelu", "gelu_tanh", "silu",        "relu_grad",
                           "sigmoid_grad", "tanh_grad"})
    r[name] = export_composed;
  r["cast"] = export_cast;
  r["stop_gradient"] = export_through;
  return r;
}

}  // namespace glia::onnx
