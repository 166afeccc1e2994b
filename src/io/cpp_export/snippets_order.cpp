// Sorting, picking and summing by index of generated headers.
#include "io/cpp_export/snippets.h"

namespace glia::io::cpp_export {

std::vector<Snippet> order_snippets() {
  return {
      {"order", {}, R"CPP(
// The first k of each line of (outer, n, inner) in order, equal ones as they come, NaN last: values (unless null) and
// places. `order` has room for n.
template <bool kDescending, class T>
inline void sorted(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t k, T* values, std::int32_t* places,
                   float* room) {
  std::int32_t* order = reinterpret_cast<std::int32_t*>(room);
  for (std::int64_t l = 0; l < outer * inner; ++l) {
    const std::int64_t o = l / inner, i = l % inner;
    const T* line = x + o * n * inner + i;
    const auto before = [&](std::int32_t a, std::int32_t b) {
      const T u = line[a * inner], v = line[b * inner];
      if (u != u || v != v) return (u != u) != (v != v) ? v != v : a < b;
      if (u != v) return kDescending ? u > v : u < v;
      return a < b;
    };
    for (std::int64_t j = 0; j < n; ++j) order[j] = static_cast<std::int32_t>(j);
    std::partial_sort(order, order + k, order + n, before);
    for (std::int64_t j = 0; j < k; ++j) {
      const std::int64_t to = (o * k + j) * inner + i;
      places[to] = order[j];
      if (values) values[to] = line[order[j] * inner];
    }
  }
}
)CPP"},
      {"take_along", {}, R"CPP(
// out (outer, count, inner): x (outer, n, inner) picked along the middle axis by ids of out's shape; negative ones count
// from the end.
template <class T, class I>
inline void take_along(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, const I* ids, std::int64_t count, T* out) {
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t j = 0; j < count * inner; ++j) {
      const I id = ids[o * count * inner + j];
      if (id < -n || id >= n) throw std::out_of_range("an id is outside of the table");
      out[o * count * inner + j] = x[(o * n + id + (id < 0 ? n : 0)) * inner + j % inner];
    }
}
)CPP"},
      {"searchsorted", {}, R"CPP(
// How many of the n sorted numbers lie before each value; kRight: or are equal to it.
template <bool kRight, class T>
inline void searchsorted(const T* x, std::int64_t n, const T* values, std::int64_t count, std::int32_t* out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int32_t>((kRight ? std::upper_bound(x, x + n, values[i]) : std::lower_bound(x, x + n, values[i])) - x);
}
)CPP"},
      {"segment_sum", {}, R"CPP(
// Row s of out: the sum of the rows whose id is s.
template <class T, class I>
inline void segment_sum(const T* x, std::int64_t rows, std::int64_t width, const I* ids, std::int64_t segments, T* out) {
  std::fill(out, out + segments * width, T(0));
  for (std::int64_t r = 0; r < rows; ++r) {
    if (ids[r] < -segments || ids[r] >= segments) throw std::out_of_range("an id is outside of the table");
    T* to = out + (ids[r] + (ids[r] < 0 ? segments : 0)) * width;
    for (std::int64_t i = 0; i < width; ++i) to[i] = static_cast<T>(to[i] + x[r * width + i]);
  }
}
)CPP"},
  };
}

}  // namespace glia::io::cpp_export
