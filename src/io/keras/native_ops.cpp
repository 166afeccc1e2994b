#include "io/keras/native_ops.h"

#include <glia/ops.h>

#include <map>

namespace glia::io::keras {
namespace {

struct Name {
  const char* module;
  const char* class_name;
};

// Ops whose inputs are the arguments and whose attributes, if any, do not matter.
const std::map<std::string, Name, std::less<>>& plain_ops() {
  static const std::map<std::string, Name, std::less<>> m = [] {
    std::map<std::string, Name, std::less<>> r;
    auto add = [&](const char* module, std::initializer_list<std::pair<const char*, const char*>> names) {
      for (auto [op, c] : names) r[op] = {module, c};
    };
    add("keras.src.ops.numpy",
        {{"add", "Add"}, {"sub", "Subtract"}, {"mul", "Multiply"}, {"div", "Divide"}, {"neg", "Negative"}, {"abs", "Absolute"},
         {"sign", "Sign"}, {"square", "Square"}, {"sqrt", "Sqrt"}, {"reciprocal", "Reciprocal"}, {"maximum", "Maximum"}, {"minimum", "Minimum"},
         {"pow", "Power"}, {"mod", "Mod"}, {"floor_div", "FloorDivide"}, {"atan2", "Arctan2"}, {"hypot", "Hypot"}, {"exp", "Exp"}, {"exp2", "Exp2"},
         {"expm1", "Expm1"}, {"log", "Log"}, {"log1p", "Log1p"}, {"log2", "Log2"}, {"log10", "Log10"}, {"logaddexp", "Logaddexp"}, {"sin", "Sin"},
         {"cos", "Cos"}, {"tan", "Tan"}, {"asin", "Arcsin"}, {"acos", "Arccos"}, {"atan", "Arctan"}, {"sinh", "Sinh"}, {"cosh", "Cosh"},
         {"tanh", "Tanh"}, {"asinh", "Arcsinh"}, {"acosh", "Arccosh"}, {"atanh", "Arctanh"}, {"floor", "Floor"}, {"ceil", "Ceil"},
         {"trunc", "Trunc"}, {"round", "Round"}, {"select", "Where"}, {"eq", "Equal"}, {"ne", "NotEqual"}, {"lt", "Less"},
         {"le", "LessEqual"}, {"gt", "Greater"}, {"ge", "GreaterEqual"}, {"logical_and", "LogicalAnd"},
         {"logical_or", "LogicalOr"}, {"logical_xor", "LogicalXor"}, {"logical_not", "LogicalNot"}, {"isnan", "Isnan"}, {"isinf", "Isinf"},
         {"isfinite", "Isfinite"}});
    add("keras.src.ops.math", {{"rsqrt", "Rsqrt"}, {"erf", "Erf"}, {"erfc", "Erfc"}, {"erfinv", "Erfinv"}});
    add("keras.src.ops.nn", {{"relu", "Relu"}, {"sigmoid", "Sigmoid"}, {"log_sigmoid", "LogSigmoid"}, {"softplus", "Softplus"}, {"silu", "Silu"}});
    add("keras.src.ops.core", {{"stop_gradient", "StopGradient"}});
    return r;
  }();
  return m;
}

KerasCall named(const char* module, const char* class_name, json config = json::object()) {
  return {{{"module", module}, {"class_name", class_name}, {"config", std::move(config)}, {"registered_name", class_name}}, json::array(), json::object()};
}

json axes_json(const ir::Ints& axes) { return axes.empty() ? json() : json(axes); }

json slices(const ir::Attrs& a) {
  json r = json::array();
  auto bound = [](int64_t v) { return v == ops::kEnd ? json() : json(v); };
  for (std::size_t i = 0; i < a.ints("starts").size(); ++i) {
    const int64_t step = a.ints("steps")[i], start = a.ints("starts")[i];
    r.push_back({{"class_name", "__slice__"},
                 {"config", {{"start", start == 0 && step > 0 ? json() : bound(start)}, {"stop", bound(a.ints("stops")[i])},
                             {"step", step == 1 ? json() : json(step)}}}});
  }
  return r;
}

std::optional<KerasCall> reduction(const ir::Node& n) {
  static const std::map<std::string, const char*, std::less<>> kNames{{"reduce_sum", "Sum"}, {"reduce_mean", "Mean"}, {"reduce_max", "Max"},
                                                                      {"reduce_min", "Min"}, {"reduce_prod", "Prod"}, {"reduce_any", "Any"},
                                                                      {"reduce_all", "All"}};
  auto it = kNames.find(n.op->name);
  if (it == kNames.end()) return std::nullopt;
  return named("keras.src.ops.numpy", it->second, {{"axis", axes_json(n.attrs.ints("axes"))}, {"keepdims", n.attrs.b("keepdims")}});
}

std::optional<KerasCall> shaped(const ir::Node& n) {
  const std::string& op = n.op->name;
  const ir::Attrs& a = n.attrs;
  const char* numpy = "keras.src.ops.numpy";
  if (op == "reshape") return named(numpy, "Reshape", {{"newshape", a.ints("shape")}});
  if (op == "transpose") return named(numpy, "Transpose", {{"axes", a.ints("axes")}});
  if (op == "broadcast_to") return named(numpy, "BroadcastTo", {{"shape", a.ints("shape")}});
  if (op == "take") return named(numpy, "Take", {{"axis", a.i("axis")}});
  if (op == "take_along_axis") return named(numpy, "TakeAlongAxis", {{"axis", a.i("axis")}});
  if (op == "argmax" || op == "argmin")
    return named(numpy, op == "argmax" ? "Argmax" : "Argmin", {{"axis", a.i("axis")}, {"keepdims", a.b("keepdims")}});
  if (op == "argsort" && !a.b("descending")) return named(numpy, "Argsort", {{"axis", a.i("axis")}});
  if (op == "top_k") return named("keras.src.ops.math", "TopK", {{"k", a.i("k")}, {"sorted", true}});
  if ((op == "cumsum" || op == "cumprod") && !a.b("exclusive") && !a.b("reverse"))
    return named(numpy, op == "cumsum" ? "Cumsum" : "Cumprod", {{"axis", a.i("axis")}, {"dtype", nullptr}});
  if (op == "softmax" || op == "log_softmax") return named("keras.src.ops.nn", op == "softmax" ? "Softmax" : "LogSoftmax", {{"axis", a.i("axis")}});
  if (op == "gelu" || op == "gelu_tanh") return named("keras.src.ops.nn", "Gelu", {{"approximate", op == "gelu_tanh"}});
  if (op == "cast") return named("keras.src.ops.core", "Cast", {{"dtype", a.s("dtype")}});
  return std::nullopt;
}

std::optional<KerasCall> product(const ir::Node& n) {
  const ir::Attrs& a = n.attrs;
  if (n.inputs.size() != 2 || a.b("bias") || a.b("residual") || !a.s("activation").empty()) return std::nullopt;
  if (!a.b("transpose_a") && !a.b("transpose_b")) return named("keras.src.ops.numpy", "Matmul");
  return named("keras.src.ops.numpy", "Einsum",
               {{"subscripts", std::string(a.b("transpose_a") ? "...ki" : "...ik") + "," + (a.b("transpose_b") ? "...jk" : "...kj") + "->...ij"}});
}

std::optional<KerasCall> padding(const ir::Node& n, const std::function<json(std::size_t)>& argument) {
  for (int64_t i : n.attrs.ints("interior"))
    if (i != 0) return std::nullopt;
  json widths = json::array();
  for (std::size_t i = 0; i < n.attrs.ints("low").size(); ++i) widths.push_back({n.attrs.ints("low")[i], n.attrs.ints("high")[i]});
  KerasCall c = named("keras.src.ops.numpy", "Pad", {{"pad_width", widths}, {"mode", "constant"}});
  c.args = json::array({argument(0)});  // braces alone: a list to gcc, a copy to clang
  c.kwargs["constant_values"] = n.attrs.f("value");
  return c;
}

}  // namespace

json constant_json(const Tensor& t) {
  auto number = [&](int64_t i) {
    if (t.dtype() == DType::bool_) return json(t.item(i) != 0);
    return is_float(t.dtype()) ? json(t.item(i)) : json(static_cast<int64_t>(t.item(i)));
  };
  if (t.rank() == 0) return number(0);
  int64_t at = 0;
  std::function<json(int)> nested = [&](int axis) -> json {
    if (axis == t.rank()) return number(at++);
    json list = json::array();
    for (int64_t i = 0; i < t.dim(axis); ++i) list.push_back(nested(axis + 1));
    return list;
  };
  return {{"class_name", "__numpy__"}, {"config", {{"value", nested(0)}, {"dtype", std::string(dtype_name(t.dtype()))}}}};
}

std::optional<KerasCall> keras_call(const ir::Node& n, const std::vector<TensorType>& inputs, const std::function<json(std::size_t)>& argument) {
  const std::string& op = n.op->name;
  std::optional<KerasCall> c;
  json all = json::array();
  for (std::size_t i = 0; i < inputs.size(); ++i) all.push_back(argument(i));
  if (auto it = plain_ops().find(op); it != plain_ops().end()) c = named(it->second.module, it->second.class_name);
  else if (op == "slice") {
    c = named("keras.src.ops.numpy", "GetItem");
    all.push_back(slices(n.attrs));
  } else if (op == "concatenate") {
    c = named("keras.src.ops.numpy", "Concatenate", {{"axis", n.attrs.i("axis")}});
    all = json::array({all});
  } else if (op == "clip" && all.size() == 3 && all[1].is_number() && all[2].is_number()) {
    c = named("keras.src.ops.numpy", "Clip", {{"x_min", all[1]}, {"x_max", all[2]}});
    all = json::array({all[0]});
  } else if (op == "matmul") c = product(n);
  else if (op == "pad") return padding(n, argument);
  else if (!(c = reduction(n))) c = shaped(n);
  if (c) c->args = all;
  return c;
}

}  // namespace glia::io::keras
