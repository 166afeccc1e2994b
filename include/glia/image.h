// Images from and to files, and folders of them as a Dataset, with the names and defaults of keras.utils. PNG, JPEG
// and BMP.
//
//   Tensor cat = utils::load_img("cat.jpg", {.target_size = {224, 224}});         // uint8 (224, 224, 3)
//   utils::save_img("copy.png", cat);
//   auto train = utils::image_dataset_from_directory("photos", {.image_size = {96, 96}, .validation_split = 0.2,
//   .subset = "training"}); model.fit(train.dataset, {.epochs = 5});                                      // one
//   folder per class: train.class_names
//
// An optional part of the library (CMake: GLIA_WITH_IMAGES); without it reading and writing throw Error saying so.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <glia/dataset.h>
#include <glia/load_options.h>
#include <glia/tensor.h>

namespace glia::utils {

bool images_available();  // whether this build reads PNG and JPEG

struct LoadImgOptions {
  std::string color_mode = "rgb";         // "rgb", "rgba" or "grayscale"
  std::vector<int64_t> target_size = {};       // {height, width}; empty: as stored
  std::string interpolation = "nearest";  // or "bilinear"
  bool keep_aspect_ratio = false;         // crop to the target's aspect ratio first, around the centre
  LoadLimits limits = {};
};
// uint8 (height, width, channels). Throws Error naming the file for a damaged or unknown file.
Tensor load_img(const std::string& path, const LoadImgOptions& options = {});

// The same as float32 (height, width, channels); a picture without channel axis gets one.
Tensor img_to_array(const Tensor& image);
// uint8 of a float array; scale: stretched so that the smallest value becomes 0 and the largest 255.
Tensor array_to_img(const Tensor& array, bool scale = true);

struct SaveImgOptions {
  bool scale = true;  // as in array_to_img, for floats; uint8 is written as it is
  int quality = 90;   // JPEG: 1 .. 100
};
// (height, width) or (height, width, channels) with 1, 3 or 4 channels, to .png, .jpg, .jpeg or .bmp.
void save_img(const std::string& path, const Tensor& image, const SaveImgOptions& options = {});

// (height, width, channels) to another size, pixel centres at half pixels. float32; "nearest" keeps the dtype.
Tensor resize_image(const Tensor& image, int64_t height, int64_t width,
                    const std::string& interpolation = "bilinear");

struct ImageDatasetOptions {
  std::string labels = "inferred";       // from the names of the folders; "": no labels
  std::string label_mode = "int";        // "int": int32 ids, "categorical": one-hot, "binary": float32 0 or 1
  std::vector<std::string> class_names = {};  // the order of the classes; empty: sorted
  std::string color_mode = "rgb";
  int64_t batch_size = 32;  // 0: not batched
  std::vector<int64_t> image_size = {256, 256};
  bool shuffle = true;
  uint64_t seed = 0;
  double validation_split = 0;  // share of the files that "validation" has
  std::string subset = {};           // "training" or "validation"
  std::string interpolation = "bilinear";
  bool crop_to_aspect_ratio = false;
};
struct ImageDataset {
  Dataset dataset;  // x float32 (batch, height, width, channels) in 0..255
  std::vector<std::string> class_names, file_paths;
  std::vector<int64_t> labels;  // one per file
};
// Files are read while the dataset is iterated, a few ahead. Throws Error when the folder holds no images.
ImageDataset image_dataset_from_directory(const std::string& directory, const ImageDatasetOptions& options = {});

}  // namespace glia::utils
