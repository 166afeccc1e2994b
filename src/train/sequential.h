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
};

}  // namespace glia
