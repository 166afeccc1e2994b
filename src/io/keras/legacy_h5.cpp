#include "io/keras/legacy_h5.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "io/file/atomic_file.h"
#include "io/hdf5/hdf5.h"
#include "io/keras/compile_config.h"
#include "io/keras/files.h"
#include "io/keras/functional_reader.h"
#include "io/keras/functional_writer.h"
#include "io/keras/legacy_config.h"
#include "io/keras/model_config.h"
#include "io/keras/python_json.h"
#include "io/keras/weights.h"
#include "nn/config_json.h"
#include "nn/layers/quantized.h"
#include "nn/weight_budget.h"

namespace glia::io::keras {

using hdf5::Array;
using hdf5::Group;

namespace {

// Keras's _legacy_weights: the trainable ones of everything below, then the others.
std::vector<Variable> weights_of(const LayerRef& layer) {
  std::vector<Variable> r = layer->trainable_weights();
  for (const Variable& v : layer->non_trainable_weights()) r.push_back(v);
  return r;
}

struct Stored {
  std::string layer;
  std::vector<const Array*> arrays;
};

Stored stored_in(const Group& weights, const std::string& layer, const std::string& file) {
  const Group* g = weights.find(layer);
  GLIA_CHECK(g, "{}: the list of layers names '{}', which has no group.", file, layer);
  Stored s{layer, {}};
  for (const std::string& name : g->text_list("weight_names")) {
    const Array* a = g->find_array(name);
    GLIA_CHECK(a && !a->is_text, "{}: the layer '{}' lacks its weight '{}'.", file, layer, name);
    s.arrays.push_back(a);
  }
  return s;
}

// cuDNN keeps each gate's kernel transposed and two biases; see "The cuDNN LSTM" in its documentation.
Tensor from_cudnn(const Tensor& kernel, int64_t gates, bool recurrent) {
  const int64_t rows = kernel.dim(0), units = kernel.dim(1) / gates;
  Tensor r(kernel.shape());
  const float* from = kernel.data<float>();
  for (int64_t g = 0; g < gates; ++g)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < units; ++j) {
        // The gate's block as cuDNN laid it out: (units, rows) in row-major order, read back as (rows, units).
        const int64_t flat = j * rows + i;
        const int64_t row = flat / units, column = flat % units;
        r.data<float>()[i * kernel.dim(1) + g * units + j] = recurrent ? from[j * kernel.dim(1) + g * units + i]
                                                                       : from[row * kernel.dim(1) + g * units + column];
      }
  return r;
}

// Weights of a CuDNNLSTM or CuDNNGRU in the layout of LSTM and GRU; others as they are.
std::vector<Array> converted(const LayerRef& layer, const Stored& s, const std::vector<Variable>& wanted) {
  std::vector<Array> r;
  for (const Array* a : s.arrays) r.push_back(Array::numbers(a->tensor));
  const std::string c = layer->class_name();
  const int64_t gates = c == "LSTM" ? 4 : c == "GRU" ? 3 : 0;
  if (!gates || r.size() != 3 || wanted.size() != 3 || r[2].tensor.shape() == wanted[2].shape()) return r;
  const Shape two{2 * wanted[1].shape()[1]};
  if (r[2].tensor.shape() != two || r[0].tensor.shape() != wanted[0].shape() || r[1].tensor.shape() != wanted[1].shape()) return r;
  for (const Array& a : r)
    if (a.tensor.dtype() != DType::f32) return r;
  r[0].tensor = from_cudnn(r[0].tensor, gates, false);
  r[1].tensor = from_cudnn(r[1].tensor, gates, true);
  const int64_t n = two[0] / 2;
  if (gates == 4) {
    Tensor bias({n});
    for (int64_t i = 0; i < n; ++i) bias.data<float>()[i] = r[2].tensor.data<float>()[i] + r[2].tensor.data<float>()[n + i];
    r[2].tensor = bias;
  } else if (wanted[2].shape() == Shape{2, n}) {
    r[2].tensor = r[2].tensor.reshape({2, n});
  }
  return r;
}

void round_storage(const LayerRef& layer) {
  if (auto* q = dynamic_cast<nn::Quantizable*>(layer.ptr().get()); q && q->built() && !q->quantized()) q->quantize_storage();
  for (const LayerRef& inner : layer->sublayers()) round_storage(inner);
}

// A GRU's two biases are (2, 3u) today and were one row of 6u for a while.
void load_layer(const LayerRef& layer, const Stored& s, const std::string& file) {
  std::vector<Variable> wanted = weights_of(layer);
  const bool rounded = std::any_of(s.arrays.begin(), s.arrays.end(), [](const Array* a) { return !a->is_text && a->tensor.dtype() == DType::i8; });
  if (rounded && s.arrays.size() > wanted.size()) {  // Keras does not say so in the configuration of attention
    round_storage(layer);
    wanted = weights_of(layer);
  }
  GLIA_CHECK(s.arrays.size() == wanted.size(), "{}: the layer '{}' ({}) has {} weights. The file's layer '{}' has {}.", file, layer->name(),
             layer->class_name(), wanted.size(), s.layer, s.arrays.size());
  const std::vector<Array> arrays = converted(layer, s, wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    GLIA_CHECK(arrays[i].tensor.shape() == wanted[i].shape(), "{}: the weight '{}' has shape {}. The file's layer '{}' has shape {} in its place.",
               file, wanted[i].path(), to_string(wanted[i].shape()), s.layer, to_string(arrays[i].tensor.shape()));
  for (std::size_t i = 0; i < wanted.size(); ++i) assign(wanted[i], arrays[i], file);
}

void load_by_order(const Model& model, const Group& weights, const std::string& file, const LoadWeightsOptions& options) {
  std::vector<LayerRef> layers;
  for (const LayerRef& l : model.layers())
    if (!l->weights().empty()) layers.push_back(l);
  std::vector<Stored> stored;
  for (const std::string& name : weights.text_list("layer_names")) {
    Stored s = stored_in(weights, name, file);
    if (!s.arrays.empty()) stored.push_back(std::move(s));
  }
  GLIA_CHECK(stored.size() == layers.size(), "{}: the model has {} layers with weights. The file has {}.", file, layers.size(), stored.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    try {
      load_layer(layers[i], stored[i], file);
    } catch (const Error& e) {
      if (!options.skip_mismatch) throw;
      log_warning(e.what());
    }
  }
}

void load_by_name(const Model& model, const Group& weights, const std::string& file, const LoadWeightsOptions& options) {
  for (const std::string& name : weights.text_list("layer_names"))
    for (const LayerRef& l : model.layers()) {
      if (l->name() != name) continue;
      try {
        load_layer(l, stored_in(weights, name, file), file);
      } catch (const Error& e) {
        if (!options.skip_mismatch) throw;
        log_warning(e.what());
      }
    }
}

void load_own(const Model& model, const Group& weights, const std::string& file) {
  const std::vector<Variable> own = own_variables(*model);
  const Group* g = weights.find("top_level_model_weights");
  if (own.empty() || !g) return;
  const Stored s = stored_in(weights, "top_level_model_weights", file);
  GLIA_CHECK(s.arrays.size() == own.size(), "{}: the model has {} weights of its own. The file has {}.", file, own.size(), s.arrays.size());
  for (std::size_t i = 0; i < own.size(); ++i) assign(own[i], *s.arrays[i], file);
}

void load_optimizer(const Model& model, const Group& tree, const std::string& file) {
  const Group* g = tree.find("optimizer_weights");
  if (!g || !model.compiled()) return;
  OptimizerBase& optimizer = *model.optimizer();
  const std::vector<Variable> trainable = model->trainable_weights();
  if (!trainable.empty()) optimizer.build(trainable);
  const std::vector<Variable>& own = optimizer.variables();
  const Stored s = stored_in(tree, "optimizer_weights", file);
  bool fits = s.arrays.size() == own.size();
  for (std::size_t i = 0; fits && i < own.size(); ++i) fits = s.arrays[i]->tensor.shape() == own[i].shape();
  if (!fits) {  // other versions keep other variables; Keras starts afresh then, too
    log_warning(fmt::format("{}: the optimizer's state is that of another version ({} variables, not {}) and is not restored.", file,
                            s.arrays.size(), own.size()));
    return;
  }
  for (std::size_t i = 0; i < own.size(); ++i) assign(own[i], *s.arrays[i], file + ": optimizer");
}

uint64_t bytes_in(const Group& g) {
  uint64_t n = 0;
  for (const auto& [name, a] : g.arrays) n += a.is_text ? 0 : a.tensor.bytes();
  for (const auto& [name, child] : g.groups) n += bytes_in(*child);
  return n;
}

void compile_as_saved(Model& model, const Group& tree, const std::string& path, const LoadLimits& limits) {
  const std::string text = tree.text_attribute("training_config");
  if (text.empty()) return;
  try {
    const json config = modern_compile_config(parse_python_json(text, path + ": training_config", limits));
    if (auto options = compile_options(config, path)) model.compile(std::move(*options));
    load_optimizer(model, tree, path);
  } catch (const std::exception& e) {
    log_warning(fmt::format("{}: the model is loaded without its optimizer, loss and metrics: {}", path, e.what()));
  }
}

}  // namespace

bool is_legacy_weights(const Group& tree) { return tree.has_text_list("layer_names") || tree.find("model_weights"); }

void apply_legacy_weights(Model& model, const Group& tree, const std::string& name, const LoadWeightsOptions& options) {
  const Group* weights = tree.has_text_list("layer_names") ? &tree : tree.find("model_weights");
  GLIA_CHECK(weights && weights->has_text_list("layer_names"), "{}: not a file of Keras weights: it has no list 'layer_names'.", name);
  if (options.by_name) load_by_name(model, *weights, name, options);
  else load_by_order(model, *weights, name, options);
  load_own(model, *weights, name);
}

Model load_legacy_h5(const std::string& path, const LoadOptions& options) {
  const Group tree = hdf5::read_file(path, options);
  const std::string text = tree.text_attribute("model_config");
  if (text.empty() && is_legacy_weights(tree))
    throw_error("{}: the file holds weights only. Build the model and call load_weights.", path);
  GLIA_CHECK(!text.empty(), "{}: not a Keras model: it has no attribute 'model_config'.", path);
  const std::string where = path + ": model_config";
  return with_json_errors(where, [&] {
    const json spec = modern_config(parse_python_json(text, where, options.limits));
    GLIA_CHECK(spec.is_object() && spec.contains("class_name") && spec.contains("config"), "{}: expected a model. Received {}.", where,
               text.substr(0, 60));
    WeightBudget budget(2 * bytes_in(tree) + (uint64_t{1} << 16), where);
    use_for_nested_models();
    config::LenientScope lenient;
    Model model(layer_from_config(spec));
    apply_legacy_weights(model, tree, path, {});
    if (options.compile) compile_as_saved(model, tree, path, options.limits);
    return model;
  });
}

void load_legacy_h5_weights(Model& model, const std::string& path, const LoadWeightsOptions& options) {
  const Group tree = hdf5::read_file(path, {.limits = options.limits, .untrusted = options.untrusted});
  if (!is_legacy_weights(tree)) return apply_weights(model, tree, path, {.skip_mismatch = options.skip_mismatch});
  apply_legacy_weights(model, tree, path, options);
}

// ---- writing --------------------------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kHeaderLimit = 64512;  // bytes of an attribute in the old object headers

void put_list(Group& g, const std::string& name, const std::vector<std::string>& list) {
  if (list.empty()) {
    g.attributes[name] = Array::numbers(Tensor({0}, DType::f64));
    return;
  }
  std::size_t width = 1;
  for (const std::string& s : list) width = std::max(width, s.size());
  GLIA_CHECK(width <= kHeaderLimit, "save: a name of {} bytes does not fit into an .h5 file. Save as .keras.", width);
  if (width * list.size() <= kHeaderLimit) {
    g.attributes[name] = Array::texts(list);
    return;
  }
  const std::size_t part = std::max<std::size_t>(1, kHeaderLimit / width);
  for (std::size_t i = 0, n = 0; i < list.size(); i += part, ++n)
    g.attributes[name + std::to_string(n)] =
        Array::texts({list.begin() + static_cast<std::ptrdiff_t>(i), list.begin() + static_cast<std::ptrdiff_t>(std::min(i + part, list.size()))});
}

// Several weights may share a path; files cannot.
void put_weights(Group& g, const std::vector<Variable>& weights) {
  std::vector<std::string> names;
  for (const Variable& v : weights) {
    std::string name = v.path();
    for (int n = 1; g.find_array(name); ++n) name = v.path() + "_" + std::to_string(n);
    const std::size_t slash = name.rfind('/');
    Group& folder = slash == std::string::npos ? g : g.at_path(name.substr(0, slash));
    folder.arrays[slash == std::string::npos ? name : name.substr(slash + 1)] = Array::numbers(v.tensor());
    names.push_back(std::move(name));
  }
  put_list(g, "weight_names", names);
}

void name_classes(json& v, const char* kind) {
  if (v.is_string()) {
    const std::string name = v.get<std::string>();
    if (name == "accuracy" || name == "acc" || name == "crossentropy" || name == "ce") return;
    std::shared_ptr<Configurable> object = config::from_json(kind, v);
    json as_object = config::to_json(*object);
    if (std::string_view(kind) == "metric") as_object["config"]["name"] = name;
    v = {{"class_name", as_object["class_name"]}, {"config", as_object["config"]}};
  } else if (v.is_array() || (v.is_object() && !v.contains("class_name"))) {
    for (json& item : v) name_classes(item, kind);
  }
}

void put_model_weights(Group& g, const Model& model) {
  std::vector<std::string> names;
  for (const LayerRef& l : model.layers()) names.push_back(l->name());
  put_list(g, "layer_names", names);
  g.attributes["backend"] = Array::text("tensorflow");
  g.attributes["keras_version"] = Array::text("3.15.1");
  for (const LayerRef& l : model.layers()) put_weights(g.at_path(l->name()), weights_of(l));
  put_weights(g.at_path("top_level_model_weights"), own_variables(*model));
}

}  // namespace

