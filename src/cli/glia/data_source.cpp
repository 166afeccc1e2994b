#include "cli/glia/data_source.h"

#include <glia/readers.h>
#include <glia/utils.h>

#include <algorithm>
#include <filesystem>

#include "cli/glia/model_file.h"
#include "cli/glia/image_folder.h"

namespace glia::cli {

namespace fs = std::filesystem;

int64_t LoadedData::rows() const {
  if (x.empty()) return 0;
  const Shape& s = is_text(0) ? strings[0].shape : x[0].shape();
  return s.empty() ? 0 : s[0];
}
Data LoadedData::inputs() const {
  Data d(x);
  d.strings = strings;
  return d;
}

namespace {

void add_input(LoadedData& d, Array a) {
  d.strings.resize(d.x.size());
  d.strings.push_back(std::move(a.strings));
  d.x.push_back(std::move(a.numbers));
}

Tensor numbers(const Array& a, const std::string& name, const std::string& where) {
  GLIA_CHECK(a.numbers.defined(), "{}: the array '{}' holds strings, where numbers are expected.", where, name);
  return a.numbers;
}

const Array& pick(const std::map<std::string, Array>& arrays, const std::string& name, const std::string& where) {
  auto it = arrays.find(name);
  if (it != arrays.end()) return it->second;
  std::vector<std::string> known;
  for (auto& [n, t] : arrays) known.push_back(n);
  throw_error("{}: the file has no array '{}'.{}", where, name, did_you_mean(name, known));
}

// Which arrays are inputs and which targets, when the configuration does not say: y... are targets, by name or by
// first letter.
LoadedData from_npz(const Config& c, const Model& model, const std::string& path) {
  const auto arrays = read_arrays(path);
  std::vector<std::string> xs = c.strings("x"), ys = c.strings("y"), ws = c.strings("sample_weight");
  const std::vector<InputSpec> inputs = input_specs(model);
  const std::vector<std::string> outputs = model.output_names();
  const auto has = [&](const std::string& n) { return arrays.count(n) != 0; };
  if (xs.empty() && std::all_of(inputs.begin(), inputs.end(), [&](const InputSpec& s) { return has(s.name); }))
    for (const InputSpec& s : inputs) xs.push_back(s.name);
  if (ys.empty() && !outputs.empty() && std::all_of(outputs.begin(), outputs.end(), has)) ys = outputs;
  if (ws.empty() && has("sample_weight")) ws = {"sample_weight"};
  const auto taken = [&](const std::string& n) {
    for (const auto* list : {&xs, &ys, &ws})
      if (std::find(list->begin(), list->end(), n) != list->end()) return true;
    return false;
  };
  const bool find_x = xs.empty(), find_y = ys.empty();
  for (auto& [name, t] : arrays) {
    if (taken(name)) continue;
    const bool target =
        name[0] == 'y' || name.find("label") != std::string::npos || name.find("target") != std::string::npos;
    if (target && find_y) ys.push_back(name);
    if (!target && find_x) xs.push_back(name);
  }
  LoadedData d;
  for (const std::string& n : xs) add_input(d, pick(arrays, n, c.where() + ".x"));
  for (const std::string& n : ys) d.y.push_back(numbers(pick(arrays, n, c.where() + ".y"), n, c.where() + ".y"));
  for (const std::string& n : ws)
    d.sample_weight.push_back(numbers(pick(arrays, n, c.where() + ".sample_weight"), n, c.where() + ".sample_weight"));
  if (d.x.size() != inputs.size())
    throw_error(
        "{}: the model has {} input{}, but {} array{} of {} would be used: {}. Name them with \"x\" and \"y\".",
        c.where(), inputs.size(), inputs.size() == 1 ? "" : "s", d.x.size(), d.x.size() == 1 ? "" : "s", path,
        fmt::join(xs, ", "));
  return d;
}

bool is_number(const std::string& s) {
  char* end = nullptr;
  std::strtod(s.c_str(), &end);
  return !s.empty() && *end == '\0';
}

// The target is the column named y, else the last one; words become class ids, whole numbers stay ids when `classes`
// says so.
LoadedData from_csv(const Config& c, const Model& model, const std::string& path) {
  CsvOptions options;
  options.header = c.get<bool>("header", true);
  const std::string delimiter = c.get<std::string>("delimiter", ",");
  if (delimiter.size() != 1)
    throw_error("{}.delimiter: expected one character. Received '{}'.", c.where(), delimiter);
  options.delimiter = delimiter[0];
  CsvTable table = read_csv(path, options);
  if (c.get<bool>("drop_missing", false)) table = table.drop_missing();
  std::vector<std::string> xs = c.strings("x"), ys = c.strings("y");
  GLIA_CHECK(!table.columns().empty(), "{}: the table has no columns.", path);
  if (ys.empty()) ys = {table.columns().back()};
  if (xs.empty())
    for (const std::string& n : table.columns())
      if (std::find(ys.begin(), ys.end(), n) == ys.end()) xs.push_back(n);
  LoadedData d;
  if (takes_strings(model)) {  // a column for each input: by its name, or the only one
    const std::vector<InputSpec> specs = input_specs(model);
    for (size_t i = 0; i < specs.size(); ++i)
      add_input(d, column_for(table, specs.size() == 1 && xs.size() == 1 ? xs[0] : specs[i].name, specs[i]));
  } else {
    d.x = {table.floats(xs)};
  }
  const std::string kind = c.get<std::string>("y_type", "auto");
  GLIA_CHECK(kind == "auto" || kind == "class" || kind == "number",
             "{}.y_type: expected \"auto\", \"class\" or \"number\". Received '{}'.", c.where(), kind);
  const std::vector<std::string>& cells = table.strings(ys[0]);
  const bool words =
      std::any_of(cells.begin(), cells.end(), [](const std::string& s) { return !s.empty() && !is_number(s); });
  if (ys.size() == 1 && (kind == "class" || (kind == "auto" && words))) {
    auto [ids, names] = table.labels(ys[0]);
    d.y = {ids};
    d.classes = names;
  } else {
    d.y = {table.floats(ys)};
  }
  return d;
}

fs::path find_idx(const fs::path& folder, const char* part) {
  std::vector<fs::path> found;
  for (const auto& e : fs::directory_iterator(folder)) {
    const std::string name = e.path().filename().string();
    if (name.find(part) != std::string::npos && name.find("idx") != std::string::npos) found.push_back(e.path());
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& p : found)  // a folder with both parts: the training part
    if (p.filename().string().find("train") != std::string::npos) return p;
  GLIA_CHECK(!found.empty(), "{}: the folder has no idx file of {}. Name the files with \"images\" and \"labels\".",
             folder.string(), part);
  return found[0];
}

LoadedData from_idx(const Config& c, const fs::path& path, const fs::path& folder) {
  const auto file = [&](const char* key, const char* part) {
    return c.has(key) ? folder / c.get<std::string>(key) : find_idx(path, part);
  };
  LoadedData d;
  d.x = {read_idx(file("images", "images").string())};
  d.y = {read_idx(file("labels", "labels").string()).astype(DType::i32)};
  if (!c.has("scale")) d.x[0] = d.x[0].astype(DType::f32);
  return d;
}

std::string format_of(const Config& c, const fs::path& path) {
  if (c.has("format")) return c.get<std::string>("format");
  if (c.has("images")) return "idx";
  if (fs::is_directory(path)) {
    for (const auto& e : fs::directory_iterator(path))
      if (e.is_directory()) return "images";
    return "idx";
  }
  std::string e = ending_of(path.string());
  if (e == ".gz") e = ending_of(path.stem().string());
  if (e == ".npz") return "npz";
  if (e == ".csv" || e == ".tsv" || e == ".txt") return "csv";
  throw_error("{}: the format of '{}' is not clear. Give \"format\": \"npz\", \"csv\", \"idx\" or \"images\".",
              c.where(), path.string());
}

void transform(const Config& c, LoadedData& d, const Model& model) {
  const double scale = c.get<double>("scale", 1), offset = c.get<double>("offset", 0);
  if (scale != 1 || offset != 0)
    for (Tensor& t : d.x) {
      if (!t.defined()) continue;
      t = t.dtype() == DType::f32 ? t.clone() : t.astype(DType::f32);
      for (float& v : t.span<float>()) v = static_cast<float>(v * scale + offset);
    }
  if (c.has("shape")) {
    Shape shape = c.get<Shape>("shape");
    shape.insert(shape.begin(), d.rows());
    GLIA_CHECK(!d.is_text(0), "{}.shape: the first input takes strings.", c.where());
    d.x[0] = d.x[0].reshape(shape);
  }
  if (c.has("one_hot"))
    for (Tensor& t : d.y) t = utils::to_categorical(t, {.num_classes = c.get<int64_t>("one_hot")});
  if (c.has("limit")) {
    const int64_t n = std::min(c.get<int64_t>("limit"), d.rows());
    for (auto* list : {&d.x, &d.y, &d.sample_weight})
      for (Tensor& t : *list) t = t.defined() ? t.slice(0, n) : t;
    for (StringTensor& t : d.strings) t = t.defined() ? t.slice(0, n) : t;
  }
  const std::vector<InputSpec> specs = input_specs(model);
  for (size_t i = 0; i < d.x.size() && i < specs.size(); ++i)
    if (!d.is_text(i) && specs[i].dtype != kStringDType && d.x[i].dtype() != specs[i].dtype && (is_float(specs[i].dtype) || !is_float(d.x[i].dtype())))
      d.x[i] = d.x[i].astype(specs[i].dtype);
}

}  // namespace

LoadedData load_data(const Config& c, const Model& model, const std::string& folder) {
  if (!c.has("path") && !c.has("images")) throw_error("{}: \"path\" is missing.", c.where());
  const fs::path path =
      c.has("path") ? fs::path(folder) / c.get<std::string>("path") : fs::path(folder) / c.get<std::string>("images");
  if (!fs::exists(path)) throw_error("{}: '{}' does not exist.", c.where(), path.string());
  const std::string format = format_of(c, path);
  LoadedData d;
  if (format == "npz")
    d = from_npz(c, model, path.string());
  else if (format == "csv")
    d = from_csv(c, model, path.string());
  else if (format == "idx")
    d = from_idx(c, path, fs::path(folder));
  else if (format == "images")
    d = read_image_folder(c, model, path.string());
  else
    throw_error("{}.format: expected \"npz\", \"csv\", \"idx\" or \"images\". Received '{}'.", c.where(), format);
  transform(c, d, model);
  c.finish();
  return d;
}

}  // namespace glia::cli
