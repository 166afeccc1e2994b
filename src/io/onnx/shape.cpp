// Operators that move elements or change shapes, and those that read shapes.
#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

int64_t int_of(const Tensor& t) {
  return t.dtype() == DType::i64 ? t.data<int64_t>()[0] : static_cast<int64_t>(t.item(0));
}

Operands import_shape(Node& n) {
  const Shape s = n.operand(0).shape();
  const int64_t rank = static_cast<int64_t>(s.size());
  const auto clip = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const int64_t from = clip(n.i("start", 0)), to = std::max(from, n.has_attr("end") ? clip(n.i("end")) : rank);
  return {int64_tensor(Ints(s.begin() + from, s.begin() + to))};
}
Operands import_size(Node& n) {
  return {Value(Tensor::from_vector<int64_t>({}, {num_elements(n.operand(0).shape())}))};
}

Operands import_transpose(Node& n) {
  const Operand& x = n.operand(0);
  Ints perm = n.ints("perm");
  if (!n.has_attr("perm"))
    for (int64_t i = x.rank(); i-- > 0;) perm.push_back(i);
  std::vector<bool> seen(perm.size());
  bool ok = static_cast<int>(perm.size()) == x.rank();
  for (int64_t p : perm) {
    ok = ok && p >= 0 && p < x.rank() && !seen[static_cast<size_t>(p)];
    if (ok) seen[static_cast<size_t>(p)] = true;
  }
  n.check(ok, fmt::format("'perm' is no permutation of {} axes.", x.rank()));
  if (x.stored().is_concrete() || x.rank() == 0) return {x.rank() ? ops::transpose(x.logical(), perm) : x.logical()};
  return {x.transposed(perm)};
}

Operands import_reshape(Node& n) {
  const Operand& x = n.operand(0);
  Ints to = n.opset() < 5 ? n.ints("shape") : n.known_ints(1, "the shape");
  const Shape from = x.shape();
  const bool zero_is_zero = n.i("allowzero", 0) != 0;
  int64_t all = num_elements(from), given = 1;
  for (size_t i = 0; i < to.size(); ++i) {
    n.check(to[i] >= -1, fmt::format("bad shape {}.", to_string(to)));
    if (to[i] == 0 && !zero_is_zero) {
      n.check(i < from.size(),
              fmt::format("the shape {} copies an axis that the input {} lacks.", to_string(to), to_string(from)));
      to[i] = from[i];
    }
    n.check(to[i] <= 0 || !__builtin_mul_overflow(given, to[i], &given), "the shape overflows.");
    if (to[i] == 0) given = 0;
  }
  // A target written down for the declared batch serves any other: rows stay together because the batch is the first
  // axis.
  const int64_t declared = n.interpreter().declared_batch(), batch = n.interpreter().given_batch;
  const bool open = std::find(to.begin(), to.end(), -1) != to.end();
  if (declared > 0 && batch != declared && !to.empty() && to[0] == declared && !from.empty() &&
      from[0] % batch == 0 && (open || given / declared * batch == all))
    to[0] = batch;
  if (x.plain() && from == to) return {x};
  return {ops::reshape(x.logical(), to)};
}
Operands import_flatten(Node& n) {
  const Operand& x = n.operand(0);
  const Shape s = x.shape();
  int64_t axis = n.i("axis", 1), rows = 1, columns = 1;
  n.check(axis >= -x.rank() && axis <= x.rank(), "axis is out of range.");
  if (axis < 0) axis += x.rank();
  for (int64_t i = 0; i < x.rank(); ++i) (i < axis ? rows : columns) *= s[static_cast<size_t>(i)];
  return {ops::reshape(x.logical(), {rows, columns})};
}

