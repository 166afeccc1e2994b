// Value: what layers, losses and ops are called on. Inside a traced function it stands for an array that will exist
// when the compiled step runs; made from a Tensor it is that tensor, and ops on such values run at once.
//
//   Value y = ops::relu(x * 2.0 + bias);          // x symbolic: y is a node of x's graph
//   Tensor t = ops::exp(Tensor::scalar(1)).tensor();  // concrete: computed here
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <glia/tensor.h>

namespace glia {

namespace ir {
class Graph;
}

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const TensorType&) const = default;
  int rank() const { return static_cast<int>(shape.size()); }
  int64_t elements() const { return num_elements(shape); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * dtype_size(dtype); }
};
std::string to_string(const TensorType&);  // "float32 (32, 10)"

class Value {
 public:
  Value() = default;
  Value(Tensor tensor) : tensor_(std::move(tensor)) {}  // NOLINT: implicit on purpose
  Value(std::shared_ptr<ir::Graph> graph, int node, int output = 0);

  bool defined() const { return graph_ != nullptr || tensor_.defined(); }
  bool is_concrete() const { return graph_ == nullptr && tensor_.defined(); }
  TensorType type() const;
  Shape shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  int rank() const { return type().rank(); }
  int64_t dim(int axis) const;  // negative counts from the end
  const Tensor& tensor() const;  // the data of a concrete value; throws Error for a symbolic one

  // Keras's mask: a bool value with the leading axes of this one (true = keep), or an undefined Value.
  Value mask() const { return mask_ ? *mask_ : Value(); }
  Value with_mask(const Value& mask) const;

  // For passes and the tracer.
  const std::shared_ptr<ir::Graph>& graph() const;
  int node() const;
  int output() const { return output_; }
  bool same_as(const Value& o) const;

 private:
  void resolve() const;  // follows merged graphs
  mutable std::shared_ptr<ir::Graph> graph_;
  mutable int node_ = -1;
  int output_ = 0;
  Tensor tensor_;
  std::shared_ptr<const Value> mask_;
};
using Values = std::vector<Value>;

}  // namespace glia
