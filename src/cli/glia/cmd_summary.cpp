#include <glia/saving.h>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"

namespace glia::cli {

namespace {
struct Options {
  std::string model;
  bool expand_nested = false, trainable = false, untrusted = false;
  int width = 0;
};

json layers_json(const Model& model) {
  json r = json::array();
  for (const LayerRef& l : model.layers()) {
    json weights = json::array();
    for (const Variable& v : l->weights())
      weights.push_back(
          {{"name", v.name()}, {"shape", v.tensor().shape()}, {"dtype", dtype_name(v.tensor().dtype())}});
    r.push_back({{"name", l->name()},
                 {"class_name", l->class_name()},
                 {"trainable", l->trainable()},
                 {"params", l->count_params()},
                 {"weights", weights}});
  }
  return r;
}

// With the optimizer, whose variables count; a loss or metric that Glia does not know is no reason to show nothing.
Model open_compiled(const Options& o) {
  try {
    return open_model(o.model, {.untrusted = o.untrusted, .compile = true});
  } catch (const Error&) {
    return open_model(o.model, {.untrusted = o.untrusted});
  }
}

void summary(const Options& o, const Context& c) {
  Model model = open_compiled(o);
  int64_t trainable = 0;
  for (const Variable& v : model.ptr()->trainable_weights()) trainable += v.tensor().size();
  const int64_t all = model.count_params();
  c.print({{"model", o.model},
           {"name", model.name()},
           {"class_name", model.ptr()->class_name()},
           {"inputs", to_json(input_specs(model))},
           {"output_names", output_names(model)},
           {"output_shapes", shapes_json(model.output_shapes())},
           {"params", all},
           {"trainable_params", trainable},
           {"layers", layers_json(model)}},
          c.as_json ? ""
                    : model.summary_text(
                          {.line_length = o.width, .expand_nested = o.expand_nested, .show_trainable = o.trainable}));
}
}  // namespace

Run add_summary(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "model file")->required();
  app.add_flag("--expand-nested", o->expand_nested, "show the layers of models inside");
  app.add_flag("--show-trainable", o->trainable, "show which layers train");
  app.add_flag("--untrusted", o->untrusted, "read the file as `glia verify` does");
  app.add_option("--width", o->width, "columns of the table");
  return [o, &c] { summary(*o, c); };
}

}  // namespace glia::cli
