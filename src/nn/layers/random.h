// Random values inside layers. In a traced step they come from the global seed and step (inputs of the graph) and a stream of
// their own per use; outside of one they are drawn at once. A layer's own seed replaces the global one.
#pragma once
#include <glia/value.h>

#include <optional>

namespace glia::nn {

Value random_uniform(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double low = 0, double high = 1);
Value random_normal(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double mean = 0, double stddev = 1);

Value random_beta(const Shape& shape, const std::optional<int64_t>& seed, const Value& alpha, const Value& beta);
Value random_gamma(const Shape& shape, const std::optional<int64_t>& seed, const Value& alpha);
Value random_permutation(int64_t n, const std::optional<int64_t>& seed);  // int32
// For functions that draw by themselves: a seed and the first of eight streams of its own.
struct RandomKey {
  Value seed;          // int64 {seed, step}
  int64_t stream = 0;  // different for every use
};
RandomKey random_key(const std::optional<int64_t>& seed);

// Zeroes elements with probability `rate` and divides the rest by 1 - rate. noise_shape broadcasts against x.
Value random_dropout(const Value& x, double rate, const Shape& noise_shape, const std::optional<int64_t>& seed);

}  // namespace glia::nn
