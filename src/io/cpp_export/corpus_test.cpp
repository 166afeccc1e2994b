// Every model of tests/compat/keras (files and outputs of Keras 3.15.1) as a C++ header: compiled into one program,
// they must give what Keras gave.
#include <glia/export.h>
#include <glia/npz.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

// What has no C++ form, and why.
const std::set<std::string> kRefused = {"policy_float64"};

struct Case {
  std::string name;
  std::vector<Tensor> inputs, outputs;
  std::vector<std::string> in_types, out_types;
};

std::vector<std::string> types_in(const std::string& header, const std::string& what) {
  std::vector<std::string> r;
  for (size_t at = 0; (at = header.find("//   " + what + " ", at)) != std::string::npos;) {
    const size_t colon = header.find(": ", at), space = header.find(' ', colon + 2);
    const DType t = dtype_from_name(header.substr(colon + 2, space - colon - 2));
    r.push_back(t == DType::f32     ? "float"
                : t == DType::f64   ? "double"
                : t == DType::i32   ? "std::int32_t"
                : t == DType::i64   ? "std::int64_t"
                : t == DType::u8    ? "std::uint8_t"
                : t == DType::bool_ ? "unsigned char"
                                    : "std::int8_t");
    at = space;
  }
  return r;
}

TEST(CppExportCorpus, PredictsWhatKerasPredicts) {
  const fs::path corpus = fs::path(GLIA_SOURCE_DIR) / "tests/compat/keras",
                 dir = fs::temp_directory_path() / ("glia_corpus_" + std::to_string(::getpid()));
  fs::create_directories(dir);
  std::vector<Case> cases;
  for (const auto& e : fs::directory_iterator(corpus)) {
    if (e.path().extension() != ".npz") continue;
    Case c{e.path().stem().string(), {}, {}, {}, {}};
    fs::path file = corpus / (c.name + ".keras");
    if (!fs::exists(file)) file = corpus / (c.name + ".h5");
    const Model model = models::load_model(file.string());
    const NpzArrays arrays = read_npz_arrays(e.path().string());
    if (!arrays.strings.empty()) continue;  // what is exported takes numbers
    for (auto& [n, t] : arrays.numbers) (n.rfind("in_", 0) == 0 ? c.inputs : c.outputs).push_back(t);
    models::ExportCppOptions o{.name = "m_" + c.name, .batch_size = c.inputs[0].dim(0)};
    for (const Tensor& t : c.inputs) o.input_shapes.emplace_back(t.shape().begin() + 1, t.shape().end());
    try {
      const models::CppExport x = models::to_cpp(model, o);
      EXPECT_FALSE(kRefused.count(c.name)) << c.name << " is exported now";
      std::ofstream(dir / (c.name + ".h")) << x.header;
      c.in_types = types_in(x.header, "input"), c.out_types = types_in(x.header, "output");
      cases.push_back(c);
    } catch (const Error& error) {
      EXPECT_TRUE(kRefused.count(c.name)) << c.name << ": " << error.what();
    }
  }
  EXPECT_GT(cases.size(), 60u);
  std::string main = "#include <vector>\n", body;
  for (const Case& c : cases) {
    main += fmt::format("#include \"{}.h\"\n", c.name);
    body += fmt::format("  {{\n    m_{}::Predictor p;\n", c.name);
    std::string args;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const Tensor t = c.inputs[i].astype(DType::f64);
      std::ofstream(dir / fmt::format("{}.in{}", c.name, i), std::ios::binary)
          .write(static_cast<const char*>(t.raw()), static_cast<std::streamsize>(t.bytes()));
      args += fmt::format("read<{}>(\"{}.in{}\").data(), ", c.in_types[i], c.name, i);
    }
    for (size_t o = 0; o < c.outputs.size(); ++o) {
      body += fmt::format("    std::vector<{}> y{}({});\n", c.out_types[o], o, c.outputs[o].size());
      args += fmt::format("y{}.data(){}", o, o + 1 < c.outputs.size() ? ", " : "");
    }
    body += fmt::format("    p.predict({});\n", args);
    for (size_t o = 0; o < c.outputs.size(); ++o) body += fmt::format("    save(\"{}.out{}\", y{});\n", c.name, o, o);
    body += "  }\n";
  }
  main += R"(template <class T> std::vector<T> read(const char* path) {  // doubles
  std::FILE* f = std::fopen(path, "rb");
  std::vector<T> v;
  for (double x; std::fread(&x, 8, 1, f) == 1;) v.push_back(static_cast<T>(x));
  std::fclose(f);
  return v;
}
template <class T> void save(const char* path, const std::vector<T>& v) {
  std::FILE* f = std::fopen(path, "wb");
  for (T x : v) {
    const double d = static_cast<double>(x);
    std::fwrite(&d, 8, 1, f);
  }
  std::fclose(f);
}
int main() {
)" + body +
          "}\n";
  std::ofstream(dir / "main.cpp") << main;
  ASSERT_EQ(std::system(fmt::format("cd '{}' && {} -std=c++17 -O1 -Wall -Wextra -Werror main.cpp -o main && ./main",
                                    dir.string(), GLIA_CXX)
                            .c_str()),
            0);
  for (const Case& c : cases) {
    const double tolerance =
        c.name.find("float16") == std::string::npos ? 1e-5 : 3e-2;  // Keras computed those in half precision
    for (size_t o = 0; o < c.outputs.size(); ++o) {
      std::ifstream f(dir / fmt::format("{}.out{}", c.name, o), std::ios::binary);
      int wrong = 0;
      for (int64_t i = 0; i < c.outputs[o].size(); ++i) {
        double got = NAN;
        f.read(reinterpret_cast<char*>(&got), 8);
        const double want = c.outputs[o].item(i);
        if (std::isnan(want) && std::isnan(got)) continue;
        if (!(std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want))) && wrong++ == 0)
          ADD_FAILURE() << c.name << " output " << o << " element " << i << ": " << got << ", Keras has " << want;
      }
    }
  }
  if (!testing::Test::HasFailure()) fs::remove_all(dir);
}

}  // namespace
}  // namespace glia
