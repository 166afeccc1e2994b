// Convolution layers.
#pragma once
#include <glia/layers/conv.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Conv : public Layer {
 public:
  explicit Conv(int spatial) : spatial_(spatial) {}
  int64_t filters = 0;
  Ints kernel_size{1};
  layers::ConvOptions o;
  Variable kernel, bias;
  std::string class_name() const override { return fmt::format("Conv{}D", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  int spatial_;
};

class ConvTranspose : public Layer {
 public:
  explicit ConvTranspose(int spatial) : spatial_(spatial) {}
  int64_t filters = 0;
  Ints kernel_size{1};
  layers::ConvTransposeOptions o;
  Variable kernel, bias;
  std::string class_name() const override { return fmt::format("Conv{}DTranspose", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  int spatial_;
};

class DepthwiseConv : public Layer {
 public:
  explicit DepthwiseConv(int spatial) : spatial_(spatial) {}
  Ints kernel_size{1};
  layers::DepthwiseConvOptions o;
  Variable kernel, bias;
  std::string class_name() const override { return fmt::format("DepthwiseConv{}D", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  int spatial_;
};

class SeparableConv : public Layer {
 public:
  explicit SeparableConv(int spatial) : spatial_(spatial) {}
  int64_t filters = 0;
  Ints kernel_size{1};
  layers::SeparableConvOptions o;
  Variable depthwise_kernel, pointwise_kernel, bias;
  std::string class_name() const override { return fmt::format("SeparableConv{}D", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  int spatial_;
};

}  // namespace glia::nn
