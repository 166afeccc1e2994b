// Bindings of the functions that change shape, move, gather or order elements, and of constants.
#include <glia/ops.h>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

int64_t only(const std::vector<int64_t>& list, std::string_view name) {
  GLIA_CHECK(list.size() == 1, "the argument '{}' must name one axis. Received {}.", name, list.size());
  return list[0];
}
Values one(Value v) { return {std::move(v)}; }

Values expand_dims(OpCall& c) {
  return one(ops::expand_dims(c.value("x"), c.integers("axis")));
}
Values split(OpCall& c) {
  const int64_t axis = c.integer("axis", 0);
  const json& where = *c.find("indices_or_sections");
  if (where.is_number_integer()) return ops::split(c.value("x"), where.get<int64_t>(), axis);
  return ops::split(c.value("x"), c.integers("indices_or_sections"), axis);
}
Values pad(OpCall& c) {
  Value x = c.value("x");
  const json& width = *c.find("pad_width");
  std::vector<std::pair<int64_t, int64_t>> widths;
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.rank()); ++i) {
    const json& w = width.is_array() && width[0].is_array() ? width[width.size() == 1 ? 0 : i] : width;
    if (w.is_number_integer()) widths.emplace_back(w.get<int64_t>(), w.get<int64_t>());
    else widths.emplace_back(w.at(0).get<int64_t>(), w.at(w.size() - 1).get<int64_t>());
  }
  return one(ops::pad(x, widths, c.text("mode", "constant"), c.number("constant_values", 0)));
}
Values take(OpCall& c) {
  Value x = c.value("x");
  if (c.has("axis")) return one(ops::take(x, c.value("indices"), c.integer("axis")));
  return one(ops::take(ops::reshape(x, {-1}), c.value("indices"), 0));
}
Values take_along_axis(OpCall& c) {
  if (c.has("axis")) return one(ops::take_along_axis(c.value("x"), c.value("indices"), c.integer("axis")));
  return one(ops::take_along_axis(ops::reshape(c.value("x"), {-1}), ops::reshape(c.value("indices"), {-1}), 0));
}
template <Value (*F)(const Value&, int64_t, bool)>
Values arg_extreme(OpCall& c) {
  const bool keepdims = c.flag("keepdims", false);
  if (c.has("axis")) return one(F(c.value("x"), c.integer("axis"), keepdims));
  Value y = F(ops::reshape(c.value("x"), {-1}), 0, false);
  return one(keepdims ? ops::reshape(y, Shape(static_cast<std::size_t>(c.value("x").rank()), 1)) : y);
}
// The last axis by default; None means flattened.
template <class F>
Values ordered(OpCall& c, F f) {
  Value x = c.value("x");
  if (x.dtype() == DType::bool_) x = ops::cast(x, DType::u8);
  Value y = c.is_null("axis") ? f(ops::reshape(x, {-1}), 0) : f(x, c.integer("axis", -1));
  return one(c.value("x").dtype() == DType::bool_ && y.dtype() == DType::u8 ? ops::cast(y, DType::bool_) : y);
}
template <Value (*F)(const Value&, int64_t, bool, bool)>
Values cumulative(OpCall& c) {
  Value x = c.value("x");
  if (c.has("dtype")) x = ops::cast(x, dtype_from_name(c.text("dtype")));
  if (c.has("axis")) return one(F(x, c.integer("axis"), false, false));
  return one(F(ops::reshape(x, {-1}), 0, false, false));
}
Values roll(OpCall& c) {
  const std::vector<int64_t> shifts = c.integers("shift"), axes = c.integers("axis");
  Value x = c.value("x");
  if (axes.empty()) return one(ops::reshape(ops::roll(ops::reshape(x, {-1}), only(shifts, "shift"), 0), x.shape()));
  for (std::size_t i = 0; i < axes.size(); ++i) x = ops::roll(x, shifts.size() == 1 ? shifts[0] : shifts.at(i), axes[i]);
  return one(x);
}
Values repeat(OpCall& c) {
  if (c.has("axis")) return one(ops::repeat(c.value("x"), c.integers("repeats"), c.integer("axis")));
  return one(ops::repeat(ops::reshape(c.value("x"), {-1}), c.integers("repeats"), 0));
}
DType dtype_or(const OpCall& c, DType fallback) { return c.dtype("dtype", fallback); }

Values linspace(OpCall& c) {
  const int64_t num = c.integer("num", 50);
  const bool endpoint = c.flag("endpoint", true);
  Value y = ops::linspace(c.value("start"), c.value("stop"), num, endpoint, c.integer("axis", 0));
  const DType t = dtype_or(c, y.dtype());
  Values out{ops::cast(is_float(t) ? y : ops::floor(y), t)};
  if (c.flag("retstep", false))
    out.push_back((ops::cast(c.value("stop"), y.dtype()) - ops::cast(c.value("start"), y.dtype())) / static_cast<double>(endpoint ? num - 1 : num));
  return out;
}
// One number, or an array that is broadcast.
Values full(OpCall& c) {
  const DType t = dtype_or(c, DType::f32);
  if (!c.find("fill_value")->is_object()) return one(ops::full(c.integers("shape"), c.number("fill_value"), t));
  return one(ops::broadcast_to(ops::cast(c.value("fill_value"), t), c.integers("shape")));
}
Values arange(OpCall& c) {
  bool whole = true;
  for (const char* name : {"start", "stop", "step"}) whole &= !c.has(name) || c.find(name)->is_number_integer();
  const DType dtype = dtype_or(c, whole ? DType::i32 : DType::f32);
  const double step = c.number("step", 1);
  if (!c.has("stop")) return one(ops::arange(0, c.number("start"), step, dtype));
  return one(ops::arange(c.number("start"), c.number("stop"), step, dtype));
}

