#include <glia/plot.h>
#include <glia/readers.h>
#include <glia/saving.h>

#include <chrono>
#include <filesystem>

#include "cli/glia/command.h"
#include "cli/glia/data_source.h"
#include "cli/glia/model_file.h"
#include "cli/glia/progress.h"
#include "cli/glia/train_config.h"
#include "cli/glia/write_model.h"
#include "io/file/atomic_file.h"
#include "io/file/json_text.h"

namespace glia::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string config, output;
  int epochs = 0;
  int64_t batch_size = 0;
};

// "model": a file, or Keras's JSON itself.
Model model_of(const Config& c, const fs::path& folder, bool compile) {
  const json& m = c.raw("model");
  Model model;
  try {
    if (m.is_string())
      model = open_model((folder / m.get<std::string>()).string(), {.compile = compile});
    else
      model = models::model_from_json(m.dump());
  } catch (const Error& e) {
    throw_error("{}.model: {}", c.where(), e.what());
  }
  if (c.has("weights")) model.load_weights((folder / c.get<std::string>("weights")).string());
  return model;
}

json history_json(const History& h) {
  json r = json::object();
  for (auto& [name, values] : h.history) r[name] = values;
  return r;
}

std::string final_text(const History& h) {
  std::string r;
  for (auto& [name, values] : h.history)
    if (!values.empty()) r += fmt::format("{:<24} {:.6g}\n", name, values.back());
  return r;
}

void train(const Options& o, const Context& context) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path folder = fs::path(o.config).parent_path();
  const Config c(io::parse_json(read_text(o.config), o.config), o.config);
  if (c.has("seed")) set_random_seed(c.get<int64_t>("seed"));
  Model model = model_of(c, folder, !c.has("compile"));
  if (c.has("compile")) model.compile(compile_options(c.object("compile")));
  GLIA_CHECK(model.compiled(),
             "{}: the model file was not compiled, so \"compile\": {{\"optimizer\": ..., \"loss\": ...}} is needed.",
             o.config);
  FitOptions fit = fit_options(c.object("fit"));
  if (o.epochs > 0) fit.epochs = o.epochs;
  if (o.batch_size > 0) fit.batch_size = o.batch_size;
  const LoadedData data = load_data(c.object("data"), model, folder.string());
  GLIA_CHECK(!data.y.empty(), "{}.data: no targets were found. Name them with \"y\".", o.config);
  if (c.has("validation")) {
    const LoadedData v = load_data(c.object("validation"), model, folder.string());
    fit.validation_data = ValidationData{v.inputs(), Data(v.y), Data(v.sample_weight)};
  }
  if (!data.sample_weight.empty()) fit.sample_weight = Data(data.sample_weight);
  if (c.has("callbacks")) fit.callbacks = callbacks_of(c.raw("callbacks"), o.config + ".callbacks", folder.string());
  std::string output = o.output;
  if (c.has("output") && output.empty()) output = (folder / c.get<std::string>("output")).string();
  const std::string history_file = c.get<std::string>("history", ""), plot = c.get<std::string>("plot", "");
  c.finish();
  if (!output.empty()) check_writable(output);  // before the hours of training, not after them
  context.note(fmt::format("{} rows, {} parameters, {} epochs", data.rows(), model.count_params(), fit.epochs));
  fit.callbacks.push_back(train_progress(context));

  const History history = model.fit(data.inputs(), Data(data.y), fit);
  if (!output.empty()) write_model(model, output, {});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const json answer = {{"rows", data.rows()},     {"epochs", history.epoch.size()},
                       {"epoch", history.epoch},  {"history", history_json(history)},
                       {"classes", data.classes}, {"output", output},
                       {"seconds", seconds}};
  if (!history_file.empty()) io::write_file((folder / history_file).string(), answer.dump(2) + "\n");
  if (!plot.empty()) utils::plot_history(history, (folder / plot).string());
  context.print(answer, final_text(history) + (output.empty() ? "not saved: give \"output\" or --output\n"
                                                              : "written to " + output + "\n"));
}

}  // namespace

Run add_train(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("CONFIG", o->config, "JSON file")->required();
  app.add_option("-o,--output", o->output, "the trained model (instead of the file's \"output\")");
  app.add_option("--epochs", o->epochs, "instead of the file's")->check(positive());
  app.add_option("--batch-size", o->batch_size, "instead of the file's")->check(positive());
  return [o, &c] { train(*o, c); };
}

}  // namespace glia::cli
