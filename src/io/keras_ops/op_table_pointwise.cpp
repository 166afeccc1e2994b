// Bindings of the elementwise functions.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

using Unary = Value (*)(const Value&);
using Binary = Value (*)(const Value&, const Value&);

template <Unary F>
Values unary(OpCall& c) {
  return {F(c.value("x"))};
}
template <Binary F, Numbers N = Numbers::strong>
Values binary(OpCall& c) {
  auto [a, b] = c.pair("x1", "x2", N);
  return {F(a, b)};
}
template <Binary F>
Values bits(OpCall& c) {
  auto [a, b] = c.pair("x", "y");
  return {F(a, b)};
}
// A number of places leaves the dtype as it is; a number that is shifted is an array.
template <Binary F>
Values shift(OpCall& c) {
  const json* places = c.find("y");
  Value x = c.value("x"), y = c.value("y");
  return {F(x, places->is_number_integer() ? ops::cast(y, x.dtype()) : y)};
}

Values clip(OpCall& c) {
  const json *low = c.find("x_min"), *high = c.find("x_max");
  if (low->is_number() && high->is_number()) return {ops::clip(c.value("x"), to_number(*low), to_number(*high))};
  return {ops::clip(c.value("x"), c.value("x_min"), c.value("x_max"))};
}
Values gelu(OpCall& c) { return {ops::gelu(c.value("x"), c.flag("approximate", true))}; }
Values cast(OpCall& c) { return {ops::cast(c.value("x"), dtype_from_name(c.text("dtype")))}; }
Values where(OpCall& c) {
  if (!c.has("x1") && !c.has("x2")) return ops::nonzero(c.value("condition"));
  auto [a, b] = c.pair("x1", "x2", Numbers::weak);
  return {ops::where(c.value("condition"), a, b)};
}
Values converted(OpCall& c) {
  c.flag("sparse", false), c.flag("ragged", false);
  return {ops::cast(c.value("x"), c.dtype("dtype", c.value("x").dtype()))};
}

void add_unary(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"abs", "x", unary<abs>},
      {"negative", "x", unary<negative>}, {"sign", "x", unary<sign>},         {"square", "x", unary<square>},
      {"sqrt", "x", unary<sqrt>},         {"rsqrt", "x", unary<rsqrt>},       {"reciprocal", "x", unary<reciprocal>},
      {"exp", "x", unary<exp>},           {"exp2", "x", unary<exp2>},         {"expm1", "x", unary<expm1>},
      {"log", "x", unary<log>},           {"log1p", "x", unary<log1p>},       {"log2", "x", unary<log2>},
      {"log10", "x", unary<log10>},       {"sin", "x", unary<sin>},           {"cos", "x", unary<cos>},
      {"tan", "x", unary<tan>},           {"arcsin", "x", unary<arcsin>},     {"arccos", "x", unary<arccos>},
      {"arctan", "x", unary<arctan>},     {"sinh", "x", unary<sinh>},         {"cosh", "x", unary<cosh>},
      {"tanh", "x", unary<tanh>},         {"arcsinh", "x", unary<arcsinh>},   {"arccosh", "x", unary<arccosh>},
      {"arctanh", "x", unary<arctanh>},   {"erf", "x", unary<erf>},           {"erfc", "x", unary<erfc>},
      {"erfinv", "x", unary<erfinv>},     {"relu", "x", unary<relu>},         {"sigmoid", "x", unary<sigmoid>},
      {"softplus", "x", unary<softplus>}, {"silu", "x", unary<silu>},
      {"floor", "x", unary<floor>},       {"ceil", "x", unary<ceil>},         {"trunc", "x", unary<trunc>},
      {"isnan", "x", unary<isnan>},       {"isinf", "x", unary<isinf>},       {"isfinite", "x", unary<isfinite>},
      {"logical_not", "x", unary<logical_not>},
      {"bitwise_not", "x", unary<bitwise_not>},
      {"log_sigmoid", "x", unary<log_sigmoid>},
      {"stop_gradient", "variable", [](OpCall& c) { return Values{ops::stop_gradient(c.value("variable"))}; }},
      {"array", "x dtype", converted},
      {"convert_to_tensor", "x dtype sparse ragged", converted},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_binary(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"add", "x1 x2", binary<add, Numbers::weak>},
      {"subtract", "x1 x2", binary<subtract, Numbers::weak>},
      {"multiply", "x1 x2", binary<multiply, Numbers::weak>},
      {"divide", "x1 x2", binary<divide, Numbers::quotient>},
      {"floor_divide", "x1 x2", binary<floor_divide, Numbers::weak>},
      {"mod", "x1 x2", binary<mod>},
      {"fmod", "x1 x2", binary<fmod>},
      {"power", "x1 x2", binary<power, Numbers::weak>},
      {"maximum", "x1 x2", binary<maximum, Numbers::weak>},
      {"minimum", "x1 x2", binary<minimum, Numbers::weak>},
      {"arctan2", "x1 x2", binary<arctan2>},
      {"hypot", "x1 x2", binary<hypot>},
      {"logaddexp", "x1 x2", binary<logaddexp>},
      {"equal", "x1 x2", binary<equal>},
      {"not_equal", "x1 x2", binary<not_equal>},
      {"less", "x1 x2", binary<less>},
      {"less_equal", "x1 x2", binary<less_equal>},
      {"greater", "x1 x2", binary<greater>},
      {"greater_equal", "x1 x2", binary<greater_equal>},
      {"logical_and", "x1 x2", binary<logical_and>},
      {"logical_or", "x1 x2", binary<logical_or>},
      {"logical_xor", "x1 x2", binary<logical_xor>},
      {"bitwise_and", "x y", bits<bitwise_and>},
      {"bitwise_or", "x y", bits<bitwise_or>},
      {"bitwise_xor", "x y", bits<bitwise_xor>},
      {"left_shift", "x y", shift<left_shift>},
      {"right_shift", "x y", shift<right_shift>},
      {"bitwise_left_shift", "x y", shift<left_shift>},
      {"bitwise_right_shift", "x y", shift<right_shift>},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_pointwise_ops(std::vector<OpBinding>& list) {
  add_unary(list);
  add_binary(list);
  list.push_back({"clip", "x x_min x_max", clip});
  list.push_back({"gelu", "x approximate", gelu});
  list.push_back({"cast", "x dtype", cast});
  list.push_back({"where", "condition x1 x2", where});
}

}  // namespace glia::keras_ops
