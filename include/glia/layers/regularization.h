// Layers that act only while training: noise that keeps a network from leaning on single features.
//
//   layers::Dropout(0.5)
//   layers::SpatialDropout2D(0.2)
//
// A seed makes a layer's noise independent of the global seed; without one, set_random_seed decides.
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct DropoutOptions {
  Ints noise_shape = {};  // extents of the mask: 1 shares one decision along the axis, -1 takes the input's extent
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// Sets a fraction `rate` of the inputs to 0 and multiplies the others by 1 / (1 - rate), in training only.
LayerRef Dropout(double rate, DropoutOptions options = {});  // Dropout(0.5): (2, 3) -> (2, 3)
// Dropout that keeps the self-normalising property of selu: mean and variance stay.
LayerRef AlphaDropout(double rate, DropoutOptions options = {});  // AlphaDropout(0.1): (2, 3) -> (2, 3)

struct SpatialDropoutOptions {
  std::string data_format = "channels_last";
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// Drops whole channels: all of (batch, steps, channels) along steps, and so on.
LayerRef SpatialDropout1D(double rate, SpatialDropoutOptions options = {});  // SpatialDropout1D(0.2): (2, 5, 3) -> (2, 5, 3)
LayerRef SpatialDropout2D(double rate, SpatialDropoutOptions options = {});  // SpatialDropout2D(0.2): (1, 4, 4, 3) -> (1, 4, 4, 3)
LayerRef SpatialDropout3D(double rate, SpatialDropoutOptions options = {});  // SpatialDropout3D(0.2): (1, 3, 3, 3, 2) -> (1, 3, 3, 3, 2)

struct NoiseOptions {
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
LayerRef GaussianNoise(double stddev, NoiseOptions options = {});  // adds N(0, stddev). GaussianNoise(0.1): (2, 3) -> (2, 3)
LayerRef GaussianDropout(double rate, NoiseOptions options = {});  // multiplies by N(1, sqrt(rate / (1 - rate))). GaussianDropout(0.1): (2, 3) -> (2, 3)

struct ActivityRegularizationOptions {
  double l1 = 0.0;
  double l2 = 0.0;
  GLIA_LAYER_OPTIONS
};
// Adds l1 * sum|x| + l2 * sum x^2, divided by the batch size, to the loss; passes x on.
LayerRef ActivityRegularization(ActivityRegularizationOptions options = {});  // ActivityRegularization({.l2 = 0.01}): (2, 3) -> (2, 3)

}  // namespace glia::layers
