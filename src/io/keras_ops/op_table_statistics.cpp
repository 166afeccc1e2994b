// Bindings of order statistics, counting and correlation.
#include <glia/ops.h>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"
#include "ops/quantile.h"

namespace glia::keras_ops {
namespace {

Values one(Value v) { return {std::move(v)}; }

template <bool skip_nan, bool percent>
Values quantile(OpCall& c) {
  Value q = ops::cast(c.value("q"), DType::f32);
  if (percent) q = q / 100.0;
  return one(ops::quantile_at(c.value("x"), q, c.integers("axis"), {.method = c.text("method", "linear"), .keepdims = c.flag("keepdims", false)}, skip_nan));
}
template <Value (*F)(const Value&, std::vector<int64_t>, bool)>
Values median(OpCall& c) {
  return one(c.reduced(F));
}
template <Value (*F)(const Value&, std::optional<int64_t>, bool)>
Values nanarg(OpCall& c) {
  return one(F(c.value("x"), c.maybe_integer("axis"), c.flag("keepdims", false)));
}
Values histogram(OpCall& c) {
  std::optional<std::pair<double, double>> range;
  if (const json* r = c.find("range")) range = {to_number(r->at(0)), to_number(r->at(1))};
  return ops::histogram(c.value("x"), c.integer("bins", 10), range);
}
Value vector_of(OpCall& c, std::string_view name) {  // an array, or a list of numbers
  const json* list = c.find(name);
  if (!list || !list->is_array()) return c.value(name);
  std::vector<double> v;
  for (const json& item : *list) v.push_back(to_number(item));
  return Value(Tensor::from_vector<double>({static_cast<int64_t>(v.size())}, v).astype(DType::f32));
}
Values unique(OpCall& c) {
  ops::UniqueOptions o{.sorted = c.flag("sorted", true),
                       .return_index = c.flag("return_index", false),
                       .return_inverse = c.flag("return_inverse", false),
                       .return_counts = c.flag("return_counts", false),
                       .axis = c.maybe_integer("axis"),
                       .size = c.maybe_integer("size"),
                       .fill_value = c.number("fill_value", 0)};
  return ops::unique(c.value("x"), o);
}

}  // namespace

void add_statistics_ops(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"quantile", "x q axis method keepdims", quantile<false, false>},
      {"nanquantile", "x q axis method keepdims", quantile<true, false>},
      {"percentile", "x q axis method keepdims", quantile<false, true>},
      {"nanpercentile", "x q axis method keepdims", quantile<true, true>},
      {"median", "x axis keepdims", median<ops::median>},
      {"nanmedian", "x axis keepdims", median<ops::nanmedian>},
      {"nanargmax", "x axis keepdims", nanarg<ops::nanargmax>},
      {"nanargmin", "x axis keepdims", nanarg<ops::nanargmin>},
      {"corrcoef", "x", [](OpCall& c) { return one(ops::corrcoef(c.value("x"))); }},
      {"correlate", "x1 x2 mode", [](OpCall& c) { return one(ops::correlate(c.value("x1"), c.value("x2"), c.text("mode", "valid"))); }},
      {"cdist", "x y", [](OpCall& c) { return one(ops::cdist(c.value("x"), c.value("y"))); }},
      {"searchsorted", "sorted_sequence values side",
       [](OpCall& c) { return one(ops::searchsorted(c.value("sorted_sequence"), c.value("values"), c.text("side", "left"))); }},
      {"digitize", "x bins", [](OpCall& c) { return one(ops::digitize(c.value("x"), vector_of(c, "bins"))); }},
      {"histogram", "x bins range", histogram},
      {"bincount", "x weights minlength sparse",
       [](OpCall& c) {
         GLIA_CHECK(!c.flag("sparse", false), "bincount: sparse results do not exist.");
         return one(ops::bincount_of(c.value("x"), c.maybe_value("weights"), c.integer("minlength", 0)));
       },
       true},
      {"isin", "x1 x2 assume_unique invert",
       [](OpCall& c) { return c.flag("assume_unique", false), one(ops::isin(c.value("x1"), c.value("x2"), c.flag("invert", false))); }},
      {"in_top_k", "targets predictions k", [](OpCall& c) { return one(ops::in_top_k(c.value("targets"), c.value("predictions"), c.integer("k"))); }},
      {"argpartition", "x kth axis",
       [](OpCall& c) {
         if (c.has("axis") || !c.find("axis")) return one(ops::argpartition(c.value("x"), c.integer("kth"), c.integer("axis", -1)));
         return one(ops::argpartition(ops::ravel(c.value("x")), c.integer("kth"), 0));
       }},
      {"nonzero", "x", [](OpCall& c) { return ops::nonzero(c.value("x")); }, true},
      {"unique", "x sorted return_index return_inverse return_counts axis size fill_value", unique, true},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::keras_ops
