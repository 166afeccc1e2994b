#include "cli/glia/write_model.h"

#include <glia/onnx.h>
#include <glia/plot.h>
#include <glia/saving.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "cli/glia/model_file.h"
#include "io/file/atomic_file.h"

namespace glia::cli {

std::vector<std::string> writable_endings() {
  std::vector<std::string> r = models::savable_formats();
  for (const char* e : {".onnx", ".safetensors", ".json", ".h", ".hpp", ".dot", ".svg"})
    if (std::find(r.begin(), r.end(), e) == r.end()) r.push_back(e);
  return r;
}

void check_writable(const std::string& path) {
  const std::vector<std::string> known = writable_endings();
  const std::string e = ending_of(path);
  GLIA_CHECK(std::find(known.begin(), known.end(), e) != known.end(),
             "'{}': the ending decides the format; a model can be written as {}.", path, fmt::join(known, ", "));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  GLIA_CHECK(folder.empty() || std::filesystem::is_directory(folder), "'{}': the folder '{}' does not exist.", path,
             folder.string());
}

void write_model(const Model& model, const std::string& path, const WriteOptions& o) {
  check_writable(path);
  const std::string e = ending_of(path);
  if (e == ".safetensors")
    model.save_weights(path);
  else if (e == ".json")
    io::write_file(path, models::to_json(model) + "\n");
  else if (e == ".h" || e == ".hpp")
    models::export_cpp(model, path, o.cpp);
  else if (e == ".dot" || e == ".svg")
    utils::plot_model(model, path, {.show_shapes = true, .show_layer_names = true});
  else if (e == ".onnx")
    onnx::save(model, path, {.opset = o.opset});
  else
    models::save_model(model, path);
}

}  // namespace glia::cli
