// Operations on images (batch, height, width, channels) or (height, width, channels), named as in keras.ops.image. With
// data_format "channels_first" the channels stand before height and width.
//
//   Value small = ops::image::resize(images, {32, 32}, {.interpolation = "bicubic", .antialias = true});
//   Value patches = ops::image::extract_patches(images, {8, 8});
#pragma once
#include <optional>
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
// Images (batch, height, width, channels) seen through projective maps. transforms: (batch or 1, 8) rows a0 a1 a2 b0 b1 b2 c0 c1, or
// (batch or 1, 6) for affine maps; output pixel (x, y) reads the input at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with
// k = c0 x + c1 y + 1. As keras.ops.image.affine_transform on TensorFlow.
Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& options = {});
// The same for images of rank 3 or 4, transforms of rank 1 or 2, and both layouts.
Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& options, const std::string& data_format);
// The projective map that takes start_points to end_points (x, y), each (4, 2) or (batch, 4, 2).
Value perspective_transform(const Value& images, const Value& start_points, const Value& end_points, const AffineOptions& options = {},
                            const std::string& data_format = "channels_last");
Value homography(const Value& start_points, const Value& end_points);  // its transforms (batch, 8)

// The array (any rank n) read at coordinates (n, ...); order 0: nearest, 1: linear. fill_mode: "constant", "nearest", "wrap",
// "mirror" or "reflect".
Value map_coordinates(const Value& inputs, const Value& coordinates, int64_t order, const std::string& fill_mode = "constant",
                      double fill_value = 0.0);
// Images moved along smooth random displacements: normal noise (seed as for ops::random_normal) times sigma, blurred with sigma,
// times alpha pixels.
struct ElasticOptions {
  double alpha = 20.0, sigma = 5.0;
  std::string interpolation = "bilinear", fill_mode = "reflect";
  double fill_value = 0.0;
  std::string data_format = "channels_last";
};
Value elastic_transform(const Value& images, const Value& seed, int64_t stream, const ElasticOptions& options = {});

// The same with alpha and sigma (scalars) that are known only when it runs; sigma is at most largest_sigma.
Value elastic_transform(const Value& images, const Value& seed, int64_t stream, const Value& alpha, const Value& sigma, double largest_sigma,
                        const ElasticOptions& options = {});

Value gaussian_blur(const Value& images, std::vector<int64_t> kernel_size, const Value& sigma,  // sigma (2,)
                    const std::string& data_format = "channels_last");
Value gaussian_blur(const Value& images, std::vector<int64_t> kernel_size = {3, 3}, std::vector<double> sigma = {1.0, 1.0},
                    const std::string& data_format = "channels_last");
Value sobel_edges(const Value& images, const std::string& data_format = "channels_last");  // (..., 2): dy, dx
// 0.2989 r + 0.587 g + 0.114 b, in the dtype of the images; one channel is left as it is.
Value rgb_to_grayscale(const Value& images, const std::string& data_format = "channels_last");
Value rgb_to_hsv(const Value& images, const std::string& data_format = "channels_last");
Value hsv_to_rgb(const Value& images, const std::string& data_format = "channels_last");

struct PatchOptions {
  std::vector<int64_t> strides = {};  // empty: the size
  std::vector<int64_t> dilation_rate = {1};
  std::string padding = "valid";
  std::string data_format = "channels_last";
};
// Patches of size {height, width}, or {depth, height, width} of volumes, flattened into the channels.
Value extract_patches(const Value& images, std::vector<int64_t> size, const PatchOptions& options = {});
Value extract_patches_3d(const Value& volumes, std::vector<int64_t> size, const PatchOptions& options = {});

// What is not given follows from the target size; two of before, after and target per side must be given.
struct Borders {
  std::optional<int64_t> top = {}, left = {}, bottom = {}, right = {}, target_height = {}, target_width = {};
  std::string data_format = "channels_last";
};
Value pad_images(const Value& images, const Borders& padding);
Value crop_images(const Value& images, const Borders& cropping);

// The image scaled and moved along some axes, sampled by a kernel: method "linear", "cubic", "lanczos3" or "lanczos5" (also
// "bilinear", "trilinear", "bicubic", "tricubic"). scale and translation: one number per axis of spatial_dims.
Value scale_and_translate(const Value& images, const Shape& output_shape, const Value& scale, const Value& translation,
                          std::vector<int64_t> spatial_dims, const std::string& method, bool antialias = true);

struct SsimOptions {
  double max_val = 1.0;
  int64_t filter_size = 11;
  double filter_sigma = 1.5, k1 = 0.01, k2 = 0.03;
  std::string data_format = "channels_last";
};
Value ssim(const Value& image1, const Value& image2, const SsimOptions& options = {});  // structural similarity; Wang et al. 2004

}  // namespace glia::ops::image
