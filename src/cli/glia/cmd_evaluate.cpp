#include <glia/readers.h>

#include <filesystem>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/data_source.h"
#include "cli/glia/model_file.h"
#include "cli/glia/progress.h"
#include "cli/glia/train_config.h"
#include "io/file/json_text.h"

namespace glia::cli {

namespace {
struct Options {
  std::string model, data, loss;
  std::vector<std::string> metrics, x, y;
  int64_t batch_size = 32;
  double scale = 0;
};

LoadedData data_of(const Options& o, const Model& model) {
  std::string folder;
  json spec = {{"path", o.data}};
  if (ending_of(o.data) == ".json") {
    json file = io::parse_json(read_text(o.data), o.data);
    spec = file.contains("data") ? file["data"] : file;
    folder = std::filesystem::path(o.data).parent_path().string();
  }
  if (!o.x.empty()) spec["x"] = o.x;
  if (!o.y.empty()) spec["y"] = o.y;
  if (o.scale != 0) spec["scale"] = o.scale;
  return load_data(Config(spec, o.data), model, folder);
}

void evaluate(const Options& o, const Context& c) {
  Model model = open_model(o.model, {.compile = o.loss.empty() && o.metrics.empty()});
  if (!o.loss.empty() || !o.metrics.empty()) {
    CompileOptions compile;
    if (!o.loss.empty()) compile.loss = LossSpec(o.loss);
    std::vector<MetricArg> metrics(o.metrics.begin(), o.metrics.end());
    compile.metrics = MetricsSpec(metrics);
    if (o.loss.empty()) throw UsageError("--metric needs --loss as well.");
    model.compile(compile);
  }
  GLIA_CHECK(model.compiled(), "{}: the file holds no loss and metrics. Give --loss (and --metric).", o.model);
  const LoadedData d = data_of(o, model);
  GLIA_CHECK(!d.y.empty(), "{}: no targets were found. Name them with --y.", o.data);
  EvaluateOptions e;
  e.batch_size = o.batch_size;
  e.verbose = 0;
  e.sample_weight = Data(d.sample_weight);
  e.callbacks = {predict_progress(c, d.rows(), o.batch_size)};
  const Logs logs = model.evaluate(d.inputs(), Data(d.y), e);
  json values = json::object();
  std::string text;
  for (const auto& [name, value] : logs) {
    values[name] = value;
    text += fmt::format("{:<24} {:.6g}\n", name, value);
  }
  c.print({{"model", o.model}, {"rows", d.rows()}, {"results", values}}, text);
}
}  // namespace

Run add_evaluate(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "model file")->required();
  app.add_option("DATA", o->data, ".npz, .csv, a folder, or .json with a \"data\" object")->required();
  app.add_option("--loss", o->loss, "instead of the file's");
  app.add_option("--metric", o->metrics, "may be given several times");
  app.add_option("--x", o->x, "arrays or columns that are inputs");
  app.add_option("--y", o->y, "arrays or columns that are targets");
  app.add_option("--scale", o->scale, "factor on the inputs, e.g. 0.00392156862745098 for bytes");
  app.add_option("-b,--batch-size", o->batch_size, "rows at a time")
      ->capture_default_str()
      ->check(positive());
  return [o, &c] { evaluate(*o, c); };
}

}  // namespace glia::cli
