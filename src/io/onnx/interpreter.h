// Reads a graph by emitting Glia ops for its nodes, in the trace of one step: shapes are known there, so that Shape,
// Gather, Concat, Reshape and their kind fold to constants as they are met.
#pragma once
#include <memory>
#include <unordered_map>

#include "io/onnx/node.h"

namespace glia::onnx {

// A scope of names: a graph, a branch inside it, or a function.
class Scope {
 public:
  explicit Scope(const Scope* outer = nullptr) : outer_(outer) {}
  const Operand* find(const std::string& name) const;
  void set(const std::string& name, Operand v) { values_[name] = std::move(v); }
  std::unordered_map<std::string, std::string> missing;  // initializers without a dtype in Glia -> that type

 private:
  const Scope* outer_;
  std::unordered_map<std::string, Operand> values_;
};

class Interpreter {
 public:
  Interpreter(const File& file, bool training, int64_t declared_batch)
      : file_(file), training_(training), declared_batch_(declared_batch), nodes_left_(most_nodes(file)) {}

  // Emits the nodes of `body` and gives its outputs. `scope` holds the inputs.
  Operands run(const Body& body, Scope& scope);
  Operands branch(const Body& body, const Scope& outer) {
    Scope s(&outer);
    return run(body, s);
  }
  const Scope& scope() const { return *scope_; }
  const File& file() const { return file_; }
  bool training() const { return training_; }
  // A batch for which the file was not made (0: none): {declared, given}. Reshape targets that start with the
  // declared number adapt.
  int64_t declared_batch() const { return declared_batch_; }
  int64_t given_batch = 0;
  std::shared_ptr<ir::Graph> graph;  // of the trace; null where arrays are computed with
  static constexpr int64_t kMostRepeats = int64_t{1} << 18;
  int64_t repeats_left = kMostRepeats;  // nodes that loops may still emit

 private:
  // Functions that call functions twice each make more nodes than any machine holds. Honest files repeat theirs less.
  static int64_t most_nodes(const File& file);
  void run_node(const NodeDef& n, Scope& scope);
  void check_size(const NodeDef& n, const Shape& s) const;
  Operands call_function(const Body& f, const NodeDef& call, Operands inputs);
  int64_t opset_of(const std::string& domain) const;

  const File& file_;
  bool training_;
  int64_t declared_batch_, nodes_left_;
  const Scope* scope_ = nullptr;
  const Body* function_ = nullptr;  // being run
  int depth_ = 0;
};

// One integer that must be known.
inline int64_t known_integer(const Node& n, size_t i, const char* what) {
  const Ints v = n.known_ints(i, what);
  n.check(v.size() == 1, std::string(what) + " must be one integer.");
  return v[0];
}

// Families of operators that run bodies or read images at computed places.
OperatorList control_operators();
OperatorList vision_operators();
OperatorList sequence_operators();
OperatorList box_operators();
// Of other domains: ai.onnx.ml (scikit-learn) and com.microsoft (ONNX Runtime's quantizer).
OperatorList ml_operators();
OperatorList ml_svm_operators();
OperatorList ml_tree_operators();
OperatorList quantize_fused_operators();

}  // namespace glia::onnx
