// slice and pad: each is the other's gradient.
#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/move.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

struct Range {
  int64_t start, count, step;
};
// Python's rules for x[start:stop:step] on an axis of n elements.
Range resolve(int64_t start, int64_t stop, int64_t step, int64_t n) {
  if (step > 0) {
    int64_t a = std::clamp<int64_t>(start < 0 ? start + n : start, 0, n);
    int64_t b = stop == kEnd ? n : std::clamp<int64_t>(stop < 0 ? stop + n : stop, 0, n);
    return {a, a < b ? (b - a + step - 1) / step : 0, step};
  }
  int64_t a = start == kEnd ? n - 1 : std::clamp<int64_t>(start < 0 ? start + n : start, -1, n - 1);
  int64_t b = stop == kEnd ? -1 : std::clamp<int64_t>(stop < 0 ? stop + n : stop, -1, n - 1);
  return {a, a > b ? (a - b - step - 1) / -step : 0, step};
}
std::vector<Range> ranges(const Attrs& attrs, const Shape& shape) {
  std::vector<Range> r;
  for (size_t i = 0; i < shape.size(); ++i)
    r.push_back(resolve(attrs.ints("starts")[i], attrs.ints("stops")[i], attrs.ints("steps")[i], shape[i]));
  return r;
}

std::vector<TensorType> infer_slice(const InferContext& c) {
  const auto rank = static_cast<size_t>(c.in[0].rank());
  for (const char* name : {"starts", "stops", "steps"})
    GLIA_CHECK(c.attrs.ints(name).size() == rank, "slice: {} needs one entry per axis of {}. Received {}.", name,
               glia::to_string(c.in[0]), ir::to_string(AttrValue(c.attrs.ints(name))));
  for (int64_t s : c.attrs.ints("steps")) GLIA_CHECK(s != 0, "slice: a step is 0.");
  TensorType out{c.in[0].dtype, {}};
  for (const Range& r : ranges(c.attrs, c.in[0].shape)) out.shape.push_back(r.count);
  return {out};
}

std::optional<KernelPlan> make_slice(const KernelQuery& q, std::string&) {
  const Shape step = row_major_strides(q.in[0].shape);
  Shape src;
  int64_t at = 0;
  size_t i = 0;
  for (const Range& r : ranges(q.attrs, q.in[0].shape)) {
    src.push_back(step[i] * r.step);
    at += step[i++] * r.start;
  }
  const int size = element_bytes(q.in[0].dtype);
  if (q.out[0].elements() == 0) at = 0;
  return copy_plan({{cpu::CopyKernel(q.out[0].shape, src, row_major_strides(q.out[0].shape), size), 0, at, 0}}, size);
}

Value dilate_pad(const Value& x, Ints low, Ints high, Ints interior, double value);

Values vjp_slice(const VjpContext& c) {
  const Shape shape = c.inputs[0].shape();
  Value g = c.grads[0];
  Ints low, high, interior;
  const auto r = ranges(c.attrs, shape);
  for (size_t i = 0; i < r.size(); ++i) {
    Range x = r[i];
    if (x.step < 0 && x.count > 0) {
      g = flip(g, {static_cast<int64_t>(i)});
      x = {x.start + (x.count - 1) * x.step, x.count, -x.step};
    }
    const bool any = x.count > 0;
    low.push_back(any ? x.start : 0);
    interior.push_back(any ? x.step - 1 : 0);
    high.push_back(any ? shape[i] - (x.start + (x.count - 1) * x.step + 1) : shape[i]);
  }
  return {dilate_pad(g, low, high, interior, 0)};
}

