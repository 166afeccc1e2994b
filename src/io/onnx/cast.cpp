// Cast, CastLike, BitCast, Identity, Dropout, Constant and what makes arrays of constants.
#include <cmath>
#include <cstring>

#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"
#include "io/onnx/interpreter.h"
#include "ir/eager_budget.h"
#include "ir/graph.h"
#include "nn/trace.h"
#include "tensor/convert.h"

namespace glia::onnx {
namespace {

// Powers of two: `round_mode` says where a number between two of them goes.
Value to_power_of_two(const Node& n, const Value& given) {
  const std::string mode = n.s("round_mode", "up");
  n.check(mode == "up" || mode == "down" || mode == "nearest", "the attribute 'round_mode' must be up, down or nearest.");
  Value x = ops::cast(given, DType::f32);
  if (n.i("saturate", 1)) x = ops::clip(x, 0x1p-127, 0x1p127);
  const Value near = ops::cast(ops::cast(x, DType::f8e8m0fnu), DType::f32);
  if (mode == "up") x = ops::where(ops::less(near, x), near * 2.0, near);
  if (mode == "down") x = ops::where(ops::greater(near, x), near * 0.5, near);
  return ops::cast(x, DType::f8e8m0fnu);
}
Operand cast_to(const Node& n, const Operand& operand, DType t) {
  const Value& x = operand.stored();
  if (t == DType::f8e8m0fnu && x.dtype() != t) return {to_power_of_two(n, x), operand.axes()};
  return {n.i("saturate", 1) ? cast_within(x, t) : ops::cast(x, t), operand.axes()};
}

Operands import_cast(Node& n) {
  if (const Attribute* a = n.attr("to"); a && a->kind == Attribute::text)
    n.fail("types named by strings (opset 5 and older) are not read.");
  return {cast_to(n, n.operand(0), n.dtype_of(n.i("to"), "the type to cast to"))};
}
Operands import_cast_like(Node& n) { return {cast_to(n, n.operand(0), n.operand(1).dtype())}; }
Operands import_bit_cast(Node& n) {
  const DType to = n.dtype_of(n.i("to"), "the type to cast to");
  n.check(dtype_size(to) == dtype_size(n.operand(0).dtype()), "the types differ in width.");
  return {Operand(ops::view(n.operand(0).stored(), to), n.operand(0).axes())};
}
Operands import_identity(Node& n) {
  if (n.count() == 1 && n.has(0)) return {n.operands()[0]};  // sequences, too
  return {n.operand(0)};
}

Operands import_dropout(Node& n) {
  const Operand& x = n.operand(0);
  const double rate = n.has(1) ? n.known_number(1, "the ratio") : n.f("ratio", 0.5);
  Operand y = x;
  if (n.training() && rate > 0 && Trace::current())
    y = {ops::dropout(x.stored(), rate, Trace::current()->seed(), Trace::current()->next_stream()), x.axes()};
  Operands out{y};
  if (n.wants(1)) out.push_back(ops::ones(x.shape(), n.opset() < 10 ? x.dtype() : DType::bool_));
  return out;
}

Operands import_constant(Node& n) {
  const auto one = [&](Tensor t) { return Operands{Value(std::move(t))}; };
  for (const char* name : {"value", "sparse_value"})
    if (const Attribute* a = n.attr(name)) {
      n.check(a->t.defined(), fmt::format("its value is {}, which Glia does not have.", type_name(a->tensor_type)));
      return one(a->t);
    }
  if (n.has_attr("value_float")) return one(Tensor::scalar(n.f("value_float", 0)));
  if (n.has_attr("value_int")) return one(Tensor::from_vector<int64_t>({}, {n.i("value_int")}));
  if (n.has_attr("value_ints")) return {int64_tensor(n.ints("value_ints"))};
  if (n.has_attr("value_floats")) {
    std::vector<double> v = n.floats("value_floats");
    return one(Tensor::from_vector<float>({static_cast<int64_t>(v.size())}, {v.begin(), v.end()}));
  }
  n.fail("strings are not supported.");
}

Operands import_constant_of_shape(Node& n) {
  const Shape s = n.known_ints(0, "the shape");
  Tensor value = Tensor::scalar(0);
  if (const Attribute* a = n.attr("value")) {
    n.check(a->t.defined() && a->t.size() == 1, "the attribute 'value' must be one number of a type that Glia has.");
    value = a->t;
  }
  value = value.reshape({});
  if (const Value v = to_be_grown(n, Value(value), s); !v.is_concrete()) return {ops::broadcast_to(v, s)};
  if (value.dtype() == DType::i64) {
    Tensor t(s, DType::i64);
    std::fill_n(t.data<int64_t>(), t.size(), value.data<int64_t>()[0]);
    return {Value(t)};
  }
  return {Value(Tensor::full(s, value.item(0), value.dtype()))};
}

Operands import_eye_like(Node& n) {
  const Shape s = n.operand(0).shape();
  n.check(s.size() == 2, "the input must be a matrix.");
  check_extents(n, s, true);
  return {ops::eye(s[0], s[1], n.i("k", 0), n.dtype_attr("dtype", n.operand(0).dtype()))};
}

Operands import_range(Node& n) {
  const Tensor a = n.known(0, "the start"), b = n.known(1, "the limit"), d = n.known(2, "the step");
  n.check(a.size() == 1 && b.size() == 1 && d.size() == 1 && d.item(0) != 0,
          "start, limit and step must be numbers, the step not 0.");
  if (a.dtype() == DType::i64 || a.dtype() == DType::i32) {
    const auto at = [](const Tensor& t) {
      return t.dtype() == DType::i64 ? t.data<int64_t>()[0] : static_cast<int64_t>(t.item(0));
    };
    const int64_t from = at(a), to = at(b), step = at(d);
    const __int128 span = static_cast<__int128>(to) - from;
    __int128 count = span / step + (span % step != 0 ? 1 : 0);
    if ((span > 0) != (step > 0)) count = 0;
    n.check(count <= (int64_t{1} << 28), "more than 2^28 elements.");
    std::vector<int64_t> v;
    for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) v.push_back(from + i * step);
    return {ops::cast(int64_tensor(v), a.dtype())};
  }
  const double count = std::max(0.0, std::ceil((b.item(0) - a.item(0)) / d.item(0)));
  n.check(count <= 268435456.0, "more than 2^28 elements.");
  Tensor t({static_cast<int64_t>(count)}, a.dtype());
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, a.item(0) + static_cast<double>(i) * d.item(0));
  return {Value(t)};
}

