// Recurrent layers: RNN runs a cell over the steps; SimpleRNN, LSTM and GRU bring their own cell and a fused path.
#pragma once
#include <glia/layers/rnn.h>

#include "nn/layers/common.h"

namespace glia::nn {

class RNN : public Layer {
 public:
  layers::RNNOptions o;  // how the sequence is run
  std::string class_name() const override { return "RNN"; }
  void fields(Fields& f) override;
  bool supports_masking() const override { return true; }
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;
  void set_cell(LayerRef cell) { cell_ = std::move(cell); }
  void reset_state();

 protected:
  void sequence_fields(Fields& f);
  virtual LayerRef make_cell() { return cell_; }
  virtual size_t step_rank() const { return 2; }  // of one step's input; 0: any
  // All steps at once; {outputs (the last one unless return_sequences), states...}, or nothing when it does not apply.
  virtual Values fused(const Value& x, const Values& states, const Value& mask, bool training);
  RNNCell& cell() const { return static_cast<RNNCell&>(*cell_); }

 private:
  Values unrolled(const Value& x, Values states, const Value& mask, bool training);
  Values start_states(const Values& given, const Value& x);
  LayerRef cell_;
  std::vector<Variable> kept_;  // stateful
};

class StackedRNNCells : public RNNCell {
 public:
  std::vector<LayerRef> cells;
  layers::PlainOptions o;
  std::string class_name() const override { return "StackedRNNCells"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Ints state_size() const override;
  int64_t output_size() const override;
  std::vector<Shape> state_shapes(const Shape& step_input) const override;
  void begin(const Value& x, const Values& states, bool training) override;
  void end() override;
  Values step(const Value& x, const Values& states, bool training) override;

 private:
  RNNCell& at(size_t i) const { return static_cast<RNNCell&>(*cells[i]); }
};

// Throws Error unless the layer is an RNNCell.
RNNCell& as_cell(const std::string& title, const LayerRef& layer);

// Dropout masks that stay the same over the steps of a sequence.
class StepMasks {
 public:
  void draw(const Value& x, const Value& state, double dropout, double recurrent, int gates, const std::optional<int64_t>& seed);
  void clear();
  Value input(const Value& x, int gate) const { return apply(input_, x, gate); }
  Value state(const Value& h, int gate) const { return apply(state_, h, gate); }
  bool per_gate() const { return per_gate_; }

 private:
  static Value apply(const Values& masks, const Value& x, int gate);
  Values input_, state_;
  bool per_gate_ = false;
};

}  // namespace glia::nn
