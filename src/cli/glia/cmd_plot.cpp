#include <glia/plot.h>
#include <glia/readers.h>

#include <cmath>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"
#include "io/file/json_text.h"

namespace glia::cli {

namespace {
struct Options {
  std::string in, out;
  utils::PlotOptions model;
  utils::CurvesOptions curves;
};

// What `glia train` wrote: {"history": {"loss": [...]}}, or such an object itself.
History history_from_json(const json& file, const std::string& path) {
  const json& curves = file.contains("history") ? file["history"] : file;
  History h;
  GLIA_CHECK(curves.is_object(), "{}: expected {{\"loss\": [...], ...}}.", path);
  for (auto& [name, values] : curves.items()) {
    GLIA_CHECK(values.is_array(), "{}: '{}' is no list of numbers.", path, name);
    std::vector<double> y;
    for (const json& v : values) y.push_back(v.is_number() ? v.get<double>() : NAN);
    h.history.emplace_back(name, y);
  }
  return h;
}
History history_from_csv(const std::string& path) {
  const CsvTable t = read_csv(path);
  History h;
  for (const std::string& name : t.columns()) {
    const std::vector<float> y = t.floats({name}).to_vector();
    if (name == "epoch")
      h.epoch.assign(y.begin(), y.end());
    else
      h.history.emplace_back(name, std::vector<double>(y.begin(), y.end()));
  }
  return h;
}

void plot(const Options& o, const Context& c) {
  const std::string e = ending_of(o.in);
  bool curves = e == ".csv";
  json file;
  if (e == ".json") {
    file = io::parse_json(read_text(o.in), o.in);
    curves = !file.contains("class_name");
  }
  if (curves) {
    const std::string out = o.out.empty() ? "curves.svg" : o.out;
    utils::plot_history(e == ".csv" ? history_from_csv(o.in) : history_from_json(file, o.in), out, o.curves);
    c.print({{"input", o.in}, {"kind", "curves"}, {"output", out}}, "written to " + out + "\n");
    return;
  }
  const std::string out = o.out.empty() ? "model.svg" : o.out;
  utils::plot_model(open_model(o.in), out, o.model);
  c.print({{"input", o.in}, {"kind", "model"}, {"output", out}}, "written to " + out + "\n");
}
}  // namespace

Run add_plot(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("IN", o->in, "model file, history (.json) or log (.csv)")->required();
  app.add_option("-o,--output", o->out, "picture: .svg or .dot (default: model.svg, curves.svg)");
  app.add_flag("--show-shapes", o->model.show_shapes, "shapes of inputs and outputs");
  app.add_flag("--show-dtype", o->model.show_dtype, "dtypes");
  app.add_flag("--show-layer-names", o->model.show_layer_names, "names beside classes");
  app.add_flag("--show-activations", o->model.show_layer_activations, "activations");
  app.add_flag("--show-trainable", o->model.show_trainable, "which layers train");
  app.add_flag("--expand-nested", o->model.expand_nested, "layers of models inside");
  app.add_option("--rankdir", o->model.rankdir, "TB: downwards, LR: to the right")->capture_default_str();
  app.add_option("--title", o->curves.title, "curves: title");
  app.add_flag("--log", o->curves.log_scale, "curves: losses on a logarithmic axis");
  return [o, &c] { plot(*o, c); };
}

}  // namespace glia::cli
