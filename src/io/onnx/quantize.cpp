// Integers with a scale: QuantizeLinear, DequantizeLinear and the integer products, computed exactly in float64.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// Scale or zero point shaped for x: one number, one per index of `axis`, or one per block along it.
Value spread(const Node& n, const Value& v, const Value& x) {
  if (v.type().elements() == 1 && v.rank() <= 1) return ops::reshape(v, {});
  const int64_t axis = n.axis(n.i("axis", 1), x.rank()), block = n.i("block_size", 0);
  if (v.rank() == 1) {
    Shape s(static_cast<size_t>(x.rank()), 1);
    s[static_cast<size_t>(axis)] = v.dim(0);
    return ops::reshape(v, s);
  }
  n.check(block > 0 && v.rank() == x.rank(), "scales per block need block_size.");
  return ops::slice_axis(ops::repeat(v, block, axis), axis, 0, x.dim(static_cast<int>(axis)));
}

std::pair<double, double> range_of(const Node& n, DType t) {
  if (t == DType::u8) return {0, 255};
  if (t == DType::i8) return {-128, 127};
  if (t == DType::u16) return {0, 65535};
  if (t == DType::i16) return {-32768, 32767};
  if (t == DType::i4) return {-8, 7};
  if (t == DType::u4) return {0, 15};
  if (t == DType::i2) return {-2, 1};
  if (t == DType::u2) return {0, 3};
  n.fail(fmt::format("values are not quantised to {}.", dtype_name(t)));
}
bool small_float(DType t) { return t >= DType::f8e4m3fn && t <= DType::f4e2m1fn && t != DType::f8e8m0fnu; }
Value quantized(const Node& n, const Value& x, const Value& scale, const Value& zero, DType to) {
  if (small_float(to)) {
    Value q = x / scale;
    if (zero.defined()) q = q + ops::cast(zero, q.dtype());
    return n.i("saturate", 1) ? cast_within(q, to) : ops::cast(q, to);
  }
  const auto [low, high] = range_of(n, to);
  Value q = ops::round(x / scale);
  if (zero.defined()) q = q + ops::cast(zero, q.dtype());
  return ops::cast(ops::clip(q, low, high), to);
}
Operands import_quantize(Node& n) {
  const Value x0 = n.in(0), x = is_float(x0.dtype()) ? widened(x0) : ops::cast(x0, DType::f32);
  const Value scale = spread(n, ops::cast(n.in(1), x.dtype()), x), zero = n.has(2) ? spread(n, n.in(2), x) : Value();
  return {quantized(n, x, scale, zero, n.has(2) ? n.operand(2).dtype() : n.dtype_attr("output_dtype", DType::u8))};
}
Operands import_dequantize(Node& n) {
  const Value x = n.in(0);
  const DType t = n.dtype_attr("output_dtype", n.operand(1).dtype());
  const Value scale = widened(spread(n, n.in(1), x));
  const DType wide = small_float(x.dtype()) ? DType::f32 : DType::i32;
  Value v = ops::cast(x, wide);
  if (n.has(2)) v = v - ops::cast(spread(n, n.in(2), x), wide);
  return {ops::cast(ops::cast(v, scale.dtype()) * scale, t)};
}
Operands import_dynamic_quantize(Node& n) {
  const Value x = n.in(0);
  const Value zero = scalar(0, DType::f32), low = ops::minimum(ops::min(x), zero),
              high = ops::maximum(ops::max(x), zero);
  const Value scale = (high - low) / 255.0;
  const Value point = ops::cast(ops::clip(ops::round(ops::negative(low) / scale), 0, 255), DType::u8);
  return {quantized(n, x, scale, point, DType::u8), scale, point};
}

