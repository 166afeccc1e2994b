// Numeric preprocessing layers.
#pragma once
#include <glia/layers/preprocessing.h>

#include "nn/layers/common.h"
#include "nn/layers/text.h"

namespace glia::nn {

// A layer that learns from data before training.
class Adaptable {
 public:
  virtual ~Adaptable() = default;
  virtual void adapt(const Tensor& data) = 0;
};

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

class Normalization : public Layer, public Adaptable {
 public:
  layers::NormalizationOptions o;
  std::string class_name() const override { return "Normalization"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;
  void adapt(const Tensor& data) override;

 private:
  Variable mean_, variance_, count_;
  Shape broadcast_;  // 1 where the statistics are shared
};

class Discretization : public Layer, public Adaptable, public HostRunnable {
 public:
  layers::DiscretizationOptions o;
  std::string class_name() const override { return "Discretization"; }
  void fields(Fields& f) override;
  bool autocast_inputs() const override { return false; }
  // On the inputs of a model it runs on the host, where crosses over the bins find them.
  Value call(const Value& x) override;
  Tensor run_host(const std::vector<HostInput>& inputs) override;
  void adapt(const Tensor& data) override;

 private:
  Value bins_of(const Value& x) const;
};

class CategoryEncoding : public Layer {
 public:
  int64_t num_tokens = 0;
  layers::CategoryEncodingOptions o;
  std::string class_name() const override { return "CategoryEncoding"; }
  void fields(Fields& f) override;
  bool autocast_inputs() const override { return false; }
  Values call(const Values& inputs, const CallOptions& options) override;  // {categories} or {categories, count weights}
};

class Resizing : public Layer {
 public:
  int64_t height = 1, width = 1;
  layers::ResizingOptions o;
  std::string class_name() const override { return "Resizing"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class CenterCrop : public Layer {
 public:
  int64_t height = 1, width = 1;
  layers::CenterCropOptions o;
  std::string class_name() const override { return "CenterCrop"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class Pipeline : public Layer {
 public:
  std::vector<LayerRef> layers;
  std::vector<std::vector<Shape>> shapes;  // of the outputs of each at the first call
  layers::PlainOptions o;
  std::string class_name() const override { return "Pipeline"; }
  void fields(Fields& f) override;
  bool autocast_inputs() const override { return false; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
};

// Ids (any integers) as "int", "one_hot", "multi_hot" or "count" of `depth` entries, as the preprocessing layers give them; `weights`
// are what "count" adds instead of 1.
Value encode_categories(const std::string& title, const Value& ids, const std::string& output_mode, int64_t depth, DType dtype,
                        const Value& weights = {});

}  // namespace glia::nn
