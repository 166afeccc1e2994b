// Every exported model comes back through the importer with the same results. With GLIA_ONNX_OUT=DIR the files are
// kept there, with inputs and results beside them, for tools/check_onnx_export.py (onnx.checker and ONNX Runtime).
#include <glia/npz.h>
#include <glia/onnx.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "io/onnx/testing/export_models.h"

using namespace glia;
using onnx::testing::ExportCase;

namespace {

class OnnxExport : public ::testing::TestWithParam<ExportCase> {};

void expect_close(const Tensor& got, const Tensor& want, const std::string& what) {
  ASSERT_EQ(got.shape(), want.shape()) << what;
  ASSERT_EQ(got.dtype(), want.dtype()) << what;
  double worst = 0;
  for (int64_t i = 0; i < got.size(); ++i)
    worst = std::max(worst, std::abs(got.item(i) - want.item(i)) / (1 + std::abs(want.item(i))));
  EXPECT_LT(worst, 2e-5) << what;
}

TEST_P(OnnxExport, ComesBackTheSame) {
  if (!onnx::available()) GTEST_SKIP();
  const ExportCase& c = GetParam();
  set_random_seed(3);
  clear_session();
  Model m = c.make();
  onnx::testing::scatter_weights(m);
  const char* out = std::getenv("GLIA_ONNX_OUT");
  const std::string path =
      (out ? std::string(out) : std::filesystem::temp_directory_path().string()) + "/glia_" + c.name + ".onnx";
  onnx::save(m, path, {.opset = c.opset});
  Model back = onnx::load(path);
  for (int64_t batch : {3, 4}) {
    const std::vector<Tensor> x = onnx::testing::inputs_of(c, batch), y = m.predict_all(x);
    const std::vector<Tensor> again = onnx::run(back, x);
    ASSERT_EQ(again.size(), y.size());
    for (size_t i = 0; i < y.size(); ++i) expect_close(again[i], y[i], c.name + " output " + std::to_string(i));
    if (out && batch == 4) {
      std::map<std::string, Tensor> arrays;
      for (size_t i = 0; i < x.size(); ++i) arrays["input_" + std::to_string(i)] = x[i];
      for (size_t i = 0; i < y.size(); ++i) arrays["output_" + std::to_string(i)] = y[i];
      write_npz(std::string(out) + "/glia_" + c.name + ".npz", arrays);
    }
  }
  if (!out) std::filesystem::remove(path);
}
INSTANTIATE_TEST_SUITE_P(Models, OnnxExport, ::testing::ValuesIn(onnx::testing::export_cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
