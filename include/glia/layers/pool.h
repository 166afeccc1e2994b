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
LayerRef MaxPooling1D(Ints pool_size = {2}, PoolingOptions options = {});
LayerRef MaxPooling2D(Ints pool_size = {2, 2}, PoolingOptions options = {});
LayerRef MaxPooling3D(Ints pool_size = {2, 2, 2}, PoolingOptions options = {});
LayerRef AveragePooling1D(Ints pool_size = {2}, PoolingOptions options = {});
LayerRef AveragePooling2D(Ints pool_size = {2, 2}, PoolingOptions options = {});
LayerRef AveragePooling3D(Ints pool_size = {2, 2, 2}, PoolingOptions options = {});

struct GlobalPoolingOptions {
  std::string data_format = "channels_last";
  bool keepdims = false;
  GLIA_LAYER_OPTIONS
};
LayerRef GlobalMaxPooling1D(GlobalPoolingOptions options = {});
LayerRef GlobalMaxPooling2D(GlobalPoolingOptions options = {});
LayerRef GlobalMaxPooling3D(GlobalPoolingOptions options = {});
LayerRef GlobalAveragePooling1D(GlobalPoolingOptions options = {});
LayerRef GlobalAveragePooling2D(GlobalPoolingOptions options = {});
LayerRef GlobalAveragePooling3D(GlobalPoolingOptions options = {});

struct AdaptivePoolingOptions {
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// A fixed number of output cells whatever the input's extent: cell i covers floor(i n / m) to ceil((i + 1) n / m).
LayerRef AdaptiveMaxPooling1D(Ints output_size, AdaptivePoolingOptions options = {});
LayerRef AdaptiveMaxPooling2D(Ints output_size, AdaptivePoolingOptions options = {});
LayerRef AdaptiveMaxPooling3D(Ints output_size, AdaptivePoolingOptions options = {});
LayerRef AdaptiveAveragePooling1D(Ints output_size, AdaptivePoolingOptions options = {});
LayerRef AdaptiveAveragePooling2D(Ints output_size, AdaptivePoolingOptions options = {});
LayerRef AdaptiveAveragePooling3D(Ints output_size, AdaptivePoolingOptions options = {});

}  // namespace glia::layers
