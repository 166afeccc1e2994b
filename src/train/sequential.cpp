#include "train/sequential.h"

#include "base/error.h"
#include "ir/graph.h"
#include "nn/trace.h"
#include "train/host_prefix.h"

namespace glia {

void SequentialLayer::add(LayerRef layer) {
  GLIA_CHECK(layer, "Sequential: an empty LayerRef was added.");
  for (const LayerRef& l : layers_)
    GLIA_CHECK(l->name() != layer->name(), "Sequential: all layers must have unique names. '{}' is already there; give the new layer .name.", layer->name());
  layers_.push_back(layer);
  track(layer);
  if (layers_.size() == 1 && !layer->batch_input_shape().empty()) input_shape_ = layer->batch_input_shape();
  if (!input_shape_.empty()) build({input_shape_});
}

void SequentialLayer::pop() {
  GLIA_CHECK(!layers_.empty(), "Sequential: pop() on a model without layers.");
  layers_.pop_back();
  if (!output_shapes_.empty()) output_shapes_.pop_back();
  clear_sublayers();
  for (const LayerRef& l : layers_) track(l);
}

void SequentialLayer::build_for(const TensorType& input) {
  input_type_ = input;
  build_once({input.shape});
}

bool SequentialLayer::shape_declared() const {
  return !input_type_.shape.empty() || (!layers_.empty() && !layers_[0]->batch_input_shape().empty());
}

// Calls the layers that are not yet known on a symbolic input: each is built and its output shape noted.
void SequentialLayer::build(const std::vector<Shape>& shapes) {
  if (name_.empty()) name_ = unique_layer_name(class_name());
  GLIA_CHECK(!layers_.empty(), "{}: the model has no layers. Add some first, e.g. model.add(layers::Dense(10)).", title());
  input_shape_ = shapes.at(0);
  if (!input_shape_.empty() && !shape_declared()) input_shape_[0] = -1;
  output_shapes_.clear();
  const DType dtype = input_type_.shape.empty() && !layers_.empty() ? dtype_of_first_layer(layers_[0], input_type_.dtype) : input_type_.dtype;
  Values x{Input(Shape(input_shape_.begin() + 1, input_shape_.end()), {.name = "input", .dtype = dtype, .batch_size = input_shape_[0]})};
  for (const LayerRef& l : layers_) {
    x = l.outputs(x);
    std::vector<Shape> s;
    for (const Value& v : x) s.push_back(v.shape());
    output_shapes_.push_back(s);
  }
  set_built();
}

Values SequentialLayer::call(const Values& inputs, const CallOptions&) {
  Values x = inputs;
  for (const LayerRef& l : layers_) x = l.outputs(x);
  return x;
}

Values SequentialLayer::compute_mask(const Values&, const Values&, const Values& outputs) {
  Values r;
  for (const Value& v : outputs) r.push_back(v.mask());
  return r;
}

}  // namespace glia
