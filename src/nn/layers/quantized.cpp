#include "nn/layers/quantized.h"

#include <algorithm>

#include "base/error.h"
#include "nn/policy.h"
#include "nn/trace.h"

namespace glia::nn {

void AbsMaxQuantizer::fields(Fields& f) {
  f("value_range", value_range);
  f("epsilon", epsilon);
  f("output_dtype", output_dtype);
  if (f.reading() || axis) f("axis", axis);
  GLIA_CHECK(value_range.size() == 2 && value_range[0] >= -128 && value_range[0] < value_range[1] && value_range[1] > 0 &&
                 value_range[1] <= 127 && output_dtype == "int8",
             "AbsMaxQuantizer: expected a value_range within [-128, 127] and output_dtype \"int8\". Received {} and \"{}\".",
             to_string(Shape(value_range.begin(), value_range.end())), output_dtype);
}

std::pair<Value, Value> AbsMaxQuantizer::operator()(const Value& x, const Ints& axes) const {
  const double low = static_cast<double>(value_range[0]), high = static_cast<double>(value_range[1]);
  Value largest = axes.empty() ? ops::abs(x) : ops::max(ops::abs(x), axes, true);
  Value scale = ops::stop_gradient(ops::scalar_like(x, high) / (largest + epsilon));
  Value t = x * scale;
  if (low > -high) t = ops::maximum(t, ops::scalar_like(t, low));  // above, the scale keeps it in range
  // t + (round(t) - t) is exactly round(t): the difference is exact, too (Sterbenz).
  return {t + ops::stop_gradient(ops::round(t) - t), scale};
}

void Int8QuantizationConfig::fields(Fields& f) {
  const auto one = [&](const char* name, std::shared_ptr<AbsMaxQuantizer>& q) {
    std::shared_ptr<Configurable> p = q;
    f.object(name, AbsMaxQuantizer::kind, p);
    q = std::static_pointer_cast<AbsMaxQuantizer>(p);
  };
  one("weight_quantizer", weights);
  one("activation_quantizer", activations);
}

void Quantizable::fields(Fields& f) {
  Layer::fields(f);
  // A layer that a quantised model left as it is (say, float8's Embedding) keeps the configuration without a policy.
  if (f.reading() && !quantized()) return;
  if (!f.reading() && !config_) return;
  std::shared_ptr<Configurable> p = config_;
  f.object("quantization_config", Int8QuantizationConfig::kind, p);
  config_ = std::static_pointer_cast<Int8QuantizationConfig>(p);
  if (!config_) config_ = std::make_shared<Int8QuantizationConfig>();  // files before Keras 3.13
}

bool Quantizable::quantized() const { return !quantization_mode(dtype_policy_).empty(); }

void Quantizable::replace(const Table& t, const Tensor& integers, const Tensor& scale) {
  Variable::State& state = *t.values->state();
  const std::string scale_name = state.options.name + "_scale";
  state.tensor = integers;
  state.options.dtype = DType::i8;
  state.options.trainable = state.listed_as_trainable = false;
  state.options.regularizer = {};
  state.options.constraint = {};
  *t.scale = add_weight(scale_name, scale.shape(), "ones", {.trainable = false});
  t.scale->tensor().copy_from(scale.astype(t.scale->dtype()));
}

void Quantizable::quantize(std::shared_ptr<Int8QuantizationConfig> config) {
  GLIA_CHECK(built(), "{}: quantize needs the layer's weights. Build the layer, or call it on an input, first.", title());
  GLIA_CHECK(!quantized(), "{}: the layer is already quantized, with policy {}.", title(), dtype_policy_);
  GLIA_CHECK(lora_rank() == 0, "{}: the layer has low-rank adapters. Quantize first, or merge them by saving and loading.", title());
  config_ = config ? std::move(config) : std::make_shared<Int8QuantizationConfig>();
  const AbsMaxQuantizer standard, &quantizer = config_->weights ? *config_->weights : standard;
  for (const Table& t : tables()) {
    auto [integers, scale] = quantizer(Value(t.values->tensor()), config_->weights && config_->weights->axis ? *config_->weights->axis : t.axes);
    GLIA_CHECK(scale.tensor().size() == num_elements(t.scale_shape), "{}: the weight quantizer's axes give scales of shape {}. Expected {} of them.",
               title(), to_string(scale.shape()), num_elements(t.scale_shape));
    replace(t, ops::cast(integers, DType::i8).tensor(), ops::reshape(scale, t.scale_shape).tensor());
  }
  dtype_policy_ = "int8_from_" + dtype_policy_;
}

void Quantizable::quantize_storage() {
  config_ = std::make_shared<Int8QuantizationConfig>();
  for (const Table& t : tables()) replace(t, Tensor::zeros(t.values->shape(), DType::i8), Tensor::full(t.scale_shape, 1.0));
  dtype_policy_ = "int8_from_" + dtype_policy_;
}

Variable Quantizable::add_table(const std::string& name, const Shape& shape, const Initializer& initializer, const VariableOptions& options,
                                Variable& scale, const Shape& scale_shape) {
  if (!quantized()) return add_weight(name, shape, initializer, options);
  Variable v = add_weight(name, shape, "zeros", {.trainable = false, .dtype = DType::i8});
  scale = add_weight(name + "_scale", scale_shape, "ones", {.trainable = false});
  return v;
}

Value Quantizable::integer_product(const Value& x, const Value& kernel, bool transpose) const {
  if (!inputs_quantizer()) return ops::matmul(x, ops::cast(kernel, x.dtype()), false, transpose);
  // Sums of up to 1,040 products of two 8-bit integers stay below 2^24, so that float32 holds them exactly.
  constexpr int64_t kExact = 1024;
  const Value a = ops::cast(x, DType::f32), b = ops::cast(kernel, DType::f32);
  const int64_t k = x.dim(-1);
  if (k <= kExact) return ops::cast(ops::matmul(a, b, false, transpose), x.dtype());
  Value sum;  // of the exact parts, in float64: rounded once at the end, as a sum of int32 is when it is cast
  for (int64_t at = 0; at < k; at += kExact) {
    const int64_t end = std::min(k, at + kExact);
    Value part = ops::matmul(ops::slice_axis(a, -1, at, end), ops::slice_axis(b, transpose ? 1 : 0, at, end), false, transpose);
    part = ops::cast(part, DType::f64);
    sum = at == 0 ? part : sum + part;
  }
  return ops::cast(sum, x.dtype());
}

}  // namespace glia::nn