const OpDef& slice_op() {
  static const OpDef def{
      .name = "slice",
      .doc = "x[start:stop:step] on every axis, with Python's rules for negative and out-of-range bounds.",
      .attrs = {{"starts", Ints{}, "first index per axis", true},
                {"stops", Ints{}, "index to stop before; 2^63 - 1: all the way", true},
                {"steps", Ints{}, "nonzero step per axis", true}},
      .infer = infer_slice,
      .vjp = vjp_slice,
      .kernels = {{"copy", make_slice}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

std::vector<TensorType> infer_pad(const InferContext& c) {
  const auto rank = static_cast<size_t>(c.in[0].rank());
  TensorType out{c.in[0].dtype, {}};
  const Ints &low = c.attrs.ints("low"), &high = c.attrs.ints("high"), &interior = c.attrs.ints("interior");
  GLIA_CHECK(low.size() == rank && high.size() == rank && interior.size() == rank,
             "pad: the widths need one entry per axis of {}. Received {} and {}.", glia::to_string(c.in[0]),
             ir::to_string(AttrValue(low)), ir::to_string(AttrValue(high)));
  for (size_t i = 0; i < rank; ++i) {
    GLIA_CHECK(low[i] >= 0 && high[i] >= 0 && interior[i] >= 0,
               "pad: widths must not be negative. Received {} and {}.", ir::to_string(AttrValue(low)),
               ir::to_string(AttrValue(high)));
    const int64_t n = c.in[0].shape[i];
    out.shape.push_back(low[i] + (n > 0 ? (n - 1) * (interior[i] + 1) + 1 : 0) + high[i]);
  }
  return {out};
}

std::optional<KernelPlan> make_pad(const KernelQuery& q, std::string&) {
  const Shape step = row_major_strides(q.out[0].shape);
  Shape dst;
  int64_t at = 0;
  for (size_t i = 0; i < step.size(); ++i) {
    dst.push_back(step[i] * (q.attrs.ints("interior")[i] + 1));
    at += step[i] * q.attrs.ints("low")[i];
  }
  const int size = element_bytes(q.in[0].dtype);
  const Fill fill{q.out[0].elements(), cpu::elem_pattern(elem(q.in[0].dtype), q.attrs.f("value"))};
  if (q.in[0].elements() == 0) at = 0;
  return copy_plan({{cpu::CopyKernel(q.in[0].shape, row_major_strides(q.in[0].shape), dst, size), 0, 0, at}}, size,
                   &fill);
}

const OpDef& pad_op() {
  static const OpDef def{
      .name = "pad",
      .doc =
          "Surrounds x with a constant: `low` cells before and `high` after each axis, `interior` between its "
          "elements.",
      .attrs = {{"low", Ints{}, "cells before, per axis", true},
                {"high", Ints{}, "cells after, per axis", true},
                {"interior", Ints{}, "cells between neighbours, per axis", true},
                {"value", 0.0, "what the new cells hold"}},
      .infer = infer_pad,
      .vjp = [](const VjpContext& c) -> Values {
        const Shape shape = c.inputs[0].shape();
        const Ints &low = c.attrs.ints("low"), &interior = c.attrs.ints("interior");
        Ints stops, steps;
        for (size_t i = 0; i < shape.size(); ++i) {
          steps.push_back(interior[i] + 1);
          stops.push_back(low[i] + (shape[i] > 0 ? (shape[i] - 1) * steps[i] + 1 : 0));
        }
        return {apply1(slice_op(), {{"starts", low}, {"stops", stops}, {"steps", steps}}, {c.grads[0]})};
      },
      .kernels = {{"copy", make_pad}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

Value dilate_pad(const Value& x, Ints low, Ints high, Ints interior, double value) {
  auto zero = [](const Ints& v) { return std::all_of(v.begin(), v.end(), [](int64_t e) { return e == 0; }); };
  if (zero(low) && zero(high) && zero(interior)) return x;
  return apply1(
      pad_op(),
      {{"low", std::move(low)}, {"high", std::move(high)}, {"interior", std::move(interior)}, {"value", value}}, {x});
}

// The whole range on every axis.
struct Bounds {
  Ints starts, stops, steps;
  explicit Bounds(int64_t rank)
      : starts(static_cast<size_t>(rank), 0),
        stops(static_cast<size_t>(rank), kEnd),
        steps(static_cast<size_t>(rank), 1) {}
  void set(int64_t axis, int64_t start, int64_t stop, int64_t step) {
    const auto i = static_cast<size_t>(axis);
    starts[i] = start, stops[i] = stop, steps[i] = step;
  }
  Value of(const Value& x) const {
    return apply1(slice_op(), {{"starts", starts}, {"stops", stops}, {"steps", steps}}, {x});
  }
};

// Pads one axis with mirrored or repeated cells.
Value pad_axis(const Value& x, int64_t axis, int64_t low, int64_t high, const std::string& mode) {
  const int64_t n = x.dim(static_cast<int>(axis)), most = mode == "reflect" ? n - 1 : n;
  GLIA_CHECK(n < 0 || mode == "edge" || (low <= most && high <= most),
             "pad: mode '{}' cannot add {} and {} cells to an axis of {}.", mode, low, high, n);
  GLIA_CHECK(n != 0, "pad: mode '{}' needs at least one element along axis {}.", mode, axis);
  Values parts;
  auto add = [&](int64_t start, int64_t stop, int64_t step) {
    parts.push_back(slice_axis(x, axis, start, stop, step));
  };
  if (mode == "edge") {
    if (low > 0) parts.push_back(repeat(slice_axis(x, axis, 0, 1), low, axis));
    parts.push_back(x);
    if (high > 0) parts.push_back(repeat(slice_axis(x, axis, -1), high, axis));
  } else {
    const int64_t skip = mode == "reflect" ? 1 : 0;  // reflect does not repeat the border
    if (low > 0) add(low - 1 + skip, skip == 0 ? kEnd : 0, -1);
    parts.push_back(x);
    if (high > 0) add(-1 - skip, -1 - skip - high == -n - 1 ? kEnd : -1 - skip - high, -1);
  }
  return parts.size() == 1 ? x : concatenate(parts, axis);
}

}  // namespace

OpList slice_ops() { return {&slice_op(), &pad_op()}; }

Value slice(const Value& x, std::vector<int64_t> starts, Shape sizes) {
  const Shape shape = x.shape();
  GLIA_CHECK(starts.size() == shape.size() && sizes.size() == shape.size(),
             "slice: starts and sizes need one entry per axis of {}.", to_string(x.type()));
  Bounds b(x.rank());
  for (size_t i = 0; i < shape.size(); ++i) {
    GLIA_CHECK(shape[i] < 0 || sizes[i] < 0 || (starts[i] >= 0 && starts[i] + sizes[i] <= shape[i]),
               "slice: {} elements from index {} do not lie within axis {} of {}.", sizes[i], starts[i], i,
               to_string(x.type()));
    b.set(static_cast<int64_t>(i), starts[i], sizes[i] < 0 ? kEnd : starts[i] + sizes[i], 1);
  }
  return b.of(x);
}

Value slice_axis(const Value& x, int64_t axis, int64_t start, int64_t stop, int64_t step) {
  Bounds b(x.rank());
  b.set(normalize_axis(axis, x.rank(), "slice"), start, stop, step);
  return b.of(x);
}

Value flip(const Value& x, std::vector<int64_t> axes) {
  Bounds b(x.rank());
  if (axes.empty())
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  for (int64_t a : normalize_axes(axes, x.rank(), "flip")) b.set(a, kEnd, kEnd, -1);
  return x.rank() == 0 ? x : b.of(x);
}

Value roll(const Value& x, int64_t shift, int64_t axis) {
  const int64_t n = x.dim(static_cast<int>(axis));
  if (n == 0) return x;
  const int64_t s = n > 0 ? ((shift % n) + n) % n : shift;
  if (s == 0) return x;
  return concatenate({slice_axis(x, axis, -s), slice_axis(x, axis, 0, -s)}, axis);
}

Values split(const Value& x, std::vector<int64_t> indices, int64_t axis) {
  Values parts;
  int64_t start = 0;
  for (int64_t i : indices) {
    parts.push_back(slice_axis(x, axis, start, i));
    start = i;
  }
  parts.push_back(slice_axis(x, axis, start));
  return parts;
}
Values split(const Value& x, int64_t sections, int64_t axis) {
  const int64_t n = x.dim(static_cast<int>(axis));
  GLIA_CHECK(sections > 0 && n >= 0 && n % sections == 0, "split: an axis of {} cannot be cut into {} equal parts.",
             n, sections);
  std::vector<int64_t> indices;
  for (int64_t i = 1; i < sections; ++i) indices.push_back(i * (n / sections));
  return split(x, indices, axis);
}
Values unstack(const Value& x, int64_t axis) {
  Values r;
  for (const Value& v : split(x, x.dim(static_cast<int>(axis)), axis)) r.push_back(squeeze(v, {axis}));
  return r;
}

Value pad(const Value& x, std::vector<std::pair<int64_t, int64_t>> width, std::string mode, double value) {
  if (width.size() == 1) width.resize(static_cast<size_t>(x.rank()), width[0]);
  GLIA_CHECK(static_cast<int>(width.size()) == x.rank(), "pad: pad_width needs one pair per axis of {}. Received {}.",
             to_string(x.type()), width.size());
  if (mode == "constant") {
    Ints low, high;
    for (auto [l, h] : width) low.push_back(l), high.push_back(h);
    return dilate_pad(x, low, high, Ints(width.size(), 0), value);
  }
  const std::vector<std::string> known{"constant", "reflect", "symmetric", "edge"};
  GLIA_CHECK(std::find(known.begin(), known.end(), mode) != known.end(), "pad: unknown mode '{}'.{}", mode,
             did_you_mean(mode, known));
  Value y = x;
  for (size_t i = 0; i < width.size(); ++i) {
    GLIA_CHECK(width[i].first >= 0 && width[i].second >= 0, "pad: widths must not be negative. Received {} and {}.",
               width[i].first, width[i].second);
    y = pad_axis(y, static_cast<int64_t>(i), width[i].first, width[i].second, mode);
  }
  return y;
}

}  // namespace glia::ops
