// Layers that prepare data: scaling, encoding, image size.
//
//   layers::Rescaling(1.0 / 255)
//   LayerRef n = layers::Normalization();
//   adapt(n, x_train);                       // learns mean and variance
//   layers::Resizing(224, 224)
#pragma once
#include <utility>

#include <glia/layers/options.h>

namespace glia::layers {

// A number, or one number per channel.
struct Scale : Floats {
  Scale(double v) : Floats{v} {}                         // NOLINT
  Scale(std::initializer_list<double> v) : Floats(v) {}  // NOLINT
  Scale(Floats v) : Floats(std::move(v)) {}              // NOLINT
};

// inputs * scale + offset, in the layer's dtype. Each may be a list that broadcasts over the last axis.
LayerRef Rescaling(Scale scale, Scale offset = 0.0, PlainOptions options = {});  // Rescaling(1.0 / 255): (1, 8, 8, 3) -> (1, 8, 8, 3)

struct NormalizationOptions {
  Ints axis = {-1};      // axes that keep statistics of their own; empty: one mean for all
  Tensor mean = {};      // given statistics: a scalar or one entry per cell of the kept axes
  Tensor variance = {};
  bool invert = false;   // x * std + mean
  GLIA_LAYER_OPTIONS
};
// (x - mean) / sqrt(variance). The statistics are given or learned by adapt(); weights: mean, variance, count.
LayerRef Normalization(NormalizationOptions options = {});  // Normalization({.mean = Tensor::scalar(0.5), .variance = Tensor::scalar(2)}): (4, 3) -> (4, 3)

struct DiscretizationOptions {
  Floats bin_boundaries = {};              // given, or
  std::optional<int64_t> num_bins = {};    // learned by adapt() as quantiles
  double epsilon = 0.01;
  std::string output_mode = "int";         // "int", "one_hot", "multi_hot", "count"
  bool sparse = false;
  GLIA_LAYER_OPTIONS
};
// The number of the bin each value falls into: bin i is [boundary i-1, boundary i).
LayerRef Discretization(DiscretizationOptions options = {});  // Discretization({.bin_boundaries = {0.0, 0.5}}): (4, 3) -> (4, 3)

struct CategoryEncodingOptions {
  std::string output_mode = "multi_hot";  // "one_hot", "multi_hot", "count"
  bool sparse = false;
  GLIA_LAYER_OPTIONS
};
// Class ids to vectors of num_tokens entries. CategoryEncoding(5): int (4, 3) -> (4, 5)
LayerRef CategoryEncoding(int64_t num_tokens, CategoryEncodingOptions options = {});

struct ResizingOptions {
  std::string interpolation = "bilinear";  // "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"
  bool crop_to_aspect_ratio = false;
  bool pad_to_aspect_ratio = false;
  std::string fill_mode = "constant";
  double fill_value = 0.0;
  bool antialias = false;
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// Images (batch, height, width, channels) or one image at another size. Resizing(4, 6): (1, 8, 8, 3) -> (1, 4, 6, 3)
LayerRef Resizing(int64_t height, int64_t width, ResizingOptions options = {});

struct CenterCropOptions {
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// The middle of the images; smaller ones are enlarged. CenterCrop(4, 6): (1, 8, 8, 3) -> (1, 4, 6, 3)
LayerRef CenterCrop(int64_t height, int64_t width, CenterCropOptions options = {});

// Layers one after the other. Pipeline({Rescaling(0.5), CenterCrop(4, 4)}): (1, 8, 8, 3) -> (1, 4, 4, 3)
LayerRef Pipeline(std::vector<LayerRef> layers, PlainOptions options = {});

}  // namespace glia::layers

namespace glia {
// Learns a layer's state from data: Normalization's statistics, Discretization's boundaries. Throws Error for other layers.
void adapt(const LayerRef& layer, const Tensor& data);
}  // namespace glia
