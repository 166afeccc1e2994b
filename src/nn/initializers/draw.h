// Host-side random numbers for initial weights. Element i depends on the seed and i only, so that neither the number of
// threads nor the order matters.
//
//   Tensor w = draw_normal({3, 3, 1, 32}, DType::f32, 0.0, 0.05, seed);
#pragma once
#include <glia/tensor.h>

#include <cstdint>
#include <optional>

namespace glia::nn {

Tensor draw_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed);
// The normal distribution within two standard deviations of the mean.
Tensor draw_truncated_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed);
Tensor draw_uniform(const Shape& shape, DType dtype, double low, double high, uint64_t seed);

// The stream of one initializer call: a given seed always, else the next of the global random state.
uint64_t initializer_seed(const std::optional<int64_t>& seed);

}  // namespace glia::nn
