#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace glia::plan {

size_t pack(std::vector<Interval>& intervals) {
  std::vector<size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return intervals[a].bytes > intervals[b].bytes; });
  std::vector<size_t> placed;  // by offset
  size_t total = 0;
  for (size_t i : order) {
    Interval& me = intervals[i];
    size_t size = (me.bytes + 63) / 64 * 64, at = 0;
    for (size_t j : placed) {
      const Interval& other = intervals[j];
      if (other.last < me.first || other.first > me.last) continue;
      if (at + size <= other.offset) break;
      at = std::max(at, other.offset + (other.bytes + 63) / 64 * 64);
    }
    me.offset = at;
    total = std::max(total, at + size);
    placed.insert(std::lower_bound(placed.begin(), placed.end(), i,
                                   [&](size_t a, size_t b) { return intervals[a].offset < intervals[b].offset; }), i);
  }
  return total;
}

}  // namespace glia::plan
