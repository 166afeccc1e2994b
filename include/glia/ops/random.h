// Random numbers as pure functions of a seed: Philox4x32-10 counters, so results do not depend on threads or on the
// machine, and a run resumed at the same step draws the same numbers.
//
//   Value seed = ops::constant(Tensor::from_vector<int64_t>({2}, {1337, step}));   // {seed, step}
//   Value noise = ops::random_normal(seed, /*stream=*/0, {32, 10});
//
// seed: int64 (2,). stream: a different number for every use within one step.
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value random_uniform(const Value& seed, int64_t stream, Shape shape, double low = 0, double high = 1,
                     DType dtype = DType::f32);  // [low, high)
Value random_normal(const Value& seed, int64_t stream, Shape shape, double mean = 0, double stddev = 1,
                    DType dtype = DType::f32);
// Normal, drawn again where it lies beyond two standard deviations.
Value random_truncated_normal(const Value& seed, int64_t stream, Shape shape, double mean = 0, double stddev = 1,
                              DType dtype = DType::f32);
Value random_integers(const Value& seed, int64_t stream, Shape shape, int64_t low, int64_t high,
                      DType dtype = DType::i32);  // [low, high)
Value random_bernoulli(const Value& seed, int64_t stream, Shape shape, double p,
                       DType dtype = DType::f32);  // 1 with probability p
Value random_shuffle(const Value& seed, int64_t stream, const Value& x, int64_t axis = 0);
// One class per draw from unnormalised log-probabilities (batch, classes): int32 (batch, samples).
Value random_categorical(const Value& seed, int64_t stream, const Value& logits, int64_t num_samples = 1);
// Gamma(alpha, scale 1), alpha > 0; Marsaglia and Tsang 2000. Uses the streams stream .. stream + 2.
Value random_gamma(const Value& seed, int64_t stream, Shape shape, const Value& alpha);
// Beta(alpha, beta), numbers in [0, 1]. Uses the streams stream .. stream + 5.
Value random_beta(const Value& seed, int64_t stream, Shape shape, const Value& alpha, const Value& beta);
// How many of `counts` trials succeed with probability p.
Value random_binomial(const Value& seed, int64_t stream, Shape shape, int64_t counts, double p, DType dtype = DType::f32);
// Zeroes elements with probability `rate` and divides the rest by 1 - rate. noise_shape: extents of 1 share one
// decision along that axis. The gradient draws the same decisions again instead of storing them.
Value dropout(const Value& x, double rate, const Value& seed, int64_t stream, Shape noise_shape = {});

}  // namespace glia::ops
