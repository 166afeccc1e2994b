// Exporter: writes the graph of a model's prediction as ONNX nodes, one rule per op.
//
//   Item y = ex.item(node.inputs[0]);                         // what stands for an input: an ONNX value or a known
//   tensor std::string name = ex.in_order(node.inputs[0], {0, 2, 3, 1});   // the ONNX value t with input =
//   transpose(t, axes) ex.define({id, 0}, ex.emit("Relu", {name})[0], axes);
//
// Like Operand in the importer, an item is an ONNX value with a pending transposition: Glia's convolutions have
// channels last, ONNX's second. Rules say in which order they want their inputs; a Transpose is written only where
// orders differ.
#pragma once
#include <glia_onnx.pb.h>

#include <glia/onnx.h>

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "io/onnx/symbolic_graph.h"

namespace glia::onnx {
namespace pb = glia::onnx_pb;

struct Item {
  std::string name;      // ONNX value; empty for known tensors until one is written
  Ints axes;             // the IR's value is transpose(ONNX value, axes); empty: the same
  Tensor constant;       // defined: known
  bool open_table = false;  // a constant that follows from an open extent: written when it is first read, after what
                            // its extents can be read off
  std::string reversed;  // an ONNX value that is this one backwards along axis `reversed_axis`; `name` is then
                         // written on demand
  int64_t reversed_axis = 0;
  // The IR's value is a flattened (batch, spatial..., channels); the ONNX value is flattened from (batch, channels,
  // spatial...).
  Shape flattened;
  // The IR's value is (rows, last): all axes but the last of the ONNX value, whose extents these are, as one.
  std::vector<Dims> merged;
};

using AttrList =
    std::vector<std::pair<std::string, std::variant<int64_t, double, std::string, Ints, Floats, Tensor>>>;

class Exporter {
 public:
  Exporter(const SymbolicGraph& graph, const ExportOptions& options, pb::ModelProto& model);
  void run();

  int opset() const { return options_.opset; }
  int type_of(DType) const;  // ONNX's number; throws where the opset is older than the type
  const ir::Graph& graph() const { return graph_.graph(); }
  const SymbolicGraph& symbols() const { return graph_; }
  const TensorType& type(ir::Ref r) const { return graph().type(r); }

  const Item& item(ir::Ref r) { return settle(r); }  // pending forms other than the order of axes are written out
  const Item& raw_item(ir::Ref r) const { return items_.at(r); }
  bool known(ir::Ref r) const { return raw_item(r).constant.defined(); }
  bool will_be_known(ir::Ref r) const;  // also before the node has been met
  std::string plain(ir::Ref r) { return in_order(r, {}); }
  std::string in_order(ir::Ref r, const Ints& axes);
  std::string tensor(const Tensor& t, const std::string& hint);  // an initializer
  std::string ints(const Ints& v);                               // an int64 initializer
  std::string shape_of(
      const std::vector<Dims>& dims);  // an int64 vector, computed from the inputs' shapes where extents are open

  void define(ir::Ref r, std::string name, Ints axes = {});
  void define(ir::Ref r, Item item) { items_[r] = std::move(item); }
  std::vector<std::string> emit(const std::string& op, const std::vector<std::string>& inputs,
                                const AttrList& attrs = {}, int outputs = 1);
  std::string emit1(const std::string& op, const std::vector<std::string>& inputs, const AttrList& attrs = {}) {
    return emit(op, inputs, attrs)[0];
  }
  std::string cast(const std::string& name, DType to);
  // Axes given as an attribute or, from opset `since` on, as an input.
  std::string with_axes(const std::string& op, const std::string& x, const Ints& axes, int since,
                        AttrList attrs = {});
  std::string activation(const std::string& name, const std::string& x, DType t);
  std::string scalar(double v, DType t) { return tensor(Tensor::scalar(v, t), "number"); }
  [[noreturn]] void fail(const ir::Node& n, const std::string& text) const;

  // users of a node's outputs, the graph's outputs as -1
  const std::vector<int>& users(int node) const { return users_[static_cast<size_t>(node)]; }

 private:
  friend struct BatchNormMatch;
  Item& settle(ir::Ref r);
  void add_inputs();
  void add_outputs();
  void remove_unused();
  void run_node(int id);
  bool fold(int id);
  void find_batch_norms();
  std::string fresh(const std::string& wanted);
  pb::TensorProto tensor_proto(const Tensor& t, const std::string& name) const;
  std::string extent(const Dims& d);
  std::string extent_of_value(const Dims& d);

  const SymbolicGraph& graph_;
  const ExportOptions& options_;
  pb::ModelProto& model_;
  pb::GraphProto& out_;
  std::map<ir::Ref, Item> items_;
  std::map<std::pair<ir::Ref, Ints>, std::string> orders_;  // transposed versions written so far
  std::map<std::string, std::string> written_;              // initializers by type and bytes
  std::map<Dims, std::string> extents_;
  std::set<std::string> names_;
  std::vector<std::vector<int>> users_;
  std::map<int, std::function<void()>> instead_;  // nodes that stand for several: batch normalisation
  std::vector<bool> skipped_;
  std::vector<Tensor> kept_;  // memory behind keys of written_
  std::string scope_;
};

using ExportRule = void (*)(Exporter&, const ir::Node&, int id);
using ExportRules = std::map<std::string, ExportRule>;
bool has_rule(const std::string& op);
ExportRules pointwise_rules();
ExportRules move_rules();
ExportRules nn_rules();
ExportRules rnn_rules();

bool is_epilogue_name(const std::string& name);  // relu, sigmoid, tanh, gelu, gelu_tanh, silu
Ints compose_inverse(const Ints& axes,
                     const Ints& wanted);  // perm of the Transpose from order `axes` to order `wanted`

}  // namespace glia::onnx
