// Pooling. The kernels know windows without dilation; dilated ones, and those whose places are asked for, are built
// from strided slices, one per cell of the window.
#include <limits>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

struct Window {
  size_t k;
  Ints size, strides, dilations, out;
  ops::Pads pads;   // as written
  ops::Pads reach;  // with what the last window reads beyond the end (ceil_mode), negative where it stops before
  bool dilated = false;
};
Window window_of(const Node& n, const Operand& x) {
  const Shape s = x.shape();
  Window w{.k = s.size() - 2};
  n.check(s.size() >= 3, fmt::format("expected (N, C, spatial axes). Received {}.", to_string(s)));
  w.size = n.ints("kernel_shape");
  w.strides = n.ints("strides", Ints(w.k, 1)), w.dilations = n.ints("dilations", Ints(w.k, 1));
  n.check(w.size.size() == w.k && w.strides.size() == w.k && w.dilations.size() == w.k,
          "kernel_shape, strides and dilations need one number per spatial axis.");
  for (size_t i = 0; i < w.k; ++i)
    n.check(w.size[i] > 0 && w.strides[i] > 0 && w.dilations[i] > 0 && w.size[i] < (1 << 24) &&
                w.strides[i] < (1 << 24) && w.dilations[i] < (1 << 24),
            "bad kernel_shape, strides or dilations.");
  const Shape spatial(s.begin() + 2, s.end());
  w.pads = conv_pads(n, spatial, w.size, w.strides, w.dilations);
  const bool ceil = n.i("ceil_mode", 0) != 0;
  for (size_t i = 0; i < w.k; ++i) {
    const auto [before, after] = w.pads[i];
    n.check(before <= w.size[i] * w.dilations[i] && after <= w.size[i] * w.dilations[i],
            "pads larger than the window.");
    const int64_t wide = (w.size[i] - 1) * w.dilations[i] + 1, room = spatial[i] + before + after - wide;
    n.check(room >= 0 && before >= 0 && after >= 0,
            fmt::format("a window of {} does not fit in {} with pads {} and {}.", wide, spatial[i], before, after));
    int64_t out = (ceil ? (room + w.strides[i] - 1) / w.strides[i] : room / w.strides[i]) + 1;
    if (ceil && (out - 1) * w.strides[i] >= spatial[i] + before) --out;  // a window must start inside
    w.out.push_back(out);
    w.reach.emplace_back(before, (out - 1) * w.strides[i] + wide - spatial[i] - before);
    w.dilated |= w.dilations[i] > 1;
  }
  return w;
}

// x (N, spatial..., C) padded to what the windows read; cut where they stop early.
Value padded(const Value& x, const ops::Pads& reach, double value) {
  std::vector<std::pair<int64_t, int64_t>> widths{{0, 0}};
  Value y = x;
  bool any = false;
  for (size_t i = 0; i < reach.size(); ++i) {
    auto [before, after] = reach[i];
    const int axis = static_cast<int>(i) + 1;
    if (after < 0) y = ops::slice_axis(y, axis, 0, y.dim(axis) + after), after = 0;
    widths.emplace_back(before, after);
    any |= before || after;
  }
  widths.emplace_back(0, 0);
  return any ? ops::pad(y, widths, "constant", value) : y;
}
// The cells of the windows: one strided slice each, the last axis of the window fastest.
Values cells(const Node& n, const Value& x, const Window& w) {
  int64_t count = 1;
  for (int64_t k : w.size)
    n.check((count *= k) <= 4096, "windows of more than 4096 cells are not supported with these attributes.");
  Values r{x};
  for (size_t i = 0; i < w.k; ++i) {
    Values next;
    for (const Value& v : r)
      for (int64_t j = 0; j < w.size[i]; ++j)
        next.push_back(ops::slice_axis(v, static_cast<int64_t>(i) + 1, j * w.dilations[i],
                                       j * w.dilations[i] + (w.out[i] - 1) * w.strides[i] + 1, w.strides[i]));
    r = std::move(next);
  }
  return r;
}
// The cells of each window combined, one axis after the other.
Value combined(const Node& n, const Value& x, const Window& w, Value (*f)(const Value&, const Value&)) {
  Value r = x;
  for (size_t i = 0; i < w.k; ++i) {
    n.check(w.size[i] <= 4096,
            "windows of more than 4096 cells along an axis are not supported with these attributes.");
    Value sum;
    for (int64_t j = 0; j < w.size[i]; ++j) {
      const Value part = ops::slice_axis(r, static_cast<int64_t>(i) + 1, j * w.dilations[i],
                                         j * w.dilations[i] + (w.out[i] - 1) * w.strides[i] + 1, w.strides[i]);
      sum = sum.defined() ? f(sum, part) : part;
    }
    r = sum;
  }
  return r;
}
bool kernel_fits(const Window& w) {
  bool whole = true;
  for (auto [a, b] : w.reach) whole &= b >= 0;
  return !w.dilated && w.k <= 3 && whole;
}

