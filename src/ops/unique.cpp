// Functions whose result's shape depends on the data; they run on concrete values.
#include <glia/ops/statistics.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ops/compose.h"

namespace glia::ops {
namespace {

const Tensor& concrete(const Value& x, const char* op) {
  GLIA_CHECK(x.is_concrete(), "{}: the shape of the result depends on the data, so it cannot be traced. Received a symbolic {}. Call it outside "
             "of models and compiled functions.", op, to_string(x.type()));
  return x.tensor();
}

Tensor indices_of(const std::vector<int64_t>& v) {
  Tensor t({static_cast<int64_t>(v.size())}, DType::i32);
  for (std::size_t i = 0; i < v.size(); ++i) t.data<int32_t>()[i] = static_cast<int32_t>(v[i]);
  return t;
}

}  // namespace

Values nonzero(const Value& x) {
  const Tensor t = concrete(x, "nonzero").clone();
  std::vector<std::vector<int64_t>> found(static_cast<std::size_t>(t.rank()));
  for (int64_t i = 0; i < t.size(); ++i) {
    if (t.item(i) == 0) continue;
    int64_t rest = i;
    for (int a = t.rank() - 1; a >= 0; --a) {
      found[static_cast<std::size_t>(a)].push_back(rest % t.dim(a));
      rest /= t.dim(a);
    }
  }
  Values out;
  for (const auto& v : found) out.emplace_back(indices_of(v));
  return out;
}

Value boolean_mask(const Value& x, const Value& mask) {
  const Tensor m = concrete(mask, "boolean_mask").clone();
  const Shape shape = x.shape();
  GLIA_CHECK(m.rank() >= 1 && m.rank() <= x.rank() && std::equal(m.shape().begin(), m.shape().end(), shape.begin()),
             "boolean_mask: the mask must have the leading axes of x. Received {} for {}.", to_string(m.shape()), to_string(shape));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < m.size(); ++i)
    if (m.item(i) != 0) rows.push_back(i);
  Shape flat{m.size()};
  flat.insert(flat.end(), shape.begin() + m.rank(), shape.end());
  return take(reshape(x, flat), Value(indices_of(rows)), 0);
}

Value bincount_of(const Value& x, const Value& weights, int64_t minlength) {
  const Tensor& t = concrete(x, "bincount");
  int64_t length = minlength;
  for (int64_t i = 0; i < t.size(); ++i) length = std::max(length, static_cast<int64_t>(t.item(i)) + 1);
  return bincount(x, length, weights);
}

namespace {

// Distinct rows of a matrix: groups by equal content, numbered by first occurrence, then by order if sorted.
struct Groups {
  std::vector<int64_t> first, inverse, counts;
};

Groups group(const Tensor& rows, bool sorted) {
  const int64_t n = rows.dim(0), width = n > 0 ? rows.size() / n : 0;
  std::vector<int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  auto compare = [&](int64_t a, int64_t b) {  // NaN last, equal to itself
    for (int64_t i = 0; i < width; ++i) {
      const double x = rows.item(a * width + i), y = rows.item(b * width + i);
      const bool nx = x != x, ny = y != y;
      if (nx != ny) return nx ? 1 : -1;
      if (!nx && x != y) return x < y ? -1 : 1;
    }
    return 0;
  };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
  std::vector<std::vector<int64_t>> members;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare(order[i - 1], order[i]) != 0) members.emplace_back();
    members.back().push_back(order[i]);
  }
  if (!sorted) std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
  Groups g;
  g.inverse.resize(static_cast<std::size_t>(n));
  for (std::size_t k = 0; k < members.size(); ++k) {
    g.first.push_back(members[k][0]);
    g.counts.push_back(static_cast<int64_t>(members[k].size()));
    for (int64_t i : members[k]) g.inverse[static_cast<std::size_t>(i)] = static_cast<int64_t>(k);
  }
  return g;
}

void resize_to(std::vector<int64_t>& v, int64_t size, int64_t fill) { v.resize(static_cast<std::size_t>(size), fill); }

}  // namespace

Values unique(const Value& given, const UniqueOptions& o) {
  concrete(given, "unique");
  Value x = o.axis ? given : reshape(given, {-1});
  const int64_t axis = front_axis(o.axis.value_or(0), x.rank(), "unique");
  Value moved = moveaxis(x, axis, 0);
  Groups g = group(moved.tensor().clone(), o.sorted);
  const auto found = static_cast<int64_t>(g.first.size());
  Value values = take(moved, Value(indices_of(g.first)), 0);
  if (o.size) {
    const int64_t kept = std::min(found, *o.size);
    values = slice_axis(values, 0, 0, kept);
    if (*o.size > kept) {
      Shape extra = values.shape();
      extra[0] = *o.size - kept;
      values = concatenate({values, full(extra, o.fill_value, values.dtype())}, 0);
    }
    resize_to(g.first, *o.size, 1);  // as Keras pads them
    resize_to(g.counts, *o.size, 0);
  }
  Values out{moveaxis(values, 0, axis)};
  if (o.return_index) out.emplace_back(indices_of(g.first));
  if (o.return_inverse) {
    Value inverse(indices_of(g.inverse));
    out.push_back(o.axis ? inverse : reshape(inverse, given.shape()));
  }
  if (o.return_counts) out.emplace_back(indices_of(g.counts));
  return out;
}

}  // namespace glia::ops
