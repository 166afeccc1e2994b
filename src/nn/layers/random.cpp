#include "nn/layers/random.h"

#include "base/error.h"

namespace glia::nn {

// Bridges the time until the random operations are in the library.
Value random_uniform(const Shape&, DType, const std::optional<int64_t>&, double, double) {
  throw_error("random operations are not available yet.");
}
Value random_normal(const Shape&, DType, const std::optional<int64_t>&, double, double) {
  throw_error("random operations are not available yet.");
}
Value random_dropout(const Value&, double, const Shape&, const std::optional<int64_t>&) {
  throw_error("random operations are not available yet.");
}

}  // namespace glia::nn
