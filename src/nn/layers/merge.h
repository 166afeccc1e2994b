// Merging layers.
#pragma once
#include <glia/layers/merge.h>

#include "nn/layers/common.h"

namespace glia::nn {

// Add, Subtract, Multiply, Average, Maximum, Minimum.
class Merge : public Layer {
 public:
  explicit Merge(std::string kind) : kind_(std::move(kind)) {}
  layers::PlainOptions o;
  std::string class_name() const override { return kind_; }
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;

 private:
  Value combine(const Value& a, const Value& b) const;
  std::string kind_;
};

class Concatenate : public Layer {
 public:
  layers::ConcatenateOptions o;
  std::string class_name() const override { return "Concatenate"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;
};

// The one that a FeatureSpace ends with, under its name in Keras's files.
class FeatureConcat : public Concatenate {
 public:
  std::string class_name() const override { return "TFDConcat"; }
};

class Dot : public Layer {
 public:
  Ints axes{-1};
  layers::DotOptions o;
  std::string class_name() const override { return "Dot"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  std::pair<int, int> axes_for(const Shape& a, const Shape& b) const;
};

}  // namespace glia::nn
