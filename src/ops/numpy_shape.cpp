// Stacking, splitting, differences and products composed of the basic functions.
#include <glia/ops.h>

#include <algorithm>
#include <numeric>

#include "ops/compose.h"

namespace glia::ops {
namespace {
Value at_least(const Value& x, int rank) {  // as numpy.atleast_2d, atleast_3d: (n) becomes (1, n) and (1, n, 1)
  if (x.rank() == 0) return reshape(x, Shape(static_cast<std::size_t>(rank), 1));
  if (x.rank() == 1) return rank == 2 ? reshape(x, {1, x.dim(0)}) : reshape(x, {1, x.dim(0), 1});
  if (x.rank() == 2 && rank == 3) return expand_dims(x, 2);
  return x;
}
Values at_least(const Values& xs, int rank) {
  Values out;
  for (const Value& x : xs) out.push_back(at_least(x, rank));
  return out;
}
int64_t extent(const Value& x, const Axes& axes) {
  int64_t n = 1;
  for (int64_t a : axes) n *= x.dim(static_cast<int>(a));
  return n;
}
}  // namespace

Value ravel(const Value& x) { return reshape(x, {-1}); }
Value fliplr(const Value& x) { return flip(x, {1}); }
Value flipud(const Value& x) { return flip(x, {0}); }
Value hstack(const Values& xs) {
  GLIA_CHECK(!xs.empty(), "hstack: give at least one array.");
  return concatenate(xs, xs[0].rank() == 1 ? 0 : 1);
}
Value vstack(const Values& xs) { return concatenate(xs, 0); }
Value dstack(const Values& xs) { return concatenate(at_least(xs, 3), 2); }
Values array_split(const Value& x, int64_t sections, int64_t axis) {
  GLIA_CHECK(sections > 0, "array_split: sections must be positive. Received {}.", sections);
  const int64_t a = front_axis(axis, x.rank(), "array_split"), n = x.dim(static_cast<int>(a));
  Axes cuts;
  for (int64_t i = 1; i < sections; ++i) cuts.push_back(i * (n / sections) + std::min(i, n % sections));
  return split(x, cuts, a);
}
Value append(const Value& a, const Value& b, std::optional<int64_t> axis) {
  if (!axis) return concatenate({ravel(a), ravel(b)}, 0);
  return concatenate({a, b}, *axis);
}
Value rot90(const Value& x, int64_t k, int64_t axis1, int64_t axis2) {
  const int64_t a = front_axis(axis1, x.rank(), "rot90"), b = front_axis(axis2, x.rank(), "rot90");
  GLIA_CHECK(a != b, "rot90: the two axes must differ. Received {} and {}.", axis1, axis2);
  switch (((k % 4) + 4) % 4) {
    case 1: return swapaxes(flip(x, {b}), a, b);
    case 2: {  // Keras 3.15 on TensorFlow reshapes between its two quarter turns, which matters for unequal extents; kept for equal numbers
      if (x.dim(static_cast<int>(a)) == x.dim(static_cast<int>(b))) return flip(x, {a, b});
      Value y = moveaxis(x, Axes{a, b}, Axes{-2, -1});
      auto turned = [](const Value& v) { return swapaxes(flip(v, {-1}), -1, -2); };
      return moveaxis(reshape(turned(reshape(turned(y), y.shape())), y.shape()), Axes{-2, -1}, Axes{a, b});
    }
    case 3: return flip(swapaxes(x, a, b), {b});
  }
  return x;
}
Value diff(const Value& x, int64_t n, int64_t axis) {
  const int64_t a = front_axis(axis, x.rank(), "diff");
  Value y = x;
  for (int64_t i = 0; i < n; ++i) {
    if (y.dtype() == DType::bool_) y = not_equal(slice_axis(y, a, 1), slice_axis(y, a, 0, -1));
    else y = slice_axis(y, a, 1) - slice_axis(y, a, 0, -1);
  }
  return y;
}
Value trapezoid(const Value& given, const Value& x, double dx, int64_t axis) {
  Value y = is_float(given.dtype()) ? given : cast(given, DType::f32);
  const int64_t a = front_axis(axis, y.rank(), "trapezoid");
  Value pairs = (slice_axis(y, a, 1) + slice_axis(y, a, 0, -1)) * 0.5;
  if (!x.defined()) return sum(pairs, {a}) * dx;
  Value widths = cast(diff(x, 1, -1), y.dtype());
  if (x.rank() == 1 && y.rank() > 1) {
    Shape shape(static_cast<std::size_t>(y.rank()), 1);
    shape[static_cast<std::size_t>(a)] = widths.dim(0);
    widths = reshape(widths, shape);
  }
  return sum(pairs * widths, {a});
}
Values meshgrid(const Values& xs, bool matrix_indexing) {
  const std::size_t n = xs.size();
  const bool swap = !matrix_indexing && n > 1;
  Shape full_shape;
  for (const Value& x : xs) full_shape.push_back(x.type().elements());
  if (swap) std::swap(full_shape[0], full_shape[1]);
  Values out;
  for (std::size_t i = 0; i < n; ++i) {
    Shape shape(n, 1);
    shape[swap && i < 2 ? 1 - i : i] = xs[i].type().elements();
    out.push_back(broadcast_to(reshape(xs[i], shape), full_shape));
  }
  return out;
}
Value zeros_like(const Value& x) { return zeros(x.shape(), x.dtype()); }
Value ones_like(const Value& x) { return ones(x.shape(), x.dtype()); }
Value full_like(const Value& x, double value) { return full(x.shape(), value, x.dtype()); }
Value identity(int64_t n, DType dtype) { return eye(n, n, 0, dtype); }

Value tensordot(const Value& a, const Value& b, Axes axes_a, Axes axes_b) {
  GLIA_CHECK(axes_a.size() == axes_b.size(), "tensordot: {} axes of the first array meet {} of the second.", axes_a.size(), axes_b.size());
  for (int64_t& i : axes_a) i = front_axis(i, a.rank(), "tensordot");
  for (int64_t& i : axes_b) i = front_axis(i, b.rank(), "tensordot");
  for (std::size_t i = 0; i < axes_a.size(); ++i)
    GLIA_CHECK(a.dim(static_cast<int>(axes_a[i])) == b.dim(static_cast<int>(axes_b[i])),
               "tensordot: axis {} of {} does not match axis {} of {}.", axes_a[i], to_string(a.shape()), axes_b[i], to_string(b.shape()));
  auto rest = [](const Value& x, const Axes& used) {
    Axes left;
    for (int64_t i = 0; i < x.rank(); ++i)
      if (std::find(used.begin(), used.end(), i) == used.end()) left.push_back(i);
    return left;
  };
  const Axes left_a = rest(a, axes_a), left_b = rest(b, axes_b);
  Axes order_a = left_a, order_b = axes_b;
  order_a.insert(order_a.end(), axes_a.begin(), axes_a.end());
  order_b.insert(order_b.end(), left_b.begin(), left_b.end());
  Shape result;
  for (int64_t i : left_a) result.push_back(a.dim(static_cast<int>(i)));
  for (int64_t i : left_b) result.push_back(b.dim(static_cast<int>(i)));
  const int64_t inner_size = extent(a, axes_a);
  Value m = reshape(transpose(a, order_a), {extent(a, left_a), inner_size});
  Value n = reshape(transpose(b, order_b), {inner_size, extent(b, left_b)});
  return reshape(cast(matmul(m, n), result_type(a.dtype(), b.dtype())), result);  // int8 stays int8 here
}
Value tensordot(const Value& a, const Value& b, int64_t axes) {
  Axes axes_a(static_cast<std::size_t>(axes)), axes_b(static_cast<std::size_t>(axes));
  std::iota(axes_a.begin(), axes_a.end(), a.rank() - axes);
  std::iota(axes_b.begin(), axes_b.end(), 0);
  if (axes == 0) return reshape(outer(a, b), [&] {
    Shape s = a.shape();
    const Shape t = b.shape();
    s.insert(s.end(), t.begin(), t.end());
    return s;
  }());
  return tensordot(a, b, axes_a, axes_b);
}
Value dot(const Value& a, const Value& b) {
  if (a.rank() == 0 || b.rank() == 0) return a * b;
  return tensordot(a, b, Axes{-1}, Axes{b.rank() == 1 ? 0 : b.rank() - 2});
}
Value inner(const Value& a, const Value& b) {
  if (a.rank() == 0 || b.rank() == 0) return a * b;
  return tensordot(a, b, Axes{-1}, Axes{-1});
}
Value outer(const Value& a, const Value& b) { return reshape(a, {-1, 1}) * reshape(b, {1, -1}); }
Value vdot(const Value& a, const Value& b) { return sum(ravel(a) * ravel(b)); }

}  // namespace glia::ops
