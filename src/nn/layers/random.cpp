#include "nn/layers/random.h"
#include <glia/ops/random.h>

#include <glia/ops.h>

#include "nn/trace.h"

namespace glia::nn {

// Streams come in eights, so that a use may draw several times.
RandomKey random_key(const std::optional<int64_t>& seed) {
  Trace* t = Trace::current();
  if (!t) {
    Tensor now = Tensor::from_vector<int64_t>({2}, {seed ? *seed : seed_variable().tensor().cdata<int64_t>()[0], 0});
    return {now, static_cast<int64_t>(next_initializer_seed() >> 1)};
  }
  if (!seed) return {t->seed(), 8 * t->next_stream()};
  Value step = t->seed() * Value(Tensor::from_vector<int64_t>({2}, {0, 1}));
  return {step + Value(Tensor::from_vector<int64_t>({2}, {*seed, 0})), (int64_t{1} << 32) + 8 * t->next_stream()};
}

Value random_uniform(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double low, double high) {
  RandomKey k = random_key(seed);
  return ops::random_uniform(k.seed, k.stream, shape, low, high, dtype);
}
Value random_normal(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double mean, double stddev) {
  RandomKey k = random_key(seed);
  return ops::random_normal(k.seed, k.stream, shape, mean, stddev, dtype);
}

Value random_beta(const Shape& shape, const std::optional<int64_t>& seed, const Value& alpha, const Value& beta) {
  RandomKey k = random_key(seed);
  return ops::random_beta(k.seed, k.stream, shape, alpha, beta);
}
Value random_gamma(const Shape& shape, const std::optional<int64_t>& seed, const Value& alpha) {
  RandomKey k = random_key(seed);
  return ops::random_gamma(k.seed, k.stream, shape, alpha);
}
Value random_permutation(int64_t n, const std::optional<int64_t>& seed) {
  RandomKey k = random_key(seed);
  return ops::random_shuffle(k.seed, k.stream, ops::arange(0, static_cast<double>(n)));
}

Value random_dropout(const Value& x, double rate, const Shape& noise_shape, const std::optional<int64_t>& seed) {
  RandomKey k = random_key(seed);
  return ops::dropout(x, rate, k.seed, k.stream, noise_shape);
}

}  // namespace glia::nn
