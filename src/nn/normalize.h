// Unit vectors as Keras makes them: x * min(rsqrt(sum x^2), 1e7) along axes.
#pragma once
#include <glia/ops.h>

namespace glia::nn {

inline Value l2_normalize(const Value& x, std::vector<int64_t> axes) {
  Value inverse = ops::rsqrt(ops::sum(ops::square(x), std::move(axes), true));
  return x * ops::minimum(inverse, ops::scalar_like(x, 1e7));
}

}  // namespace glia::nn
