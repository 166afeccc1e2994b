// glia-onnx-backend: runs ONNX's backend tests and counts, per operator, what passed, failed and was refused.
//
//   glia-onnx-backend DIR              DIR holds tests (model.onnx, test_data_set_*/input_0.pb, ...) or folders of them
//   glia-onnx-backend DIR --all -v     exit code 1 unless every test passes; says why each one did not
//
// A test passes when every output has the expected type and shape and each element is within 1e-7 + 1e-3 |expected|, as in
// ONNX's own runner. Inputs that decide shapes (the target of a Reshape) are given as constants, since these tests pass
// everything as inputs. A refusal must name the operator.
#include <glia/onnx.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "io/file/mapped_file.h"
#include "io/onnx/node.h"

namespace fs = std::filesystem;
using namespace glia;

namespace {

enum class Verdict { passed, failed, refused };
struct Outcome {
  Verdict verdict = Verdict::failed;
  std::string why;
  std::set<std::string> operators;
  bool known = true;  // every operator is in the table
};

void collect_operators(const onnx::Body& body, Outcome& o) {
  for (const onnx::NodeDef& n : body.nodes) {
    o.operators.insert(n.op);
    o.known &= onnx::find_operator(n.domain, n.op) != nullptr;
    for (auto& [name, a] : n.attributes)
      if (a.body) collect_operators(*a.body, o);
  }
}

struct Array {
  Tensor tensor;  // undefined: a type that Glia lacks, or no tensor at all
  std::string type;
};
Array read_array(const fs::path& path) {
  auto file = io::MappedFile::open(path.string());
  int type = 0;
  Tensor t = onnx::parse_tensor(file->bytes(), path.string(), &type);
  return {t, onnx::type_name(type)};
}

std::string compare(const Tensor& got, const Tensor& want) {
  if (got.dtype() != want.dtype()) return fmt::format("type {} instead of {}", dtype_name(got.dtype()), dtype_name(want.dtype()));
  if (got.shape() != want.shape()) return fmt::format("shape {} instead of {}", to_string(got.shape()), to_string(want.shape()));
  for (int64_t i = 0; i < want.size(); ++i) {
    if (want.dtype() == DType::i64 && got.data<int64_t>()[i] != want.data<int64_t>()[i]) return fmt::format("element {} is {} instead of {}", i, got.data<int64_t>()[i], want.data<int64_t>()[i]);
    const double a = got.item(i), b = want.item(i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (!(std::abs(a - b) <= 1e-7 + 1e-3 * std::abs(b))) return fmt::format("element {} is {} instead of {}", i, a, b);
  }
  return "";
}

// Inputs that feed a place whose value decides shapes.
std::set<std::string> shape_inputs(const onnx::Body& body) {
  std::set<std::string> r;
  for (const onnx::NodeDef& n : body.nodes)
    if (const onnx::Operator* op = onnx::find_operator(n.domain, n.op))
      for (int slot : op->known)
        if (static_cast<size_t>(slot) < n.inputs.size()) r.insert(n.inputs[static_cast<size_t>(slot)]);
  return r;
}

std::vector<Tensor> run(const fs::path& model, const std::vector<onnx::ValueInfo>& names, const std::vector<Array>& inputs, const std::set<std::string>& fixed) {
  onnx::ImportOptions options{.batch = onnx::Batch::as_declared};
  std::vector<Tensor> given;
  for (size_t i = 0; i < inputs.size() && i < names.size(); ++i) {
    if (fixed.count(names[i].name)) options.constants[names[i].name] = inputs[i].tensor;
    else given.push_back(inputs[i].tensor);
  }
  return onnx::run(onnx::load(model.string(), options), given);
}

Outcome run_test(const fs::path& dir) {
  Outcome o;
  const fs::path model = dir / "model.onnx";
  try {
    auto file = io::MappedFile::open(model.string());
    const onnx::File f = onnx::parse(file->bytes(), model.string(), dir.string(), {});
    collect_operators(f.graph, o);
    std::set<std::string> weights;
    for (const auto& i : f.graph.initializers) weights.insert(i.name);
    std::vector<onnx::ValueInfo> names;
    for (const auto& v : f.graph.inputs)
      if (!weights.count(v.name)) names.push_back(v);
    for (const fs::directory_entry& set : fs::directory_iterator(dir)) {
      if (!set.is_directory()) continue;
      std::vector<Array> in, out;
      for (int i = 0; fs::exists(set.path() / fmt::format("input_{}.pb", i)); ++i) in.push_back(read_array(set.path() / fmt::format("input_{}.pb", i)));
      for (int i = 0; fs::exists(set.path() / fmt::format("output_{}.pb", i)); ++i) out.push_back(read_array(set.path() / fmt::format("output_{}.pb", i)));
      if (in.size() > names.size()) {  // weights of old files may be given as inputs too
        names.assign(f.graph.inputs.begin(), f.graph.inputs.end());
      }
      for (size_t i = 0; i < in.size(); ++i)
        if (!in[i].tensor.defined()) throw_error("{}: an input is {}", f.graph.nodes.empty() ? "?" : f.graph.nodes[0].title(), in[i].type);
      std::set<std::string> fixed, integers;
      const std::set<std::string> shapes = shape_inputs(f.graph);
      for (size_t i = 0; i < in.size(); ++i) {
        if (shapes.count(names[i].name)) fixed.insert(names[i].name);
        if (!is_float(in[i].tensor.dtype())) integers.insert(names[i].name);
      }
      std::vector<Tensor> got;
      try {
        got = run(model, names, in, fixed);
      } catch (const Error& e) {
        if (!std::strstr(e.what(), "depends on data") && !std::strstr(e.what(), "known when the step")) throw;
        integers.insert(fixed.begin(), fixed.end());
        got = run(model, names, in, integers);
      }
      for (size_t i = 0; i < out.size(); ++i) {
        if (!out[i].tensor.defined()) throw_error("{}: an output is {}", f.graph.nodes.empty() ? "?" : f.graph.nodes.back().title(), out[i].type);
        if (i >= got.size()) return o.why = "an output is missing", o;
        if (std::string why = compare(got[i], out[i].tensor); !why.empty()) return o.why = fmt::format("output {}: {}", i, why), o;
      }
    }
    o.verdict = Verdict::passed;
  } catch (const Error& e) {
    o.why = e.what();
    for (const std::string& op : o.operators)
      if (o.why.find(op) != std::string::npos) o.verdict = Verdict::refused;
  }
  return o;
}

struct Count {
  int passed = 0, failed = 0, refused = 0;
  void add(Verdict v) { ++(v == Verdict::passed ? passed : v == Verdict::failed ? failed : refused); }
};

}  // namespace

int main(int argc, char** argv) {
  bool verbose = false, all = false;
  std::string filter;
  std::vector<fs::path> dirs;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "-v") verbose = true;
    else if (a == "--all") all = true;
    else if (a == "--filter" && i + 1 < argc) filter = argv[++i];
    else dirs.emplace_back(a);
  }
  if (dirs.empty()) return std::puts("usage: glia-onnx-backend DIR... [--filter TEXT] [--all] [-v]"), 1;
  std::vector<fs::path> tests;
  for (const fs::path& d : dirs)
    for (const fs::directory_entry& e : fs::recursive_directory_iterator(d))
      if (e.path().filename() == "model.onnx" && e.path().string().find(filter) != std::string::npos) tests.push_back(e.path().parent_path());
  std::sort(tests.begin(), tests.end());
  std::map<std::string, Count> by_operator, by_folder;
  Count sum, known;
  const auto start = std::chrono::steady_clock::now();
  for (const fs::path& t : tests) {
    const Outcome o = run_test(t);
    sum.add(o.verdict);
    if (o.known) known.add(o.verdict);
    by_folder[t.parent_path().filename().string()].add(o.verdict);
    by_operator[o.operators.size() == 1 ? *o.operators.begin() : "(several operators)"].add(o.verdict);
    if (verbose && o.verdict != Verdict::passed) std::printf("%s %s: %s\n", o.verdict == Verdict::failed ? "FAILED " : "refused", t.filename().c_str(), o.why.c_str());
  }
  std::printf("%-28s %7s %7s %7s\n", "operator", "passed", "failed", "refused");
  for (auto& [name, c] : by_operator) std::printf("%-28s %7d %7d %7d\n", name.c_str(), c.passed, c.failed, c.refused);
  for (auto& [name, c] : by_folder) std::printf("folder %-21s %7d %7d %7d\n", name.c_str(), c.passed, c.failed, c.refused);
  std::printf("%-28s %7d %7d %7d\n", "of known operators only", known.passed, known.failed, known.refused);
  std::printf("%-28s %7d %7d %7d   (%.1f s)\n", "all", sum.passed, sum.failed, sum.refused, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return sum.failed || (all && sum.refused) || tests.empty() ? 1 : 0;
}