// Flat places in (N, C, spatial...), of the first maximum of each window.
Value places(const Node& n, const Values& parts, const Window& w, const Value& x) {
  const Value best =
      ops::cast(ops::argmax(ops::stack(parts, 0), 0), DType::i64);  // (N, out..., C): number of the cell
  const Shape s = x.shape();                                        // (N, spatial..., C)
  const bool column = n.i("storage_order", 0) != 0;
  Value flat;
  Shape one(s.size(), 1);
  const auto along = [&](size_t axis, const Ints& v) {
    Shape shape = one;
    shape[axis] = static_cast<int64_t>(v.size());
    return ops::reshape(int64_tensor(v), shape);
  };
  Value rest = best, offset;
  int64_t weight = 1, volume = 1;
  for (size_t i = 0; i < w.k; ++i) volume *= s[i + 1];
  Ints weights(w.k);
  for (size_t j = 0; j < w.k; ++j) {
    const size_t i = column ? j : w.k - 1 - j;
    weights[i] = weight, weight *= s[i + 1];
  }
  for (size_t i = w.k; i-- > 0;) {
    const Value size = scalar(static_cast<double>(w.size[i]), DType::i64);
    const Value cell = ops::mod(rest, size);
    rest = ops::floor_divide(rest, size);
    Ints start;
    for (int64_t o = 0; o < w.out[i]; ++o) start.push_back(o * w.strides[i] - w.reach[i].first);
    const Value at = (cell * scalar(static_cast<double>(w.dilations[i]), DType::i64) + along(i + 1, start)) *
                     scalar(static_cast<double>(weights[i]), DType::i64);
    flat = flat.defined() ? flat + at : at;
  }
  Ints rows, channels;
  for (int64_t b = 0; b < s[0]; ++b) rows.push_back(b * s.back() * volume);
  for (int64_t c = 0; c < s.back(); ++c) channels.push_back(c * volume);
  return flat + along(0, rows) + along(s.size() - 1, channels);
}

Operands import_max_pool(Node& n) {
  const Operand& in = n.operand(0);
  const Window w = window_of(n, in);
  const DType t = in.dtype();
  const bool narrow = !is_float(t);
  Value x = in.channels_last();
  if (narrow) x = ops::cast(x, DType::f32);
  if (!n.wants(1) && kernel_fits(w))
    return {
        Operand::from_channels_last(ops::cast(ops::max_pool(x, w.size, {.strides = w.strides, .pads = w.reach}), t))};
  const Value all = padded(x, w.reach, -std::numeric_limits<double>::infinity());
  Operands out{Operand::from_channels_last(ops::cast(combined(n, all, w, ops::maximum), t))};
  if (n.wants(1)) out.push_back(Operand::from_channels_last(places(n, cells(n, all, w), w, x)));
  return out;
}

Operands import_average_pool(Node& n) {
  const Operand& in = n.operand(0);
  const Window w = window_of(n, in);
  const bool count_pads = n.i("count_include_pad", 0) != 0;
  Value x = in.channels_last();
  if (!count_pads && kernel_fits(w))
    return {Operand::from_channels_last(ops::average_pool(x, w.size, {.strides = w.strides, .pads = w.reach}))};
  // The written pads count when asked for; what ceil_mode reads beyond never does.
  ops::Pads counted = w.pads, beyond = w.reach;
  for (size_t i = 0; i < w.k; ++i) counted[i].second = std::min(w.pads[i].second, w.reach[i].second);
  for (size_t i = 0; i < w.k; ++i) beyond[i] = {0, w.reach[i].second - counted[i].second};
  if (count_pads && kernel_fits(w))
    return {Operand::from_channels_last(
        ops::average_pool(padded(x, counted, 0), w.size, {.strides = w.strides, .pads = beyond}))};
  Shape ones_shape = x.shape();
  ones_shape.front() = ones_shape.back() = 1;
  Value ones = padded(ops::ones(ones_shape, x.dtype()), counted, count_pads ? 1 : 0);
  return {Operand::from_channels_last(combined(n, padded(x, w.reach, 0), w, ops::add) /
                                      combined(n, padded(ones, beyond, 0), w, ops::add))};
}

