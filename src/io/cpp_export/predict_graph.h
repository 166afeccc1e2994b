// The forward pass of a model as one optimised graph whose weights are constants: what exporters read.
//
//   PredictGraph p = predict_graph(model, {.batch_size = 1});
//   p.graph->inputs ... p.input_names[i]
#pragma once
#include <glia/model.h>

#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::io::cpp_export {

struct PredictGraphOptions {
  int64_t batch_size = 0;           // 0: the model's own number where it is fixed, else 1
  std::vector<Shape> input_shapes;  // without batch; empty: the model's
};
struct PredictGraph {
  std::shared_ptr<ir::Graph> graph;
  std::vector<std::string> input_names, output_names;
};
// Throws Error where an extent is unknown.
PredictGraph predict_graph(const Model& model, const PredictGraphOptions& options);

// Computes in float32 what a graph computes in one of the `narrow` types.
void widen(ir::Graph& g, const std::vector<DType>& narrow);

// Declared dtypes of a functional model's inputs; for others int32 where the first layer looks ids up, else float32.
std::vector<DType> input_dtypes(const Model& model, size_t count);

// conv and matmul followed by a scale or shift per channel (batch normalisation) take it into their weights.
void fold_affine(ir::Graph& g);

}  // namespace glia::io::cpp_export
