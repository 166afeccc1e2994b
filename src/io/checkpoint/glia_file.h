// The .glia container: named groups of tensors and one JSON manifest in a zip archive.
//
//   glia.json            {"format": "glia", "version": 1, ..., "tensors": {"weights": ["dense/kernel", ...], ...}}
//   model.json           the architecture in Keras's JSON, where it can be said so
//   weights/0.npy ...    tensor i of the group "weights"
//   assets/...           texts beside the weights: vocabularies
#pragma once
#include <glia/load_options.h>
#include <glia/tensor.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace glia::io {

using TensorGroup = std::vector<std::pair<std::string, Tensor>>;

struct GliaFile {
  nlohmann::ordered_json manifest = nlohmann::ordered_json::object();
  std::string model_json;
  std::vector<std::pair<std::string, std::string>> assets;  // "assets/..."
  std::map<std::string, TensorGroup> groups;                // group names are [a-z0-9_]+
};

void write_glia_file(const std::string& path, const GliaFile& file);
// Throws Error with member and offset for anything damaged. `only`: the groups to read; empty: all.
GliaFile read_glia_file(const std::string& path, const LoadLimits& limits, const std::vector<std::string>& only = {});

// Doubles in JSON, exactly and including infinities: as text in C's "%a".
std::string exact(double value);
double exact(const std::string& text, const std::string& where);

}  // namespace glia::io
