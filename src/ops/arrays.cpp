// Diagonals, cutting, indexing and updates composed of the basic functions.
#include <glia/ops/arrays.h>

#include <algorithm>

#include "ops/compose.h"

namespace glia::ops {
namespace {
constexpr auto at(int64_t i) { return static_cast<std::size_t>(i); }
}  // namespace

Values hsplit(const Value& x, int64_t sections) { return split(x, sections, x.rank() == 1 ? 0 : 1); }
Values hsplit(const Value& x, std::vector<int64_t> indices) { return split(x, std::move(indices), x.rank() == 1 ? 0 : 1); }
Values vsplit(const Value& x, int64_t sections) { return split(x, sections, 0); }
Values vsplit(const Value& x, std::vector<int64_t> indices) { return split(x, std::move(indices), 0); }
Values dsplit(const Value& x, int64_t sections) { return split(x, sections, 2); }
Values dsplit(const Value& x, std::vector<int64_t> indices) { return split(x, std::move(indices), 2); }

Value moveaxis(const Value& x, const std::vector<int64_t>& source, const std::vector<int64_t>& destination) {
  GLIA_CHECK(source.size() == destination.size(), "moveaxis: {} axes to move but {} places.", source.size(), destination.size());
  Axes order(at(x.rank()), -1);
  std::vector<bool> moved(order.size(), false);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const int64_t from = front_axis(source[i], x.rank(), "moveaxis"), to = front_axis(destination[i], x.rank(), "moveaxis");
    GLIA_CHECK(!moved[at(from)] && order[at(to)] < 0, "moveaxis: an axis is named twice.");
    moved[at(from)] = true;
    order[at(to)] = from;
  }
  int64_t next = 0;
  for (int64_t& axis : order) {
    if (axis >= 0) continue;
    while (moved[at(next)]) ++next;
    axis = next++;
  }
  return transpose(x, order);
}

Value expand_dims(const Value& x, const std::vector<int64_t>& axes) {
  const int64_t rank = x.rank() + static_cast<int64_t>(axes.size());
  Axes sorted;
  for (int64_t a : axes) sorted.push_back(front_axis(a, rank, "expand_dims"));
  std::sort(sorted.begin(), sorted.end());
  Value y = x;
  for (int64_t a : sorted) y = expand_dims(y, a);
  return y;
}

Value repeat(const Value& x, const std::vector<int64_t>& repeats, int64_t axis) {
  const int64_t a = front_axis(axis, x.rank(), "repeat"), n = x.dim(static_cast<int>(a));
  if (repeats.size() == 1) return repeat(x, repeats[0], a);
  GLIA_CHECK(static_cast<int64_t>(repeats.size()) == n, "repeat: {} numbers of copies for an axis of {}.", repeats.size(), n);
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.insert(rows.end(), at(std::max<int64_t>(0, repeats[at(i)])), static_cast<int32_t>(i));
  return take(x, index_vector(rows), a);
}

// ---- parts ----

Value get_item(const Value& x, const std::vector<Index>& key) {
  const auto named = std::count_if(key.begin(), key.end(), [](const Index& i) { return i.kind == Index::Kind::at || i.kind == Index::Kind::slice; });
  const auto dots = std::count_if(key.begin(), key.end(), [](const Index& i) { return i.kind == Index::Kind::ellipsis; });
  GLIA_CHECK(dots <= 1 && named <= x.rank(), "get_item: {} indices and {} ellipses for an array of shape {}.", named, dots, to_string(x.shape()));
  Value y = x;
  int64_t axis = 0;
  for (const Index& i : key) {
    if (i.kind == Index::Kind::ellipsis) {
      axis += x.rank() - named;
    } else if (i.kind == Index::Kind::new_axis) {
      y = expand_dims(y, axis++);
    } else if (i.kind == Index::Kind::at) {
      const int64_t n = y.dim(static_cast<int>(axis)), k = *i.start;
      GLIA_CHECK(k >= -n && k < n, "get_item: index {} is out of range for axis {} of shape {}.", k, axis, to_string(y.shape()));
      y = squeeze(slice_axis(y, axis, k < 0 ? k + n : k, (k < 0 ? k + n : k) + 1), {axis});
    } else {
      GLIA_CHECK(i.step != 0, "get_item: the step of a slice must not be 0.");
      const int64_t n = y.dim(static_cast<int>(axis));
      const int64_t start = i.start.value_or(i.step > 0 ? 0 : n - 1);
      y = slice_axis(y, axis, start, i.stop.value_or(kEnd), i.step);
      ++axis;
    }
  }
  return y;
}

