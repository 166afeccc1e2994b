// Dense and EinsumDense: products with a kernel over chosen axes.
#pragma once
#include <glia/layers/core.h>

#include "nn/layers/common.h"
#include "nn/layers/quantized.h"

namespace glia::nn {

class Dense : public Quantizable {
 public:
  int64_t units = 0;
  layers::DenseOptions o;
  Variable kernel, bias, kernel_scale;

  std::string class_name() const override { return "Dense"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
  std::vector<Variable> stored_variables() const override;

 protected:
  std::vector<Table> tables() override { return {{&kernel, &kernel_scale, {0}, {units}}}; }
};

class EinsumDense : public Quantizable {
 public:
  std::string equation;
  Shape output_shape;
  layers::EinsumDenseOptions o;
  Variable kernel, bias, kernel_scale;

  std::string class_name() const override { return "EinsumDense"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
  std::vector<Variable> stored_variables() const override;

 protected:
  std::vector<Table> tables() override { return {{&kernel, &kernel_scale, reduced_axes_, scale_shape_}}; }

 private:
  Value quantized_product(const Value& x);
  Ints reduced_axes_;   // of the kernel
  Shape scale_shape_;   // the kernel's extents along the axes of the output
};

}  // namespace glia::nn
