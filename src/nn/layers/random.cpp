#include "nn/layers/random.h"
#include <glia/ops/random.h>

#include <glia/ops.h>

#include "nn/trace.h"

namespace glia::nn {

namespace {
struct RandomKey {
  Value seed;          // int64 {seed, step}
  int64_t stream = 0;  // different for every use
};
RandomKey random_key(const std::optional<int64_t>& seed) {
  Trace* t = Trace::current();
  if (!t) {
    Tensor now = Tensor::from_vector<int64_t>({2}, {seed ? *seed : seed_variable().tensor().data<int64_t>()[0], 0});
    return {now, static_cast<int64_t>(next_initializer_seed() >> 1)};
  }
  if (!seed) return {t->seed(), t->next_stream()};
  Value step = t->seed() * Value(Tensor::from_vector<int64_t>({2}, {0, 1}));
  return {step + Value(Tensor::from_vector<int64_t>({2}, {*seed, 0})), int64_t{1} << 32};  // the layer's own stream
}

}  // namespace

Value random_uniform(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double low, double high) {
  RandomKey k = random_key(seed);
  return ops::random_uniform(k.seed, k.stream, shape, low, high, dtype);
}
Value random_normal(const Shape& shape, DType dtype, const std::optional<int64_t>& seed, double mean, double stddev) {
  RandomKey k = random_key(seed);
  return ops::random_normal(k.seed, k.stream, shape, mean, stddev, dtype);
}

Value random_dropout(const Value& x, double rate, const Shape& noise_shape, const std::optional<int64_t>& seed) {
  RandomKey k = random_key(seed);
  return ops::dropout(x, rate, k.seed, k.stream, noise_shape);
}

}  // namespace glia::nn
