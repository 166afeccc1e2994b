// Random image layers that blend, distort, erase or chain others, and the equalisers of histograms.
#pragma once
#include "nn/layers/augmentation.h"

namespace glia::nn {

inline double span(const Floats& range) { return range[1] - range[0]; }
inline void check_range(const std::string& title, const Floats& range) {
  GLIA_CHECK(range.size() == 2 && range[0] < range[1], "{}: value_range must be (low, high).", title);
}

// RandomHue, RandomSaturation: in the colour space of hue, saturation and value.
class RandomHsv : public Augmentation {
 public:
  explicit RandomHsv(std::string kind) : kind_(std::move(kind)) {}
  Floats factor{0.5}, value_range{0, 255};
  std::string class_name() const override { return kind_; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;

 private:
  std::string kind_;
};

class RandomColorJitter : public Augmentation {
 public:
  layers::ColorJitterOptions o;
  Floats value_range{0, 255};
  std::string class_name() const override { return "RandomColorJitter"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class RandomGaussianBlur : public Augmentation {
 public:
  Floats factor{1.0}, sigma{1.0}, value_range{0, 255};
  std::vector<int64_t> kernel_size{3};
  std::string class_name() const override { return "RandomGaussianBlur"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class RandomErasing : public Augmentation {
 public:
  Floats factor{1.0}, scale{0.02, 0.33}, fill_value, value_range{0, 255};
  std::string class_name() const override { return "RandomErasing"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class RandomPerspective : public Augmentation {
 public:
  Floats factor{1.0};
  double scale = 1, fill_value = 0;
  std::string interpolation = "bilinear";
  std::string class_name() const override { return "RandomPerspective"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class RandomElasticTransform : public Augmentation {
 public:
  Floats factor{1.0}, scale{1.0};
  layers::ElasticTransformOptions o;
  std::string class_name() const override { return "RandomElasticTransform"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

// MixUp, CutMix: pairs of images of a batch, and of their labels when there are two inputs.
class PairMix : public Augmentation {
 public:
  explicit PairMix(std::string kind) : kind_(std::move(kind)) {}
  double alpha = 0.2;
  Floats factor{1.0};
  std::string class_name() const override { return kind_; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 protected:
  Value augment(const Value& x) override;

 private:
  std::string kind_;
  Value order_, share_;  // of the call that is running: the partners, and each image's own share (batch,)
};

// Applies layers chosen at random for each batch.
class RandAugment : public Augmentation {
 public:
  int64_t num_ops = 2;
  Floats factor{0.5}, value_range{0, 255};
  std::string interpolation = "bilinear";
  std::string class_name() const override { return "RandAugment"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class AugMix : public Augmentation {
 public:
  Floats factor{0.3};
  layers::AugMixOptions o;
  std::string class_name() const override { return "AugMix"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class Equalization : public Augmentation {
 public:
  Floats value_range{0, 255};
  int64_t bins = 256;
  std::string class_name() const override { return "Equalization"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class Clahe : public Augmentation {
 public:
  Floats value_range{0, 255};
  double clip_limit = 4;
  std::vector<int64_t> tile_grid_size{8, 8};
  std::string class_name() const override { return "ContrastLimitedAdaptiveHistogramEqualization"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
  bool always() const override { return true; }
};

class MaxNumBoundingBoxes : public Layer {
 public:
  int64_t max_number = 1, fill_value = -1;
  std::string data_format = "channels_last";
  std::string class_name() const override { return "MaxNumBoundingBoxes"; }
  void fields(Fields& f) override;
  bool autocast_inputs() const override { return false; }
  Values call(const Values& inputs, const CallOptions& options) override;
};

}  // namespace glia::nn
