// Pooling over 1, 2 or 3 spatial axes of (batch, spatial..., channels), or (batch, channels, spatial...) with data_format
// "channels_first".
//
//   layers::MaxPooling2D({2, 2})
//   layers::GlobalAveragePooling1D()      // mean over the steps, the masked ones left out
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct PoolingOptions {
  Ints strides = {};              // empty: the pool size
  std::string padding = "valid";  // or "same": ceil(n / stride) cells; averages count only cells of the input
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef MaxPooling1D(Ints pool_size = {2}, PoolingOptions options = {});  // MaxPooling1D(): (1, 8, 3) -> (1, 4, 3)
LayerRef MaxPooling2D(Ints pool_size = {2, 2}, PoolingOptions options = {});  // MaxPooling2D({2, 2}): (1, 8, 8, 3) -> (1, 4, 4, 3)
LayerRef MaxPooling3D(Ints pool_size = {2, 2, 2}, PoolingOptions options = {});  // MaxPooling3D(): (1, 4, 4, 4, 3) -> (1, 2, 2, 2, 3)
LayerRef AveragePooling1D(Ints pool_size = {2}, PoolingOptions options = {});  // AveragePooling1D({3}, {.padding = "same"}): (1, 8, 3) -> (1, 3, 3)
LayerRef AveragePooling2D(Ints pool_size = {2, 2}, PoolingOptions options = {});  // AveragePooling2D({2, 2}): (1, 8, 8, 3) -> (1, 4, 4, 3)
LayerRef AveragePooling3D(Ints pool_size = {2, 2, 2}, PoolingOptions options = {});  // AveragePooling3D(): (1, 4, 4, 4, 3) -> (1, 2, 2, 2, 3)

struct GlobalPoolingOptions {
  std::string data_format = "channels_last";
  bool keepdims = false;
  GLIA_LAYER_OPTIONS
};
LayerRef GlobalMaxPooling1D(GlobalPoolingOptions options = {});  // GlobalMaxPooling1D(): (2, 5, 3) -> (2, 3)
LayerRef GlobalMaxPooling2D(GlobalPoolingOptions options = {});  // GlobalMaxPooling2D(): (1, 8, 8, 3) -> (1, 3)
LayerRef GlobalMaxPooling3D(GlobalPoolingOptions options = {});  // GlobalMaxPooling3D(): (1, 4, 4, 4, 3) -> (1, 3)
LayerRef GlobalAveragePooling1D(GlobalPoolingOptions options = {});  // GlobalAveragePooling1D(): (2, 5, 3) -> (2, 3)
LayerRef GlobalAveragePooling2D(GlobalPoolingOptions options = {});  // GlobalAveragePooling2D({.keepdims = true}): (1, 8, 8, 3) -> (1, 1, 1, 3)
LayerRef GlobalAveragePooling3D(GlobalPoolingOptions options = {});  // GlobalAveragePooling3D(): (1, 4, 4, 4, 3) -> (1, 3)

struct AdaptivePoolingOptions {
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// A fixed number of output cells whatever the input's extent: cell i covers floor(i n / m) to ceil((i + 1) n / m).
LayerRef AdaptiveMaxPooling1D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveMaxPooling1D({3}): (1, 7, 2) -> (1, 3, 2)
LayerRef AdaptiveMaxPooling2D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveMaxPooling2D({3, 2}): (1, 7, 7, 2) -> (1, 3, 2, 2)
LayerRef AdaptiveMaxPooling3D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveMaxPooling3D({2, 2, 2}): (1, 5, 5, 5, 2) -> (1, 2, 2, 2, 2)
LayerRef AdaptiveAveragePooling1D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveAveragePooling1D({3}): (1, 7, 2) -> (1, 3, 2)
LayerRef AdaptiveAveragePooling2D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveAveragePooling2D({3, 2}): (1, 7, 7, 2) -> (1, 3, 2, 2)
LayerRef AdaptiveAveragePooling3D(Ints output_size, AdaptivePoolingOptions options = {});  // AdaptiveAveragePooling3D({2, 2, 2}): (1, 5, 5, 5, 2) -> (1, 2, 2, 2, 2)

}  // namespace glia::layers
