// Models and arrays by file name, for all subcommands.
#pragma once
#include <glia/model.h>
#include <glia/readers.h>

#include <map>
#include <string>
#include <vector>

#include "cli/glia/command.h"

namespace glia::cli {

std::string ending_of(const std::string& path);  // ".keras", lower case; "" for none

struct OpenOptions {
  bool untrusted = false;
  bool compile = false;
};
// .keras .h5 .onnx ... through models::load_model; .json: the architecture with fresh weights.
Model open_model(const std::string& path, const OpenOptions& options = {});

struct InputSpec {
  std::string name;
  Shape shape;  // with the batch axis; -1: any
  DType dtype;
};
std::vector<InputSpec> input_specs(const Model& model);
std::vector<std::string> output_names(const Model& model);
json to_json(const std::vector<InputSpec>& specs);
json shapes_json(const std::vector<Shape>& shapes);

// .npz, or .npy and .csv as one array named "x". Tables with columns of text, for models that take strings, are read by columns:
// `columns_for` names the inputs.
std::map<std::string, Array> read_arrays(const std::string& path, bool untrusted = false, const Model* columns_for = nullptr);
bool takes_strings(const Model& model);
// The column of a table as an input takes it: strings or numbers, (rows, 1).
Array column_for(const CsvTable& table, const std::string& column, const InputSpec& spec);

// The arrays a model takes, in its order and dtypes: by input name, or when no name fits in the order of the sorted
// names. Throws Error that lists what the model wants and what there is. Arrays under the names of outputs do not
// count.
std::vector<Array> arrays_for(const Model& model, const std::map<std::string, Array>& arrays, const std::string& source,
                              bool ignore_extra = false);

// The outputs. A model whose declared batch is a fixed number runs in such batches. Where the first axis of an ONNX
// model turns out not to be the batch, or its inputs differ in rows, the arrays are one call, as they are; `whole`
// asks for that.
struct RunOptions {
  int64_t batch_size = 32;
  bool whole = false;
  std::vector<CallbackRef> callbacks;
};
std::vector<Tensor> predict_arrays(Model& model, const std::vector<Array>& inputs, const RunOptions& options);
int64_t rows_of(const std::vector<Array>& inputs);

}  // namespace glia::cli
