// SimpleRNN, LSTM and GRU with their cells.
#pragma once
#include "nn/layers/rnn.h"

namespace glia::nn {

// kernel, recurrent_kernel and bias of a cell with `gates` blocks of `units` columns.
template <class O>
class GatedCell : public RNNCell {
 public:
  int64_t units = 0;
  O o;
  Variable kernel, recurrent_kernel, bias;
  Ints state_size() const override { return {units}; }
  void end() override { masks_.clear(); }

 protected:
  void build_weights(const Shape& in, int64_t gates, const Shape& bias_shape);
  // x W + b with the input dropout applied, per gate where the masks differ.
  Value input_part(const Value& x, const Value& bias, int64_t gates) const;
  Value recurrent_part(const Value& h, const Value& bias, int64_t from, int64_t to) const;
  StepMasks masks_;
};

class SimpleRNNCell : public GatedCell<layers::SimpleRNNCellOptions> {
 public:
  std::string class_name() const override { return "SimpleRNNCell"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  void begin(const Value& x, const Values& states, bool training) override;
  Values step(const Value& x, const Values& states, bool training) override;
};

class LSTMCell : public GatedCell<layers::LSTMCellOptions> {
 public:
  std::string class_name() const override { return "LSTMCell"; }
  void fields(Fields& f) override;
  Ints state_size() const override { return {units, units}; }
  void build(const std::vector<Shape>& in) override;
  void begin(const Value& x, const Values& states, bool training) override;
  Values step(const Value& x, const Values& states, bool training) override;
};

class GRUCell : public GatedCell<layers::GRUCellOptions> {
 public:
  std::string class_name() const override { return "GRUCell"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  void begin(const Value& x, const Values& states, bool training) override;
  Values step(const Value& x, const Values& states, bool training) override;
};

// A layer over a sequence whose cell is made from its own options.
template <class Cell>
class Gated : public RNN {
 public:
  explicit Gated(const char* name) : name_of_class_(name) {}
  int64_t units = 0;
  decltype(Cell::o) cell_options;
  std::string class_name() const override { return name_of_class_; }
  void fields(Fields& f) override;

 protected:
  LayerRef make_cell() override;
  Values fused(const Value& x, const Values& states, const Value& mask, bool training) override;

 private:
  const char* name_of_class_;
};

}  // namespace glia::nn