void save_legacy_h5(const Model& model, const std::string& path, const SaveOptions& options) {
  VocabularyInConfig in_config;
  json spec = model_to_config(model);
  Group tree;
  tree.attributes["backend"] = Array::text("tensorflow");
  tree.attributes["keras_version"] = Array::text("3.15.1");
  tree.attributes["model_config"] = Array::text(dump_json({{"class_name", spec["class_name"]}, {"config", spec["config"]}}));
  put_model_weights(tree.at_path("model_weights"), model);
  if (model.compiled() && options.include_optimizer) {
    json training = compile_config(model);
    name_classes(training["loss"], "loss");  // Keras does not find all its short names in .h5 files
    for (const char* key : {"metrics", "weighted_metrics"}) name_classes(training[key], "metric");
    training["optimizer_config"] = {{"class_name", training["optimizer"]["class_name"]}, {"config", training["optimizer"]["config"]}};
    training.erase("optimizer");
    tree.attributes["training_config"] = Array::text(dump_json(training));
    put_weights(tree.at_path("optimizer_weights"), model.optimizer()->variables());
  }
  write_file(path, hdf5::write(tree));
}

void save_legacy_h5_weights(const Model& model, const std::string& path, const SaveWeightsOptions&) {
  Group tree;
  put_model_weights(tree, model);
  write_file(path, hdf5::write(tree));
}

}  // namespace glia::io::keras
