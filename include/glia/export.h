// A trained model as one C++ header with no dependency but the standard library: for programs that only predict.
//
//   models::export_cpp(model, "digits.h");                // weights inside
//
//   #include "digits.h"                                   // in the other program; C++17, -O3 -march=native
//   digits::Predictor model;                              // the only allocation
//   model.predict(image, scores);                         // const float* in, float* out
//
// Shapes are fixed when the header is written. One Predictor serves one thread at a time. What can be exported: the
// layers whose prediction consists of the ops that docs/deploy.md lists; another op is refused by name.
#pragma once
#include <string>
#include <vector>

#include <glia/model.h>

namespace glia::models {

struct ExportCppOptions {
  std::string name = {};                 // namespace of the generated code; default: the file's name, else the model's
  int64_t batch_size = 0;           // rows of one predict() call; 0: the model's own number where it is fixed, else 1
  std::vector<Shape> input_shapes = {};  // without the batch axis; needed where the model's own have None
  // The file beside the header that holds the weights, read by the constructor; empty: they are in the header, as
  // numbers. Better from some million weights on, because compilers take long to read them.
  std::string weights_file = {};
};

// Writes the header (and the file of weights) beside and renames. Throws Error for an op without a C++ form, for
// float64 in products, and for unknown extents. bfloat16 and float16 are computed in float32.
void export_cpp(const Model& model, const std::string& path, const ExportCppOptions& options = {});

// The two parts as text and bytes; `weights` is empty when they are inside.
struct CppExport {
  std::string header, weights;
};
CppExport to_cpp(const Model& model, const ExportCppOptions& options = {});

}  // namespace glia::models