// Both keep a pending transposition: only the list of axes changes.
Operands import_squeeze(Node& n) {
  const Operand& x = n.operand(0);
  const Shape s = x.shape();
  Ints axes = axes_of(n, 1);
  if (!n.has(1) && !n.has_attr("axes"))
    for (size_t i = 0; i < s.size(); ++i)
      if (s[i] == 1) axes.push_back(static_cast<int64_t>(i));
  std::vector<bool> gone(s.size());
  for (int64_t a : axes) {
    a = n.axis(a, x.rank());
    n.check(s[static_cast<size_t>(a)] == 1, fmt::format("axis {} of {} is not 1.", a, to_string(s)));
    gone[static_cast<size_t>(a)] = true;
  }
  Shape stored;
  Ints place(s.size(), -1), order;
  std::vector<bool> stored_gone(s.size());
  for (size_t i = 0; i < s.size(); ++i)
    stored_gone[static_cast<size_t>(x.stored_axis(static_cast<int64_t>(i)))] = gone[i];
  for (size_t i = 0; i < s.size(); ++i)
    if (!stored_gone[i])
      place[i] = static_cast<int64_t>(stored.size()), stored.push_back(x.stored().dim(static_cast<int>(i)));
  for (size_t i = 0; i < s.size(); ++i)
    if (!gone[i]) order.push_back(place[static_cast<size_t>(x.stored_axis(static_cast<int64_t>(i)))]);
  return {Operand(ops::reshape(x.stored(), stored), order)};
}
Operands import_unsqueeze(Node& n) {
  const Operand& x = n.operand(0);
  Ints axes = axes_of(n, 1);
  const int64_t rank = x.rank() + static_cast<int64_t>(axes.size());
  std::vector<bool> fresh(static_cast<size_t>(rank));
  for (int64_t a : axes) {
    const size_t at = static_cast<size_t>(n.axis(a, rank));
    n.check(!fresh[at], "an axis is named twice.");
    fresh[at] = true;
  }
  // New axes go to the end of what is stored when a transposition is pending, else to their place.
  Shape stored = x.stored().shape();
  if (x.plain()) {
    Shape to;
    size_t next = 0;
    for (size_t i = 0; i < static_cast<size_t>(rank); ++i) to.push_back(fresh[i] ? 1 : stored[next++]);
    return {ops::reshape(x.stored(), to)};
  }
  Ints order;
  int64_t next = 0, added = x.rank();
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) order.push_back(fresh[i] ? added++ : x.stored_axis(next++));
  stored.resize(static_cast<size_t>(rank), 1);
  return {Operand(ops::reshape(x.stored(), stored), order)};
}

Operands import_concat(Node& n) {
  n.check(n.count() > 0, "no inputs.");
  const Operand& first = n.operand(0);
  const int64_t axis = n.axis(n.i("axis", 1), first.rank());
  const Operand* leader = &first;
  for (size_t i = 0; i < n.count(); ++i)
    if (!n.operand(i).plain()) leader = &n.operand(i);
  Values parts;
  for (size_t i = 0; i < n.count(); ++i) {
    n.check(n.operand(i).rank() == first.rank(), "the inputs differ in rank.");
    parts.push_back(n.operand(i).in_order(leader->axes()));
  }
  if (parts.size() == 1) return {*leader};
  return {Operand(ops::concatenate(parts, leader->stored_axis(axis)), leader->axes())};
}

Operands import_split(Node& n) {
  const Operand& x = n.operand(0);
  const int64_t axis = n.axis(n.i("axis", 0), x.rank()), extent = x.shape()[static_cast<size_t>(axis)];
  Ints sizes = n.has(1) ? n.known_ints(1, "the sizes") : n.ints("split");
  if (sizes.empty()) {
    const int64_t parts = n.has_attr("num_outputs") ? n.i("num_outputs") : static_cast<int64_t>(n.outputs());
    n.check(parts > 0 && parts <= 65536, "no outputs.");
    const int64_t each = (extent + parts - 1) / parts;
    for (int64_t i = 0; i < parts; ++i) sizes.push_back(std::clamp<int64_t>(extent - i * each, 0, each));
  }
  int64_t sum = 0;
  for (int64_t s : sizes) n.check(s >= 0 && (sum += s) <= extent, "the sizes do not add up to the extent.");
  n.check(sum == extent, "the sizes do not add up to the extent.");
  Operands out;
  int64_t at = 0;
  for (int64_t s : sizes) {
    out.emplace_back(ops::slice_axis(x.stored(), x.stored_axis(axis), at, at + s), x.axes());
    at += s;
  }
  return out;
}

