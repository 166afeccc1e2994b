// Layers whose table of weights may be kept in 8 bits, as Keras's Model.quantize("int8") does: integers of -127 to 127 and
// one scale for each output (Dense, EinsumDense) or row (Embedding). What comes in is rounded to 8 bits, too, with a scale
// for each row of it, so that products are sums of integers, which are exact; the result is divided by both scales.
//
//   auto* q = dynamic_cast<nn::Quantizable*>(layer.ptr().get());
//   if (q) q->quantize({});          // of a built layer; its weights are replaced
//
// Formulas: keras/src/quantizers/quantizers.py (abs_max_quantize): scale = high / (max |x| + epsilon), q = round(x scale).
#pragma once
#include <glia/layer.h>
#include <glia/ops.h>

#include <memory>
#include <string>
#include <vector>

namespace glia::nn {

// keras.quantizers.AbsMaxQuantizer.
struct AbsMaxQuantizer : Configurable {
  static constexpr std::string_view kind = "quantizer";
  std::optional<Ints> axis;  // of older files; the layer says which
  Ints value_range{-127, 127};
  double epsilon = 1e-7;
  std::string output_dtype = "int8";
  std::string class_name() const override { return "AbsMaxQuantizer"; }
  void fields(Fields& f) override;
  // The integers, as floats of x's type, and their scale, with extents of 1 along the axes. The gradient passes through
  // the rounding as if it were not there, and takes the scale for a constant.
  std::pair<Value, Value> operator()(const Value& x, const Ints& axes) const;
};

// keras.quantizers.Int8QuantizationConfig. Without a quantizer of activations only the weights are rounded.
struct Int8QuantizationConfig : Configurable {
  static constexpr std::string_view kind = "quantization_config";
  std::shared_ptr<AbsMaxQuantizer> weights;  // none: the default
  std::shared_ptr<AbsMaxQuantizer> activations = std::make_shared<AbsMaxQuantizer>();
  std::string class_name() const override { return "Int8QuantizationConfig"; }
  void fields(Fields& f) override;
};

class Quantizable : public Layer {
 public:
  void fields(Fields& f) override;
  bool quantized() const;
  // Rounds the weights. Throws Error when the layer is not built, is quantised, or has adapters.
  void quantize(std::shared_ptr<Int8QuantizationConfig> config);
  // The same without values, for a file that holds rounded weights whose configuration does not say so (Keras leaves it
  // out inside MultiHeadAttention).
  void quantize_storage();
  // In the order of a Keras file; that of own_variables() else.
  virtual std::vector<Variable> stored_variables() const = 0;

 protected:
  struct Table {
    Variable* values;  // "kernel": float, and from quantize() on int8
    Variable* scale;
    Ints axes;          // that a scale spans
    Shape scale_shape;
  };
  virtual std::vector<Table> tables() = 0;
  // For build(): the weight, or, in a quantised layer, its integers and scale.
  Variable add_table(const std::string& name, const Shape& shape, const Initializer& initializer, const VariableOptions& options, Variable& scale,
                     const Shape& scale_shape);
  // x (..., k) times kernel (k, n), both of integers: exact for any k. Or x of any numbers, when activations are not rounded.
  Value integer_product(const Value& x, const Value& kernel, bool transpose = false) const;
  Value scale_of(const Variable& scale, const Value& like) const { return ops::cast(scale.value(), like.dtype()); }
  const AbsMaxQuantizer* inputs_quantizer() const { return config_ ? config_->activations.get() : nullptr; }

 private:
  void replace(const Table& t, const Tensor& integers, const Tensor& scale);
  std::shared_ptr<Int8QuantizationConfig> config_;
};

}  // namespace glia::nn
