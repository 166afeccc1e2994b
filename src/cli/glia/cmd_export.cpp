#include <filesystem>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"
#include "cli/glia/write_model.h"

namespace glia::cli {

namespace {
struct Options {
  std::string model, out, name, weights_file;
  std::vector<std::string> shapes;
  int64_t batch_size = 0;
  bool cpp = false, onnx = false;
  int opset = 17;
};

// "28,28,1" or "28x28x1"
Shape shape_of(const std::string& text) {
  Shape s;
  std::string number;
  for (char c : text + ",") {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      number += c;
    } else if ((c == ',' || c == 'x') && !number.empty() && number.size() < 10) {
      s.push_back(std::stoll(number));
      number.clear();
    } else {
      throw UsageError(
          fmt::format("--input-shape: expected numbers like 28x28x1 (without the batch axis). Received '{}'.", text));
    }
  }
  return s;
}

void run(const Options& o, const Context& c) {
  if (o.cpp == o.onnx) throw UsageError("give one of --c++ and --onnx.");
  WriteOptions w;
  w.opset = o.opset;
  w.cpp.name = o.name;
  w.cpp.batch_size = o.batch_size;
  w.cpp.weights_file = o.weights_file;
  for (const std::string& s : o.shapes) w.cpp.input_shapes.push_back(shape_of(s));
  const std::string out =
      !o.out.empty() ? o.out : std::filesystem::path(o.model).stem().string() + (o.cpp ? ".h" : ".onnx");
  const std::string e = ending_of(out);
  if (o.cpp != (e == ".h" || e == ".hpp" || e == ".hh" || e == ".hxx"))
    throw UsageError(fmt::format("-o {}: expected a name that ends in {}.", out, o.cpp ? ".h or .hpp" : ".onnx"));
  check_writable(out);
  const Model model = open_model(o.model);
  write_model(model, out, w);
  json files = json::array({out});
  if (!o.weights_file.empty()) files.push_back(o.weights_file);
  std::string text;
  for (const json& f : files)
    text += fmt::format("written to {} ({} bytes)\n", f.get<std::string>(),
                        std::filesystem::file_size(f.get<std::string>()));
  c.print({{"model", o.model}, {"params", model.count_params()}, {"files", files}}, text);
}
}  // namespace

Run add_export(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "model file")->required();
  app.add_flag("--c++,--cpp", o->cpp, "a C++17 header without dependencies");
  app.add_flag("--onnx", o->onnx, "an ONNX file");
  app.add_option("-o,--output", o->out, "file to write (default: the model's name)");
  app.add_option("--name", o->name, "C++: namespace (default: the file's name)");
  app.add_option("--batch-size", o->batch_size,
                 "C++: rows of one predict() call (default: 1, or the number that the model was built for)")
      ->check(positive());
  app.add_option("--input-shape", o->shapes,
                 "C++: shape of an input without the batch axis, like 28x28x1; one per input");
  app.add_option("--weights-file", o->weights_file, "C++: put the weights into this file instead of the header");
  app.add_option("--opset", o->opset, "ONNX: version of the operators")->capture_default_str();
  return [o, &c] { run(*o, c); };
}

}  // namespace glia::cli
