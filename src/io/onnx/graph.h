// An ONNX file as plain structures: what the importer reads, free of protobuf.
//
//   File f = parse(bytes, "model.onnx", folder, {});     // throws Error with the place in the file
//   for (const NodeDef& n : f.graph.nodes) ...
#pragma once
#include <glia/onnx.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace glia::onnx {

struct Body;

// ONNX's element types by number: "float", "int64", "uint16", ... Unknown numbers give "type 99".
std::string type_name(int onnx_type);
// The dtype that holds it; Glia has no 16-, 32- and 64-bit unsigned integers, strings, complex or 4- and 8-bit
// floats.
bool dtype_of_type(int onnx_type, DType* out);
int type_of_dtype(DType dtype);
// The elements as TensorProto.raw_data holds them: those of 4 and 2 bits packed.
std::string raw_bytes(const Tensor& t);

struct Attribute {
  enum Kind { none, number, integer, text, tensor, graph, numbers, integers, texts, other } kind = none;
  double f = 0;
  int64_t i = 0;
  std::string s;
  Tensor t;
  int tensor_type = 0;  // ONNX's element type of t; t is undefined where Glia has no such dtype
  std::shared_ptr<Body> body;
  std::vector<double> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::string reference;  // in functions: the attribute of the call that gives the value
};

struct NodeDef {
  std::string op, domain, name;
  std::vector<std::string> inputs, outputs;  // "" where an optional one is left out
  std::map<std::string, Attribute, std::less<>> attributes;
  std::string title() const;  // "node 'conv1' (Conv)"
};

struct Dim {
  int64_t value = -1;  // -1: not fixed
  std::string symbol;  // "batch"; may be empty
};
struct ValueInfo {
  std::string name;
  int type = 0;  // 0: not a tensor, or not said
  bool has_shape = false;
  std::vector<Dim> shape;
};

struct Initializer {
  std::string name;
  int type = 0;
  Tensor tensor;  // undefined where Glia has no such dtype
};

struct Body {  // a graph, a branch or a function
  std::string name;
  std::vector<NodeDef> nodes;
  std::vector<ValueInfo> inputs, outputs;  // of a function: names only
  std::vector<Initializer> initializers;
  std::map<std::string, int64_t> opsets;  // of a function
};

struct File {
  std::string source;  // for errors
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // domain -> version; "" is ONNX's own
  Body graph;
  std::map<std::string, Body> functions;  // "domain:name"
};

// `folder`: where external data lies; empty refuses it. `weightless`: the bytes are a skeleton; weights become zeros.
File parse(std::span<const uint8_t> bytes, const std::string& source, const std::string& folder,
           const LoadLimits& limits, bool weightless = false);

// The file without the data of `weights` and of doc strings, complete in itself (no external data), with `constants`
// in place of inputs: what the configuration of an imported model keeps.
std::string skeleton(std::span<const uint8_t> bytes, const File& file, const std::set<std::string>& weights,
                     const std::map<std::string, Tensor>& constants);

// A TensorProto alone, as in ONNX's test data. `type` is its element type; undefined where Glia has no such dtype.
Tensor parse_tensor(std::span<const uint8_t> bytes, const std::string& source, int* type);

}  // namespace glia::onnx
