// Reductions, arguments of extremes, sorting, running sums, and norms over axes.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// Logical axes; empty with `all` false: nothing is reduced.
struct Axes {
  Ints axes;
  bool nothing = false, keepdims = true;
};
Axes reduced_axes(Node& n, int newer_opset) {
  Axes r;
  r.keepdims = n.i("keepdims", 1) != 0;
  r.axes = n.opset() >= newer_opset ? (n.has(1) ? n.known_ints(1, "the axes") : Ints{}) : n.ints("axes");
  const int rank = n.operand(0).rank();
  for (int64_t& a : r.axes) a = n.axis(a, rank);
  r.nothing = r.axes.empty() && n.i("noop_with_empty_axes", 0) != 0;
  if (r.axes.empty() && !r.nothing)
    for (int64_t a = 0; a < rank; ++a) r.axes.push_back(a);
  return r;
}

// Reduces in the stored order; f(values, stored axes) keeps the dimensions.
template <class F>
Operands reduced(Node& n, int newer_opset, F f) {
  const Axes a = reduced_axes(n, newer_opset);
  const Operand& x = n.operand(0);
  const DType t = x.dtype();
  Ints stored;
  for (int64_t k : a.axes) stored.push_back(x.stored_axis(k));
  const bool none = a.nothing || x.rank() == 0;
  Value y = f(x.stored(), stored, none);
  y = ops::cast(y, t);
  if (none) return {Operand(y, x.axes())};
  const Operand kept(y, x.axes());
  if (a.keepdims) return {kept};
  return {ops::squeeze(kept.logical(), a.axes)};
}
using ReduceFn = Value (*)(const Value&, std::vector<int64_t>, bool);
template <ReduceFn F, int Newer>
Operands plain(Node& n) {
  return reduced(n, Newer, [](const Value& x, const Ints& axes, bool none) { return none ? x : F(x, axes, true); });
}
// Bools: max is any, min is all.
Value reduce_max(const Value& x, std::vector<int64_t> axes, bool keep) {
  return x.dtype() == DType::bool_ ? ops::any(x, axes, keep) : ops::max(x, axes, keep);
}
Value reduce_min(const Value& x, std::vector<int64_t> axes, bool keep) {
  return x.dtype() == DType::bool_ ? ops::all(x, axes, keep) : ops::min(x, axes, keep);
}
Value reduce_l1(const Value& x, std::vector<int64_t> axes, bool keep) { return ops::sum(ops::abs(x), axes, keep); }
Value reduce_l2(const Value& x0, std::vector<int64_t> axes, bool keep) {
  const Value x = is_float(x0.dtype()) ? widened(x0) : ops::cast(x0, DType::f64);
  return ops::sqrt(ops::sum(ops::square(x), axes, keep));
}
Value reduce_log_sum(const Value& x0, std::vector<int64_t> axes, bool keep) {
  return ops::log(ops::sum(is_float(x0.dtype()) ? x0 : ops::cast(x0, DType::f64), axes, keep));
}
Value reduce_log_sum_exp(const Value& x0, std::vector<int64_t> axes, bool keep) {
  const Value x = is_float(x0.dtype()) ? x0 : ops::cast(x0, DType::f64);
  for (int64_t a : axes)
    if (x.dim(static_cast<int>(a)) == 0) return ops::log(ops::sum(x, axes, keep));  // of nothing: -inf
  return ops::logsumexp(x, axes, keep);
}
Value reduce_sum_square(const Value& x, std::vector<int64_t> axes, bool keep) {
  return ops::sum(ops::square(x), axes, keep);
}
// These act on single elements too when no axis is reduced.
template <ReduceFn F, int Newer>
Operands acting(Node& n) {
  return reduced(n, Newer, [](const Value& x, const Ints& axes, bool none) {
    if (!none) return F(x, axes, true);
    Shape one = x.shape();
    one.push_back(1);
    return ops::reshape(F(ops::reshape(x, one), {static_cast<int64_t>(one.size()) - 1}, true), x.shape());
  });
}

template <bool Max>
Operands import_arg(Node& n) {
  const Operand& x = n.operand(0);
  const int64_t axis = n.axis(n.i("axis", 0), x.rank()), stored = x.stored_axis(axis),
                extent = x.shape()[static_cast<size_t>(axis)];
  const bool last = n.i("select_last_index", 0) != 0;
  const Value v = last ? ops::flip(x.stored(), {stored}) : x.stored();
  Value at = ops::cast(Max ? ops::argmax(v, stored, true) : ops::argmin(v, stored, true), DType::i64);
  if (last) at = scalar(static_cast<double>(extent - 1), DType::i64) - at;
  const Value y = Operand(at, x.axes()).logical();
  return {n.i("keepdims", 1) ? y : ops::squeeze(y, {axis})};
}

