#include <glia/saving.h>

#include "base/error.h"
#include "io/keras/model_config.h"
#include "io/keras/python_json.h"

namespace glia::models {

std::string to_json(const Model& model) { return io::keras::dump_json(io::keras::model_to_config(model)); }

Model model_from_json(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  io::keras::json spec;
  if (first != std::string::npos && text[first] == '{') spec = io::keras::parse_python_json(text, "model_from_json", {});
  GLIA_CHECK(spec.is_object() && spec.contains("class_name") && spec.contains("config"),
             "model_from_json: expected the JSON text of a model, {{\"class_name\": ..., \"config\": ...}}. Received '{}'.",
             text.substr(0, 60));
  return io::keras::with_json_errors("model_from_json", [&] { return Model(io::keras::model_from_config(spec)); });
}

Model clone_model(const Model& model) { return Model(io::keras::model_from_config(io::keras::model_to_config(model))); }

}  // namespace glia::models