void add_moves(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"reshape", "x newshape", [](OpCall& c) { return one(ops::reshape(c.value("x"), c.integers("newshape"))); }},
      {"broadcast_to", "x shape", [](OpCall& c) { return one(ops::broadcast_to(c.value("x"), c.integers("shape"))); }},
      {"expand_dims", "x axis", expand_dims},
      {"squeeze", "x axis", [](OpCall& c) { return one(ops::squeeze(c.value("x"), c.integers("axis"))); }},
      {"transpose", "x axes", [](OpCall& c) { return one(ops::transpose(c.value("x"), c.integers("axes"))); }},
      {"moveaxis", "x source destination",
       [](OpCall& c) { return one(ops::moveaxis(c.value("x"), c.integers("source"), c.integers("destination"))); }},
      {"swapaxes", "x axis1 axis2", [](OpCall& c) { return one(ops::swapaxes(c.value("x"), c.integer("axis1"), c.integer("axis2"))); }},
      {"concatenate", "xs axis", [](OpCall& c) { return one(ops::concatenate(c.values("xs"), c.integer("axis", 0))); }},
      {"stack", "x axis", [](OpCall& c) { return one(ops::stack(c.values("x"), c.integer("axis", 0))); }},
      {"unstack", "x num axis", [](OpCall& c) { return c.maybe_integer("num"), ops::unstack(c.value("x"), c.integer("axis", 0)); }},
      {"split", "x indices_or_sections axis", split},
      {"slice", "inputs start_indices shape",
       [](OpCall& c) { return one(ops::slice(c.value("inputs"), c.integers("start_indices"), c.integers("shape"))); }},
      {"pad", "x pad_width mode constant_values", pad},
      {"flip", "x axis", [](OpCall& c) { return one(ops::flip(c.value("x"), c.integers("axis"))); }},
      {"roll", "x shift axis", roll},
      {"tile", "x repeats", [](OpCall& c) { return one(ops::tile(c.value("x"), c.integers("repeats"))); }},
      {"repeat", "x repeats axis", repeat},
      {"tril", "x k", [](OpCall& c) { return one(ops::tril(c.value("x"), c.integer("k", 0))); }},
      {"triu", "x k", [](OpCall& c) { return one(ops::triu(c.value("x"), c.integer("k", 0))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_gathers(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"take", "x indices axis", take},
      {"take_along_axis", "x indices axis", take_along_axis},
      {"scatter", "indices values shape",
       [](OpCall& c) { return one(ops::scatter(c.value("indices"), c.value("values"), c.integers("shape"))); }},
      {"one_hot", "x num_classes axis dtype sparse",
       [](OpCall& c) {
         return one(ops::one_hot(c.value("x"), c.integer("num_classes"), c.integer("axis", -1), dtype_or(c, DType::f32)));
       }},
      {"argmax", "x axis keepdims", arg_extreme<ops::argmax>},
      {"argmin", "x axis keepdims", arg_extreme<ops::argmin>},
      {"sort", "x axis", [](OpCall& c) { return ordered(c, [](const Value& x, int64_t axis) { return ops::sort(x, axis); }); }},
      {"argsort", "x axis", [](OpCall& c) { return ordered(c, [](const Value& x, int64_t axis) { return ops::argsort(x, axis); }); }},
      {"top_k", "x k sorted", [](OpCall& c) { return c.flag("sorted", true), ops::top_k(c.value("x"), c.integer("k")); }},
      {"cumsum", "x axis dtype", cumulative<ops::cumsum>},
      {"cumprod", "x axis dtype", cumulative<ops::cumprod>},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_constants(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"empty", "shape dtype", [](OpCall& c) { return one(ops::empty(c.integers("shape"), dtype_or(c, DType::f32))); }},
      {"zeros", "shape dtype", [](OpCall& c) { return one(ops::zeros(c.integers("shape"), dtype_or(c, DType::f32))); }},
      {"ones", "shape dtype", [](OpCall& c) { return one(ops::ones(c.integers("shape"), dtype_or(c, DType::f32))); }},
      {"full", "shape fill_value dtype", full},
      {"arange", "start stop step dtype", arange},
      {"linspace", "start stop num endpoint retstep dtype axis", linspace},
      {"eye", "N M k dtype",
       [](OpCall& c) { return one(ops::eye(c.integer("N"), c.integer("M", -1), c.integer("k", 0), dtype_or(c, DType::f32))); }},
      {"tri", "N M k dtype",
       [](OpCall& c) { return one(ops::tri(c.integer("N"), c.integer("M", -1), c.integer("k", 0), dtype_or(c, DType::f32))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_shape_ops(std::vector<OpBinding>& list) {
  add_moves(list);
  add_gathers(list);
  add_constants(list);
}

}  // namespace glia::keras_ops
