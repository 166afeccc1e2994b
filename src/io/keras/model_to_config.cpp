#include <glia/model.h>

#include "base/error.h"
#include "io/keras/functional_writer.h"
#include "io/keras/model_config.h"
#include "nn/config_json.h"
#include "nn/layers/text.h"
#include "train/functional.h"
#include "train/host_prefix.h"
#include "train/sequential.h"

namespace glia::io::keras {
namespace {

json object(const char* module, const std::string& class_name, json config, json registered = nullptr) {
  return {{"module", module}, {"class_name", class_name}, {"config", std::move(config)}, {"registered_name", std::move(registered)}};
}

// Keys that came into Keras lately: left out where they say nothing, so that earlier versions read the file, too.
void drop_new_defaults(json& config) {
  static const std::pair<const char*, json> kDefaults[] = {
      {"quantization_config", nullptr}, {"use_gate", false}, {"sliding_window", nullptr}, {"renorm", false},
      {"renorm_clipping", nullptr},     {"synchronized", false}, {"rms_scaling", false}, {"salt", nullptr}};
  if (config.contains("renorm") && config["renorm"] == false) config.erase("renorm_momentum");
  for (const auto& [key, value] : kDefaults)
    if (config.contains(key) && config[key] == value) config.erase(key);
}

}  // namespace

static thread_local int vocabularies_in_config = 0;
VocabularyInConfig::VocabularyInConfig() { ++vocabularies_in_config; }
VocabularyInConfig::~VocabularyInConfig() { --vocabularies_in_config; }

static void put_vocabulary(const LayerRef& layer, json& config) {
  auto* text = dynamic_cast<nn::HostLayer*>(layer.ptr().get());
  const nn::Vocabulary* v = text && vocabularies_in_config > 0 && !text->vocabulary_in_config() ? text->known_vocabulary() : nullptr;
  if (!v || v->tokens.empty()) return;
  json tokens = json::array();
  for (const std::string& t : v->tokens) tokens.push_back(text->takes_integers() ? json(std::stoll(t)) : json(t));
  config["vocabulary"] = tokens;
  if (v->output_mode == "tf_idf") config["idf_weights"] = Floats(v->idf.begin() + v->token_start(), v->idf.begin() + v->size());
}

json layer_to_config(const LayerRef& layer) {
  if (is_model_class(layer->class_name())) return model_to_config(layer);
  json j = config::to_json(*layer);
  put_vocabulary(layer, j["config"]);
  drop_new_defaults(j["config"]);
  return j;
}

json input_to_config(const std::string& name, const TensorType& type) {
  return object("keras.layers", "InputLayer",
                {{"batch_shape", shape_to_config(type.shape)}, {"dtype", std::string(dtype_name(type.dtype))}, {"sparse", false},
                 {"ragged", false}, {"name", name}});
}

json shape_to_config(const Shape& shape) {
  json list = json::array();
  for (int64_t extent : shape) list.push_back(extent < 0 ? json() : json(extent));
  return list;
}

static json sequential_json(const SequentialLayer& model) {
  json layers = json::array();
  const Shape& input = model.input_shape();
  DType dtype = model.input_type().dtype;
  if (model.input_type().shape.empty())
    dtype = model.layers().empty() ? model.variable_dtype() : dtype_of_first_layer(model.layers()[0], model.variable_dtype());
  if (!input.empty())
    layers.push_back(input_to_config(model.input_name().empty() ? model.name() + "_input" : model.input_name(), {dtype, input}));
  for (const LayerRef& layer : model.layers()) layers.push_back(layer_to_config(layer));
  json policy = object("keras", "DTypePolicy", {{"name", model.dtype_policy()}});
  json config = {{"name", model.name()}, {"trainable", model.trainable()}, {"dtype", policy}, {"layers", layers}};
  if (!input.empty()) config["build_input_shape"] = shape_to_config(input);
  json r = object("keras", "Sequential", std::move(config));
  if (!input.empty()) r["build_config"] = {{"input_shape", shape_to_config(input)}};
  return r;
}

json model_to_config(const LayerRef& root) {
  use_for_nested_models();
  if (auto* s = dynamic_cast<const SequentialLayer*>(root.ptr().get())) return sequential_json(*s);
  if (auto* f = dynamic_cast<const FunctionalLayer*>(root.ptr().get())) return functional_to_config(*f);
  throw_error("{}: only Sequential and Functional models have a configuration. Received a {}.", root->name(), root->class_name());
}

}  // namespace glia::io::keras
