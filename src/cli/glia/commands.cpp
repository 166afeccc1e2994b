#include "cli/glia/command.h"

namespace glia::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {
      {"summary", "layers, shapes and parameters of a model",
       R"(Examples:
  glia summary model.keras
  glia summary --json model.h5
  glia summary config.json                 # what keras.Model.to_json() wrote)",
       add_summary},
      {"verify", "read a file that is not trusted and say whether it is whole",
       R"(Reads a model (.keras .h5 .onnx .safetensors) or arrays (.npz .npy) within limits, HDF5 in a process of its own, and looks
for values that are not finite. No code of a file is ever run. Status 0: fine, 2: damaged or refused.

Examples:
  glia verify download.keras
  glia verify --json *.onnx)",
       add_verify},
      {"convert", "write a model in another format, by the ending of the name",
       R"(From .keras .h5 .onnx .json to the formats that can be written, also .safetensors (weights), .json (architecture), .h
(C++ header), .dot and .svg (diagram). The input is read as untrusted.

Examples:
  glia convert old.h5 new.keras
  glia convert model.keras model.onnx)",
       add_convert},
      {"predict", "run a model on arrays",
       R"(IN.npz holds one array per input: by the input's name, or, when no name fits, in the order of their sorted names. A model
with one input also takes a .npy file or a .csv of numbers. The outputs are written as output_00, output_01, ... in the model's order.

Examples:
  glia predict model.keras in.npz -o out.npz
  glia predict model.onnx in.npz -o out.npz --batch-size 1
  glia predict --json model.h5 images.npy -o scores.npz)",
       add_predict},
      {"evaluate", "loss and metrics of a model on data",
       R"(Loss and metrics are those the file was compiled with, or those given. DATA is .npz or .csv, a folder of idx files or of
images (one folder a class), or a JSON file with a "data" object as in `glia train`.

Examples:
  glia evaluate model.keras test.npz
  glia evaluate model.h5 test.npz --loss sparse_categorical_crossentropy --metric accuracy
  glia evaluate model.keras iris.csv --y species)",
       add_evaluate},
      {"train", "train a model as a JSON file says",
       R"(The file names the model, the data, and what compile() and fit() are given (docs/cli.md lists all keys):
  {"model": "model.json", "output": "trained.keras",
   "data": {"path": "train.npz", "x": ["x"], "y": ["y"]}, "validation": {"path": "test.npz"},
   "compile": {"optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
               "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
   "fit": {"epochs": 5, "batch_size": 64},
   "callbacks": [{"class_name": "EarlyStopping", "config": {"patience": 3}}]}

Examples:
  glia train config.json
  glia train config.json --epochs 1 --output quick.keras
  glia train --json config.json > history.json)",
       add_train},
      {"export", "write a model for another program: C++ header or ONNX",
       R"(--c++ writes one header that needs nothing but the standard library: docs/deploy.md.

Examples:
  glia export --c++ model.keras -o digits.h
  glia export --c++ model.keras -o digits.h --weights-file digits.weights
  glia export --c++ text.keras --input-shape 128
  glia export --onnx model.keras -o model.onnx)",
       add_export},
      {"plot", "draw a model, or the curves of a training",
       R"(The ending of -o decides: .svg or .dot (Graphviz).

Examples:
  glia plot model.keras -o model.svg --show-shapes
  glia plot model.keras -o model.dot
  glia plot history.json -o curves.svg     # what `glia train --json` printed, or a CSVLogger file)",
       add_plot},
      {"info", "versions, processor and optional parts of this build",
       R"(Examples:
  glia info
  glia info --json)",
       add_info},
      {"bench", "latency and throughput of a model",
       R"(Random inputs; the median of many predict() calls.

Examples:
  glia bench model.keras
  glia bench model.onnx --batch-size 1 --batch-size 32 --seconds 3)",
       add_bench},
  };
  return table;
}

}  // namespace glia::cli
