// The file formats that models and weights can be kept in: one line per format in formats.cpp; the ending of a file's name
// chooses. A new format adds its functions there and nothing else.
//
//   const FileFormat& f = format_for(path, "load_model", [](const FileFormat& f) { return f.load_model != nullptr; });
#pragma once
#include <glia/saving.h>

#include <string>
#include <vector>

namespace glia::io {

struct FileFormat {
  const char* ending;  // ".weights.h5" is asked before ".h5"
  Model (*load_model)(const std::string& path, const LoadOptions& options) = nullptr;
  void (*save_model)(const Model& model, const std::string& path, const SaveOptions& options) = nullptr;
  void (*load_weights)(Model& model, const std::string& path, const LoadWeightsOptions& options) = nullptr;
  void (*save_weights)(const Model& model, const std::string& path, const SaveWeightsOptions& options) = nullptr;
};

const std::vector<FileFormat>& file_formats();

}  // namespace glia::io
