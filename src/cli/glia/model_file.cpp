#include "cli/glia/model_file.h"

#include <glia/npz.h>
#include <glia/onnx.h>
#include <glia/readers.h>
#include <glia/saving.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "io/cpp_export/predict_graph.h"
#if GLIA_HAVE_ONNX
#include "io/onnx/onnx_layer.h"
#endif

namespace glia::cli {

std::string ending_of(const std::string& path) {
  std::string e = std::filesystem::path(path).extension().string();
  for (char& c : e) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return e;
}

Model open_model(const std::string& path, const OpenOptions& o) {
  if (!std::filesystem::exists(path)) throw_error("'{}' does not exist.", path);
  if (ending_of(path) == ".json") {
    try {
      return models::model_from_json(read_text(path));
    } catch (const Error& e) {
      throw_error("{}: {}", path, e.what());
    }
  }
  LoadOptions load;
  load.compile = o.compile;
  load.untrusted = o.untrusted;
  return models::load_model(path, load);
}

namespace {

// A graph of another tool that Glia did not cut into batches: what its file declares. Empty for other models.
std::vector<InputSpec> declared_inputs([[maybe_unused]] const Model& model) {
  std::vector<InputSpec> r;
#if GLIA_HAVE_ONNX
  if (auto* graph = dynamic_cast<const onnx::OnnxLayer*>(model.ptr().get()))
    for (const onnx::ValueInfo& v : graph->inputs()) {
      InputSpec s{v.name, {}, DType::f32};
      onnx::dtype_of_type(v.type, &s.dtype);
      for (const auto& d : v.shape) s.shape.push_back(d.value);
      r.push_back(s);
    }
#endif
  return r;
}

}  // namespace

std::vector<std::string> output_names(const Model& model) {
#if GLIA_HAVE_ONNX
  if (auto* graph = dynamic_cast<const onnx::OnnxLayer*>(model.ptr().get())) {
    std::vector<std::string> r;
    for (const onnx::ValueInfo& v : graph->file().graph.outputs) r.push_back(v.name);
    return r;
  }
#endif
  return model.output_names();
}

std::vector<InputSpec> input_specs(const Model& model) {
  if (std::vector<InputSpec> declared = declared_inputs(model); !declared.empty()) return declared;
  const std::vector<std::string> names = model.input_names();
  const std::vector<Shape> shapes = model.input_shapes();
  const size_t count = std::max<size_t>({names.size(), shapes.size(), 1});
  const std::vector<DType> dtypes = io::cpp_export::input_dtypes(model, count);
  std::vector<InputSpec> r;
  for (size_t i = 0; i < count; ++i)
    r.push_back({i < names.size() ? names[i]
                 : count == 1     ? "x"
                                  : fmt::format("x{}", i),
                 i < shapes.size() ? shapes[i] : Shape{}, dtypes[i]});
  return r;
}

json shapes_json(const std::vector<Shape>& shapes) {
  json r = json::array();
  for (const Shape& s : shapes) {
    json one = json::array();
    for (int64_t d : s) one.push_back(d < 0 ? json() : json(d));
    r.push_back(one);
  }
  return r;
}
json to_json(const std::vector<InputSpec>& specs) {
  json r = json::array();
  for (const InputSpec& s : specs)
    r.push_back({{"name", s.name}, {"shape", shapes_json({s.shape})[0]}, {"dtype", dtype_name(s.dtype)}});
  return r;
}

bool takes_strings(const Model& model) {
  const std::vector<InputSpec> specs = input_specs(model);
  return std::any_of(specs.begin(), specs.end(), [](const InputSpec& s) { return s.dtype == kStringDType; });
}

Array column_for(const CsvTable& table, const std::string& column, const InputSpec& spec) {
  if (spec.dtype == kStringDType) return StringTensor({table.rows(), 1}, table.strings(column));
  return table.floats({column});
}

std::map<std::string, Array> read_arrays(const std::string& path, bool untrusted, const Model* columns_for) {
  if (!std::filesystem::exists(path)) throw_error("'{}' does not exist.", path);
  LoadOptions o;
  o.untrusted = untrusted;
  if (ending_of(path) == ".csv") {
    const CsvTable table = read_csv(path);
    if (!columns_for || !takes_strings(*columns_for)) return {{"x", table.floats()}};
    const std::vector<InputSpec> specs = input_specs(*columns_for);
    if (specs.size() == 1 && table.columns().size() == 1) return {{specs[0].name, column_for(table, table.columns()[0], specs[0])}};
    std::map<std::string, Array> r;
    for (const InputSpec& s : specs) r.emplace(s.name, column_for(table, s.name, s));
    return r;
  }
  NpzArrays all;
  if (ending_of(path) == ".npy") {
    try {
      all.numbers["x"] = read_npy(path, o);
    } catch (const Error&) {
      if (!columns_for || !takes_strings(*columns_for)) throw;
      all.strings["x"] = read_npy_strings(path, o);
    }
  } else {
    all = read_npz_arrays(path, o);
  }
  std::map<std::string, Array> r;
  for (auto& [name, t] : all.numbers) r.emplace(name, std::move(t));
  for (auto& [name, t] : all.strings) r.emplace(name, std::move(t));
  return r;
}

namespace {

DType dtype_of(const Array& a) { return a.strings.defined() ? kStringDType : a.numbers.dtype(); }
const Shape& shape_of(const Array& a) { return a.strings.defined() ? a.strings.shape : a.numbers.shape(); }

std::string listed(const std::map<std::string, Array>& arrays) {
  std::string r;
  for (auto& [name, a] : arrays)
    r += fmt::format("{}{} {} {}", r.empty() ? "" : ", ", name, dtype_name(dtype_of(a)), to_string(shape_of(a)));
  return r.empty() ? "nothing" : r;
}
std::string listed(const std::vector<InputSpec>& specs) {
  std::string r;
  for (const InputSpec& s : specs)
    r += fmt::format("{}{} {} {}", r.empty() ? "" : ", ", s.name, dtype_name(s.dtype),
                     s.shape.empty() ? "(any shape)" : to_string(s.shape));
  return r;
}

// Numbers as the input's dtype. Floats become ids only when they are whole.
Array as_input(const Array& a, const InputSpec& s, const std::string& name) {
  if (dtype_of(a) == s.dtype) return a;
  GLIA_CHECK(s.dtype != kStringDType && !a.strings.defined(), "the array '{}' ({}) goes to the input '{}', which takes {}.", name,
             dtype_name(dtype_of(a)), s.name, dtype_name(s.dtype));
  const Tensor& t = a.numbers;
  if (is_float(t.dtype()) && !is_float(s.dtype) && s.dtype != DType::bool_)
    for (int64_t i = 0; i < t.size(); ++i)
      GLIA_CHECK(t.item(i) == std::floor(t.item(i)),
                 "the array '{}' ({}) goes to the input '{}', which takes {}, but its element {} is {}.", name,
                 dtype_name(t.dtype()), s.name, dtype_name(s.dtype), i, t.item(i));
  return t.astype(s.dtype);
}

}  // namespace

std::vector<Array> arrays_for(const Model& model, const std::map<std::string, Array>& arrays, const std::string& source,
                              bool ignore_extra) {
  const std::vector<InputSpec> specs = input_specs(model);
  const std::vector<std::string> outputs = output_names(model);
  size_t by_name = 0;
  std::vector<std::string> missing, extra;
  for (const InputSpec& s : specs) {
    if (arrays.count(s.name))
      ++by_name;
    else
      missing.push_back(s.name);
  }
  for (auto& [name, t] : arrays) {
    const bool input =
        std::any_of(specs.begin(), specs.end(), [&, n = name](const InputSpec& s) { return s.name == n; });
    // A file that also holds what the model should answer, under the outputs' names, is common.
    if (!input && std::find(outputs.begin(), outputs.end(), name) == outputs.end()) extra.push_back(name);
  }
  const std::string both = fmt::format(" The model takes: {}. {} holds: {}.", listed(specs), source, listed(arrays));
  std::vector<std::string> order;
  if (by_name == specs.size()) {
    GLIA_CHECK(extra.empty() || ignore_extra,
               "{}: arrays that are no input of the model: {}. --ignore-extra leaves them out.{}", source,
               fmt::join(extra, ", "), both);
    for (const InputSpec& s : specs) order.push_back(s.name);
  } else {
    GLIA_CHECK(by_name == 0 || specs.size() == 1, "{}: no array for the input{} {}.{}", source,
               missing.size() == 1 ? "" : "s", fmt::join(missing, ", "), both);
    GLIA_CHECK(arrays.size() == specs.size(), "{}: the model has {} input{}, but the file holds {} array{}.{}",
               source, specs.size(), specs.size() == 1 ? "" : "s", arrays.size(), arrays.size() == 1 ? "" : "s",
               both);
    for (auto& [name, t] : arrays) order.push_back(name);
  }
  std::vector<Array> r;
  for (size_t i = 0; i < specs.size(); ++i) r.push_back(as_input(arrays.at(order[i]), specs[i], order[i]));
  return r;
}

namespace {

// The batch that the model was written for, or -1.
int64_t fixed_batch(const Model& model) {
  for (const Shape& s : model.input_shapes())
    if (!s.empty() && s[0] > 0) return s[0];
  return -1;
}
// Are the rows of all inputs the same samples?
bool batched(const Model& model, const std::vector<Tensor>& inputs) {
  const std::vector<Shape> declared = model.input_shapes();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].rank() == 0 || inputs[i].dim(0) != inputs[0].dim(0) ||
        (i < declared.size() && declared[0].size() && declared[i].size() && declared[i][0] != declared[0][0]))
      return false;
  return true;
}

}  // namespace

