// Pooling layers.
#pragma once
#include <glia/layers/pool.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Pooling : public Layer {
 public:
  Pooling(bool max, int spatial) : pool_size(static_cast<size_t>(spatial), 2), max_(max), spatial_(spatial) {}
  Ints pool_size;
  layers::PoolingOptions o;
  std::string class_name() const override { return fmt::format("{}Pooling{}D", max_ ? "Max" : "Average", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  bool max_;
  int spatial_;
};

class GlobalPooling : public Layer {
 public:
  GlobalPooling(bool max, int spatial) : max_(max), spatial_(spatial) {}
  layers::GlobalPoolingOptions o;
  std::string class_name() const override { return fmt::format("Global{}Pooling{}D", max_ ? "Max" : "Average", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  bool max_;
  int spatial_;
};

class AdaptivePooling : public Layer {
 public:
  AdaptivePooling(bool max, int spatial) : max_(max), spatial_(spatial) {}
  Ints output_size{1};
  layers::AdaptivePoolingOptions o;
  std::string class_name() const override { return fmt::format("Adaptive{}Pooling{}D", max_ ? "Max" : "Average", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  bool max_;
  int spatial_;
};

}  // namespace glia::nn
