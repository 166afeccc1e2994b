#include <glia/export.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "io/cpp_export/predict_graph.h"
#include "io/cpp_export/snippets.h"

namespace glia::models {
using namespace io::cpp_export;

namespace {

std::string identifier(const std::string& text, const std::string& fallback) {
  std::string r;
  for (char c : text) r += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (r.empty()) return fallback;
  if (std::isdigit(static_cast<unsigned char>(r[0]))) r = "_" + r;
  static const std::set<std::string> taken = {"std", "class", "int", "float", "double", "long", "short", "char", "bool", "auto", "new", "delete",
                                              "default", "switch", "case", "if", "else", "for", "while", "do", "return", "this", "in", "out",
                                              "operator", "template", "typename", "namespace", "const", "static", "inline", "union", "signed",
                                              "unsigned", "void", "register", "public", "private", "friend", "true", "false", "try", "catch"};
  return taken.count(r) ? r + "_" : r;
}

// Names that are different from each other.
std::vector<std::string> unique_names(const std::vector<std::string>& names, const std::string& fallback) {
  std::vector<std::string> r;
  std::set<std::string> seen;
  for (const std::string& n : names) {
    std::string name = identifier(n, fallback);
    while (!seen.insert(name).second) name += "_";
    r.push_back(name);
  }
  return r;
}

std::string array_text(const WeightArray& w) {
  std::string text = fmt::format("alignas(64) inline const {} {}[{}] = {{", cpp_type(w.data.dtype()), w.name, std::max<int64_t>(w.data.size(), 1));
  size_t column = 200;
  for (int64_t i = 0; i < w.data.size(); ++i) {
    const std::string number = cpp_number(w.data.dtype() == DType::i64 ? static_cast<double>(w.data.data<int64_t>()[i]) : w.data.item(i), w.data.dtype());
    if (column + number.size() > 116) text += "\n  ", column = 2;
    text += number + ",";
    column += number.size() + 1;
  }
  return text + "};\n";
}

struct Weights {
  std::string declarations, bytes, load;
};

Weights inside(const std::vector<WeightArray>& arrays) {
  Weights r;
  r.declarations = "namespace weights {\n";
  for (const WeightArray& w : arrays) r.declarations += array_text(w);
  r.declarations += "}  // namespace weights\n";
  return r;
}

uint64_t fnv(const std::string& bytes) {
  uint64_t h = 1469598103934665603ull;
  for (unsigned char c : bytes) h = (h ^ c) * 1099511628211ull;
  return h;
}

// The file: all arrays, each at a multiple of 64 bytes, little-endian; the header knows its size and checksum.
Weights beside(const std::vector<WeightArray>& arrays, const std::string& file) {
  Weights r;
  r.declarations = "namespace detail {\nstruct Weights {\n";
  for (const WeightArray& w : arrays) {
    r.bytes.resize((r.bytes.size() + 63) / 64 * 64, '\0');
    r.declarations += fmt::format("  const {0}* {1} = nullptr;\n", cpp_type(w.data.dtype()), w.name);
    r.load += fmt::format("    weights.{1} = reinterpret_cast<const {0}*>(data + {2});\n", cpp_type(w.data.dtype()), w.name, r.bytes.size());
    r.bytes.append(static_cast<const char*>(w.data.craw()), w.data.bytes());
  }
  r.declarations += "};\n}  // namespace detail\n";
  r.load = fmt::format(R"CPP(
  // Reads the weights from their file. Throws std::runtime_error when it is missing or not the one of this header.
  explicit Predictor(const char* path = "{0}") : memory_(new unsigned char[kBytes + {1} + 128]) {{
    char* const data = reinterpret_cast<char*>(at<unsigned char>(0)) + kBytes;
    std::FILE* const file = std::fopen(path, "rb");
    if (!file) throw std::runtime_error(std::string("cannot open ") + path);
    const std::size_t got = std::fread(data, 1, {1}, file);
    const bool end = std::fgetc(file) == EOF;
    std::fclose(file);
    std::uint64_t sum = UINT64_C(1469598103934665603);
    for (std::size_t i = 0; i < got; ++i) sum = (sum ^ static_cast<unsigned char>(data[i])) * UINT64_C(1099511628211);
    if (got != {1} || !end || sum != UINT64_C({2})) throw std::runtime_error(std::string("not the weights of this model: ") + path);
{3}  }}
)CPP", file, r.bytes.size(), fnv(r.bytes), r.load);
  return r;
}

std::string described(const char* what, const std::vector<std::string>& names, const std::vector<TensorType>& types) {
  std::string r;
  for (size_t i = 0; i < names.size(); ++i) r += fmt::format("//   {} {}: {}\n", what, names[i], to_string(types[i]));
  return r;
}

constexpr const char* kIncludes = R"CPP(#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
)CPP";

}  // namespace

