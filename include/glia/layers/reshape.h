// Layers that change shape: flatten, reshape, permute, repeat, pad, crop, enlarge.
//
//   layers::Flatten()
//   layers::ZeroPadding2D({{1, 0}, {2, 1}})   // top 1, bottom 0, left 2, right 1
//   layers::UpSampling2D({2, 2}, {.interpolation = "bilinear"})
#pragma once
#include <initializer_list>

#include <glia/layers/options.h>

namespace glia::layers {

// Cells added or removed on both sides of each spatial axis, as Keras takes them: one number for all sides; one number per
// axis (for a single axis: before, after); or a pair (before, after) per axis.
struct Borders {
  Borders(int64_t all) : flat{all} {}                                    // NOLINT
  Borders(std::initializer_list<int64_t> numbers) : flat(numbers) {}     // NOLINT
  Borders(std::initializer_list<std::initializer_list<int64_t>> pairs);  // NOLINT
  Ints flat;            // numbers, or pairs one after the other
  bool paired = false;
};

struct DataFormatOptions {
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};

// (batch, a, b, ...) -> (batch, a * b * ...), row-major; channels_first inputs are moved to channels_last first.
LayerRef Flatten(DataFormatOptions options = {});  // Flatten(): (2, 3, 4) -> (2, 12)
// The same elements as (batch, target_shape...); one extent may be -1.
LayerRef Reshape(Shape target_shape, PlainOptions options = {});  // Reshape({4, -1}): (2, 3, 8) -> (2, 4, 6)
// Reorders the axes after the batch axis; dims count from 1: Permute({2, 1}) transposes.
LayerRef Permute(Ints dims, PlainOptions options = {});  // Permute({2, 1}): (2, 3, 8) -> (2, 8, 3)
// (batch, features) -> (batch, n, features).
LayerRef RepeatVector(int64_t n, PlainOptions options = {});  // RepeatVector(4): (2, 3) -> (2, 4, 3)

// Zeros round the spatial axes of (batch, spatial..., channels). ZeroPadding1D({1, 2}): (1, 5, 3) -> (1, 8, 3)
LayerRef ZeroPadding1D(Borders padding = 1, DataFormatOptions options = {});
LayerRef ZeroPadding2D(Borders padding = 1, DataFormatOptions options = {});  // ZeroPadding2D({{1, 0}, {2, 1}}): (1, 5, 5, 3) -> (1, 6, 8, 3)
LayerRef ZeroPadding3D(Borders padding = 1, DataFormatOptions options = {});  // ZeroPadding3D(1): (1, 3, 3, 3, 2) -> (1, 5, 5, 5, 2)
// Removes cells round the spatial axes. Throws Error when nothing would be left.
LayerRef Cropping1D(Borders cropping = 1, DataFormatOptions options = {});  // Cropping1D({1, 2}): (1, 6, 3) -> (1, 3, 3)
LayerRef Cropping2D(Borders cropping = 0, DataFormatOptions options = {});  // Cropping2D({{1, 0}, {2, 1}}): (1, 6, 6, 3) -> (1, 5, 3, 3)
LayerRef Cropping3D(Borders cropping = 1, DataFormatOptions options = {});  // Cropping3D(1): (1, 4, 4, 4, 2) -> (1, 2, 2, 2, 2)

// Repeats each cell `size` times along each spatial axis, or interpolates (2D only: "nearest", "bilinear", "bicubic",
// "lanczos3", "lanczos5").
LayerRef UpSampling1D(int64_t size = 2, PlainOptions options = {});  // UpSampling1D(3): (1, 4, 2) -> (1, 12, 2)
struct UpSampling2DOptions {
  std::string data_format = "channels_last";
  std::string interpolation = "nearest";
  GLIA_LAYER_OPTIONS
};
LayerRef UpSampling2D(Ints size = {2, 2}, UpSampling2DOptions options = {});  // UpSampling2D({2, 2}, {.interpolation = "bilinear"}): (1, 4, 4, 3) -> (1, 8, 8, 3)
LayerRef UpSampling3D(Ints size = {2, 2, 2}, DataFormatOptions options = {});  // UpSampling3D(): (1, 2, 2, 2, 3) -> (1, 4, 4, 4, 3)

}  // namespace glia::layers
