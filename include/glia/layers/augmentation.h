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

LayerRef RandomHue(Factor factor, ColorOptions options = {});         // turns the hue by up to half of factor, either way
LayerRef RandomSaturation(Factor factor, ColorOptions options = {});  // 0: grey, 0.5: unchanged, 1: as colourful as it gets
// What is not given stays as it is; each as the layer of its name.
struct ColorJitterOptions {
  Floats brightness_factor = {}, contrast_factor = {}, saturation_factor = {}, hue_factor = {};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomColorJitter(Floats value_range = {0, 255}, ColorJitterOptions options = {});

struct GaussianBlurOptions {
  Factor sigma = 1.0;                  // between 0 and this, or (low, high)
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// factor: the probability that an image is blurred, drawn from (0, factor) or (low, high). kernel_size: odd, one or two.
LayerRef RandomGaussianBlur(Factor factor = 1.0, std::vector<int64_t> kernel_size = {3}, GaussianBlurOptions options = {});

struct ErasingOptions {
  Floats fill_value = {};              // one number or three; empty: noise
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// A rectangle of a share `scale` of the image is filled. Zhong et al. 2017.
LayerRef RandomErasing(Factor factor = 1.0, Factor scale = {0.02, 0.33}, ErasingOptions options = {});

struct PerspectiveOptions {
  std::string interpolation = "bilinear";
  double fill_value = 0.0;
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomPerspective(Factor factor = 1.0, double scale = 1.0, PerspectiveOptions options = {});

struct ElasticTransformOptions {
  std::string interpolation = "bilinear", fill_mode = "reflect";
  double fill_value = 0.0;
  Floats value_range = {0, 255};
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef RandomElasticTransform(Factor factor = 1.0, Factor scale = 1.0, ElasticTransformOptions options = {});

// Mixtures of two images of a batch. Called on {images, one-hot labels} they mix the labels in the same shares.
LayerRef MixUp(double alpha = 0.2, AugmentationOptions options = {});     // a weighted sum, shares from Beta(alpha, alpha); Zhang et al. 2018
LayerRef CutMix(Factor factor = 1.0, AugmentationOptions options = {});   // a rectangle of the other image; Yun et al. 2019

struct RandAugmentOptions {
  Floats value_range = {0, 255};
  std::string interpolation = "bilinear";
  std::optional<int64_t> seed = {};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// num_ops of eleven augmentations, drawn for each batch. Cubuk et al. 2020.
LayerRef RandAugment(int64_t num_ops = 2, Factor factor = 0.5, RandAugmentOptions options = {});

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
LayerRef AugMix(Factor factor = 0.3, AugMixOptions options = {});

struct EqualizationOptions {
  int64_t bins = 256;
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
LayerRef Equalization(Floats value_range = {0, 255}, EqualizationOptions options = {});  // of each channel's histogram, while training

struct ClaheOptions {
  double clip_limit = 4.0;
  std::vector<int64_t> tile_grid_size = {8, 8};
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// Also outside of training. Pizer et al. 1987.
LayerRef ContrastLimitedAdaptiveHistogramEqualization(Floats value_range = {0, 255}, ClaheOptions options = {});

// Called on {boxes (batch, n, 4), labels (batch, n)}: cut or padded with fill_value to max_number boxes. One input passes unchanged.
LayerRef MaxNumBoundingBoxes(int64_t max_number, int64_t fill_value = -1, LayerOptions options = {});

}  // namespace glia::layers