// A condition that is known when the step is compiled chooses a branch; both are never run.
Operands import_if(Node& n) {
  const Tensor c = n.known(0, "the condition of If");
  n.check(c.size() == 1, "the condition must be one bool.");
  const Attribute* a = n.attr(c.item(0) != 0 ? "then_branch" : "else_branch");
  n.check(a && a->body, "a branch is missing.");
  return n.interpreter().branch(*a->body, n.interpreter().scope());
}

}  // namespace

void check_extents(const Node& n, const Shape& s, bool known) {
  int64_t all = 1;
  for (int64_t d : s)
    if (d < 0 || __builtin_mul_overflow(all, std::max<int64_t>(d, 1), &all) ||
        all > (known ? int64_t{1} << 28 : int64_t{1} << 40))
      n.fail(fmt::format("a result of shape {} is too large.", to_string(s)));
  if (ir::EagerBudget* budget = ir::EagerBudget::current(); budget && known) budget->charge({TensorType{DType::f32, s}});
}

Value to_be_grown(const Node& n, const Value& x, const Shape& extents) {
  constexpr int64_t kLarge = 1 << 15;
  check_extents(n, extents, false);
  const bool lazy = x.is_concrete() && n.interpreter().graph && num_elements(extents) > kLarge;
  check_extents(n, extents, x.is_concrete() && !lazy);
  return lazy ? ir::add_constant(n.interpreter().graph, x.tensor()) : x;
}

Value cast_within(const Value& x, DType t) {
  const bool eight_bits = t >= DType::f8e4m3fn && t <= DType::f8e5m2fnuz;
  if (!eight_bits || x.dtype() == t) return ops::cast(x, t);
  const double most = narrow_largest(narrow_format(t));
  const Value wide = x.dtype() == DType::f64 ? x : ops::cast(x, DType::f32);
  return ops::cast(ops::clip(wide, -most, most), t);
}

OperatorList cast_operators() {
  return {{"BitCast", 26, import_bit_cast},
          {"Cast", 6, import_cast},
          {"CastLike", 15, import_cast_like},
          {"Constant", 1, import_constant},
          {"ConstantOfShape", 9, import_constant_of_shape, {0}},
          {"Dropout", 1, import_dropout, {1, 2}},
          {"EyeLike", 9, import_eye_like},
          {"Identity", 1, import_identity},
          {"If", 1, import_if, {0}},
          {"Range", 11, import_range, {0, 1, 2}}};
}

}  // namespace glia::onnx
