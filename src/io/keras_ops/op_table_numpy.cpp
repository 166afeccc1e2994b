// Bindings of the composed functions of glia/ops/numpy.h.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

Values one(Value v) { return {std::move(v)}; }
template <Value (*F)(const Value&)>
Values unary(OpCall& c) {
  return {F(c.value("x"))};
}
template <Value (*F)(const Value&, const Value&), Numbers N = Numbers::strong>
Values binary(OpCall& c) {
  auto [a, b] = c.pair("x1", "x2", N);
  return {F(a, b)};
}
template <Value (*F)(const Value&, std::vector<int64_t>, bool)>
Values reduce(OpCall& c) {
  return {c.reduced(F)};
}
template <Value (*F)(const Value&, const Value&, double, double, bool)>
Values close(OpCall& c) {
  auto [a, b] = c.pair("x1", "x2");
  return {F(a, b, c.number("rtol", 1e-5), c.number("atol", 1e-8), c.flag("equal_nan", false))};
}
std::optional<double> maybe(const OpCall& c, std::string_view name) {
  return c.has(name) ? std::optional(c.number(name)) : std::nullopt;
}
template <Value (*F)(const Value&, int64_t)>
Values cumulative(OpCall& c) {
  Value x = ops::cast(c.value("x"), c.dtype("dtype", c.value("x").dtype()));
  return c.has("axis") ? one(F(x, c.integer("axis"))) : one(F(ops::ravel(x), 0));
}
Values tensordot(OpCall& c) {
  const json* axes = c.find("axes");
  if (!axes || axes->is_number_integer()) return one(ops::tensordot(c.value("x1"), c.value("x2"), c.integer("axes", 2)));
  auto list = [](const json& v) { return v.is_number_integer() ? std::vector<int64_t>{v.get<int64_t>()} : v.get<std::vector<int64_t>>(); };
  return one(ops::tensordot(c.value("x1"), c.value("x2"), list(axes->at(0)), list(axes->at(1))));
}
Values rot90(OpCall& c) {
  const std::vector<int64_t> axes = c.integers("axes");
  return one(ops::rot90(c.value("array"), c.integer("k", 1), axes.empty() ? 0 : axes.at(0), axes.empty() ? 1 : axes.at(1)));
}

