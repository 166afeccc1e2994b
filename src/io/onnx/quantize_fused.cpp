// Operators of the domain com.microsoft that ONNX Runtime's quantizer writes: each is an operator of ONNX between dequantised inputs
// and a quantised result, and is read as that.
#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// A scale or zero point for an array of `rank` axes: one number, or one for each index of `axis`.
Value spread(const Value& v, int64_t axis, int rank) {
  if (v.type().elements() == 1) return ops::reshape(v, {});
  if (v.rank() != 1) return v;
  Shape s(static_cast<size_t>(rank), 1);
  s[static_cast<size_t>(axis)] = v.dim(0);
  return ops::reshape(v, s);
}
// Inputs at, at + 1 and at + 2: integers, scale, zero point (which may be left out).
Value real(const Node& n, size_t at, int64_t axis = 0) {
  const Value x = n.in(at), scale = widened(spread(n.in(at + 1), axis, x.rank()));
  Value v = ops::cast(x, scale.dtype());
  if (n.has(at + 2)) v = v - ops::cast(spread(n.in(at + 2), axis, x.rank()), scale.dtype());
  return v * scale;
}
// Inputs at and at + 1: the result's scale and zero point; its dtype is the zero point's.
Operand quantized(const Node& n, const Value& y, size_t at, DType otherwise) {
  const DType to = n.has(at + 1) ? n.operand(at + 1).dtype() : otherwise;
  n.check(to == DType::u8 || to == DType::i8 || to == DType::u16 || to == DType::i16, fmt::format("values are not quantised to {}.", dtype_name(to)));
  Value q = ops::round(y / ops::cast(ops::reshape(n.in(at), {}), y.dtype()));
  if (n.has(at + 1)) q = q + ops::cast(ops::reshape(n.in(at + 1), {}), q.dtype());
  const bool sign = to == DType::i8 || to == DType::i16, byte = to == DType::u8 || to == DType::i8;
  const double span = byte ? 256 : 65536, low = sign ? -span / 2 : 0;
  return ops::cast(ops::clip(q, low, low + span - 1), to);
}
// What the operator `name` of ONNX makes of `inputs` with this node's attributes.
Operands as(const Node& n, const char* name, Operands inputs, int64_t opset = 13) {
  const Operator* op = find_operator("", name);
  Node inner(n.interpreter(), n.def(), std::move(inputs), opset);
  return op->import(inner);
}

template <class F>
Operands binary(Node& n, F f) {
  return {quantized(n, f(real(n, 0), real(n, 3)), 6, n.operand(0).dtype())};
}
Operands import_add(Node& n) {
  return binary(n, [](const Value& a, const Value& b) { return a + b; });
}
Operands import_mul(Node& n) {
  return binary(n, [](const Value& a, const Value& b) { return a * b; });
}
template <const char* const* Name>
Operands one_input(Node& n) {
  return {quantized(n, as(n, *Name, {real(n, 0)})[0].logical(), 3, n.operand(0).dtype())};
}
constexpr const char *kSigmoid = "Sigmoid", *kLeakyRelu = "LeakyRelu", *kSoftmax = "Softmax", *kAveragePool = "AveragePool",
                     *kGlobalAveragePool = "GlobalAveragePool";

