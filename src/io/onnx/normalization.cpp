// Normalisation layers.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// A value per channel, shaped to broadcast in the order in which x is stored.
Value per_channel(const Value& v, const Operand& x) {
  Shape s(static_cast<size_t>(x.rank()), 1);
  const int64_t at = x.stored_axis(1);
  s[static_cast<size_t>(at)] = -1;
  return at == x.rank() - 1 ? v : ops::reshape(v, s);
}

// In fine-tuning the statistics stay as they are, the usual way with small data.
Operands import_batch_norm(Node& n) {
  const Operand& x = n.operand(0);
  n.check(x.rank() >= 2 || x.rank() == 1, "expected (N, C, ...).");
  const double eps = n.f("epsilon", 1e-5), momentum = n.f("momentum", 0.9);
  if (n.opset() < 9 && !n.i("spatial", 1)) n.fail("spatial=0 is not supported.");
  const bool train =
      n.opset() >= 14 ? n.i("training_mode", 0) != 0 : n.opset() < 7 && !n.i("is_test", 0) && n.wants(1);
  const DType t = x.dtype();
  if (!train) {
    const Value y = ops::batch_normalization(x.stored(), n.in(3), n.in(4), x.rank() > 1 ? x.stored_axis(1) : 0,
                                             n.in(2), n.in(1), eps);
    return {Operand(ops::cast(y, t), x.axes())};
  }
  Ints axes;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != x.stored_axis(1)) axes.push_back(i);
  const Values m = ops::moments(x.stored(), axes, false);
  const Value y = ops::batch_normalization(x.stored(), m[0], m[1], x.stored_axis(1), n.in(2), n.in(1), eps);
  const auto running = [&](const Value& old, const Value& now) { return old * momentum + now * (1 - momentum); };
  return {Operand(ops::cast(y, t), x.axes()), running(n.in(3), m[0]), running(n.in(4), m[1]), m[0], m[1]};
}

Operands import_instance_norm(Node& n) {
  const Operand& x = n.operand(0);
  n.check(x.rank() >= 3, "expected (N, C, spatial axes).");
  Ints axes;
  for (int64_t i = 2; i < x.rank(); ++i) axes.push_back(x.stored_axis(i));
  const Value v = widened(x.stored());
  const Values m = ops::moments(v, axes, true);
  const Value y =
      (v - m[0]) * ops::rsqrt(m[1] + n.f("epsilon", 1e-5)) * per_channel(n.in(1), x) + per_channel(n.in(2), x);
  return {Operand(ops::cast(y, x.dtype()), x.axes())};
}

// Over the axes from `axis` on.
Operands import_layer_norm(Node& n) {
  const Value x0 = n.in(0), x = widened(x0);
  const int64_t axis = n.axis(n.i("axis", -1), x.rank());
  const double eps = n.f("epsilon", 1e-5);
  const Shape tail = extents_of(x, axis, x.rank());
  const Value scale = n.in(1), bias = n.in_or(2, {});
  const auto fits = [&](const Value& v) { return !v.defined() || v.shape() == tail; };
  Value y;
  if (fits(scale) && fits(bias)) {
    y = ops::layer_norm(x, ops::cast(scale, x.dtype()), bias.defined() ? ops::cast(bias, x.dtype()) : Value(), eps,
                        x.rank() - axis);
  } else {
    y = ops::layer_norm(x, {}, {}, eps, x.rank() - axis) * scale;
    if (bias.defined()) y = y + bias;
  }
  Operands out{ops::cast(y, x0.dtype())};
  if (n.wants(1) || n.wants(2)) {
    Ints axes;
    for (int64_t i = axis; i < x.rank(); ++i) axes.push_back(i);
    const Values m = ops::moments(x, axes, true);
    out.push_back(m[0]);
    out.push_back(ops::rsqrt(m[1] + eps));
  }
  return out;
}
Operands import_rms_norm(Node& n) {
  const Value x0 = n.in(0), x = widened(x0);
  const int64_t axis = n.axis(n.i("axis", -1), x.rank());
  const Shape tail = extents_of(x, axis, x.rank());
  const Value scale = ops::cast(n.in(1), x.dtype());
  const double eps = n.f("epsilon", 1e-5);
  const Value y = scale.shape() == tail ? ops::rms_norm(x, scale, eps, x.rank() - axis)
                                        : ops::rms_norm(x, {}, eps, x.rank() - axis) * scale;
  return {ops::cast(y, x0.dtype())};
}

Operands import_group_norm(Node& n) {
  const Value x0 = n.in(0), x = widened(x0);
  const int64_t groups = n.i("num_groups");
  n.check(x.rank() >= 3 && groups > 0 && x.dim(1) % groups == 0,
          "expected (N, C, spatial axes) with C a multiple of num_groups.");
  Shape split = x.shape();
  split[1] = groups;
  split.insert(split.begin() + 2, x.dim(1) / groups);
  const Value v = ops::reshape(x, split);
  Ints axes;
  for (int64_t i = 2; i < v.rank(); ++i) axes.push_back(i);
  const Values m = ops::moments(v, axes, true);
  Value y = (v - m[0]) * ops::rsqrt(m[1] + n.f("epsilon", 1e-5));
  const bool by_group = n.opset() < 21;  // scale and bias were one per group before
  Shape one(static_cast<size_t>(by_group ? v.rank() : x.rank()), 1);
  one[1] = -1;
  if (!by_group) y = ops::reshape(y, x.shape());
  y = y * ops::reshape(n.in(1), one) + ops::reshape(n.in(2), one);
  return {ops::cast(ops::reshape(y, x.shape()), x0.dtype())};
}

// x / (bias + alpha / size * sum of squares over `size` channels)^beta.
Operands import_lrn(Node& n) {
  const Operand& x = n.operand(0);
  const int64_t size = n.i("size"), axis = x.stored_axis(1), channels = x.shape()[1];
  n.check(size > 0 && size < 4096 && x.rank() >= 2, "bad size.");
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<size_t>(x.rank()), {0, 0});
  widths[static_cast<size_t>(axis)] = {(size - 1) / 2, size - 1 - (size - 1) / 2};
  const Value squares = ops::pad(ops::square(x.stored()), widths);
  Value sum;
  for (int64_t i = 0; i < size; ++i) {
    const Value part = ops::slice_axis(squares, axis, i, i + channels);
    sum = sum.defined() ? sum + part : part;
  }
  const double alpha = n.f("alpha", 1e-4), beta = n.f("beta", 0.75), bias = n.f("bias", 1.0);
  const Value base = sum * (alpha / static_cast<double>(size)) + bias;
  const Value scale =
      beta == 0.75 ? ops::rsqrt(base) * ops::rsqrt(ops::sqrt(base)) : ops::power(base, ops::scalar_like(base, -beta));
  return {Operand(x.stored() * scale, x.axes())};
}

}  // namespace

OperatorList normalization_operators() {
  return {{"BatchNormalization", 1, import_batch_norm, {}, {3, 4}},
          {"GroupNormalization", 18, import_group_norm},
          {"InstanceNormalization", 1, import_instance_norm},
          {"LRN", 1, import_lrn},
          {"LayerNormalization", 17, import_layer_norm},
          {"RMSNormalization", 23, import_rms_norm}};
}

}  // namespace glia::onnx
