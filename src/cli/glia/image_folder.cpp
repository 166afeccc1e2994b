#include "cli/glia/image_folder.h"

#include <glia/image.h>

#include <cstring>

#include "cli/glia/model_file.h"

namespace glia::cli {

LoadedData read_image_folder(const Config& c, const Model& model, const std::string& path) {
  utils::ImageDatasetOptions o;
  const Shape input = input_specs(model)[0].shape;
  if (input.size() == 4 && input[1] > 0 && input[2] > 0) o.image_size = {input[1], input[2]};
  if (input.size() == 4 && input[3] == 1) o.color_mode = "grayscale";
  if (input.size() == 4 && input[3] == 4) o.color_mode = "rgba";
  o.image_size = c.get<Ints>("image_size", o.image_size);
  o.color_mode = c.get<std::string>("color_mode", o.color_mode);
  o.interpolation = c.get<std::string>("interpolation", o.interpolation);
  o.crop_to_aspect_ratio = c.get<bool>("crop_to_aspect_ratio", false);
  o.label_mode = c.get<std::string>("label_mode", "int");
  o.class_names = c.strings("class_names");
  o.validation_split = c.get<double>("validation_split", 0);
  o.subset = c.get<std::string>("subset", "");
  o.seed = c.get<uint64_t>("seed", 0);
  o.shuffle = false;
  o.batch_size = 0;
  const utils::ImageDataset images = utils::image_dataset_from_directory(path, o);
  const auto n = static_cast<int64_t>(images.file_paths.size());
  LoadedData d;
  d.classes = images.class_names;
  int64_t row = 0;
  for (const Batch& b : images.dataset) {
    for (auto& [all, one] : {std::pair{&d.x, &b.x}, std::pair{&d.y, &b.y}}) {
      if (one->empty()) continue;
      const Tensor& t = (*one)[0];
      if (all->empty()) {
        Shape shape = t.shape();
        shape.insert(shape.begin(), n);
        all->push_back(Tensor(shape, t.dtype()));
      }
      std::memcpy(static_cast<char*>((*all)[0].raw()) + static_cast<size_t>(row) * t.bytes(), t.raw(), t.bytes());
    }
    ++row;
  }
  return d;
}

}  // namespace glia::cli
