// Dropout and its relatives.
#pragma once
#include <glia/layers/regularization.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Noise : public Layer {
 public:
  bool supports_masking() const override { return true; }
};

class Dropout : public Noise {  // Dropout and AlphaDropout
 public:
  explicit Dropout(std::string kind = "Dropout") : kind_(std::move(kind)) {}
  double rate = 0;
  layers::DropoutOptions o;
  std::string class_name() const override { return kind_; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  std::string kind_;
};

class SpatialDropout : public Noise {
 public:
  explicit SpatialDropout(int spatial) : spatial_(spatial) {}
  double rate = 0;
  layers::SpatialDropoutOptions o;
  std::string class_name() const override { return fmt::format("SpatialDropout{}D", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  int spatial_;
};

class GaussianNoise : public Noise {  // GaussianNoise and GaussianDropout
 public:
  explicit GaussianNoise(bool multiplies) : multiplies_(multiplies) {}
  double amount = 0;  // stddev or rate
  layers::NoiseOptions o;
  std::string class_name() const override { return multiplies_ ? "GaussianDropout" : "GaussianNoise"; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  bool multiplies_;
};

class ActivityRegularization : public Noise {
 public:
  layers::ActivityRegularizationOptions o;
  std::string class_name() const override { return "ActivityRegularization"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

// x with a fraction `rate` set to 0 and the rest scaled up; noise_shape broadcasts against x (empty: x's shape).
Value dropout(const Value& x, double rate, const Shape& noise_shape, const std::optional<int64_t>& seed);

}  // namespace glia::nn
