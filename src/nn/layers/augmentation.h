// Random image layers.
#pragma once
#include <memory>
#include <utility>
#include <glia/layers/augmentation.h>
#include <glia/ops/image.h>

#include "nn/layers/common.h"

namespace glia::nn {

// Brings images to (batch, height, width, channels) in the compute dtype, and back.
class Augmentation : public Layer {
 public:
  std::optional<int64_t> seed;
  std::string data_format = "channels_last";
  Values call(const Values& inputs, const CallOptions& options) override;

 protected:
  virtual Value augment(const Value& x) = 0;
  virtual bool always() const { return false; }  // also outside of training
  Value uniform(const Shape& shape, const Floats& range) const;
  Floats range_of(const char* what, const Floats& factor, double low, double high) const;  // {f} -> {max(-f, low), f}
};

class RandomFlip : public Augmentation {
 public:
  std::string mode = "horizontal_and_vertical";
  std::string class_name() const override { return "RandomFlip"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

class RandomCrop : public Augmentation {
 public:
  int64_t height = 1, width = 1;
  std::string class_name() const override { return "RandomCrop"; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
};

// RandomRotation, RandomZoom, RandomTranslation, RandomShear: random affine maps.
class RandomAffine : public Augmentation {
 public:
  explicit RandomAffine(std::string kind) : kind_(std::move(kind)) {}
  Floats first{0.0}, second;  // factor; height_factor and width_factor; x_factor and y_factor
  std::string fill_mode = "reflect", interpolation = "bilinear";
  double fill_value = 0;
  std::string class_name() const override { return kind_; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;

 private:
  Value transforms(const Value& x) const;
  std::string kind_;
};

// Layers that change colours, by name.
class RandomColor : public Augmentation {
 public:
  explicit RandomColor(std::string kind) : kind_(std::move(kind)) {}
  Floats factor{0.5}, second{0.0}, value_range{0, 255};
  std::string class_name() const override { return kind_; }
  void fields(Fields& f) override;

 protected:
  Value augment(const Value& x) override;
  bool always() const override { return kind_ == "AutoContrast"; }

 private:
  Value to_bytes(const Value& x) const;    // value_range -> 0 .. 255
  Value from_bytes(const Value& x) const;
  Value clipped(const Value& x) const;
  std::string kind_;
};

// An image layer from its public options: the common fields, data_format, and the seed where there is one.
template <class L, class O, class... Args>
std::shared_ptr<L> augmentation(const O& o, Args&&... args) {
  auto l = std::make_shared<L>(std::forward<Args>(args)...);
  l->configure({o.name, o.input_shape, o.trainable, o.dtype});
  l->data_format = o.data_format;
  if constexpr (requires { o.seed; }) l->seed = o.seed;
  return l;
}

}  // namespace glia::nn