// The pools have an order of the axes of their own.
template <const char* const* Name>
Operands pool(Node& n) {
  const bool last = n.i("channels_last", 0) != 0;
  const Value x = real(n, 0);
  const Operand y = as(n, *Name, {last ? Operand::from_channels_last(x) : Operand(x)})[0];
  return {quantized(n, last ? y.channels_last() : y.logical(), 3, n.operand(0).dtype())};
}
Operands import_softmax(Node& n) {
  return {quantized(n, as(n, kSoftmax, {real(n, 0)}, n.i("opset", 13))[0].logical(), 3, n.operand(0).dtype())};
}
Operands import_concat(Node& n) {
  n.check(n.count() >= 5 && (n.count() - 2) % 3 == 0, fmt::format("{} inputs.", n.count()));
  Values parts;
  for (size_t i = 2; i < n.count(); i += 3) parts.push_back(real(n, i));
  return {quantized(n, ops::concatenate(parts, n.axis(n.i("axis"), parts[0].rank())), 0, n.operand(2).dtype())};
}
Operands import_where(Node& n) {
  return {quantized(n, ops::where(ops::cast(n.in(0), DType::bool_), real(n, 1), real(n, 4)), 7, n.operand(1).dtype())};
}
// A, its scale and zero point, B, its own, C (int32, of the product's scale), scale and zero point of the result.
Operands import_gemm(Node& n) {
  const bool ta = n.i("transA", 0) != 0, tb = n.i("transB", 0) != 0;
  Value y = ops::matmul(real(n, 0), real(n, 3, tb ? 0 : 1), ta, tb) * n.f("alpha", 1);
  if (n.has(6)) {
    const Value scale = ops::reshape(n.in(1), {}) * spread(n.in(4), 1, 2) * n.f("alpha", 1);
    y = y + ops::cast(n.in(6), scale.dtype()) * scale;
  }
  if (!n.has(7)) return {y};
  return {quantized(n, y, 7, n.operand(0).dtype())};
}
// A, B, their scales, their zero points, a bias.
Operands import_matmul_to_float(Node& n) {
  const auto centred = [&](size_t at, size_t zero, int64_t axis) {
    const Value x = ops::cast(n.in(at), DType::f32);
    return n.has(zero) ? x - ops::cast(spread(n.in(zero), axis, x.rank()), DType::f32) : x;
  };
  const int64_t rank = n.operand(1).rank();
  Value y = ops::matmul(centred(0, 4, 0), centred(1, 5, rank - 1));
  y = y * ops::reshape(n.in(2), {}) * spread(n.in(3), y.rank() - 1, y.rank());
  return {n.has(6) ? y + n.in(6) : y};
}
// As ONNX Runtime does, the numbers of A are quantised to 8 bits by their range first.
Operands import_dynamic_matmul(Node& n) {
  const Operands a = find_operator("", "DynamicQuantizeLinear")->import(n);
  Operands in{a[0], n.operand(1), a[1], n.operand(2), a[2]};
  if (n.count() > 3) in.push_back(n.has(3) ? n.operand(3) : Operand());
  if (n.count() > 4) in.resize(6), in.push_back(n.has(4) ? n.operand(4) : Operand());
  Node inner(n.interpreter(), n.def(), std::move(in), n.opset());
  return import_matmul_to_float(inner);
}
// An LSTM whose weights (directions, inputs, 4 units) are integers; computed with the numbers that they stand for.
Operands import_dynamic_lstm(Node& n) {
  const auto weights = [&](size_t at, size_t scale) {
    const auto fit = [&](const Value& v) {
      return v.rank() == 2 ? ops::expand_dims(v, 1) : v.rank() == 1 && v.dim(0) > 1 ? ops::reshape(v, {v.dim(0), 1, 1}) : ops::reshape(v, {});
    };
    Value w = ops::cast(n.in(at), DType::f32);
    n.check(w.rank() == 3, fmt::format("weights of shape {}.", to_string(w.shape())));
    if (n.has(scale + 1)) w = w - ops::cast(fit(n.in(scale + 1)), DType::f32);
    return ops::transpose(w * fit(n.in(scale)), {0, 2, 1});
  };
  Operands in;
  for (size_t i = 0; i < 8; ++i) in.push_back(n.has(i) ? n.operands()[i] : Operand());
  in[1] = weights(1, 8), in[2] = weights(2, 10);
  return as(n, "LSTM", std::move(in), 14);
}
template <const char* const* Name>
Operands same(Node& n) {
  return as(n, *Name, n.operands(), 21);
}
constexpr const char *kQuantize = "QuantizeLinear", *kDequantize = "DequantizeLinear";

}  // namespace

OperatorList quantize_fused_operators() {
  const auto ms = [](const char* name, ImportFn f) { return Operator{.name = name, .since = 1, .import = f, .domain = "com.microsoft"}; };
  return {ms("DequantizeLinear", same<&kDequantize>),
          ms("DynamicQuantizeLSTM", import_dynamic_lstm),
          ms("DynamicQuantizeMatMul", import_dynamic_matmul),
          ms("MatMulIntegerToFloat", import_matmul_to_float),
          ms("QGemm", import_gemm),
          ms("QLinearAdd", import_add),
          ms("QLinearAveragePool", pool<&kAveragePool>),
          ms("QLinearConcat", import_concat),
          ms("QLinearGlobalAveragePool", pool<&kGlobalAveragePool>),
          ms("QLinearLeakyRelu", one_input<&kLeakyRelu>),
          ms("QLinearMul", import_mul),
          ms("QLinearSigmoid", one_input<&kSigmoid>),
          ms("QLinearSoftmax", import_softmax),
          ms("QLinearWhere", import_where),
          ms("QuantizeLinear", same<&kQuantize>)};
}

}  // namespace glia::onnx
