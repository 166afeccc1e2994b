#include <glia/random.h>

#include <glia/ops.h>

#include "nn/layers/random.h"

namespace glia::random {
namespace {

// A seed of the user's stands for itself, in every call and every step; the streams lie apart from those of random_key.
nn::RandomKey key_of(const std::optional<int64_t>& seed) {
  if (!seed) return nn::random_key({});
  return {Value(Tensor::from_vector<int64_t>({2}, {*seed, 0})), int64_t{1} << 40};
}

}  // namespace

Value normal(Shape shape, NormalOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_normal(k.seed, k.stream, std::move(shape), o.mean, o.stddev, o.dtype);
}
Value truncated_normal(Shape shape, NormalOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_truncated_normal(k.seed, k.stream, std::move(shape), o.mean, o.stddev, o.dtype);
}
Value uniform(Shape shape, UniformOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_uniform(k.seed, k.stream, std::move(shape), o.minval, o.maxval, o.dtype);
}
Value randint(Shape shape, int64_t minval, int64_t maxval, RandintOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_integers(k.seed, k.stream, std::move(shape), minval, maxval, o.dtype);
}
Value categorical(const Value& logits, int64_t num_samples, SeedOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_categorical(k.seed, k.stream, logits, num_samples);
}
Value shuffle(const Value& x, ShuffleOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_shuffle(k.seed, k.stream, x, o.axis);
}
Value dropout(const Value& x, double rate, DropoutOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::dropout(x, rate, k.seed, k.stream, std::move(o.noise_shape));
}
Value gamma(Shape shape, const Value& alpha, SeedOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_gamma(k.seed, k.stream, std::move(shape), alpha);
}
Value beta(Shape shape, const Value& alpha, const Value& b, SeedOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_beta(k.seed, k.stream, std::move(shape), alpha, b);
}
Value binomial(Shape shape, int64_t counts, double probability, SeedOptions o) {
  const nn::RandomKey k = key_of(o.seed);
  return ops::random_binomial(k.seed, k.stream, std::move(shape), counts, probability);
}

}  // namespace glia::random