Value slice_update(const Value& x, std::vector<int64_t> starts, const Value& updates) {
  GLIA_CHECK(updates.rank() == x.rank() && static_cast<int64_t>(starts.size()) == x.rank(),
             "slice_update: x, the updates and the starts must have one rank. Received {}, {} and {}.", to_string(x.shape()), to_string(updates.shape()),
             starts.size());
  std::vector<std::pair<int64_t, int64_t>> widths;
  for (int64_t i = 0; i < x.rank(); ++i) {
    const int64_t n = x.dim(static_cast<int>(i)), m = updates.dim(static_cast<int>(i));
    GLIA_CHECK(m <= n, "slice_update: updates of shape {} do not fit into {}.", to_string(updates.shape()), to_string(x.shape()));
    const int64_t start = std::clamp<int64_t>(starts[at(i)] < 0 ? starts[at(i)] + n : starts[at(i)], 0, n - m);  // as XLA clamps
    widths.emplace_back(start, n - m - start);
  }
  Value inside = pad(ones(updates.shape(), DType::i32), widths) > 0.0;
  return where(inside, pad(cast(updates, x.dtype()), widths), x);
}

Value select(const Values& conditions, const Values& choices, const Value& otherwise) {
  GLIA_CHECK(!conditions.empty() && conditions.size() == choices.size(), "select: {} conditions for {} choices.", conditions.size(), choices.size());
  Value y = otherwise;
  for (std::size_t i = conditions.size(); i-- > 0;) y = where(conditions[i], choices[i], y);
  return y;
}

// ---- diagonals ----

Value diagonal(const Value& x, int64_t offset, int64_t axis1, int64_t axis2) {
  GLIA_CHECK(x.rank() >= 2, "diagonal: expected at least two axes. Received shape {}.", to_string(x.shape()));
  const int64_t a = front_axis(axis1, x.rank(), "diagonal"), b = front_axis(axis2, x.rank(), "diagonal");
  GLIA_CHECK(a != b, "diagonal: the two axes must differ. Received {} and {}.", axis1, axis2);
  Value y = moveaxis(x, Axes{a, b}, Axes{-2, -1});
  const int64_t rows = y.dim(-2), columns = y.dim(-1);
  std::vector<int32_t> places;
  for (int64_t i = 0; i < rows; ++i)
    if (i + offset >= 0 && i + offset < columns) places.push_back(static_cast<int32_t>(i * columns + i + offset));
  Shape flat = y.shape();
  flat.pop_back();
  flat.back() = rows * columns;
  return take(reshape(y, flat), index_vector(places), -1);
}

Value diag(const Value& x, int64_t k) {
  if (x.rank() == 2) return diagonal(x, k);
  GLIA_CHECK(x.rank() == 1, "diag: expected a vector or a matrix. Received shape {}.", to_string(x.shape()));
  const int64_t size = x.dim(0) + std::abs(k);
  Value padded = pad(x, {{0, size - x.dim(0)}});
  return where(eye(size, size, k, DType::bool_), expand_dims(padded, k >= 0 ? 1 : 0), zero_of(x));
}
Value diagflat(const Value& x, int64_t k) { return diag(reshape(x, {-1}), k); }
Value trace(const Value& x, int64_t offset, int64_t axis1, int64_t axis2) {
  return sum(diagonal(x, offset, axis1, axis2), {-1});
}

