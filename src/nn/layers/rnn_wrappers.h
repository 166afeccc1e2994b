// Bidirectional and TimeDistributed.
#pragma once
#include "nn/layers/rnn.h"

namespace glia::nn {

class Bidirectional : public Layer {
 public:
  LayerRef forward_layer, backward_layer;
  std::optional<std::string> merge_mode = "concat";
  layers::PlainOptions o;
  std::string class_name() const override { return "Bidirectional"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void set_layers(const LayerRef& forward, const LayerRef& backward);  // copies them
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;

 private:
  RNN& forward() const { return static_cast<RNN&>(*forward_layer); }
  RNN& backward() const { return static_cast<RNN&>(*backward_layer); }
};

class TimeDistributed : public Layer {
 public:
  LayerRef layer;
  layers::PlainOptions o;
  std::string class_name() const override { return "TimeDistributed"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
};

}  // namespace glia::nn
