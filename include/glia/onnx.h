// ONNX: models of other tools in, models of Glia out. docs/onnx.md lists the operators.
//
//   Model m = onnx::load("resnet18.onnx");
//   Tensor y = m.predict(x);                                  // arrays as the file declares them: (batch, channels, height, width)
//   m.compile({.optimizer = "adam", .loss = "mse"});          // float initializers are trainable weights
//   m.fit(x, y);
//   onnx::save(m, "tuned.onnx", {.opset = 17});
//
// An optional part of the library (CMake: GLIA_WITH_ONNX); without it every function here throws Error saying so.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <glia/load_options.h>
#include <glia/model.h>

namespace glia::onnx {

bool available();  // whether this build reads and writes ONNX
void register_layers();  // lets .keras and .glia files hold imported models; models::load_model does it itself

// What to do with a model whose first axis is a fixed number, usually 1, because its exporter traced one batch.
enum class Batch {
  automatic,    // free when the model can take any batch and treats samples alike (it is run once to see); else as declared
  as_declared,  // predict needs .batch_size equal to the declared number
  free          // any batch; Error at load when the graph cannot
};

struct ImportOptions {
  std::string name = {};                         // of the model; empty: the graph's name
  bool trainable = true;                    // false: the weights are frozen
  Batch batch = Batch::automatic;
  std::map<std::string, Tensor> constants = {};  // inputs with a value for good: they are no inputs any more ("sr": 16000)
  std::map<std::string, int64_t> dims = {};      // values of named or unnamed extents: {"height", 224}; "input:2" is axis 2 of `input`
  LoadLimits limits = {};
};

// A model from a file or from bytes. Its inputs and outputs have the file's names, layouts and dtypes; shapes that the graph
// computes from shapes (Shape, Gather, Concat, Reshape, ...) are resolved per batch size when the step is compiled. Throws Error
// for damaged files and, naming the node and its operator, for what Glia does not have: control flow whose condition is data,
// sequences, strings, shapes that depend on data.
Model load(const std::string& path, const ImportOptions& options = {});
Model load(std::span<const uint8_t> bytes, const ImportOptions& options = {});

// Runs a model on arrays exactly as it declares them; for models whose first axis is not the batch, where predict cannot cut and
// join. Compiled once per combination of shapes. A small file can ask for a lot of memory: Error when the step and its results would
// take more than `max_bytes`.
std::vector<Tensor> run(const Model& model, const std::vector<Tensor>& inputs, uint64_t max_bytes = UINT64_MAX);

// The operators that load() knows, sorted; those of other domains as "ai.onnx.ml.Scaler".
std::vector<std::string> operators();

struct ExportOptions {
  int opset = 17;                           // 13 to 22
  std::string producer = "glia";
  std::string batch_name = "batch";         // of the first axis where it is free
  bool external_data = false;               // weights in PATH.data beside the file; always so beyond 2 GB
};

// Writes the model's prediction as ONNX: inputs and outputs as the model has them, one ONNX operator per op where there is one
// (Conv, Gemm, LSTM, GRU, LayerNormalization, ...). The file appears under its name when it is complete. Throws Error naming
// the op that ONNX cannot express.
void save(const Model& model, const std::string& path, const ExportOptions& options = {});
std::string to_bytes(const Model& model, const ExportOptions& options = {});

}  // namespace glia::onnx
