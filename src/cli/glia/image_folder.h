// Folders of images as training data.
#pragma once
#include "cli/glia/data_source.h"

namespace glia::cli {

// All images in memory as float32 0 .. 255 (use "scale"); sizes follow the model's input unless "image_size" says so.
LoadedData read_image_folder(const Config& c, const Model& model, const std::string& path);

}  // namespace glia::cli
