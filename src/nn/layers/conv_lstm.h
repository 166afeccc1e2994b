// ConvLSTM1D, 2D and 3D.
#pragma once
#include "nn/layers/rnn.h"

namespace glia::nn {

class ConvLSTMCell : public RNNCell {
 public:
  int spatial = 1;
  int64_t filters = 0;
  Ints kernel_size{1};
  layers::ConvLSTMOptions o;
  Variable kernel, recurrent_kernel, bias;
  std::string class_name() const override { return "ConvLSTMCell"; }
  Ints state_size() const override { return {filters, filters}; }
  std::vector<Shape> state_shapes(const Shape& step_input) const override;
  void build(const std::vector<Shape>& in) override;
  void begin(const Value& x, const Values& states, bool training) override;
  void end() override { masks_.clear(); }
  Values step(const Value& x, const Values& states, bool training) override;

 private:
  bool first() const { return is_channels_first(o.data_format); }
  StepMasks masks_;
};

class ConvLSTM : public RNN {
 public:
  explicit ConvLSTM(int spatial) : spatial_(spatial) {}
  int64_t filters = 0;
  Ints kernel_size{1};
  layers::ConvLSTMOptions conv;
  std::string class_name() const override { return fmt::format("ConvLSTM{}D", spatial_); }
  void fields(Fields& f) override;

 protected:
  LayerRef make_cell() override;
  size_t step_rank() const override { return static_cast<size_t>(spatial_) + 2; }

 private:
  int spatial_;
};

}  // namespace glia::nn
