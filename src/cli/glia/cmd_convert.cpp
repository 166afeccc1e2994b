#include <filesystem>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"
#include "cli/glia/write_model.h"

namespace glia::cli {

namespace {
struct Options {
  std::string from, to;
  bool trusted = false;
  int opset = 17;
};

void convert(const Options& o, const Context& c) {
  check_writable(o.to);
  const Model model = open_model(o.from, {.untrusted = !o.trusted, .compile = true});
  write_model(model, o.to, {.opset = o.opset});
  c.print({{"input", o.from},
           {"output", o.to},
           {"params", model.count_params()},
           {"bytes", std::filesystem::file_size(o.to)}},
          fmt::format("{} -> {}: {} parameters, {} bytes\n", o.from, o.to, model.count_params(),
                      std::filesystem::file_size(o.to)));
}
}  // namespace

Run add_convert(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("FROM", o->from, "model file")->required();
  app.add_option("TO", o->to, "file to write")->required();
  app.add_option("--opset", o->opset, "version of the operators, for .onnx")->capture_default_str();
  app.add_flag("--trusted", o->trusted, "read the input in this process");
  return [o, &c] { convert(*o, c); };
}

}  // namespace glia::cli
