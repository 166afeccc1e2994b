#include <glia/npz.h>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"
#include "cli/glia/progress.h"

namespace glia::cli {

namespace {
struct Options {
  std::string model, in, out = "out.npz";
  int64_t batch_size = 32;
  bool compress = false, untrusted = false, whole = false, ignore_extra = false;
};

void predict(const Options& o, const Context& c) {
  Model model = open_model(o.model, {.untrusted = o.untrusted});
  const std::vector<Array> inputs = arrays_for(model, read_arrays(o.in, o.untrusted, &model), o.in, o.ignore_extra);
  const int64_t rows = rows_of(inputs);
  const std::vector<Tensor> outputs =
      predict_arrays(model, inputs, {o.batch_size, o.whole, {predict_progress(c, rows, o.batch_size)}});
  std::map<std::string, Tensor> named;
  json list = json::array();
  std::string text;
  const std::vector<std::string> names = output_names(model);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string key = fmt::format("output_{:02}", i);
    named[key] = outputs[i];
    const std::string source = i < names.size() ? names[i] : "";
    list.push_back({{"array", key},
                    {"name", source},
                    {"shape", shapes_json({outputs[i].shape()})[0]},
                    {"dtype", dtype_name(outputs[i].dtype())}});
    text += fmt::format("{}  {} {}{}\n", key, dtype_name(outputs[i].dtype()), to_string(outputs[i].shape()),
                        source.empty() ? "" : "  " + source);
  }
  write_npz(o.out, named, {.compress = o.compress});
  c.print({{"model", o.model}, {"rows", rows}, {"output", o.out}, {"arrays", list}},
          text + "written to " + o.out + "\n");
}
}  // namespace

Run add_predict(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "model file")->required();
  app.add_option("IN", o->in, "inputs: .npz, .npy or .csv")->required();
  app.add_option("-o,--output", o->out, "where the outputs go")->capture_default_str();
  app.add_option("-b,--batch-size", o->batch_size, "rows at a time")
      ->capture_default_str()
      ->check(positive());
  app.add_flag("--whole", o->whole, "all rows in one call, for ONNX models whose first axis is not the batch");
  app.add_flag("--ignore-extra", o->ignore_extra, "arrays of IN that are no input are no error");
  app.add_flag("--compress", o->compress, "deflate the output");
  app.add_flag("--untrusted", o->untrusted, "read the files as `glia verify` does");
  return [o, &c] { predict(*o, c); };
}

}  // namespace glia::cli