void add_elementwise(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"absolute", "x", unary<absolute>},     {"fabs", "x", unary<fabs>},           {"swish", "x", unary<swish>},
      {"bitwise_invert", "x", unary<bitwise_invert>},                               {"copy", "x", unary<ops::copy>},
      {"real", "x", unary<real>},             {"imag", "x", unary<imag>},           {"conj", "x", unary<conj>},
      {"conjugate", "x", unary<conjugate>},   {"isreal", "x", unary<isreal>},       {"angle", "x", unary<angle>},
      {"deg2rad", "x", unary<deg2rad>},       {"rad2deg", "x", unary<rad2deg>},     {"sinc", "x", unary<sinc>},
      {"cbrt", "x", unary<ops::cbrt>},        {"isposinf", "x", unary<isposinf>},   {"isneginf", "x", unary<isneginf>},
      {"signbit", "x", unary<ops::signbit>},  {"ravel", "x", unary<ravel>},         {"fliplr", "x", unary<fliplr>},
      {"flipud", "x", unary<flipud>},         {"true_divide", "x1 x2", binary<true_divide, Numbers::quotient>},
      {"fmax", "x1 x2", binary<ops::fmax, Numbers::weak>},   {"fmin", "x1 x2", binary<ops::fmin, Numbers::weak>}, {"logaddexp2", "x1 x2", binary<logaddexp2>},
      {"heaviside", "x1 x2", binary<heaviside>},
      {"divide_no_nan", "x1 x2", binary<divide_no_nan, Numbers::quotient>},
      {"ldexp", "x1 x2", binary<ops::ldexp>},
      {"isclose", "x1 x2 rtol atol equal_nan", close<isclose>},
      {"allclose", "x1 x2 rtol atol equal_nan", close<allclose>},
      {"nan_to_num", "x nan posinf neginf",
       [](OpCall& c) { return one(nan_to_num(c.value("x"), c.number("nan", 0), maybe(c, "posinf"), maybe(c, "neginf"))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_statistics(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"amax", "x axis keepdims", reduce<amax>},       {"amin", "x axis keepdims", reduce<amin>},
      {"var", "x axis keepdims", reduce<var>},         {"std", "x axis keepdims", reduce<ops::std>},
      {"ptp", "x axis keepdims", reduce<ptp>},         {"nansum", "x axis keepdims", reduce<nansum>},
      {"nanmean", "x axis keepdims", reduce<nanmean>}, {"nanmax", "x axis keepdims", reduce<nanmax>},
      {"nanmin", "x axis keepdims", reduce<nanmin>},   {"nanprod", "x axis keepdims", reduce<nanprod>},
      {"nanvar", "x axis keepdims", reduce<nanvar>},   {"nanstd", "x axis keepdims", reduce<nanstd>},
      {"nancumsum", "x axis dtype", cumulative<nancumsum>},
      {"nancumprod", "x axis dtype", cumulative<nancumprod>},
      {"count_nonzero", "x axis", [](OpCall& c) { return one(count_nonzero(c.value("x"), c.integers("axis"))); }},
      {"average", "x axis weights",
       [](OpCall& c) { return one(average(c.value("x"), c.maybe_integer("axis"), c.maybe_value("weights"))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_structure(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"hstack", "xs", [](OpCall& c) { return one(hstack(c.values("xs"))); }},
      {"vstack", "xs", [](OpCall& c) { return one(vstack(c.values("xs"))); }},
      {"dstack", "xs", [](OpCall& c) { return one(dstack(c.values("xs"))); }},
      {"array_split", "x indices_or_sections axis",
       [](OpCall& c) { return array_split(c.value("x"), c.integer("indices_or_sections"), c.integer("axis", 0)); }},
      {"append", "x1 x2 axis", [](OpCall& c) { return one(append(c.value("x1"), c.value("x2"), c.maybe_integer("axis"))); }},
      {"rot90", "array k axes", rot90},
      {"diff", "a n axis", [](OpCall& c) { return one(diff(c.value("a"), c.integer("n", 1), c.integer("axis", -1))); }},
      {"trapezoid", "y x dx axis",
       [](OpCall& c) { return one(trapezoid(c.value("y"), c.maybe_value("x"), c.number("dx", 1), c.integer("axis", -1))); }},
      {"meshgrid", "*x indexing", [](OpCall& c) { return meshgrid(c.values("x"), c.text("indexing", "xy") == "ij"); }},
      {"zeros_like", "x dtype", [](OpCall& c) { return one(ops::zeros(c.value("x").shape(), c.dtype("dtype", c.value("x").dtype()))); }},
      {"ones_like", "x dtype", [](OpCall& c) { return one(ops::ones(c.value("x").shape(), c.dtype("dtype", c.value("x").dtype()))); }},
      {"full_like", "x fill_value dtype",
       [](OpCall& c) {
         return one(ops::broadcast_to(ops::cast(c.value("fill_value"), c.dtype("dtype", c.value("x").dtype())), c.value("x").shape()));
       }},
      {"identity", "n dtype", [](OpCall& c) { return one(ops::identity(c.integer("n"), dtype_from_name(c.text("dtype", "float32")))); }},
      {"dot", "x1 x2", binary<dot>},
      {"inner", "x1 x2", binary<inner>},
      {"outer", "x1 x2", binary<outer>},
      {"vdot", "x1 x2", binary<vdot>},
      {"tensordot", "x1 x2 axes", tensordot},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_numpy_ops(std::vector<OpBinding>& list) {
  add_elementwise(list);
  add_statistics(list);
  add_structure(list);
}

}  // namespace glia::keras_ops
