// Data for training and evaluation from files: npz, csv, idx or a folder of images.
//
//   LoadedData d = load_data(Config(json{{"path", "train.npz"}}, "data"), model);
//   model.fit(d.x, d.y);
#pragma once
#include <glia/model.h>

#include <string>

#include "cli/glia/config.h"

namespace glia::cli {

struct LoadedData {
  std::vector<Tensor> x, y, sample_weight;
  std::vector<StringTensor> strings;  // empty, or one per x: used where x is undefined
  std::vector<std::string> classes;  // of csv labels and image folders
  bool is_text(size_t i) const { return i < strings.size() && strings[i].defined(); }
  int64_t rows() const;
  Data inputs() const;
};

// Keys (docs/cli.md): path, format, x, y, sample_weight, images, labels, image_size, color_mode, scale, offset,
// shape, one_hot, limit. Relative paths start at `folder`.
LoadedData load_data(const Config& c, const Model& model, const std::string& folder);

}  // namespace glia::cli
