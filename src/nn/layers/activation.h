// Activation layers.
#pragma once
#include <glia/layers/core.h>

#include "nn/layers/common.h"

namespace glia::nn {

class MaskedPointwise : public Layer {
 public:
  bool supports_masking() const override { return true; }
};

class ActivationLayer : public MaskedPointwise {
 public:
  glia::Activation activation;
  layers::PlainOptions o;
  std::string class_name() const override { return "Activation"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override { return activation(x); }
};

class ReLU : public MaskedPointwise {
 public:
  layers::ReLUOptions o;
  std::string class_name() const override { return "ReLU"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class LeakyReLU : public MaskedPointwise {
 public:
  layers::LeakyReLUOptions o;
  std::string class_name() const override { return "LeakyReLU"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class ELU : public MaskedPointwise {
 public:
  layers::ELUOptions o;
  std::string class_name() const override { return "ELU"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class PReLU : public MaskedPointwise {
 public:
  layers::PReLUOptions o;
  Variable alpha;
  std::string class_name() const override { return "PReLU"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
};

class Softmax : public MaskedPointwise {
 public:
  layers::SoftmaxOptions o;
  std::string class_name() const override { return "Softmax"; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;
};

}  // namespace glia::nn
