// Graph: an arena of nodes in topological order. Ids are ints; a node only reads lower ids. Cheap to clone, print,
// parse, verify and compare. Passes build a new graph from an old one (passes/rewrite.h).
//
//   auto g = std::make_shared<Graph>();
//   Value x = add_input(g, {DType::f32, {2, 3}}, "x");
//   g->set_outputs({ops::relu(x)});
//   std::cout << print(*g);
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/op_def.h"

namespace glia::ir {

struct Ref {  // one output of one node
  int node = -1;
  int output = 0;
  bool operator==(const Ref&) const = default;
  auto operator<=>(const Ref&) const = default;
};

// What a `call` node of a symbolic (functional-model) graph calls: a layer, or a composite function.
class Callable {
 public:
  virtual ~Callable() = default;
  virtual Values call_traced(const Values& inputs) = 0;
  virtual std::string call_name() const = 0;
};

struct Node {
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<Ref> inputs;
  std::vector<TensorType> types;  // of the outputs
  Tensor constant;                // op "constant"
  std::string scope;              // layer path, "model/dense_1"
  std::shared_ptr<Callable> callee;  // op "call"
};

class Graph : public std::enable_shared_from_this<Graph> {
 public:
  std::vector<Node> nodes;
  std::vector<int> inputs;        // ids of "input" nodes, in order
  std::vector<Ref> outputs;
  // (input position, output position): the output is the new value of that input and shares its memory.
  std::vector<std::pair<int, int>> updates;
  bool symbolic = false;          // a functional-model graph: shapes may have -1 and `call` nodes occur

  int add(Node node);
  const TensorType& type(Ref r) const { return nodes[r.node].types[r.output]; }
  std::shared_ptr<Graph> clone() const;
  void set_outputs(const Values& values);
  void absorb(Graph& other);      // symbolic graphs only: takes the other's nodes over; its Values follow

  // Set after being absorbed: Values of this graph belong to `merged_into`, ids shifted by `merged_offset`.
  std::shared_ptr<Graph> merged_into;
  int merged_offset = 0;
};

Value add_input(const std::shared_ptr<Graph>&, TensorType, const std::string& name);
Value add_constant(const std::shared_ptr<Graph>&, Tensor);
Value to_value(const std::shared_ptr<Graph>&, Ref);
// Adds a `call` node to a symbolic graph; the result types come from probing the callee (see infer_with_probes).
Values add_call(const std::shared_ptr<Graph>&, std::shared_ptr<Callable>, const Values& inputs);
std::shared_ptr<Graph> common_graph(const Values& inputs);  // of the symbolic inputs, merging functional graphs; or null
Ref import_value(const std::shared_ptr<Graph>&, const Value&);  // its Ref there; concrete values become constants

std::string print(const Graph&, bool with_data = true);
std::shared_ptr<Graph> parse(std::string_view text);      // throws Error with the line
void verify(const Graph&, std::string_view after);        // internal error when a rule is broken
bool structurally_equal(const Graph&, const Graph&);

// Names the layer that emits nodes; used for node scopes and as the prefix of error messages.
class ScopeGuard {
 public:
  ScopeGuard(const std::string& name, const std::string& class_name);
  ~ScopeGuard();
  ScopeGuard(const ScopeGuard&) = delete;
};
std::string current_scope();        // "model/dense_1"
std::string current_scope_title();  // "dense_1 (Dense)", or empty

const OpDef& input_op();
const OpDef& constant_op();
const OpDef& call_op();

// Types of a symbolic node whose inputs have unknown (-1) extents: f is evaluated with two probes for the unknown
// extents; result extents that differ are unknown.
std::vector<TensorType> infer_with_probes(const std::vector<TensorType>& in,
                                          const std::function<std::vector<TensorType>(const std::vector<TensorType>&)>& f);

// Runs one op on concrete inputs (defined in runtime/eager.cpp).
Values run_eagerly(const OpDef&, const Attrs&, const Values& inputs);

}  // namespace glia::ir
