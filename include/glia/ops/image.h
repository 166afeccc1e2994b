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

struct AffineOptions {
  std::string interpolation = "bilinear";  // or "nearest"
  std::string fill_mode = "constant";      // or "reflect", "wrap", "nearest": what lies outside of an image
  double fill_value = 0.0;
};
// Images (batch, height, width, channels) seen through affine maps. transforms: (batch or 1, 6) rows a0 a1 a2 b0 b1 b2; output
// pixel (x, y) reads the input at (a0 x + a1 y + a2, b0 x + b1 y + b2). As keras.ops.image.affine_transform on TensorFlow.
Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& options = {});
Value rgb_to_grayscale(const Value& images);  // over the last axis: 0.2989 r + 0.587 g + 0.114 b

}  // namespace glia::ops::image
