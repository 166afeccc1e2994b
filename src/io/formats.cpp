#include "io/formats.h"

#include <glia/checkpoint.h>
#include <glia/onnx.h>
#include <glia/pytorch.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "io/checkpoint/checkpoint.h"
#include "io/file/path_name.h"
#include "io/keras/files.h"
#include "io/model_weights.h"

namespace glia::io {

namespace {
void save_glia(const Model& model, const std::string& path, const SaveOptions&) { save_checkpoint(model, path); }
void load_glia_weights(Model& model, const std::string& path, const LoadWeightsOptions& o) {
  Checkpoint::read(path, {.limits = o.limits}).restore_model(model, true);
}
void load_pytorch(Model& model, const std::string& path, const LoadWeightsOptions& o) {
  load_pytorch_weights(model, path, {.partial = o.skip_mismatch, .load = {.limits = o.limits}});
}
Model load_onnx(const std::string& path, const LoadOptions& o) { return onnx::load(path, {.limits = o.limits}); }
void save_onnx(const Model& model, const std::string& path, const SaveOptions&) { onnx::save(model, path); }
}  // namespace

const std::vector<FileFormat>& file_formats() {
  using namespace keras;
  static const std::vector<FileFormat> all{
      {".keras", load_keras, save_keras, load_keras_weights, nullptr},
      {".weights.h5", nullptr, nullptr, load_weights_h5, save_weights_h5},
      {".weights.json", nullptr, nullptr, load_weights_json, save_weights_json},
      {".h5", load_legacy_h5, save_legacy_h5, load_legacy_h5_weights, save_legacy_h5_weights},
      {".hdf5", load_legacy_h5, save_legacy_h5, load_legacy_h5_weights, save_legacy_h5_weights},
      {".glia", models::load_glia, save_glia, load_glia_weights, nullptr},
      {".onnx", load_onnx, save_onnx, nullptr, nullptr},
      {".pt", nullptr, nullptr, load_pytorch, nullptr},
      {".pth", nullptr, nullptr, load_pytorch, nullptr},
      {".th", nullptr, nullptr, load_pytorch, nullptr},
      {".safetensors", nullptr, nullptr, load_safetensors_weights, save_safetensors_weights},
  };
  return all;
}

namespace {

template <class Fn>
std::vector<std::string> endings(Fn FileFormat::* fn) {
  std::vector<std::string> r;
  for (const FileFormat& f : file_formats())
    if (f.*fn) r.emplace_back(f.ending);
  return r;
}

// The function of the longest ending that fits. Throws Error with the endings that do.
template <class Fn>
Fn choose(const std::string& path, const char* what, Fn FileFormat::* fn) {
  std::string lower = path;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const FileFormat* best = nullptr;
  for (const FileFormat& f : file_formats())
    if (lower.ends_with(f.ending) && (!best || std::string_view(f.ending).size() > std::string_view(best->ending).size())) best = &f;
  if (best && best->*fn) return best->*fn;
  std::string known;
  for (const std::string& e : endings(fn)) known += (known.empty() ? "" : ", ") + e;
  throw_error("{}: the ending of '{}' is not one that can be used here. Known: {}.", what, printable(path), known);
}

void check_target(const std::string& path, bool overwrite, const char* what) {
  std::error_code error;
  GLIA_CHECK(overwrite || !std::filesystem::exists(path, error), "{}: '{}' exists already. Pass overwrite = true, or choose another name.",
             what, path);
}
void check_source(const std::string& path, const char* what) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  GLIA_CHECK(std::filesystem::exists(status), "{}: there is no file '{}'.", what, path);
  GLIA_CHECK(std::filesystem::is_regular_file(status), "{}: '{}' is not a file.", what, path);
}

}  // namespace
}  // namespace glia::io

namespace glia {

using io::FileFormat;

Model models::load_model(const std::string& path, const LoadOptions& options) {
  const auto load = io::choose(path, "load_model", &FileFormat::load_model);
  onnx::register_layers();
  io::check_source(path, "load_model");
  return load(path, options);
}
void models::save_model(const Model& model, const std::string& path, const SaveOptions& options) { model.save(path, options); }
std::vector<std::string> models::loadable_formats() { return io::endings(&FileFormat::load_model); }
std::vector<std::string> models::savable_formats() { return io::endings(&FileFormat::save_model); }

void Model::save(const std::string& path, const SaveOptions& options) const {
  const auto save = io::choose(path, "save", &FileFormat::save_model);
  io::check_target(path, options.overwrite, "save");
  save(*this, path, options);
}
void Model::save_weights(const std::string& path, const SaveWeightsOptions& options) const {
  const auto save = io::choose(path, "save_weights", &FileFormat::save_weights);
  io::check_target(path, options.overwrite, "save_weights");
  GLIA_CHECK(!ptr_->weights().empty() || ptr_->built(),
             "{}: save_weights: the model is not built yet, so it has no weights. Give input_shape or call it on data first.", name());
  save(*this, path, options);
}
void Model::load_weights(const std::string& path, const LoadWeightsOptions& options) {
  const auto load = io::choose(path, "load_weights", &FileFormat::load_weights);
  io::check_source(path, "load_weights");
  load(*this, path, options);
}

}  // namespace glia
