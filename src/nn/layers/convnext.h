// The layers that keras.applications bring along, for their files: convnext two, inception_resnet_v2 one.
#pragma once
#include "nn/layers/common.h"

namespace glia::nn {

// x times one weight per channel (Touvron et al. 2021, "Going deeper with Image Transformers").
class LayerScale : public Layer {
 public:
  double init_values = 1e-6;
  int64_t projection_dim = 0;
  Variable gamma;
  std::string class_name() const override { return "LayerScale"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override { return x * gamma.value(); }
};

// Drops whole examples of a residual branch when training (Huang et al. 2016, "Deep Networks with Stochastic Depth").
class StochasticDepth : public Layer {
 public:
  double drop_path_rate = 0;
  std::string class_name() const override { return "StochasticDepth"; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;
};

// x + scale * residual, for the inputs {x, residual}.
class CustomScaleLayer : public Layer {
 public:
  double scale = 0;
  std::string class_name() const override { return "CustomScaleLayer"; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;
};

}  // namespace glia::nn
