// Reading and writing by index, one-hot, and operators whose result's shape depends on values: those need known
// arrays.
#include <cmath>
#include <numeric>
#include <set>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

Operands import_gather(Node& n) {
  const Operand& x = n.operand(0);
  const int64_t axis = n.axis(n.i("axis", 0), x.rank());
  const Value at = n.in(1);
  if (at.rank() == 0 && at.is_concrete()) {  // one index: a slice
    const int64_t k = n.axis(static_cast<int64_t>(at.tensor().item(0)), x.shape()[static_cast<size_t>(axis)]);
    return {ops::squeeze(ops::slice_axis(x.logical(), axis, k, k + 1), {axis})};
  }
  return {ops::take(x.logical(), at, axis)};
}
Operands import_gather_elements(Node& n) {
  const Value x = n.in(0);
  const int64_t axis = n.axis(n.i("axis", 0), x.rank());
  Value y = x;  // the indices may be shorter along the other axes
  for (int64_t a = 0; a < x.rank(); ++a)
    if (a != axis && n.operand(1).shape()[static_cast<size_t>(a)] < x.dim(static_cast<int>(a)))
      y = ops::slice_axis(y, a, 0, n.operand(1).shape()[static_cast<size_t>(a)]);
  return {ops::take_along_axis(y, n.in(1), axis)};
}

// Flat row numbers of index tuples (..., k) into the first axes `extents` of an array.
Value flat_rows(const Value& at, const Shape& extents) {
  const int64_t k = static_cast<int64_t>(extents.size());
  Value flat;
  for (int64_t i = 0; i < k; ++i) {
    Value column = ops::cast(ops::squeeze(ops::slice_axis(at, -1, i, i + 1), {-1}), DType::i64);
    const Value extent = scalar(static_cast<double>(extents[static_cast<size_t>(i)]), DType::i64);
    column = ops::where(ops::less(column, scalar(0, DType::i64)), column + extent, column);
    flat = flat.defined() ? flat * extent + column : column;
  }
  return flat;
}
Operands import_gather_nd(Node& n) {
  const Value x = n.in(0);
  Value at = n.in(1);
  const int64_t b = n.i("batch_dims", 0), k = at.rank() ? at.dim(-1) : 0;
  n.check(b >= 0 && b < std::min(x.rank(), at.rank()) + (b == 0) && k >= 1 && b + k <= x.rank(),
          "batch_dims or the indices do not fit.");
  const Shape s = x.shape(), as = at.shape();
  int64_t batch = 1;
  for (int64_t i = 0; i < b; ++i) batch *= s[static_cast<size_t>(i)];
  const Shape extents(s.begin() + b, s.begin() + b + k);
  Value flat = flat_rows(at, extents);
  const int64_t rows = num_elements(extents);
  if (b) {
    Shape lead(flat.shape());
    const int64_t per = num_elements(lead) / std::max<int64_t>(batch, 1);
    Value offset = ops::reshape(
        ops::arange(0, static_cast<double>(batch), 1, DType::i64) * scalar(static_cast<double>(rows), DType::i64),
        {batch, 1});
    flat = ops::reshape(ops::reshape(flat, {batch, per}) + offset, lead);
  }
  Shape merged{batch * rows};
  merged.insert(merged.end(), s.begin() + b + k, s.end());
  return {ops::take(ops::reshape(x, merged), flat, 0)};
}

enum class Reduction { none, add, mul, max, min };
Reduction reduction_of(const Node& n) {
  const std::string r = n.s("reduction", "none");
  n.check(r == "none" || r == "add" || r == "mul" || r == "max" || r == "min",
          fmt::format("unknown reduction '{}'.", r));
  return r == "none"  ? Reduction::none
         : r == "add" ? Reduction::add
         : r == "mul" ? Reduction::mul
         : r == "max" ? Reduction::max
                      : Reduction::min;
}

// x (rows, width) with `updates` (count, width) written or combined at rows `at` (count).
Value scatter_rows(const Node& n, const Value& x, const Value& at, const Value& updates, Reduction how) {
  const int64_t rows = x.dim(0);
  if (how == Reduction::add) return ops::scatter_add(x, at, updates);
  const Value ones = ops::ones({at.dim(0), 1}, DType::f32);
  const auto put = [&](const Value& base, const Value& where_at, const Value& what, const Value& one) {
    const Value hit = ops::segment_sum(one, where_at, rows) > 0.0;  // (rows, 1)
    const Value fresh =
        ops::cast(ops::segment_sum(is_float(what.dtype()) || what.dtype() == DType::i64 || what.dtype() == DType::i32
                                       ? what
                                       : ops::cast(what, DType::i32),
                                   where_at, rows),
                  what.dtype());
    if (how == Reduction::none) return ops::where(hit, fresh, base);
    if (how == Reduction::mul) return ops::where(hit, base * fresh, base);
    return ops::where(hit, how == Reduction::max ? ops::maximum(base, fresh) : ops::minimum(base, fresh), base);
  };
  if (!at.is_concrete()) {
    n.check(how == Reduction::none, "the place of the results depends on data; this reduction needs known indices.");
    // ONNX leaves the result of repeated indices open; runtimes keep the last.
    if (at.dim(0) == 0) return x;
    const Value last = ops::segment_max(ops::arange(0, static_cast<double>(at.dim(0)), 1, DType::i32), at, rows);
    const Value hit = ops::reshape(last >= ops::scalar_like(last, 0), {rows, 1});
    return ops::where(hit, ops::take(updates, ops::maximum(last, ops::scalar_like(last, 0)), 0), x);
  }
  // Known indices: rounds in which no row occurs twice.
  std::vector<std::vector<int64_t>> rounds;
  std::vector<int64_t> seen(static_cast<size_t>(rows), 0);
  const Tensor t = ops::cast(at, DType::i64).tensor();
  for (int64_t i = 0; i < t.size(); ++i) {
    const int64_t row = n.axis(t.data<int64_t>()[i], rows);
    const size_t round = static_cast<size_t>(seen[static_cast<size_t>(row)]++);
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(i);
  }
  Value y = x;
  for (const auto& r : rounds) {
    const Value pick = int64_tensor(r);
    y = put(y, ops::take(at, pick, 0), ops::take(updates, pick, 0), ops::take(ones, pick, 0));
  }
  return y;
}