namespace {

bool of_another_tool(const Model& model) {
  if (model.ptr()->class_name() == "OnnxGraph") return true;
  for (const LayerRef& l : model.layers())
    if (l->class_name() == "OnnxGraph") return true;
  return false;
}

// Whether the rows of a model of another tool are samples: two together must give what each gives alone. Its first
// axis may as well be time.
bool rows_are_samples(const Model& model, const std::vector<Tensor>& inputs) {
  const auto part = [&](int64_t begin, int64_t end) {
    std::vector<Tensor> r;
    for (const Tensor& t : inputs) r.push_back(t.slice(begin, end).clone());
    return onnx::run(model, r);
  };
  const std::vector<Tensor> both = part(0, 2), alone[2] = {part(0, 1), part(1, 2)};
  for (size_t o = 0; o < both.size(); ++o)
    for (int64_t row = 0; row < 2; ++row) {
      const Tensor& one = alone[row][o];
      if (both[o].rank() == 0 || both[o].dim(0) != 2 || one.rank() != both[o].rank() || one.dim(0) != 1 ||
          both[o].size() != 2 * one.size())
        return false;
      for (int64_t i = 0; i < one.size(); ++i) {
        const double x = one.item(i), y = both[o].item(row * one.size() + i);
        if (std::abs(x - y) > 1e-4 * (1 + std::abs(x))) return false;
      }
    }
  return true;
}

}  // namespace

