// Add, Sub, Mul, ..., comparisons, logic, bits, Min, Max, Sum, Mean, Where, Clip and the plain functions of one
// number.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// Before opset 7 the second operand was aligned at `axis` instead of at the end.
Operand aligned(Node& n) {
  const Operand& b = n.operand(1);
  if (n.opset() >= 7 || !n.i("broadcast", 0) || !n.has_attr("axis")) return b;
  Shape s = b.shape();
  const int64_t axis = n.axis(n.i("axis"), n.operand(0).rank());
  n.check(axis + static_cast<int64_t>(s.size()) <= n.operand(0).rank(), "the second operand does not fit at 'axis'.");
  while (axis + static_cast<int64_t>(s.size()) < n.operand(0).rank()) s.push_back(1);
  return Operand(ops::reshape(b.logical(), s));
}
template <Value (*F)(const Value&, const Value&)>
Operands binary(Node& n) {
  return {pointwise({n.operand(0), aligned(n)}, [](const Values& v) { return F(v[0], v[1]); })};
}
// Any number of operands.
template <Value (*F)(const Value&, const Value&)>
Operands variadic(Node& n) {
  Operands in;
  for (size_t i = 0; i < n.count(); ++i) in.push_back(n.operand(i));
  n.check(!in.empty(), "no inputs.");
  return {pointwise(in, [](const Values& v) {
    Value r = v[0];
    for (size_t i = 1; i < v.size(); ++i) r = F(r, v[i]);
    return r;
  })};
}
Operands import_mean(Node& n) {
  Operand sum = variadic<ops::add>(n)[0];
  const double share = 1.0 / static_cast<double>(n.count());
  return {pointwise({sum}, [&](const Values& v) { return v[0] * share; })};
}

Value divide(const Value& a, const Value& b) {
  if (is_float(a.dtype())) return ops::divide(a, b);
  return ops::floor_divide(a - ops::fmod(a, b), b);  // integers: towards zero
}
Value power(const Value& a, const Value& b) { return ops::cast(ops::power(a, b), a.dtype()); }
Value logical_equal(const Value& a, const Value& b) { return ops::equal(a, b); }

Operands import_mod(Node& n) {
  const bool c = n.i("fmod", 0) != 0;
  return {pointwise({n.operand(0), n.operand(1)},
                    [&](const Values& v) { return c ? ops::fmod(v[0], v[1]) : ops::mod(v[0], v[1]); })};
}
Operands import_bit_shift(Node& n) {
  const std::string direction = n.s("direction", "");
  n.check(direction == "LEFT" || direction == "RIGHT", "the attribute 'direction' must be LEFT or RIGHT.");
  return {pointwise({n.operand(0), n.operand(1)}, [&](const Values& v) {
    return direction == "LEFT" ? ops::left_shift(v[0], v[1]) : ops::right_shift(v[0], v[1]);
  })};
}
Operands import_where(Node& n) {
  return {pointwise({n.operand(0), n.operand(1), n.operand(2)},
                    [](const Values& v) { return ops::where(v[0], v[1], v[2]); })};
}
Operands import_clip(Node& n) {
  Operands in{n.operand(0)};
  const DType t = in[0].dtype();
  const auto bound = [&](size_t i, const char* name) -> Value {
    if (n.has(i)) return n.in(i);
    return n.has_attr(name) ? scalar(n.f(name, 0), t) : Value();
  };
  const Value low = bound(1, "min"), high = bound(2, "max");
  return {pointwise(in, [&](const Values& v) {
    Value x = v[0];
    if (low.defined()) x = ops::maximum(x, ops::cast(low, t));
    if (high.defined()) x = ops::minimum(x, ops::cast(high, t));
    return x;
  })};
}
Operands import_is_inf(Node& n) {
  const bool negative = n.i("detect_negative", 1) != 0, positive = n.i("detect_positive", 1) != 0;
  return elementwise(n, [&](const Value& x) {
    if (negative && positive) return ops::isinf(x);
    if (!negative && !positive) return ops::logical_and(ops::isinf(x), ops::logical_not(ops::isinf(x)));
    return ops::logical_and(ops::isinf(x), positive ? x > 0.0 : x < 0.0);
  });
}

}  // namespace

OperatorList arithmetic_operators() {
  return {{"Abs", 1, unary<ops::abs>},
          {"Acos", 7, unary<ops::arccos>},
          {"Acosh", 9, unary<ops::arccosh>},
          {"Add", 1, binary<ops::add>},
          {"And", 1, binary<ops::logical_and>},
          {"Asin", 7, unary<ops::arcsin>},
          {"Asinh", 9, unary<ops::arcsinh>},
          {"Atan", 7, unary<ops::arctan>},
          {"Atanh", 9, unary<ops::arctanh>},
          {"BitShift", 11, import_bit_shift},
          {"BitwiseAnd", 18, binary<ops::bitwise_and>},
          {"BitwiseNot", 18, unary<ops::bitwise_not>},
          {"BitwiseOr", 18, binary<ops::bitwise_or>},
          {"BitwiseXor", 18, binary<ops::bitwise_xor>},
          {"Ceil", 1, unary<ops::ceil>},
          {"Clip", 1, import_clip, {1, 2}},
          {"Cos", 7, unary<ops::cos>},
          {"Cosh", 9, unary<ops::cosh>},
          {"Div", 1, binary<divide>},
          {"Equal", 1, binary<logical_equal>},
          {"Erf", 9, unary<ops::erf>},
          {"Exp", 1, unary<ops::exp>},
          {"Floor", 1, unary<ops::floor>},
          {"Greater", 1, binary<ops::greater>},
          {"GreaterOrEqual", 12, binary<ops::greater_equal>},
          {"IsInf", 10, import_is_inf},
          {"IsNaN", 9, unary<ops::isnan>},
          {"Less", 1, binary<ops::less>},
          {"LessOrEqual", 12, binary<ops::less_equal>},
          {"Log", 1, unary<ops::log>},
          {"Max", 1, variadic<ops::maximum>},
          {"Mean", 1, import_mean},
          {"Min", 1, variadic<ops::minimum>},
          {"Mod", 10, import_mod},
          {"Mul", 1, binary<ops::multiply>},
          {"Neg", 1, unary<ops::negative>},
          {"Not", 1, unary<ops::logical_not>},
          {"Or", 1, binary<ops::logical_or>},
          {"Pow", 1, binary<power>},
          {"Reciprocal", 1, unary<ops::reciprocal>},
          {"Round", 11, unary<ops::round>},
          {"Sign", 9, unary<ops::sign>},
          {"Sin", 7, unary<ops::sin>},
          {"Sinh", 9, unary<ops::sinh>},
          {"Sqrt", 1, unary<ops::sqrt>},
          {"Sub", 1, binary<ops::subtract>},
          {"Sum", 1, variadic<ops::add>},
          {"Tan", 7, unary<ops::tan>},
          {"Where", 9, import_where},
          {"Xor", 1, binary<ops::logical_xor>}};
}

}  // namespace glia::onnx