Operands import_slice(Node& n) {
  const Operand& x = n.operand(0);
  const bool old = n.opset() < 10;
  const Ints starts = old ? n.ints("starts") : n.known_ints(1, "the starts"),
             ends = old ? n.ints("ends") : n.known_ints(2, "the ends");
  Ints axes = old        ? n.ints("axes")
              : n.has(3) ? n.known_ints(3, "the axes")
                         : Ints{},
       steps = !old && n.has(4) ? n.known_ints(4, "the steps") : Ints{};
  if (axes.empty())
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (steps.empty()) steps.assign(starts.size(), 1);
  n.check(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
          "starts, ends, axes and steps differ in length.");
  Value y = x.stored();
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t axis = n.axis(axes[i], x.rank()), extent = x.shape()[static_cast<size_t>(axis)], step = steps[i];
    n.check(step != 0, "a step is 0.");
    const auto clip = [&](int64_t v) {
      if (v < 0) v = v < -extent ? -1 : v + extent;
      return step > 0 ? std::clamp<int64_t>(v, 0, extent) : std::clamp<int64_t>(v, -1, extent - 1);
    };
    int64_t from = starts[i] < -extent && step > 0 ? 0 : clip(starts[i]), to = clip(ends[i]);
    if (step > 0)
      y = ops::slice_axis(y, x.stored_axis(axis), from, std::max(from, to),
                          std::min(step, std::max<int64_t>(extent, 1)));
    else if (from <= to || extent == 0)
      y = ops::slice_axis(y, x.stored_axis(axis), 0, 0);
    else
      y = ops::slice_axis(y, x.stored_axis(axis), from, to < 0 ? ops::kEnd : to,
                          std::max(step, -std::max<int64_t>(extent, 1)));
  }
  return {Operand(y, x.axes())};
}

Operands import_expand(Node& n) {
  const Value x = n.in(0);
  Shape to = n.known_ints(1, "the shape"), from = x.shape();
  const size_t rank = std::max(to.size(), from.size());
  to.insert(to.begin(), rank - to.size(), 1);
  from.insert(from.begin(), rank - from.size(), 1);
  for (size_t i = 0; i < rank; ++i) {
    n.check(to[i] == from[i] || to[i] == 1 || from[i] == 1,
            fmt::format("shape {} does not broadcast to {}.", to_string(x.shape()), to_string(to)));
    if (to[i] == 1) to[i] = from[i];
  }
  return {ops::broadcast_to(to_be_grown(n, x, to), to)};
}

Operands import_tile(Node& n) {
  const Value x = n.in(0);
  if (n.opset() < 6) n.fail("the form of opset 5 and older is not read.");
  const Ints repeats = n.known_ints(1, "the repeats");
  n.check(static_cast<int>(repeats.size()) == x.rank(), "one repeat per axis is needed.");
  Shape to = x.shape();
  for (size_t i = 0; i < to.size(); ++i) {
    n.check(repeats[i] >= 0 && repeats[i] < (int64_t{1} << 31) && to[i] < (int64_t{1} << 31), "bad repeats.");
    to[i] *= repeats[i];
  }
  return {ops::tile(to_be_grown(n, x, to), repeats)};
}

