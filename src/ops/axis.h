// Shapes seen as [outer, n, inner] around one axis.
#pragma once
#include "ir/op_def.h"

namespace glia::ops {

struct AxisSplit {
  int64_t outer = 1, n = 1, inner = 1;
};
inline AxisSplit split_at(const Shape& shape, int64_t axis) {
  AxisSplit s;
  const auto rank = static_cast<int64_t>(shape.size());
  if (axis < 0) axis += rank;
  for (int64_t i = 0; i < rank; ++i)
    (i < axis ? s.outer : i == axis ? s.n : s.inner) *= shape[static_cast<size_t>(i)];
  return s;
}

}  // namespace glia::ops