Operands import_lp_pool(Node& n) {
  const Operand& in = n.operand(0);
  const Window w = window_of(n, in);
  const double p = n.opset() < 2 ? n.f("p", 2) : static_cast<double>(n.i("p", 2));
  n.check(p > 0, "p must be positive.");
  const Value x = in.channels_last();
  const Value powers = p == 2 ? ops::square(x) : ops::power(ops::abs(x), ops::scalar_like(x, p));
  const Value sum = combined(n, padded(powers, w.reach, 0), w, ops::add);
  return {Operand::from_channels_last(p == 2 ? ops::sqrt(sum) : ops::power(sum, ops::scalar_like(sum, 1 / p)))};
}

template <class F>
Operands global(Node& n, F f) {
  const Operand& x = n.operand(0);
  n.check(x.rank() >= 2, "expected (N, C, spatial axes).");
  Ints axes;
  for (int64_t i = 2; i < x.rank(); ++i) axes.push_back(x.stored_axis(i));
  return {axes.empty() ? x : Operand(f(x.stored(), axes), x.axes())};
}
Operands import_global_average(Node& n) {
  return global(n, [](const Value& x, const Ints& axes) { return ops::mean(x, axes, true); });
}
Operands import_global_max(Node& n) {
  return global(n, [](const Value& x, const Ints& axes) { return ops::max(x, axes, true); });
}
Operands import_global_lp(Node& n) {
  const double p = static_cast<double>(n.i("p", 2));
  return global(n, [&](const Value& x, const Ints& axes) {
    const Value sum = ops::sum(ops::power(ops::abs(x), ops::scalar_like(x, p)), axes, true);
    return ops::power(sum, ops::scalar_like(sum, 1 / p));
  });
}

Operands import_max_unpool(Node& n) {
  const Value x = n.in(0), at = n.in(1);
  const Shape s = x.shape();
  const size_t k = s.size() - 2;
  const Ints size = n.ints("kernel_shape"), strides = n.ints("strides", Ints(k, 1)),
             pads = n.ints("pads", Ints(2 * k, 0));
  n.check(s.size() >= 3 && size.size() == k && strides.size() == k && pads.size() == 2 * k,
          "kernel_shape, strides or pads do not fit.");
  Shape natural{s[0], s[1]};
  for (size_t i = 0; i < k; ++i) natural.push_back((s[i + 2] - 1) * strides[i] + size[i] - pads[i] - pads[i + k]);
  const Shape out = n.has(2) ? Shape(n.known_ints(2, "the output's shape")) : natural;
  n.check(out.size() == s.size(), "the output's shape does not fit.");
  for (size_t i = 0; i < out.size(); ++i)
    n.check(out[i] > 0 && out[i] < (int64_t{1} << 31) && (i >= 2 || out[i] == s[i]), "bad output shape.");
  check_extents(n, out, true), check_extents(n, natural, true);
  Value flat = ops::scatter(ops::reshape(at, {-1, 1}), ops::reshape(x, {-1}), {num_elements(natural)});
  if (out == natural) return {ops::reshape(flat, out)};
  // Places count in the smaller shape; the values keep their flat places within it (ONNX's reference).
  Value y = ops::reshape(flat, natural);
  std::vector<std::pair<int64_t, int64_t>> widths;
  for (size_t i = 0; i < out.size(); ++i) {
    n.check(out[i] >= natural[i], "the output's shape is smaller than what the windows cover.");
    widths.emplace_back(0, out[i] - natural[i]);
  }
  return {ops::pad(y, widths)};
}

}  // namespace

OperatorList pool_operators() {
  return {{"AveragePool", 1, import_average_pool}, {"GlobalAveragePool", 1, import_global_average},
          {"GlobalLpPool", 2, import_global_lp},   {"GlobalMaxPool", 1, import_global_max},
          {"LpPool", 2, import_lp_pool},           {"MaxPool", 1, import_max_pool},
          {"MaxUnpool", 9, import_max_unpool, {2}}};
}

}  // namespace glia::onnx