CppExport to_cpp(const Model& model, const ExportCppOptions& o) {
  const PredictGraph p = predict_graph(model, {o.batch_size, o.input_shapes});
  Emitter e(*p.graph);
  e.run();
  std::vector<TensorType> in, out;
  for (int id : p.graph->inputs) in.push_back(p.graph->nodes[static_cast<size_t>(id)].types[0]);
  for (ir::Ref r : p.graph->outputs) out.push_back(p.graph->type(r));
  const std::string name = identifier(o.name.empty() ? model.name() : o.name, "model");
  const std::vector<std::string> in_names = unique_names(p.input_names, "x"), out_names = unique_names(p.output_names, "y");
  const bool embedded = o.weights_file.empty();
  const Weights w = embedded ? inside(e.weights()) : beside(e.weights(), std::filesystem::path(o.weights_file).filename().string());
  const size_t arena = (e.arena_bytes() + 63) / 64 * 64;

  std::string statements = e.statements(), parameters, constants;
  if (!embedded)  // members instead of arrays
    for (size_t at = 0; (at = statements.find("weights::", at)) != std::string::npos;) statements.replace(at, 9, "weights.");
  for (size_t i = 0; i < in.size(); ++i) {
    parameters += fmt::format("{}const {}* in{}", i ? ", " : "", cpp_type(in[i].dtype), i);
    constants += fmt::format("  static constexpr std::int64_t k{}Size = {};\n", i || in.size() > 1 ? fmt::format("Input{}", i) : "Input", in[i].elements());
  }
  for (size_t i = 0; i < out.size(); ++i) {
    parameters += fmt::format(", {}* out{}", cpp_type(out[i].dtype), i);
    constants += fmt::format("  static constexpr std::int64_t k{}Size = {};\n", i || out.size() > 1 ? fmt::format("Output{}", i) : "Output", out[i].elements());
  }
  CppExport r;
  r.weights = w.bytes;
  r.header = fmt::format("// Predictor of the model '{}', written by Glia. C++17; needs nothing but the standard library.\n//\n"
                         "//   {}::Predictor model;   // allocates {} bytes, once\n//   model.predict(...);    // no allocation; one thread at a time\n//\n"
                         "{}{}// Compile with -O3 -march=native (or the machine it will run on).\n{}\nnamespace {} {{\nnamespace detail {{\n{}\n}}  // namespace detail\n\n{}\n",
                         model.name(), name, arena + 128 + w.bytes.size(), described("input", p.input_names, in), described("output", p.output_names, out), kIncludes,
                         name, helpers_for(e.helpers()), w.declarations);
  r.header += fmt::format("class Predictor {{\n public:\n{}\n", constants);
  r.header += embedded ? "  Predictor() : memory_(new unsigned char[kBytes + 128]) {}\n" : w.load;
  r.header += fmt::format("\n  // Arrays are row-major, shapes as above.\n  void predict({}) {{\n{}  }}\n\n private:\n", parameters, statements);
  r.header += fmt::format("  static constexpr std::size_t kBytes = {};\n", arena);
  r.header += R"CPP(  template <class T>
  T* at(std::size_t offset) {
    const std::size_t start = (64 - reinterpret_cast<std::uintptr_t>(memory_.get()) % 64) % 64;
    return reinterpret_cast<T*>(memory_.get() + start + offset);
  }
  std::unique_ptr<unsigned char[]> memory_;
)CPP";
  if (!embedded) r.header += "  detail::Weights weights;\n";
  r.header += "};\n\n}  // namespace " + name + "\n";
  return r;
}

namespace {
void write_beside_and_rename(const std::string& path, const std::string& bytes) {
  const std::string temporary = path + ".tmp";
  std::ofstream f(temporary, std::ios::binary | std::ios::trunc);
  f.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  f.close();
  std::error_code error;
  if (f) std::filesystem::rename(temporary, path, error);
  if (!f || error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw_error("export: '{}' cannot be written. Is the folder there and writable, and is the disk full?", path);
  }
}
}  // namespace

void export_cpp(const Model& model, const std::string& path, const ExportCppOptions& options) {
  ExportCppOptions o = options;
  if (o.name.empty()) o.name = std::filesystem::path(path).stem().string();
  const CppExport e = to_cpp(model, o);
  if (!o.weights_file.empty()) write_beside_and_rename(o.weights_file, e.weights);
  write_beside_and_rename(path, e.header);
}

}  // namespace glia::models
