// The layer behind Sequential: layers called one after another.
#pragma once
#include <glia/model.h>

namespace glia {

class SequentialLayer : public Layer {
 public:
  std::string class_name() const override { return "Sequential"; }
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& input_shapes) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values&, const Values&, const Values& outputs) override;

  void build_for(const TensorType& input);  // with the batch size and dtype that it gives
  const TensorType& input_type() const { return input_type_; }
  const std::string& input_name() const { return input_name_; }  // of the InputLayer in files; may be empty
  void set_input_name(std::string name) { input_name_ = std::move(name); }
  // Whether an input shape was given, by an Input, a first layer's input_shape or a file; else it is that of the first batch.
  bool shape_declared() const;
  void add(LayerRef layer);
  void pop();
  const std::vector<LayerRef>& layers() const { return layers_; }
  // Shape of each layer's output, once the input shape is known; -1 for unknown extents.
  const std::vector<std::vector<Shape>>& output_shapes() const { return output_shapes_; }
  const Shape& input_shape() const { return input_shape_; }

 private:
  std::vector<LayerRef> layers_;
  std::vector<std::vector<Shape>> output_shapes_;
  Shape input_shape_;
  TensorType input_type_;  // when it was given; its shape is empty else
  std::string input_name_;
};

}  // namespace glia
