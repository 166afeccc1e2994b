// Control flow: run at once on concrete values, unrolled or selected while tracing.
#include <glia/ops/control.h>

#include <algorithm>

#include <glia/function.h>

#include "ops/compose.h"

namespace glia::ops {
namespace {

Values selected(const Value& pred, const Values& a, const Values& b, const char* op) {
  GLIA_CHECK(a.size() == b.size(), "{}: the branches give {} and {} values.", op, a.size(), b.size());
  Values out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(where(pred, a[i], b[i]));
  return out;
}
Values entries(const Values& xs, int64_t i) {
  Values out;
  for (const Value& x : xs) out.push_back(squeeze(slice_axis(x, 0, i, i + 1), {0}));
  return out;
}
Values stacked(const std::vector<Values>& rows) {
  Values out;
  for (std::size_t k = 0; !rows.empty() && k < rows[0].size(); ++k) {
    Values column;
    for (const Values& r : rows) column.push_back(r.at(k));
    out.push_back(stack(column, 0));
  }
  return out;
}
int64_t length_of(const Values& xs, std::optional<int64_t> length, const char* op) {
  for (const Value& x : xs) {
    GLIA_CHECK(x.rank() >= 1 && (!length || *length == x.dim(0)), "{}: expected {} entries along axis 0. Received shape {}.", op, length.value_or(0),
               to_string(x.shape()));
    length = x.dim(0);
  }
  GLIA_CHECK(length.has_value(), "{}: give arrays or a length.", op);
  return *length;
}

}  // namespace

Values cond(const Value& pred, const std::function<Values()>& true_fn, const std::function<Values()>& false_fn) {
  GLIA_CHECK(pred.rank() == 0, "cond: the condition must be a scalar. Received {}.", to_string(pred.type()));
  if (pred.is_concrete()) return pred.tensor().item() != 0 ? true_fn() : false_fn();
  return selected(pred, true_fn(), false_fn(), "cond");
}

Values switch_(const Value& index, const std::vector<std::function<Values(const Values&)>>& branches, const Values& operands) {
  GLIA_CHECK(!branches.empty() && index.rank() == 0, "switch_: expected a scalar index and at least one branch.");
  const auto last = static_cast<int64_t>(branches.size()) - 1;
  if (index.is_concrete())
    return branches[static_cast<std::size_t>(std::clamp<int64_t>(static_cast<int64_t>(index.tensor().item()), 0, last))](operands);
  Values y = branches.back()(operands);
  for (int64_t i = last; i-- > 0;) y = selected(index <= static_cast<double>(i), branches[static_cast<std::size_t>(i)](operands), y, "switch_");
  return y;
}

Values while_loop(const std::function<Value(const Values&)>& cond, const std::function<Values(const Values&)>& body, Values vars,
                  std::optional<int64_t> maximum) {
  Value active;  // symbolic: whether the loop still runs
  for (int64_t i = 0; !maximum || i < *maximum; ++i) {
    Value go = cond(vars);
    GLIA_CHECK(go.rank() == 0, "while_loop: the condition must be a scalar. Received {}.", to_string(go.type()));
    if (go.is_concrete() && !active.defined()) {
      if (go.tensor().item() == 0) break;
      vars = body(vars);
    } else {
      GLIA_CHECK(maximum.has_value(), "while_loop: the condition is symbolic, so the number of rounds is not known while tracing. Give maximum_iterations.");
      active = active.defined() ? logical_and(active, go) : go;
      vars = selected(active, body(vars), vars, "while_loop");
    }
  }
  return vars;
}

Values fori_loop(int64_t lower, int64_t upper, const std::function<Values(int64_t, const Values&)>& body, Values init) {
  for (int64_t i = lower; i < upper; ++i) init = body(i, init);
  return init;
}

ScanStep scan(const std::function<ScanStep(const Values&, const Values&)>& f, Values init, const Values& xs, std::optional<int64_t> length, bool reverse) {
  const int64_t n = length_of(xs, length, "scan");
  std::vector<Values> rows(static_cast<std::size_t>(n));
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = reverse ? n - 1 - step : step;
    ScanStep r = f(init, entries(xs, i));
    init = std::move(r.carry);
    rows[static_cast<std::size_t>(i)] = std::move(r.outputs);
  }
  return {init, stacked(rows)};
}

Values associative_scan(const std::function<Values(const Values&, const Values&)>& f, Values e, bool reverse, int64_t axis) {
  GLIA_CHECK(!e.empty(), "associative_scan: give at least one array.");
  const int64_t at = front_axis(axis, e[0].rank(), "associative_scan"), n = e[0].dim(static_cast<int>(at));
  if (reverse)
    for (Value& v : e) v = flip(v, {at});
  for (int64_t k = 1; k < n; k *= 2) {  // Hillis and Steele 1986
    Values left, right;
    for (const Value& v : e) left.push_back(slice_axis(v, at, 0, n - k)), right.push_back(slice_axis(v, at, k));
    Values joined = f(left, right);
    for (std::size_t i = 0; i < e.size(); ++i) e[i] = concatenate({slice_axis(e[i], at, 0, k), joined.at(i)}, at);
  }
  if (reverse)
    for (Value& v : e) v = flip(v, {at});
  return e;
}

Values map(const std::function<Values(const Values&)>& f, const Values& xs) {
  std::vector<Values> rows;
  for (int64_t i = 0, n = length_of(xs, {}, "map"); i < n; ++i) rows.push_back(f(entries(xs, i)));
  return stacked(rows);
}
Values vectorized_map(const std::function<Values(const Values&)>& f, const Values& xs) { return map(f, xs); }

std::pair<Values, Values> jvp(const std::function<Values(const Values&)>& f, const Values& primals, const Values& tangents) {
  GLIA_CHECK(primals.size() == tangents.size() && !primals.empty(), "jvp: {} primals but {} tangents.", primals.size(), tangents.size());
  std::size_t outputs = 0;
  Function both = compile_function([&](const Values& in) {
    const Values x(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(primals.size())), t(in.begin() + static_cast<std::ptrdiff_t>(primals.size()), in.end());
    Values y = f(x), seeds;
    outputs = y.size();
    // The gradient is linear in its seeds; its derivative for them, along t, is the forward derivative.
    for (const Value& v : y) seeds.push_back(stop_gradient(v) * 0.0);
    const Values g = gradients(y, x, seeds);
    Values parts;
    for (std::size_t i = 0; i < g.size(); ++i)
      if (g[i].defined()) parts.push_back(sum(g[i] * t[i]));
    Value total = parts.at(0);
    for (std::size_t i = 1; i < parts.size(); ++i) total = total + parts[i];
    for (const Value& v : gradients({total}, seeds)) y.push_back(v);
    return y;
  });
  Values in = primals;
  in.insert(in.end(), tangents.begin(), tangents.end());
  const Values all = both(in);
  const auto cut = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  return {Values(all.begin(), cut), Values(cut, all.end())};
}

}  // namespace glia::ops