Operands import_scatter_elements(Node& n) {
  const Value x = n.in(0), updates = n.in(2);
  Value at = ops::cast(n.in(1), DType::i64);
  const int64_t axis = n.axis(n.i("axis", 0), x.rank());
  n.check(at.shape() == updates.shape() && at.rank() == x.rank(),
          "indices and updates must have the same shape, of the data's rank.");
  const Shape s = x.shape(), as = at.shape();
  const int64_t extent = s[static_cast<size_t>(axis)];
  at = ops::where(ops::less(at, scalar(0, DType::i64)), at + scalar(static_cast<double>(extent), DType::i64), at);
  Value flat;
  for (int64_t a = 0; a < x.rank(); ++a) {
    Value place = at;
    if (a != axis) {
      Shape one(as.size(), 1);
      one[static_cast<size_t>(a)] = as[static_cast<size_t>(a)];
      place = ops::reshape(ops::arange(0, static_cast<double>(as[static_cast<size_t>(a)]), 1, DType::i64), one);
    }
    flat = flat.defined() ? flat * scalar(static_cast<double>(s[static_cast<size_t>(a)]), DType::i64) + place : place;
  }
  flat = ops::reshape(ops::broadcast_to(flat, as), {num_elements(as)});
  const Value y = scatter_rows(n, ops::reshape(x, {num_elements(s), 1}), flat,
                               ops::reshape(updates, {num_elements(as), 1}), reduction_of(n));
  return {ops::reshape(y, s)};
}
Operands import_scatter_nd(Node& n) {
  const Value x = n.in(0), at = n.in(1), updates = n.in(2);
  const Shape s = x.shape();
  const int64_t k = at.rank() ? at.dim(-1) : 0;
  n.check(k >= 1 && k <= x.rank(), "the indices do not fit.");
  const Shape extents(s.begin(), s.begin() + k), rest(s.begin() + k, s.end());
  const Value flat = flat_rows(at, extents);
  const int64_t count = num_elements(flat.shape()), width = num_elements(rest);
  const Value y = scatter_rows(n, ops::reshape(x, {num_elements(extents), width}), ops::reshape(flat, {count}),
                               ops::reshape(updates, {count, width}), reduction_of(n));
  return {ops::reshape(y, s)};
}

Operands import_one_hot(Node& n) {
  const Value at = n.in(0), values = n.in(2);
  const int64_t depth = static_cast<int64_t>(n.known_number(1, "the depth")), rank = at.rank() + 1;
  n.check(depth >= 0 && depth < (int64_t{1} << 31) && values.type().elements() == 2, "bad depth or values.");
  const int64_t axis = n.axis(n.i("axis", -1), rank);
  Shape out = at.shape();
  out.push_back(depth);
  check_extents(n, out, at.is_concrete());
  const Value index =
      ops::mod(ops::cast(at, DType::i64), scalar(static_cast<double>(std::max<int64_t>(depth, 1)), DType::i64));
  const Value inside = ops::logical_and(
      ops::less(ops::cast(at, DType::i64), scalar(static_cast<double>(depth), DType::i64)),
      ops::greater_equal(ops::cast(at, DType::i64), scalar(static_cast<double>(-depth), DType::i64)));
  Shape along(static_cast<size_t>(rank), 1);
  along[static_cast<size_t>(axis)] = depth;
  const Value classes = ops::reshape(ops::arange(0, static_cast<double>(depth), 1, DType::i64), along);
  const Value hit =
      ops::logical_and(ops::equal(ops::expand_dims(index, axis), classes), ops::expand_dims(inside, axis));
  const Value two = ops::reshape(values, {2});
  return {ops::where(hit, ops::slice_axis(two, 0, 1, 2), ops::slice_axis(two, 0, 0, 1))};
}

