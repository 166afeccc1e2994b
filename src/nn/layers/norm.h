// Normalisation layers.
#pragma once
#include <glia/layers/norm.h>

#include "nn/layers/common.h"

namespace glia::nn {

class BatchNormalization : public Layer {
 public:
  layers::BatchNormalizationOptions o;
  Variable gamma, beta, moving_mean, moving_variance;
  std::string class_name() const override { return "BatchNormalization"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  Value train(const Value& x, const Value& mask, int64_t axis, const Value& g, const Value& b);
  Value renormalise(const Value& x, int64_t axis, const Value& mean, const Value& variance, Value g, Value b);
  Variable moving_stddev_, renorm_mean_, renorm_stddev_;
};

class LayerNormalization : public Layer {
 public:
  layers::LayerNormalizationOptions o;
  Variable gamma, beta;
  std::string class_name() const override { return "LayerNormalization"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

class GroupNormalization : public Layer {
 public:
  layers::GroupNormalizationOptions o;
  Variable gamma, beta;
  std::string class_name() const override { return "GroupNormalization"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

class RMSNormalization : public Layer {
 public:
  layers::RMSNormalizationOptions o;
  Variable scale;
  std::string class_name() const override { return "RMSNormalization"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

class UnitNormalization : public Layer {
 public:
  layers::UnitNormalizationOptions o;
  std::string class_name() const override { return "UnitNormalization"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  Value call(const Value& x) override;
};

class SpectralNormalization : public Layer {
 public:
  LayerRef layer;
  layers::SpectralNormalizationOptions o;
  Variable vector_u;
  std::string class_name() const override { return "SpectralNormalization"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  Variable kernel_;
};

}  // namespace glia::nn
