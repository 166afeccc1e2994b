// Operations on images (batch, height, width, channels) or (height, width, channels).
#pragma once
#include <string>

#include <glia/value.h>

namespace glia::ops::image {

struct ResizeOptions {
  std::string interpolation = "bilinear";  // "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"
  bool antialias = false;                  // widens the kernel when an image shrinks
  bool crop_to_aspect_ratio = false;       // cuts the longer side first
  bool pad_to_aspect_ratio = false;        // pads the shorter side first, with fill_value
  double fill_value = 0.0;
  std::string data_format = "channels_last";
};
// The image at another size {height, width}; pixel centres lie at halves, as keras.ops.image.resize on TensorFlow. "nearest" keeps
// the dtype, all else gives floats.
Value resize(const Value& images, std::vector<int64_t> size, const ResizeOptions& options = {});

}  // namespace glia::ops::image