// x - zero point in float64, where products of 8-bit integers are exact.
Value centred(const Value& x, const Value& zero) {
  const Value v = ops::cast(x, DType::f64);
  return zero.defined() ? v - ops::cast(zero, DType::f64) : v;
}
Value along(const Value& v, int64_t axis, int rank) {
  if (v.type().elements() == 1) return ops::reshape(v, {});
  if (v.rank() != 1) return v;
  Shape s(static_cast<size_t>(rank), 1);
  s[static_cast<size_t>(axis)] = v.dim(0);
  return ops::reshape(v, s);
}
Operands import_matmul_integer(Node& n) {
  const Value a = n.in(0), b = n.in(1);
  const Value y = ops::matmul(centred(a, n.has(2) ? along(n.in(2), a.rank() - 2, a.rank()) : Value()),
                              centred(b, n.has(3) ? along(n.in(3), b.rank() - 1, b.rank()) : Value()));
  return {ops::cast(y, DType::i32)};
}
Operands import_qlinear_matmul(Node& n) {
  const Value a = n.in(0), b = n.in(3);
  const Value y = ops::matmul(centred(a, along(n.in(2), a.rank() - 2, a.rank())),
                              centred(b, along(n.in(5), b.rank() - 1, b.rank())));
  const auto wide = [&](size_t i, int64_t axis, int rank) {
    return along(ops::cast(n.in(i), DType::f64), axis, rank);
  };
  const Value scale = wide(6, 0, 0) / (wide(1, a.rank() - 2, a.rank()) * wide(4, b.rank() - 1, b.rank()));
  return {quantized(n, y, scale, n.in(7), n.operand(7).dtype())};
}

Value integer_conv(const Node& n, const Value& x, const Value& w) {
  const size_t k = static_cast<size_t>(x.rank()) - 2;
  n.check(x.rank() >= 3 && x.rank() <= 5 && w.rank() == x.rank(), "expected 1 to 3 spatial axes.");
  const Shape xs = x.shape(), ws = w.shape();
  const Ints strides = n.ints("strides", Ints(k, 1)), dilations = n.ints("dilations", Ints(k, 1));
  n.check(strides.size() == k && dilations.size() == k && x.dim(1) == w.dim(1) * n.i("group", 1),
          "the input, the kernel and the attributes do not fit.");
  const ops::Pads pads =
      conv_pads(n, Shape(xs.begin() + 2, xs.end()), Ints(ws.begin() + 2, ws.end()), strides, dilations);
  Ints kernel;
  for (size_t i = 0; i < k; ++i) kernel.push_back(static_cast<int64_t>(i) + 2);
  kernel.insert(kernel.end(), {1, 0});
  const Value y = ops::conv(ops::transpose(x, channels_last_axes(x.rank())), ops::transpose(w, kernel),
                            {.strides = strides, .dilation_rate = dilations, .pads = pads});
  return ops::transpose(y, inverse(channels_last_axes(x.rank())));
}
Operands import_conv_integer(Node& n) {
  const Value x = n.in(0), w = n.in(1);
  const Value y = integer_conv(n, centred(x, n.has(2) ? ops::reshape(n.in(2), {}) : Value()),
                               centred(w, n.has(3) ? along(n.in(3), 0, w.rank()) : Value()));
  return {ops::cast(y, DType::i32)};
}
Operands import_qlinear_conv(Node& n) {
  const Value x = n.in(0), w = n.in(3);
  Value y = integer_conv(n, centred(x, ops::reshape(n.in(2), {})), centred(w, along(n.in(5), 0, w.rank())));
  if (n.has(8)) y = y + along(ops::cast(n.in(8), DType::f64), 1, y.rank());
  const Value scale =
      along(ops::cast(n.in(6), DType::f64), 1, y.rank()) /
      (ops::cast(ops::reshape(n.in(1), {}), DType::f64) * along(ops::cast(n.in(4), DType::f64), 1, y.rank()));
  return {quantized(n, y, scale, ops::reshape(n.in(7), {}), n.operand(7).dtype())};
}

}  // namespace

OperatorList quantize_operators() {
  return {{"ConvInteger", 10, import_conv_integer},
          {"DequantizeLinear", 10, import_dequantize},
          {"DynamicQuantizeLinear", 11, import_dynamic_quantize},
          {"MatMulInteger", 10, import_matmul_integer},
          {"QLinearConv", 10, import_qlinear_conv},
          {"QLinearMatMul", 10, import_qlinear_matmul},
          {"QuantizeLinear", 10, import_quantize}};
}

}  // namespace glia::onnx
