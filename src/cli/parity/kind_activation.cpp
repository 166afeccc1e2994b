// kind "activation": functions of keras.activations, forward and gradient.
#include <glia/activations.h>
#include <glia/function.h>

#include <algorithm>

#include "cli/parity/kinds.h"

namespace glia::parity {
namespace {

std::function<Value(const Value&)> with_arguments(const std::string& name, const json& kwargs) {
  namespace act = activations;
  static const json none = json::array();
  auto args = [&](std::string_view names) { return CallArgs(none, kwargs, names); };
  auto number = [&](const char* key, double fallback) { return args(key).number(key, fallback); };
  if (kwargs.empty()) {
    if (name == "threshold") throw Unsupported("threshold without arguments");
    return [f = Activation(name)](const Value& x) { return f(x); };
  }
  if (name == "relu") {
    CallArgs a(none, kwargs, "negative_slope max_value threshold");
    std::optional<double> max;
    if (a.has("max_value")) max = a.number("max_value");
    return [slope = a.number("negative_slope", 0), max, t = a.number("threshold", 0)](const Value& x) { return act::relu(x, slope, max, t); };
  }
  if (name == "leaky_relu") return [s = number("negative_slope", 0.2)](const Value& x) { return act::leaky_relu(x, s); };
  if (name == "elu") return [a = number("alpha", 1)](const Value& x) { return act::elu(x, a); };
  if (name == "celu") return [a = number("alpha", 1)](const Value& x) { return act::celu(x, a); };
  if (name == "squareplus") return [b = number("b", 4)](const Value& x) { return act::squareplus(x, b); };
  if (name == "hard_shrink") return [t = number("threshold", 0.5)](const Value& x) { return act::hard_shrink(x, t); };
  if (name == "soft_shrink") return [t = number("threshold", 0.5)](const Value& x) { return act::soft_shrink(x, t); };
  if (name == "gelu") {
    const bool approximate = CallArgs(none, kwargs, "approximate").flag("approximate", false);
    return [approximate](const Value& x) { return act::gelu(x, approximate); };
  }
  if (name == "threshold") {
    CallArgs a(none, kwargs, "threshold default_value");
    return [t = a.number("threshold"), d = a.number("default_value")](const Value& x) { return act::threshold(x, t, d); };
  }
  using AxisFn = Value (*)(const Value&, int64_t);
  for (auto [known, fn] : {std::pair<const char*, AxisFn>{"softmax", act::softmax}, {"log_softmax", act::log_softmax},
                           {"sparsemax", act::sparsemax}, {"glu", act::glu}})
    if (name == known) return [fn = fn, axis = CallArgs(none, kwargs, "axis").integer("axis", -1)](const Value& x) { return fn(x, axis); };
  throw std::runtime_error(name + ": unexpected arguments " + kwargs.dump());
}

}  // namespace

void run_activation(const json& line, Check& check) {
  const std::string name = line.at("name").get<std::string>();
  const auto& names = activations::names();
  if (name != "threshold" && std::find(names.begin(), names.end(), name) == names.end()) throw Unsupported("activation " + name);
  auto fn = with_arguments(name, line.contains("kwargs") && line["kwargs"].is_object() ? line["kwargs"] : json::object());
  Value x = to_tensor(line.at("x"));
  const bool wants_gradient = line.contains("cotangent") && !line["cotangent"].is_null();
  Value cotangent = wants_gradient ? Value(to_tensor(line["cotangent"])) : Value();
  Values got = compile_function([&](const Values& v) {
    Value y = fn(v[0]);
    return wants_gradient ? Values{y, gradients({y}, {v[0]}, {cotangent})[0]} : Values{y};
  })({x});
  check.tensor("y", got[0].tensor(), line.at("y"), tolerance(line));
  if (wants_gradient) check.tensor("grad", got[1].tensor(), line.at("grad"), gradient_tolerance(line));
}

}  // namespace glia::parity