// ---- products ----

Value kron(const Value& given_a, const Value& given_b) {
  const DType t = result_type(given_a.dtype(), given_b.dtype());
  const int64_t rank = std::max(given_a.rank(), given_b.rank());
  auto full_rank = [&](const Value& x) {
    Shape s(at(rank - x.rank()), 1);
    const Shape own = x.shape();
    s.insert(s.end(), own.begin(), own.end());
    return s;
  };
  const Shape sa = full_rank(given_a), sb = full_rank(given_b);
  Shape wide_a, wide_b, result;
  for (std::size_t i = 0; i < at(rank); ++i) {
    wide_a.insert(wide_a.end(), {sa[i], 1});
    wide_b.insert(wide_b.end(), {1, sb[i]});
    result.push_back(sa[i] * sb[i]);
  }
  return reshape(reshape(cast(given_a, t), wide_a) * reshape(cast(given_b, t), wide_b), result);
}

Value cross(const Value& given_a, const Value& given_b, int64_t axisa, int64_t axisb, int64_t axisc, std::optional<int64_t> axis) {
  if (axis) axisa = axisb = axisc = *axis;
  const DType t = result_type(given_a.dtype(), given_b.dtype());
  Value a = moveaxis(cast(given_a, t), axisa, -1), b = moveaxis(cast(given_b, t), axisb, -1);
  const int64_t n = a.dim(-1), m = b.dim(-1);
  GLIA_CHECK((n == 2 || n == 3) && (m == 2 || m == 3), "cross: expected vectors of 2 or 3 elements. Received shapes {} and {}.",
             to_string(given_a.shape()), to_string(given_b.shape()));
  auto part = [](const Value& v, int64_t i) {
    if (i >= v.dim(-1)) return zeros(squeeze(slice_axis(v, -1, 0, 1), {-1}).shape(), v.dtype());
    return squeeze(slice_axis(v, -1, i, i + 1), {-1});
  };
  auto element = [&](int64_t i, int64_t j) { return part(a, i) * part(b, j) - part(a, j) * part(b, i); };
  if (n == 2 && m == 2) return element(0, 1);
  return moveaxis(stack({element(1, 2), element(2, 0), element(0, 1)}, -1), -1, axisc);
}

Value vander(const Value& x, std::optional<int64_t> columns, bool increasing) {
  GLIA_CHECK(x.rank() == 1, "vander: expected a vector. Received shape {}.", to_string(x.shape()));
  const auto n = static_cast<double>(columns.value_or(x.dim(0)));
  Value base = as_float(x);
  Value powers = increasing ? arange(0, n, 1, base.dtype()) : arange(n - 1, -1, -1, base.dtype());
  return cast(power(expand_dims(base, -1), powers), x.dtype());
}

Values unravel_index(const Value& indices, const Shape& shape) {
  Values out(shape.size());
  Value rest = indices;
  for (std::size_t i = shape.size(); i-- > 0;) {
    Value n = scalar_like(rest, static_cast<double>(shape[i]));
    out[i] = mod(rest, n);
    rest = floor_divide(rest, n);
  }
  return out;
}

Value extract_sequences(const Value& x, int64_t length, int64_t stride) {
  GLIA_CHECK(length > 0 && stride > 0 && x.rank() >= 1, "extract_sequences: length and stride must be positive. Received {} and {}.", length, stride);
  const int64_t n = x.dim(-1), frames = n < length ? 0 : (n - length) / stride + 1;
  std::vector<int32_t> places;
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t i = 0; i < length; ++i) places.push_back(static_cast<int32_t>(f * stride + i));
  return take(x, index_vector(places, {frames, length}), -1);
}

}  // namespace glia::ops
