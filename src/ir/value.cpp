#include <glia/value.h>

#include "base/error.h"
#include "ir/graph.h"

namespace glia {

std::string to_string(const TensorType& t) { return fmt::format("{} {}", dtype_name(t.dtype), to_string(t.shape)); }

Value::Value(std::shared_ptr<ir::Graph> graph, int node, int output)
    : graph_(std::move(graph)), node_(node), output_(output) {}

void Value::resolve() const {
  while (graph_ && graph_->merged_into) {
    node_ += graph_->merged_offset;
    auto next = graph_->merged_into;
    graph_ = std::move(next);
  }
}
const std::shared_ptr<ir::Graph>& Value::graph() const {
  resolve();
  return graph_;
}
int Value::node() const {
  resolve();
  return node_;
}
TensorType Value::type() const {
  if (graph_) {
    resolve();
    return graph_->nodes[node_].types[output_];
  }
  GLIA_CHECK(tensor_.defined(), "An undefined Value was used. Call the layer or op on a defined input.");
  return {tensor_.dtype(), tensor_.shape()};
}
int64_t Value::dim(int axis) const {
  TensorType t = type();
  int r = t.rank();
  GLIA_CHECK(axis >= -r && axis < r, "Value::dim({}): the value has shape {}.", axis, to_string(t.shape));
  return t.shape[axis < 0 ? axis + r : axis];
}
const Tensor& Value::tensor() const {
  GLIA_CHECK(!graph_, "Value::tensor: this value is symbolic ({}); its data exists only when the compiled step runs.",
             to_string(type()));
  GLIA_CHECK(tensor_.defined(), "Value::tensor: the value is undefined.");
  return tensor_;
}
Value Value::with_mask(const Value& mask) const {
  Value v = *this;
  v.mask_ = mask.defined() ? std::make_shared<const Value>(mask) : nullptr;
  return v;
}
bool Value::same_as(const Value& o) const {
  if (graph_ || o.graph_) return graph() == o.graph() && node() == o.node() && output_ == o.output_;
  return tensor_.craw() == o.tensor_.craw() && tensor_.shape() == o.tensor_.shape() && tensor_.dtype() == o.tensor_.dtype();
}

}  // namespace glia
