// Flatten, Reshape, Permute, RepeatVector, ZeroPadding, Cropping, UpSampling.
#pragma once
#include <glia/layers/reshape.h>

#include "nn/layers/common.h"
#include "nn/layers/shape_util.h"

namespace glia::nn {

class Flatten : public Layer {
 public:
  layers::DataFormatOptions o;
  std::string class_name() const override { return "Flatten"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class Reshape : public Layer {
 public:
  Shape target_shape;
  layers::PlainOptions o;
  std::string class_name() const override { return "Reshape"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class Permute : public Layer {
 public:
  Ints dims;
  layers::PlainOptions o;
  std::string class_name() const override { return "Permute"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

class RepeatVector : public Layer {
 public:
  int64_t n = 1;
  layers::PlainOptions o;
  std::string class_name() const override { return "RepeatVector"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;
};

// ZeroPadding{1,2,3}D and Cropping{1,2,3}D.
class Border : public Layer {
 public:
  Border(bool crops, int spatial) : crops_(crops), spatial_(spatial) {}
  layers::Borders cells = 1;
  layers::DataFormatOptions o;
  std::string class_name() const override { return fmt::format("{}{}D", crops_ ? "Cropping" : "ZeroPadding", spatial_); }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  Pairs pairs() const;
  bool crops_;
  int spatial_;
};

class UpSampling : public Layer {
 public:
  explicit UpSampling(int spatial) : size(static_cast<size_t>(spatial), 2), spatial_(spatial) {}
  Ints size;
  layers::UpSampling2DOptions o;
  std::string class_name() const override { return fmt::format("UpSampling{}D", spatial_); }
  void fields(Fields& f) override;
  Value call(const Value& x) override;

 private:
  int spatial_;
};

}  // namespace glia::nn
