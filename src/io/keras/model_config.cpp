#include "io/keras/model_config.h"

#include <glia/model.h>

#include "base/error.h"
#include "io/keras/functional_reader.h"
#include "nn/config_json.h"
#include "train/sequential.h"

namespace glia::io::keras {
namespace {

DType dtype_of_input(const json& spec) {
  const json dtype = spec.value("config", json::object()).value("dtype", json());
  if (spec.at("class_name") == "TextVectorization" || spec.at("class_name") == "StringLookup") return kStringDType;
  if (spec.at("class_name") != "InputLayer") return spec.at("class_name") == "Embedding" ? DType::i32 : DType::f32;
  return dtype.is_string() ? input_dtype(dtype.get<std::string>()) : DType::f32;
}

// The input shape that a layer's own configuration gives (Keras 2 keeps it in the first layer).
Shape own_input_shape(const json& spec) {
  const json config = spec.value("config", json::object());
  for (const char* key : {"batch_shape", "batch_input_shape"})
    if (config.contains(key) && config[key].is_array()) return shape_from(config[key], config.value("name", "input"));
  return {};
}

LayerRef sequential_from(const json& spec) {
  const json& config = spec.at("config");
  const json& specs = config.is_array() ? config : config.at("layers");  // Keras 1 and early 2: the list itself
  auto model = std::make_shared<SequentialLayer>();
  const json options = config.is_array() ? json::object() : config;
  model->configure({.name = options.value("name", ""), .trainable = options.value("trainable", true)});
  Shape input;
  DType dtype = DType::f32;
  for (const json& s : specs) {
    if (input.empty() && model->layers().empty()) {
      input = own_input_shape(s);
      if (!input.empty()) dtype = dtype_of_input(s);
    }
    if (s.at("class_name") == "InputLayer") model->set_input_name(s.at("config").value("name", ""));
    else model->add(layer_from_config(s));  // Keras lists the InputLayer; it is not among model.layers
  }
  if (input.empty() && options.contains("build_input_shape") && options["build_input_shape"].is_array())
    input = shape_from(options["build_input_shape"], model->name());
  if (input.empty() && spec.contains("build_config") && spec["build_config"].is_object()) {
    const json shape = spec["build_config"].value("input_shape", json());
    if (shape.is_array() && !shape.empty() && !shape[0].is_array()) input = shape_from(shape, model->name());
  }
  if (!input.empty()) model->build_for({dtype, input});
  return LayerRef(model);
}

}  // namespace

DType input_dtype(const std::string& name) { return InputDType(name); }

LayerRef layer_from_config(const json& spec) {
  const std::string class_name = spec.at("class_name").get<std::string>();
  if (is_model_class(class_name)) return model_from_config(spec);
  LayerRef layer(std::static_pointer_cast<Layer>(config::from_json("layer", spec)));
  if (layer->name().empty()) layer->set_name(unique_layer_name(class_name));  // written by hand
  return layer;
}

bool is_model_class(const std::string& c) { return c == "Sequential" || c == "Functional" || c == "Model"; }

void use_for_nested_models() {
  config::set_model_reader([](const json& spec) { return model_from_config(spec).ptr(); }, is_model_class,
                           [](Layer& model) { return model_to_config(LayerRef(model.shared_from_this())); });
}

LayerRef model_from_config(const json& spec) {
  const std::string class_name = spec.at("class_name").get<std::string>();
  GLIA_CHECK(is_model_class(class_name), "expected the configuration of a Sequential or Functional model. Received a {}.", class_name);
  use_for_nested_models();
  if (class_name == "Sequential") return sequential_from(spec);
  return functional_from_config(spec.at("config"));
}

}  // namespace glia::io::keras