// Indices that read beyond an axis wrap round.
Value wrap_pad(const Value& x, int64_t axis, int64_t before, int64_t after) {
  const int64_t extent = x.dim(static_cast<int>(axis));
  Ints at;
  for (int64_t i = -before; i < extent + after; ++i) at.push_back(((i % extent) + extent) % extent);
  return ops::take(x, int64_tensor(at), axis);
}
Operands import_pad(Node& n) {
  const Operand& x = n.operand(0);
  const std::string mode = n.s("mode", "constant");
  const Ints pads = n.opset() >= 11      ? n.known_ints(1, "the pads")
                    : n.has_attr("pads") ? n.ints("pads")
                                         : n.ints("paddings");
  double value = n.f("value", 0);
  if (n.has(2)) value = n.known_number(2, "the value");
  Ints axes;
  if (n.has(3))
    axes = n.known_ints(3, "the axes");
  else
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  n.check(pads.size() == 2 * axes.size(),
          fmt::format("{} pads for {} axes. Two per axis are needed.", pads.size(), axes.size()));
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<size_t>(x.rank()), {0, 0});
  Value y = x.stored();
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = x.stored_axis(n.axis(axes[i], x.rank()));
    int64_t low = pads[i], high = pads[i + axes.size()];
    n.check(within(low, int64_t{1} << 40) && within(high, int64_t{1} << 40), "bad pads.");
    const int64_t extent = y.dim(static_cast<int>(axis));
    if (low < 0 || high < 0) {  // negative pads cut
      const int64_t from = std::max<int64_t>(0, -low), to = extent - std::max<int64_t>(0, -high);
      n.check(from <= to, "the pads cut more than there is.");
      y = ops::slice_axis(y, axis, from, to);
      low = std::max<int64_t>(low, 0), high = std::max<int64_t>(high, 0);
    }
    Shape grown = y.shape();
    grown[static_cast<size_t>(axis)] += low + high;
    check_extents(n, grown, y.is_concrete() || mode == "wrap");
    if (mode == "wrap" && (low || high))
      y = wrap_pad(y, axis, low, high);
    else
      widths[static_cast<size_t>(axis)] = {low, high};
  }
  if (mode == "wrap") return {Operand(y, x.axes())};
  n.check(mode == "constant" || mode == "reflect" || mode == "edge", fmt::format("unknown mode '{}'.", mode));
  bool any = false;
  Shape grown = y.shape();
  for (size_t i = 0; i < widths.size(); ++i)
    any |= widths[i].first || widths[i].second, grown[i] += widths[i].first + widths[i].second;
  check_extents(n, grown, y.is_concrete());
  return {Operand(any ? ops::pad(y, widths, mode, value) : y, x.axes())};
}

Operands import_depth_to_space(Node& n) {
  const Value x = n.in(0);
  const int64_t b = n.i("blocksize"), c = x.rank() == 4 ? x.dim(1) : 0, h = x.rank() == 4 ? x.dim(2) : 0,
                w = x.rank() == 4 ? x.dim(3) : 0;
  n.check(x.rank() == 4 && b > 0 && c % (b * b) == 0,
          "expected (N, C, H, W) with C a multiple of blocksize squared.");
  const bool crd = n.s("mode", "DCR") == "CRD";
  const Value y = crd ? ops::transpose(ops::reshape(x, {x.dim(0), c / (b * b), b, b, h, w}), {0, 1, 4, 2, 5, 3})
                      : ops::transpose(ops::reshape(x, {x.dim(0), b, b, c / (b * b), h, w}), {0, 3, 4, 1, 5, 2});
  return {ops::reshape(y, {x.dim(0), c / (b * b), h * b, w * b})};
}
Operands import_space_to_depth(Node& n) {
  const Value x = n.in(0);
  const int64_t b = n.i("blocksize");
  n.check(x.rank() == 4 && b > 0 && x.dim(2) % b == 0 && x.dim(3) % b == 0,
          "expected (N, C, H, W) with H and W multiples of blocksize.");
  const Value y =
      ops::transpose(ops::reshape(x, {x.dim(0), x.dim(1), x.dim(2) / b, b, x.dim(3) / b, b}), {0, 3, 5, 1, 2, 4});
  return {ops::reshape(y, {x.dim(0), x.dim(1) * b * b, x.dim(2) / b, x.dim(3) / b})};
}

