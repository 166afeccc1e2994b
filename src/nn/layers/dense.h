// Dense and EinsumDense: products with a kernel over chosen axes.
#pragma once
#include <glia/layers/core.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Dense : public Layer {
 public:
  int64_t units = 0;
  layers::DenseOptions o;
  Variable kernel, bias;

  std::string class_name() const override { return "Dense"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

class EinsumDense : public Layer {
 public:
  std::string equation;
  Shape output_shape;
  layers::EinsumDenseOptions o;
  Variable kernel, bias;

  std::string class_name() const override { return "EinsumDense"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

}  // namespace glia::nn