// present = past with `update` written from write_indices on along `axis`, per row of the batch.
Operands import_tensor_scatter(Node& n) {
  const Value past = n.in(0), update = n.in(1);
  const int64_t axis = n.axis(n.i("axis", -2), past.rank()), length = past.dim(static_cast<int>(axis)),
                count = update.dim(static_cast<int>(axis));
  n.check(axis > 0, "axis 0 is the batch.");
  const bool circular = n.s("mode", "linear") == "circular";
  const auto along = [&](const Value& v, int64_t a) {
    Shape s(static_cast<size_t>(past.rank()), 1);
    s[static_cast<size_t>(a)] = v.dim(0);
    return ops::reshape(v, s);
  };
  const auto num = [](int64_t v) { return scalar(static_cast<double>(v), DType::i64); };
  const Value t = along(ops::arange(0, static_cast<double>(length), 1, DType::i64), axis);
  const Value start = n.has(2) ? along(ops::cast(n.in(2), DType::i64), 0) : num(0);
  Value from = t - start;  // the step of `update` that belongs at t
  if (circular) from = ops::mod(from, num(length));
  const Value hit = ops::logical_and(ops::greater_equal(from, num(0)), ops::less(from, num(count)));
  Shape as = past.shape();
  const Value at = ops::broadcast_to(ops::minimum(ops::maximum(from, num(0)), num(count - 1)), as);
  return {ops::where(hit, ops::take_along_axis(update, at, axis), past)};
}

// ---- shapes that depend on values: the values must be known
// -----------------------------------------------------------------

Operands import_non_zero(Node& n) {
  const Tensor t = n.known(0, "the shape of its result");
  const Shape s = t.shape();
  const size_t rank = std::max<size_t>(s.size(), 1);
  std::vector<Ints> at(rank);
  for (int64_t i = 0; i < t.size(); ++i) {
    if (t.item(i) == 0) continue;
    int64_t rest = i;
    for (size_t d = s.size(); d-- > 0; rest /= s[d]) at[d].push_back(rest % s[d]);
    if (s.empty()) at[0].push_back(0);
  }
  Ints all;
  for (auto& a : at) all.insert(all.end(), a.begin(), a.end());
  return {ops::reshape(int64_tensor(all), {static_cast<int64_t>(rank), static_cast<int64_t>(at[0].size())})};
}
Operands import_compress(Node& n) {
  const Tensor keep = n.known(1, "the condition");
  Value x = n.in(0);
  if (!n.has_attr("axis")) x = ops::reshape(x, {-1});
  const int64_t axis = n.has_attr("axis") ? n.axis(n.i("axis"), x.rank()) : 0;
  Ints at;
  for (int64_t i = 0; i < std::min(keep.size(), x.dim(static_cast<int>(axis))); ++i)
    if (keep.item(i) != 0) at.push_back(i);
  return {ops::take(x, int64_tensor(at), axis)};
}
Operands import_unique(Node& n) {
  Tensor x = n.known(0, "the shape of its result");
  Operands out;
  const bool flat = !n.has_attr("axis");
  if (flat) x = x.reshape({-1});
  const int64_t axis = flat ? 0 : n.axis(n.i("axis"), x.rank()), count = x.dim(static_cast<int>(axis));
  const Value rows = ops::moveaxis(Value(x), axis, 0);
  const Tensor r = ops::reshape(rows, {count, -1}).tensor();
  const int64_t width = r.dim(1);
  const auto less = [&](int64_t a, int64_t b) {
    for (int64_t k = 0; k < width; ++k) {
      const double u = r.item(a * width + k), v = r.item(b * width + k);
      if (u != v) return u < v;
    }
    return false;
  };
  Ints first, inverse_of(static_cast<size_t>(count)), times;
  Ints order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), less);
  std::vector<Ints> groups;
  for (int64_t i : order) {
    if (groups.empty() || less(groups.back()[0], i)) groups.emplace_back();
    groups.back().push_back(i);
  }
  if (!n.i("sorted", 1))
    std::sort(groups.begin(), groups.end(), [](const Ints& a, const Ints& b) { return a[0] < b[0]; });
  for (size_t g = 0; g < groups.size(); ++g) {
    first.push_back(groups[g][0]);
    times.push_back(static_cast<int64_t>(groups[g].size()));
    for (int64_t i : groups[g]) inverse_of[static_cast<size_t>(i)] = static_cast<int64_t>(g);
  }
  return {ops::take(Value(x), int64_tensor(first), axis), int64_tensor(first), int64_tensor(inverse_of),
          int64_tensor(times)};
}

}  // namespace

OperatorList gather_operators() {
  return {{"Compress", 9, import_compress, {1}},
          {"Gather", 1, import_gather},
          {"GatherElements", 11, import_gather_elements},
          {"GatherND", 11, import_gather_nd},
          {"NonZero", 9, import_non_zero, {0}},
          {"OneHot", 9, import_one_hot, {1}},
          {"Scatter", 9, import_scatter_elements},
          {"ScatterElements", 11, import_scatter_elements},
          {"ScatterND", 11, import_scatter_nd},
          {"TensorScatter", 24, import_tensor_scatter},
          {"Unique", 11, import_unique, {0}}};
}

}  // namespace glia::onnx