Operands import_trilu(Node& n) {
  const Value x = n.in(0);
  n.check(x.rank() >= 2, "expected matrices.");
  const int64_t k = n.has(1) ? int_of(n.known(1, "the diagonal")) : 0, rows = x.dim(-2), columns = x.dim(-1);
  const Value lower =
      ops::tri(rows, columns, std::clamp<int64_t>(n.i("upper", 1) ? k - 1 : k, -rows - 1, columns + 1), DType::bool_);
  return {ops::where(n.i("upper", 1) ? ops::logical_not(lower) : lower, x, ops::scalar_like(x, 0))};
}

Operands import_reverse_sequence(Node& n) {
  const Value x = n.in(0);
  const int64_t time = n.axis(n.i("time_axis", 0), x.rank()), batch = n.axis(n.i("batch_axis", 1), x.rank());
  n.check(time != batch && n.operand(1).rank() == 1 && n.operand(1).shape()[0] == x.dim(static_cast<int>(batch)),
          "one length per row is needed.");
  const int64_t steps = x.dim(static_cast<int>(time));
  const auto along = [&](const Value& v, int64_t axis) {
    Shape s(static_cast<size_t>(x.rank()), 1);
    s[static_cast<size_t>(axis)] = v.dim(0);
    return ops::reshape(v, s);
  };
  const Value t = along(ops::arange(0, static_cast<double>(steps), 1, DType::i64), time),
              length = along(ops::cast(n.in(1), DType::i64), batch);
  const Value at = ops::where(ops::less(t, length), length - t - scalar(1, DType::i64), t);
  return {ops::take_along_axis(x, ops::broadcast_to(at, x.shape()), time)};
}

Operands import_center_crop_pad(Node& n) {
  const Operand& x = n.operand(0);
  const Ints sizes = n.known_ints(1, "the shape");
  Ints axes = n.ints("axes");
  if (!n.has_attr("axes"))
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  n.check(axes.size() == sizes.size(), "one size per axis is needed.");
  Value y = x.logical();
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<size_t>(x.rank()), {0, 0});
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = n.axis(axes[i], x.rank()), have = y.dim(static_cast<int>(axis)), want = sizes[i];
    n.check(want >= 0 && want < (int64_t{1} << 40), "bad shape.");
    if (want < have)
      y = ops::slice_axis(y, axis, (have - want) / 2, (have - want) / 2 + want);
    else
      widths[static_cast<size_t>(axis)] = {(want - have) / 2, want - have - (want - have) / 2};
  }
  Shape grown = y.shape();
  for (size_t i = 0; i < widths.size(); ++i) grown[i] += widths[i].first + widths[i].second;
  check_extents(n, grown, y.is_concrete());
  return {ops::pad(y, widths)};
}

}  // namespace

OperatorList shape_operators() {
  return {{"CenterCropPad", 18, import_center_crop_pad, {1}},
          {"Concat", 4, import_concat},
          {"DepthToSpace", 1, import_depth_to_space},
          {"Expand", 8, import_expand, {1}},
          {"Flatten", 1, import_flatten},
          {"Pad", 2, import_pad, {1, 2, 3}},
          {"Reshape", 1, import_reshape, {1}},
          {"ReverseSequence", 10, import_reverse_sequence},
          {"Shape", 1, import_shape},
          {"Size", 1, import_size},
          {"Slice", 1, import_slice, {1, 2, 3, 4}},
          {"SpaceToDepth", 1, import_space_to_depth},
          {"Split", 2, import_split, {1}},
          {"Squeeze", 1, import_squeeze, {1}},
          {"Tile", 6, import_tile, {1}},
          {"Transpose", 1, import_transpose},
          {"Trilu", 14, import_trilu, {1}},
          {"Unsqueeze", 1, import_unsqueeze, {1}}};
}

}  // namespace glia::onnx
