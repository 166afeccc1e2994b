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

LayerRef RandomFlip(std::string mode = "horizontal_and_vertical", AugmentationOptions options = {});  // RandomFlip("horizontal"): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomCrop(int64_t height, int64_t width, AugmentationOptions options = {});  // RandomCrop(6, 4): (1, 8, 8, 3) -> (1, 6, 4, 3)
LayerRef RandomRotation(Factor factor, GeometricOptions options = {});  // of a whole turn. RandomRotation(0.1): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomZoom(Factor height_factor, Floats width_factor = {}, GeometricOptions options = {});  // negative zooms in. RandomZoom(0.2): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomTranslation(Factor height_factor, Factor width_factor, GeometricOptions options = {});  // of the size. RandomTranslation(0.1, 0.2): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomShear(Factor x_factor, Factor y_factor, GeometricOptions options = {});  // RandomShear(0.2, 0.1): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomBrightness(Factor factor, ColorOptions options = {});  // adds a share of the value range. RandomBrightness(0.2): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomContrast(Factor factor, ColorOptions options = {});  // (x - mean) * factor + mean. RandomContrast(0.2): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomGrayscale(double factor = 0.5, AugmentationOptions options = {});  // probability. RandomGrayscale(0.3): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomColorDegeneration(Factor factor, ColorOptions options = {});  // towards grey. RandomColorDegeneration(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomSharpness(Factor factor, ColorOptions options = {});  // RandomSharpness(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomInvert(Factor factor = 1.0, ColorOptions options = {});  // probability. RandomInvert(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomPosterization(Factor factor, ColorOptions options = {});  // bits that stay. RandomPosterization(4): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef Solarization(Factor addition_factor = 0.0, Factor threshold_factor = 0.0, ColorOptions options = {});  // Solarization(0.1, 0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef AutoContrast(ColorOptions options = {});  // also outside of training. AutoContrast(): (1, 8, 8, 3) -> (1, 8, 8, 3)

LayerRef RandomHue(Factor factor, ColorOptions options = {});  // turns the hue by up to half of factor, either way. RandomHue(0.2): (1, 8, 8, 3) -> (1, 8, 8, 3)
LayerRef RandomSaturation(Factor factor, ColorOptions options = {});  // 0: grey, 0.5: unchanged, 1: as colourful as it gets. RandomSaturation(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)
// What is not given stays as it is; each as the layer of its name.
struct ColorJitterOptions {
  Floats brightness_factor = {}, contrast_factor = {}, saturation_factor = {}, hue_factor = {};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomColorJitter(Floats value_range = {0, 255}, ColorJitterOptions options = {});  // RandomColorJitter({0, 255}, {.hue_factor = {0.1}}): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct GaussianBlurOptions {
  Factor sigma = 1.0;                  // between 0 and this, or (low, high)
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// factor: the probability that an image is blurred, drawn from (0, factor) or (low, high). kernel_size: odd, one or two.
LayerRef RandomGaussianBlur(Factor factor = 1.0, std::vector<int64_t> kernel_size = {3}, GaussianBlurOptions options = {});  // RandomGaussianBlur(1.0, {3}): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct ErasingOptions {
  Floats fill_value = {};              // one number or three; empty: noise
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// A rectangle of a share `scale` of the image is filled. Zhong et al. 2017.
LayerRef RandomErasing(Factor factor = 1.0, Factor scale = {0.02, 0.33}, ErasingOptions options = {});  // RandomErasing(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct PerspectiveOptions {
  std::string interpolation = "bilinear";
  double fill_value = 0.0;
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomPerspective(Factor factor = 1.0, double scale = 1.0, PerspectiveOptions options = {});  // RandomPerspective(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct ElasticTransformOptions {
  std::string interpolation = "bilinear", fill_mode = "reflect";
  double fill_value = 0.0;
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomElasticTransform(Factor factor = 1.0, Factor scale = 1.0, ElasticTransformOptions options = {});  // RandomElasticTransform(0.5): (1, 8, 8, 3) -> (1, 8, 8, 3)

// Mixtures of two images of a batch. Called on {images, one-hot labels} they mix the labels in the same shares.
LayerRef MixUp(double alpha = 0.2, AugmentationOptions options = {});  // a weighted sum, shares from Beta(alpha, alpha); Zhang et al. 2018. MixUp(0.2): (2, 8, 8, 3) -> (2, 8, 8, 3)
LayerRef CutMix(Factor factor = 1.0, AugmentationOptions options = {});  // a rectangle of the other image; Yun et al. 2019. CutMix(): (2, 8, 8, 3) -> (2, 8, 8, 3)

struct RandAugmentOptions {
  Floats value_range = {0, 255};
  std::string interpolation = "bilinear";
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// num_ops of eleven augmentations, drawn for each batch. Cubuk et al. 2020.
LayerRef RandAugment(int64_t num_ops = 2, Factor factor = 0.5, RandAugmentOptions options = {});  // RandAugment(2): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct AugMixOptions {
  int64_t num_chains = 3, chain_depth = 3;
  double alpha = 1.0;                  // of the Dirichlet and Beta distributions of the shares
  bool all_ops = true;                 // also brightness, colour, contrast and sharpness
  Floats value_range = {0, 255};
  std::string interpolation = "bilinear";
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// The image mixed with a mixture of chains of random augmentations. Hendrycks et al. 2020.
LayerRef AugMix(Factor factor = 0.3, AugMixOptions options = {});  // AugMix(0.3): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct EqualizationOptions {
  int64_t bins = 256;
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef Equalization(Floats value_range = {0, 255}, EqualizationOptions options = {});  // of each channel's histogram, while training. Equalization(): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct ClaheOptions {
  double clip_limit = 4.0;
  std::vector<int64_t> tile_grid_size = {8, 8};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// Also outside of training. Pizer et al. 1987.
LayerRef ContrastLimitedAdaptiveHistogramEqualization(Floats value_range = {0, 255}, ClaheOptions options = {});  // ContrastLimitedAdaptiveHistogramEqualization({0, 255}, {.tile_grid_size = {2, 2}}): (1, 8, 8, 3) -> (1, 8, 8, 3)

// Called on {boxes (batch, n, 4), labels (batch, n)}: cut or padded with fill_value to max_number boxes. One input passes unchanged.
LayerRef MaxNumBoundingBoxes(int64_t max_number, int64_t fill_value = -1, LayerOptions options = {});  // MaxNumBoundingBoxes(10): (1, 8, 8, 3) -> (1, 8, 8, 3)

}  // namespace glia::layers
