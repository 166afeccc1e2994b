// Input, Embedding, Identity, Masking, Lambda.
#pragma once
#include <glia/layers/core.h>

#include "nn/layers/common.h"
#include "nn/layers/quantized.h"

namespace glia::nn {

class InputLayer : public Layer {
 public:
  Shape batch_shape;       // with the batch axis; -1 is unknown
  std::string input_dtype = "float32";
  std::string class_name() const override { return "InputLayer"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }
  Value call(const Value& x) override { return x; }
};

class Embedding : public Quantizable {
 public:
  int64_t input_dim = 0, output_dim = 0;
  layers::EmbeddingOptions o;
  Variable embeddings, embeddings_scale;
  std::string class_name() const override { return "Embedding"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return o.mask_zero; }
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;
  std::vector<Variable> stored_variables() const override;

 protected:
  std::vector<Table> tables() override { return {{&embeddings, &embeddings_scale, {1}, {input_dim}}}; }
};

class ReversibleEmbedding : public Quantizable {
 public:
  int64_t input_dim = 0, output_dim = 0;
  layers::ReversibleEmbeddingOptions o;
  Variable embeddings, reverse_embeddings, embeddings_scale, reverse_embeddings_scale;
  std::string class_name() const override { return "ReversibleEmbedding"; }
  void fields(Fields& f) override;
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;
  std::vector<Variable> stored_variables() const override;

 protected:
  std::vector<Table> tables() override;
};

class Identity : public Layer {
 public:
  layers::PlainOptions o;
  std::string class_name() const override { return "Identity"; }
  bool supports_masking() const override { return true; }
  Value call(const Value& x) override { return x; }
};

// What a FeatureSpace does with plain floats.
class FeatureIdentity : public Identity {
 public:
  std::string class_name() const override { return "TFDIdentity"; }
};

class Masking : public Layer {
 public:
  layers::MaskingOptions o;
  std::string class_name() const override { return "Masking"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  Value call(const Value& x) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;
};

class Lambda : public Layer {
 public:
  glia::Activation function;
  layers::PlainOptions o;
  std::string class_name() const override { return "Lambda"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override { return function(x); }
};

}  // namespace glia::nn
