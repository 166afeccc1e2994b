// Models of every kind that onnx::save is tried on: written, checked by ONNX and run in ONNX Runtime by
// tools/check_onnx_export.py, read back by the importer in export_test.cpp.
#pragma once
#include <glia/glia.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace glia::onnx::testing {

struct ExportCase {
  std::string name;
  std::function<Model()> make;
  std::vector<Shape> inputs;  // without the batch
  int64_t classes = 0;        // > 0: inputs are whole numbers below it
  int opset = 17;
};
inline void PrintTo(const ExportCase& c, std::ostream* out) { *out << c.name; }
std::vector<ExportCase> export_cases();
// Weights that are neither zero nor one, so that statistics and biases count; and inputs.
void scatter_weights(Model& model);
std::vector<Tensor> inputs_of(const ExportCase& c, int64_t batch);

}  // namespace glia::onnx::testing
