// Writing a model by the ending of the name: what `convert`, `export` and `train` share.
#pragma once
#include <glia/export.h>
#include <glia/model.h>

#include <string>
#include <vector>

namespace glia::cli {

struct WriteOptions {
  models::ExportCppOptions cpp;
  int opset = 17;
};
// .keras .h5 ... (models::savable_formats), .onnx, .safetensors (weights), .json (architecture), .h .hpp (C++), .dot
// .svg.
void write_model(const Model& model, const std::string& path, const WriteOptions& options);
std::vector<std::string> writable_endings();
// Throws Error for an ending that cannot be written or a folder that is not there.
void check_writable(const std::string& path);

}  // namespace glia::cli
