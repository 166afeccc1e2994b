// Bindings of diagonals, updates of parts, segments, indexing, patterns, windows and spaced numbers.
#include <glia/ops.h>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"
#include "ops/segment.h"

namespace glia::keras_ops {
namespace {

Values one(Value v) { return {std::move(v)}; }

template <Values (*Equal)(const Value&, int64_t), Values (*At)(const Value&, std::vector<int64_t>)>
Values cut(OpCall& c) {
  if (c.find("indices_or_sections")->is_number_integer()) return Equal(c.value("x"), c.integer("indices_or_sections"));
  return At(c.value("x"), c.integers("indices_or_sections"));
}

// How many segments there are when the line does not say: by the last id, the largest, or the number of different ones.
struct Segments {
  int64_t count;
  bool sorted;
};
Segments segments(OpCall& c, bool distinct) {
  const bool sorted = c.flag("sorted", false);
  if (c.has("num_segments")) return {c.integer("num_segments"), sorted};
  const Tensor ids = c.tensor("segment_ids");
  int64_t top = -1;
  for (int64_t i = 0; i < ids.size(); ++i) top = std::max(top, static_cast<int64_t>(ids.item(i)));
  if (distinct && !sorted) return {ops::unique(Value(ids))[0].dim(0), false};
  return {top + 1, sorted};
}
Values segment_sum(OpCall& c) {
  const Segments s = segments(c, true);
  return one(ops::unsorted_segment_sum(c.value("data"), c.value("segment_ids"), s.count));
}
Values segment_prod(OpCall& c) {
  const Segments s = segments(c, false);
  return one(ops::segment_prod(c.value("data"), c.value("segment_ids"), s.count));
}
template <Value (*F)(const Value&, const Value&, int64_t, bool)>
Values segment_extreme(OpCall& c) {
  const Segments s = segments(c, false);
  return one(F(c.value("data"), c.value("segment_ids"), s.count, s.sorted));
}

std::optional<int64_t> maybe(const json& j) { return j.is_number_integer() ? std::optional(j.get<int64_t>()) : std::nullopt; }
ops::Index index_of(const json& j) {
  if (j.is_number_integer()) return ops::Index::at(j.get<int64_t>());
  if (j.is_null()) return ops::Index::new_axis();
  if (j.is_string()) return ops::Index::ellipsis();  // "..."
  const json& s = j.contains("slice") ? j["slice"] : j.contains("config") ? j["config"] : j;
  if (s.is_array()) return ops::Index::range(maybe(s.at(0)), maybe(s.at(1)), s.size() > 2 ? maybe(s[2]).value_or(1) : 1);
  auto field = [&](const char* name) { return s.contains(name) ? maybe(s[name]) : std::nullopt; };
  return ops::Index::range(field("start"), field("stop"), field("step").value_or(1));
}
Values get_item(OpCall& c) {
  const json* key = c.find("key");
  std::vector<ops::Index> list;
  if (!key) list = {ops::Index::new_axis()};
  else if (key->is_array())
    for (const json& item : *key) list.push_back(index_of(item));
  else list = {index_of(*key)};
  return one(ops::get_item(c.value("x"), list));
}

Values rearrange(OpCall& c) {
  std::map<std::string, int64_t> sizes;
  for (const std::string& name : c.names())
    if (name != "tensor" && name != "pattern") sizes[name] = c.integer(name);
  return one(ops::rearrange(c.value("tensor"), c.text("pattern"), sizes));
}
Values select(OpCall& c) {
  Values choices = c.values("choicelist");
  Value otherwise = c.has("default") ? ops::cast(c.value("default"), choices.at(0).dtype()) : ops::scalar_like(choices.at(0), 0);
  return one(ops::select(c.values("condlist"), choices, otherwise));
}
Values cross(OpCall& c) {
  return one(ops::cross(c.value("x1"), c.value("x2"), c.integer("axisa", -1), c.integer("axisb", -1), c.integer("axisc", -1), c.maybe_integer("axis")));
}

// The numbers that Keras gives for shape questions are Python integers: int32 scalars here.
Value whole(int64_t n) { return Value(Tensor::scalar(static_cast<double>(n), DType::i32)); }

void add_parts(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"hsplit", "x indices_or_sections", cut<ops::hsplit, ops::hsplit>},
      {"vsplit", "x indices_or_sections", cut<ops::vsplit, ops::vsplit>},
      {"dsplit", "x indices_or_sections", cut<ops::dsplit, ops::dsplit>},
      {"get_item", "x key", get_item},
      {"slice_update", "inputs start_indices updates",
       [](OpCall& c) { return one(ops::slice_update(c.value("inputs"), c.integers("start_indices"), c.value("updates"))); }},
      {"scatter_update", "inputs indices updates reduction",
       [](OpCall& c) { return one(ops::scatter_update(c.value("inputs"), c.value("indices"), c.value("updates"), c.text("reduction"))); }},
      {"select", "condlist choicelist default", select},
      {"segment_sum", "data segment_ids num_segments sorted", segment_sum},
      {"segment_prod", "data segment_ids num_segments sorted", segment_prod},
      {"segment_max", "data segment_ids num_segments sorted", segment_extreme<ops::segment_max>},
      {"segment_min", "data segment_ids num_segments sorted", segment_extreme<ops::segment_min>},
      {"diag", "x k", [](OpCall& c) { return one(ops::diag(c.value("x"), c.integer("k", 0))); }},
      {"diagflat", "x k", [](OpCall& c) { return one(ops::diagflat(c.value("x"), c.integer("k", 0))); }},
      {"diagonal", "x offset axis1 axis2",
       [](OpCall& c) { return one(ops::diagonal(c.value("x"), c.integer("offset", 0), c.integer("axis1", 0), c.integer("axis2", 1))); }},
      {"trace", "x offset axis1 axis2",
       [](OpCall& c) { return one(ops::trace(c.value("x"), c.integer("offset", 0), c.integer("axis1", 0), c.integer("axis2", 1))); }},
      {"rearrange", "tensor pattern", rearrange},
      {"extract_sequences", "x sequence_length sequence_stride",
       [](OpCall& c) { return one(ops::extract_sequences(c.value("x"), c.integer("sequence_length"), c.integer("sequence_stride"))); }},
      {"unravel_index", "indices shape", [](OpCall& c) { return ops::unravel_index(c.value("indices"), c.integers("shape")); }},
      {"shape", "x",
       [](OpCall& c) {
         Values out;
         for (int64_t n : c.value("x").shape()) out.push_back(whole(n));
         return out;
       }},
      {"size", "x", [](OpCall& c) { return one(whole(c.value("x").type().elements())); }},
      {"ndim", "x", [](OpCall& c) { return one(whole(c.value("x").rank())); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

void add_numbers(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"kron", "x1 x2", [](OpCall& c) { return one(ops::kron(c.value("x1"), c.value("x2"))); }},
      {"cross", "x1 x2 axisa axisb axisc axis", cross},
      {"vander", "x N increasing", [](OpCall& c) { return one(ops::vander(c.value("x"), c.maybe_integer("N"), c.flag("increasing", false))); }},
      {"gcd", "x1 x2", [](OpCall& c) { auto [a, b] = c.pair("x1", "x2"); return one(ops::gcd(a, b)); }},
      {"lcm", "x1 x2", [](OpCall& c) { auto [a, b] = c.pair("x1", "x2"); return one(ops::lcm(a, b)); }},
      {"i0", "x", [](OpCall& c) { return one(ops::i0(c.value("x"))); }},
      {"nextafter", "x1 x2", [](OpCall& c) { auto [a, b] = c.pair("x1", "x2"); return one(ops::nextafter(a, b)); }},
      {"round", "x decimals", [](OpCall& c) { return one(ops::round(c.value("x"), c.integer("decimals", 0))); }},
      {"saturate_cast", "x dtype", [](OpCall& c) { return one(ops::saturate_cast(c.value("x"), dtype_from_name(c.text("dtype")))); }},
      {"view", "x dtype",
       [](OpCall& c) { return one(ops::view(c.value("x"), c.has("dtype") ? dtype_from_name(c.text("dtype")) : c.value("x").dtype())); }, true},
      {"empty_like", "x dtype", [](OpCall& c) { return one(ops::zeros(c.value("x").shape(), c.dtype("dtype", c.value("x").dtype()))); }},
      {"logspace", "start stop num endpoint base dtype axis",
       [](OpCall& c) {
         Value y = ops::logspace(c.value("start"), c.value("stop"), c.integer("num", 50), c.flag("endpoint", true), c.number("base", 10), c.integer("axis", 0));
         return one(ops::cast(y, c.dtype("dtype", y.dtype())));
       }},
      {"geomspace", "start stop num endpoint dtype axis",
       [](OpCall& c) {
         Value y = ops::geomspace(c.value("start"), c.value("stop"), c.integer("num", 50), c.flag("endpoint", true), c.integer("axis", 0));
         return one(ops::cast(y, c.dtype("dtype", y.dtype())));
       }},
      {"bartlett", "x", [](OpCall& c) { return one(ops::bartlett(c.integer("x"))); }},
      {"blackman", "x", [](OpCall& c) { return one(ops::blackman(c.integer("x"))); }},
      {"hamming", "x", [](OpCall& c) { return one(ops::hamming(c.integer("x"))); }},
      {"hanning", "x", [](OpCall& c) { return one(ops::hanning(c.integer("x"))); }},
      {"kaiser", "x beta", [](OpCall& c) { return one(ops::kaiser(c.integer("x"), c.number("beta"))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_array_ops(std::vector<OpBinding>& list) {
  add_parts(list);
  add_numbers(list);
}

}  // namespace glia::keras_ops
