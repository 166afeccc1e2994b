// Random changes of images (batch, height, width, channels) while training; otherwise the images pass unchanged.
//
//   layers::RandomFlip("horizontal")
//   layers::RandomRotation(0.1)            // up to a tenth of a turn either way
//
// A factor is a number f, for the range -f .. f (0 .. f where negative ones make no sense), or a pair (low, high). Each image of a
// batch draws its own amount.
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

// One number or two.
struct Factor : Floats {
  Factor(double v) : Floats{v} {}                         // NOLINT
  Factor(std::initializer_list<double> v) : Floats(v) {}  // NOLINT
};

struct AugmentationOptions {
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
struct GeometricOptions {
  std::string fill_mode = "reflect";  // "constant", "nearest", "wrap"
  std::string interpolation = "bilinear";
  std::optional<int64_t> seed = {};
  double fill_value = 0.0;
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
struct ColorOptions {
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};

LayerRef RandomFlip(std::string mode = "horizontal_and_vertical", AugmentationOptions options = {});
LayerRef RandomCrop(int64_t height, int64_t width, AugmentationOptions options = {});
LayerRef RandomRotation(Factor factor, GeometricOptions options = {});                                  // of a whole turn
LayerRef RandomZoom(Factor height_factor, Floats width_factor = {}, GeometricOptions options = {});     // negative zooms in
LayerRef RandomTranslation(Factor height_factor, Factor width_factor, GeometricOptions options = {});   // of the size
LayerRef RandomShear(Factor x_factor, Factor y_factor, GeometricOptions options = {});
LayerRef RandomBrightness(Factor factor, ColorOptions options = {});   // adds a share of the value range
LayerRef RandomContrast(Factor factor, ColorOptions options = {});     // (x - mean) * factor + mean
LayerRef RandomGrayscale(double factor = 0.5, AugmentationOptions options = {});  // probability
LayerRef RandomColorDegeneration(Factor factor, ColorOptions options = {});       // towards grey
LayerRef RandomSharpness(Factor factor, ColorOptions options = {});
LayerRef RandomInvert(Factor factor = 1.0, ColorOptions options = {});            // probability
LayerRef RandomPosterization(Factor factor, ColorOptions options = {});           // bits that stay
LayerRef Solarization(Factor addition_factor = 0.0, Factor threshold_factor = 0.0, ColorOptions options = {});
LayerRef AutoContrast(ColorOptions options = {});                                 // also outside of training

}  // namespace glia::layers
