// Random arrays, with the names and defaults of keras.random.
//
//   Value noise = random::normal({32, 10}, {.stddev = 0.1});
//   Value y = x + random::normal(x.shape());                         // inside a layer's call: new numbers in every training step
//   Tensor ids = random::randint({5}, 0, 10, {.seed = 3}).tensor();  // the same five in every call
//
// Without a seed the numbers follow set_random_seed: the same program draws the same numbers, for any number of threads, and a
// resumed training goes on with those it would have drawn; evaluate and predict leave the state alone, so their batches see the same
// numbers. With a seed they depend on the seed (and shape) alone, as for an int seed in Keras. Inside a function given to grad or
// compile_function numbers are drawn once, while it is traced: where each call should draw anew, pass a seed as an argument to
// ops::random_... (glia/ops/random.h).
#pragma once
#include <cstdint>
#include <optional>

#include <glia/value.h>

namespace glia::random {

struct NormalOptions {
  double mean = 0.0;
  double stddev = 1.0;
  DType dtype = DType::f32;
  std::optional<int64_t> seed = {};
};
Value normal(Shape shape, NormalOptions options = {});
Value truncated_normal(Shape shape, NormalOptions options = {});  // drawn again beyond two standard deviations

struct UniformOptions {
  double minval = 0.0;
  double maxval = 1.0;
  DType dtype = DType::f32;
  std::optional<int64_t> seed = {};
};
Value uniform(Shape shape, UniformOptions options = {});  // [minval, maxval)

struct RandintOptions {
  DType dtype = DType::i32;
  std::optional<int64_t> seed = {};
};
Value randint(Shape shape, int64_t minval, int64_t maxval, RandintOptions options = {});  // [minval, maxval)

struct SeedOptions {
  std::optional<int64_t> seed = {};
};
// Class ids drawn from unnormalised log-probabilities (batch, classes): int32 (batch, num_samples).
Value categorical(const Value& logits, int64_t num_samples, SeedOptions options = {});
// The slices of x along an axis in another order.
struct ShuffleOptions {
  int64_t axis = 0;
  std::optional<int64_t> seed = {};
};
Value shuffle(const Value& x, ShuffleOptions options = {});

struct DropoutOptions {
  Shape noise_shape = {};  // extents of 1 share one decision along that axis
  std::optional<int64_t> seed = {};
};
// Zeroes elements with probability rate, 0 to 1, and divides the rest by 1 - rate; whether training or not.
Value dropout(const Value& x, double rate, DropoutOptions options = {});

Value gamma(Shape shape, const Value& alpha, SeedOptions options = {});                     // float32; alpha > 0 broadcasts
Value beta(Shape shape, const Value& alpha, const Value& beta, SeedOptions options = {});   // float32, in [0, 1]
Value binomial(Shape shape, int64_t counts, double probability, SeedOptions options = {});  // float32 successes

}  // namespace glia::random
