// Rescaling.
#pragma once
#include <glia/layers/preprocessing.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Rescaling : public Layer {
 public:
  Floats scale{1.0}, offset{0.0};
  layers::PlainOptions o;
  std::string class_name() const override { return "Rescaling"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }
  Value call(const Value& x) override;
};

}  // namespace glia::nn
