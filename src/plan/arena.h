// Offsets for buffers with lifetimes: greedy by size, first gap that fits (Pisarchyk & Lee 2020, arXiv 2001.03288).
#pragma once
#include <cstddef>
#include <vector>

namespace glia::plan {

struct Interval {
  size_t bytes;
  int first, last;  // inclusive steps
  size_t offset;    // result, 64-byte aligned
};
size_t pack(std::vector<Interval>& intervals);  // returns the total size

}  // namespace glia::plan