Operands import_top_k(Node& n) {
  const Value x0 = n.in(0);
  const int64_t k = n.opset() < 10 ? n.i("k") : static_cast<int64_t>(n.known_number(1, "k"));
  const int64_t axis = n.axis(n.i("axis", -1), x0.rank());
  n.check(k >= 0 && k <= x0.dim(static_cast<int>(axis)),
          fmt::format("k is {}; the axis has {}.", k, x0.dim(static_cast<int>(axis))));
  const bool largest = n.i("largest", 1) != 0;
  const Value x = ops::moveaxis(x0, axis, -1);
  const bool narrow = x.dtype() == DType::u8 || x.dtype() == DType::i8 || x.dtype() == DType::bool_;
  const Value key = narrow ? ops::cast(x, DType::i32) : x;
  const Value at = ops::top_k(largest                 ? key
                              : is_float(key.dtype()) ? ops::negative(key)
                                                      : ops::bitwise_not(key),
                              k)[1];
  const Value index = ops::cast(at, DType::i64);
  return {ops::moveaxis(ops::take_along_axis(x, index, -1), -1, axis), ops::moveaxis(index, -1, axis)};
}

template <bool Sum>
Operands import_cumulative(Node& n) {
  const Value x = n.in(0);
  const int64_t axis = n.axis(static_cast<int64_t>(n.known_number(1, "the axis")), x.rank());
  const bool exclusive = n.i("exclusive", 0) != 0, reverse = n.i("reverse", 0) != 0;
  return {Sum ? ops::cumsum(x, axis, exclusive, reverse) : ops::cumprod(x, axis, exclusive, reverse)};
}

Operands import_lp_normalization(Node& n) {
  const Operand& x = n.operand(0);
  const int64_t axis = x.stored_axis(n.axis(n.i("axis", -1), x.rank())), p = n.i("p", 2);
  n.check(p == 1 || p == 2, "p must be 1 or 2.");
  const Value& v = x.stored();
  const Value norm = p == 1 ? ops::sum(ops::abs(v), {axis}, true) : ops::sqrt(ops::sum(ops::square(v), {axis}, true));
  return {Operand(ops::where(ops::equal(norm, ops::scalar_like(norm, 0)), ops::scalar_like(norm, 0), v / norm),
                  x.axes())};
}
Operands import_mean_variance_normalization(Node& n) {
  const Operand& x = n.operand(0);
  Ints axes = n.ints("axes", {0, 2, 3});
  for (int64_t& a : axes) a = x.stored_axis(n.axis(a, x.rank()));
  const Values m = ops::moments(x.stored(), axes, true);
  return {Operand((x.stored() - m[0]) / (ops::sqrt(m[1]) + 1e-9), x.axes())};
}

}  // namespace

OperatorList reduce_operators() {
  return {{"ArgMax", 1, import_arg<true>},
          {"ArgMin", 1, import_arg<false>},
          {"CumProd", 26, import_cumulative<false>, {1}},
          {"CumSum", 11, import_cumulative<true>, {1}},
          {"LpNormalization", 1, import_lp_normalization},
          {"MeanVarianceNormalization", 9, import_mean_variance_normalization},
          {"ReduceL1", 1, acting<reduce_l1, 18>, {1}},
          {"ReduceL2", 1, acting<reduce_l2, 18>, {1}},
          {"ReduceLogSum", 1, acting<reduce_log_sum, 18>, {1}},
          {"ReduceLogSumExp", 1, acting<reduce_log_sum_exp, 18>, {1}},
          {"ReduceMax", 1, plain<reduce_max, 18>, {1}},
          {"ReduceMean", 1, plain<ops::mean, 18>, {1}},
          {"ReduceMin", 1, plain<reduce_min, 18>, {1}},
          {"ReduceProd", 1, plain<ops::prod, 18>, {1}},
          {"ReduceSum", 1, plain<ops::sum, 13>, {1}},
          {"ReduceSumSquare", 1, acting<reduce_sum_square, 18>, {1}},
          {"TopK", 1, import_top_k, {1}}};
}

}  // namespace glia::onnx
