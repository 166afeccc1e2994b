// Node: what the import function of an operator sees: inputs, attributes, opset; and the table of operators.
//
//   Operands import_relu(Node& n) { return {pointwise({n.operand(0)}, [](const Values& v) { return ops::relu(v[0]);
//   })}; } OperatorList activation_operators() { return {{"Relu", 1, import_relu}}; }
#pragma once
#include <functional>
#include <string>

#include "base/error.h"
#include "io/onnx/graph.h"
#include "io/onnx/operand.h"

namespace glia::onnx {

class Interpreter;

class Node {
 public:
  Node(Interpreter& run, const NodeDef& def, Operands inputs, int64_t opset)
      : run_(run), def_(def), inputs_(std::move(inputs)), opset_(opset) {}

  const NodeDef& def() const { return def_; }
  int64_t opset() const { return opset_; }
  size_t count() const { return inputs_.size(); }
  size_t outputs() const { return def_.outputs.size(); }
  bool wants(size_t output) const { return output < def_.outputs.size() && !def_.outputs[output].empty(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].defined(); }
  const Operand& operand(size_t i) const;  // throws Error when it is missing
  const Operands& operands() const { return inputs_; }
  Value in(size_t i) const { return operand(i).logical(); }
  Value in_or(size_t i, const Value& otherwise) const { return has(i) ? in(i) : otherwise; }
  // The value of an input that must be known when the step is compiled: shapes, axes, pads. `what` names it.
  Tensor known(size_t i, const char* what) const;
  Ints known_ints(size_t i, const char* what) const;
  double known_number(size_t i, const char* what) const;

  bool has_attr(std::string_view name) const;
  int64_t i(std::string_view name, int64_t otherwise) const;
  int64_t i(std::string_view name) const;  // required
  double f(std::string_view name, double otherwise) const;
  std::string s(std::string_view name, const std::string& otherwise) const;
  Ints ints(std::string_view name, Ints otherwise = {}) const;
  std::vector<double> floats(std::string_view name, std::vector<double> otherwise = {}) const;
  std::vector<std::string> strings(std::string_view name) const;
  const Attribute* attr(std::string_view name) const;
  DType dtype_attr(std::string_view name, DType otherwise) const;  // an element type by number
  DType dtype_of(int64_t type, std::string_view what) const;

  int64_t axis(int64_t a, int64_t rank) const;            // counts from the end when negative; throws Error
  [[noreturn]] void fail(const std::string& text) const;  // "model.onnx: node 'x' (Op): text"
  void check(bool ok, const std::string& text) const {
    if (!ok) fail(text);
  }
  bool training() const;  // the step being traced updates weights
  Interpreter& interpreter() const { return run_; }

 private:
  Interpreter& run_;
  const NodeDef& def_;
  Operands inputs_;
  int64_t opset_;
};

using ImportFn = Operands (*)(Node&);

struct Operator {
  const char* name;
  int since;  // oldest opset whose meaning `import` knows
  ImportFn import;
  std::vector<int> known = {};       // inputs that must be known when a step is compiled
  std::vector<int> statistics = {};  // inputs that hold moving averages: weights that are not trained
  // How a weight at input 1 is kept: axes such that ONNX's array is transpose(kept, axes); null: as it is.
  Ints (*kept)(int rank) = nullptr;
  const char* domain = "";
};
using OperatorList = std::vector<Operator>;

const Operator* find_operator(std::string_view domain, std::string_view name);
const std::vector<Operator>& operator_table();

OperatorList activation_operators();
OperatorList arithmetic_operators();
OperatorList attention_operators();
OperatorList cast_operators();
OperatorList conv_operators();
OperatorList gather_operators();
OperatorList loss_operators();
OperatorList matmul_operators();
OperatorList normalization_operators();
OperatorList pool_operators();
OperatorList quantize_operators();
OperatorList reduce_operators();
OperatorList resize_operators();
OperatorList rnn_operators();
OperatorList shape_operators();
OperatorList signal_operators();

}  // namespace glia::onnx
