// .keras: a ZIP of metadata.json, config.json, model.weights.h5 and assets/.
#include <chrono>
#include <ctime>

#include "base/error.h"
#include "io/hdf5/hdf5.h"
#include "io/keras/compile_config.h"
#include "io/keras/files.h"
#include "io/keras/functional_reader.h"
#include "io/keras/legacy_config.h"
#include "io/keras/model_config.h"
#include "io/keras/python_json.h"
#include "io/keras/weights.h"
#include "io/zip/zip.h"
#include "nn/weight_budget.h"

namespace glia::io::keras {
namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.weights.h5";
constexpr uint64_t kConfigLimit = uint64_t{256} << 20;  // bytes of a configuration or a vocabulary
constexpr const char* kKerasVersion = "3.15.1";  // the version whose layout is written

uint64_t bytes_in(const hdf5::Group& g) {
  uint64_t n = 0;
  for (const auto& [name, a] : g.arrays) n += a.is_text ? 0 : a.tensor.bytes();
  for (const auto& [name, child] : g.groups) n += bytes_in(*child);
  return n;
}

// The text of a configuration or a vocabulary. Deflate makes a thousand of one, but not of a text that says anything.
std::string read_text(const ZipReader& zip, const std::string& member) {
  return zip.read_text(member, std::min(kConfigLimit, (uint64_t{4} << 20) + 100 * zip.member(member).packed_size));
}

// Packed weights are not unpacked to more than the HDF5 inside of them says it has.
void check_weights_size(const ZipReader& zip, const std::string& path) {
  const ZipReader::Member& m = zip.member(kWeights);
  if (m.packed_size == m.size) return;
  std::vector<uint8_t> head(4096);
  head.resize(zip.open(kWeights).read(head.data(), head.size()));
  GLIA_CHECK(hdf5::looks_like_hdf5(head), "{}: {}: offset 0: not an HDF5 file: it does not begin with the HDF5 signature.", path, kWeights);
  const auto end = hdf5::end_of_file(head);
  GLIA_CHECK(!end || m.size <= *end + (1 << 20), "{}: {}: its HDF5 data end at offset {}, but the member unpacks to {} bytes.", path, kWeights,
             end.value_or(0), m.size);
}

hdf5::Group read_weights(const ZipReader& zip, const std::string& path, const LoadOptions& options) {
  GLIA_CHECK(!zip.contains("model.weights.npz"), "{}: the weights are kept as model.weights.npz, which is not supported. Save the model "
             "with Keras's default, model.weights.h5.", path);
  GLIA_CHECK(zip.contains(kWeights), "{}: there is no {} in the archive.", path, kWeights);
  check_weights_size(zip, path);
  return hdf5::read_bytes(zip.read(kWeights, options.limits.max_bytes), path + ": " + kWeights, options);
}

// Models that are neither Sequential nor functional are layers of a registered class, built for the shapes they were saved with.
void build_from_config(const LayerRef& root, const json& spec) {
  if (root->built() || !spec.contains("build_config") || !spec["build_config"].is_object()) return;
  const json& build = spec["build_config"];
  if (build.contains("input_shape") && build["input_shape"].is_array() && !build["input_shape"].empty()) {
    const json& s = build["input_shape"];
    std::vector<Shape> shapes;
    if (s[0].is_array())
      for (const json& one : s) shapes.push_back(shape_from(one, root->name()));
    else shapes.push_back(shape_from(s, root->name()));
    root->build_once(shapes);
  } else if (build.contains("shapes_dict") && build["shapes_dict"].is_object()) {
    std::vector<Shape> shapes;
    for (const auto& [key, s] : build["shapes_dict"].items()) shapes.push_back(shape_from(s, root->name()));
    root->build_once(shapes);
  }
}

void restore_compiled(Model& model, const json& spec, const std::string& path, bool keras_2) {
  if (!spec.contains("compile_config")) return;
  json compiled = spec["compile_config"];
  if (keras_2 && compiled.is_object() && compiled.contains("optimizer")) {
    compiled["optimizer_config"] = compiled["optimizer"];
    compiled = modern_compile_config(compiled);
  }
  if (auto options = compile_options(compiled, path)) model.compile(std::move(*options));
}

// Keras 2 (2.12 on, and tf_keras today) writes the same archive, with the names and options of its own layers.
bool is_of_keras_2(const ZipReader& zip, const std::string& path, const LoadLimits& limits) {
  if (!zip.contains("metadata.json")) return false;
  const json metadata = parse_python_json(zip.read_text("metadata.json", 1 << 16), path + ": metadata.json", limits);
  if (!metadata.is_object() || !metadata.contains("keras_version") || !metadata["keras_version"].is_string()) return false;
  return metadata["keras_version"].get<std::string>().rfind("2.", 0) == 0;
}

std::string date_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm t{};
  localtime_r(&now, &t);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d@%H:%M:%S", &t);
  return text;
}

}  // namespace

Model load_keras(const std::string& path, const LoadOptions& options) {
  ZipReader zip(path, options.limits);
  GLIA_CHECK(zip.contains(kConfig), "{}: not a .keras file of version 3: there is no {} in the archive.", path, kConfig);
  const std::string where = path + ": " + kConfig;
  json spec = parse_python_json(read_text(zip, kConfig), where, options.limits);
  GLIA_CHECK(spec.is_object() && spec.contains("class_name") && spec.contains("config"),
             "{}: expected a model, {{\"class_name\": ..., \"config\": ...}}. Received {}.", where, spec.dump().substr(0, 60));
  const hdf5::Group tree = read_weights(zip, path, options);
  const bool keras_2 = is_of_keras_2(zip, path, options.limits);
  return with_json_errors(where, [&] {
    if (keras_2) spec = modern_config(spec);
    // Nothing is taken for granted: an architecture gets as much memory for weights as the file has numbers.
    WeightBudget budget(2 * bytes_in(tree) + (uint64_t{1} << 16), where);
    use_for_nested_models();
    LayerRef root = layer_from_config(spec);
    build_from_config(root, spec);
    Model model(root);
    if (options.compile) restore_compiled(model, spec, path, keras_2);
    apply_weights(model, tree, path, {.optimizer = options.compile});
    apply_assets(model, tree, path, [&](const std::string& member) {
      return zip.contains(member) ? std::make_unique<std::string>(read_text(zip, member)) : nullptr;
    });
    return model;
  });
}

void save_keras(const Model& model, const std::string& path, const SaveOptions&) {
  use_for_nested_models();
  json spec = model_to_config(model);
  if (model.compiled()) spec["compile_config"] = compile_config(model);
  ZipWriter zip(path);
  zip.add_copy("metadata.json", dump_json({{"keras_version", kKerasVersion}, {"date_saved", date_now()}}));
  zip.add_copy(kConfig, dump_json(spec));
  zip.add_copy(kWeights, hdf5::write(weights_tree(model)));
  for (auto& [name, text] : assets_of(model)) zip.add_copy(name, text);
  zip.commit();
}

void load_keras_weights(Model& model, const std::string& path, const LoadWeightsOptions& options) {
  ZipReader zip(path, options.limits);
  const hdf5::Group tree = read_weights(zip, path, {.limits = options.limits, .untrusted = options.untrusted});
  apply_weights(model, tree, path, {.skip_mismatch = options.skip_mismatch});
}

}  // namespace glia::io::keras