int64_t rows_of(const std::vector<Array>& inputs) {
  const Shape& s = shape_of(inputs.at(0));
  return s.empty() ? 1 : s[0];
}

std::vector<Tensor> predict_arrays(Model& model, const std::vector<Array>& arrays, const RunOptions& r) {
  PredictOptions o;
  o.callbacks = r.callbacks;
  o.batch_size = r.batch_size;
  std::vector<Tensor> inputs;
  for (const Array& a : arrays) inputs.push_back(a.numbers);
  if (takes_strings(model)) return model.predict_all(Data(arrays), o);
  const int64_t fixed = fixed_batch(model);
  const bool foreign = of_another_tool(model);
  if (r.whole || !declared_inputs(model).empty() || (foreign && !batched(model, inputs)))
    return onnx::run(model, inputs);
  const int64_t rows = inputs[0].rank() ? inputs[0].dim(0) : 0;
  if (foreign && (rows == fixed || (fixed < 0 && rows <= r.batch_size))) return onnx::run(model, inputs);
  if (foreign && fixed < 0 && !rows_are_samples(model, inputs)) return onnx::run(model, inputs);
  if (fixed > 0) {
    GLIA_CHECK(
        rows > 0 && rows % fixed == 0,
        "the model was written for batches of {}: the number of rows must be a multiple of it. Received {} rows.",
        fixed, rows);
    o.batch_size = fixed;
  }
  return model.predict_all(Data(inputs), o);
}

}  // namespace glia::cli
