// Writes one graph of a model's forward pass as C++: each op has an emitter, a function that appends one or a few
// statements. Buffers get places in one arena by their lifetimes.
//
//   Emitter e(graph);                  // constants are the weights
//   e.run();                           // throws Error naming the op (and layer) that has no emitter
//   std::string statements = e.statements();
#pragma once
#include <glia/tensor.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::io::cpp_export {

struct WeightArray {
  std::string name;
  Tensor data;
};

class Emitter {
 public:
  explicit Emitter(const ir::Graph& g);
  void run();

  const std::vector<WeightArray>& weights() const { return weights_; }
  const std::set<std::string>& helpers() const { return helpers_; }
  const std::string& statements() const { return text_; }
  size_t arena_bytes() const { return arena_bytes_; }

  // ---- for the emitters of ops ----
  const ir::Graph& graph() const { return g_; }
  const ir::Node& node() const { return g_.nodes[static_cast<size_t>(id_)]; }
  const TensorType& in_type(size_t i) const { return g_.type(node().inputs[i]); }
  const TensorType& out_type(size_t o = 0) const { return node().types[o]; }
  std::string in(size_t i);                                         // C++ expression of a pointer to the elements
  std::string out(size_t o = 0);                                    // of result o; unread results have a buffer too
  bool used(size_t o) const;                                        // somebody reads result o
  const Tensor* constant(size_t i) const;                           // the data of an operand that is a weight
  void add(std::string statement);                                  // "detail::f(...);" or a block of lines
  std::string scratch(int64_t floats);                              // float* that lives during this step only
  std::string weight(const std::string& name, const Tensor& data);  // adds an array; its C++ expression
  // The array that `make` prepares from operand i (packed, transposed); made once for all users of the same weight.
  std::string prepared(size_t i, const std::string& how, const std::function<Tensor(const Tensor&)>& make);
  void needs(const std::string& helper) { helpers_.insert(helper); }
  std::string local(const std::string& stem) const { return stem + std::to_string(id_); }
  [[noreturn]] void refuse(const std::string& why) const;
  void require_f32();  // refuses other float types

 private:
  struct Buffer {
    std::string name, type;
    size_t bytes = 0;
    int first = 0, last = 0;
    size_t offset = 0;
  };
  struct StepText {
    std::string title, body;
    std::vector<size_t> buffers;  // declared before this step
  };
  ir::Ref root(ir::Ref r) const;  // through views
  void place(ir::Ref r, const std::string& name);
  void plan_outputs();
  void copy_outputs();
  void assemble();
  std::string title_of(const ir::Node& n) const;

  const ir::Graph& g_;
  int id_ = -1;
  std::vector<int> last_use_;  // per node, after views are resolved
  std::map<ir::Ref, std::string> expression_;
  std::map<const void*, std::string> weight_of_;  // shared tensors are written once
  std::map<std::pair<const void*, std::string>, std::string> prepared_;
  std::vector<WeightArray> weights_;
  std::set<std::string> helpers_, weight_names_;
  std::vector<Buffer> buffers_;
  std::vector<StepText> steps_;
  std::string text_;
  size_t arena_bytes_ = 0;
};

using EmitFn = void (*)(Emitter&);
EmitFn find_emitter(const std::string& op);  // null when there is none
std::vector<std::string> exportable_ops();

// The emitters, by file.
using EmitTable = std::map<std::string, EmitFn>;
void add_product_emitters(EmitTable&);
void add_window_emitters(EmitTable&);
void add_row_emitters(EmitTable&);
void add_order_emitters(EmitTable&);
void add_move_emitters(EmitTable&);
void add_recurrent_emitters(EmitTable&);
void emit_pointwise(Emitter&);

// ---- text helpers ----
std::string cpp_type(DType t);                    // "float", "std::int32_t", ...
std::string cpp_number(double v, DType t);        // a literal of that type
std::string braces(const std::vector<int64_t>&);  // "{1, 2}"

// Nested loops over `dims`; strides[k][d] is the step of operand k along dim d. Neighbouring dims that all operands
// walk alike become one. index[k] is the expression of operand k's element index inside.
struct Loops {
  std::string open, close, indent;
  std::vector<std::string> index;  // per operand
};
Loops loops(const std::vector<int64_t>& dims, const std::vector<std::vector<int64_t>>& strides, int depth = 2);
std::vector<int64_t> dense_strides(const Shape&);
std::vector<int64_t> broadcast_strides(const Shape& from, const Shape& to);

}  // namespace glia::io::cpp_export
