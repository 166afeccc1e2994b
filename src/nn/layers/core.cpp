#include "nn/layers/core.h"

namespace glia::nn {

void InputLayer::fields(Fields& f) {
  f("batch_shape", batch_shape);
  f("dtype", input_dtype);
  bool sparse = false, ragged = false;
  f("sparse", sparse);
  f("ragged", ragged);
  f("name", name_);
}

namespace {

template <class E>
void embedding_fields(E& e, Fields& f) {
  f("input_dim", e.input_dim);
  f("output_dim", e.output_dim);
  e.o.embeddings_initializer.field(f, "embeddings_initializer");
  e.o.embeddings_regularizer.field(f, "embeddings_regularizer");
  e.o.embeddings_constraint.field(f, "embeddings_constraint");
  f("mask_zero", e.o.mask_zero);
}
void check_dims(const std::string& title, int64_t input_dim, int64_t output_dim) {
  GLIA_CHECK(input_dim > 0 && output_dim > 0, "{}: input_dim and output_dim must be positive. Received {} and {}.", title,
             input_dim, output_dim);
}
Value look_up(const Value& x, const Variable& table, const Variable& scale, DType dtype) {
  Value ids = x.dtype() == DType::i32 || x.dtype() == DType::i64 ? x : ops::cast(x, DType::i32);
  Value rows = ops::cast(ops::take(table.value(), ids, 0), dtype);
  if (!scale.defined()) return rows;
  return rows / ops::expand_dims(ops::cast(ops::take(scale.value(), ids, 0), dtype), -1);
}

}  // namespace

std::vector<Variable> Embedding::stored_variables() const {
  return quantized() ? std::vector<Variable>{embeddings, embeddings_scale} : std::vector<Variable>{embeddings};
}
void Embedding::fields(Fields& f) {
  Quantizable::fields(f);
  embedding_fields(*this, f);
}
void Embedding::build(const std::vector<Shape>&) {
  check_dims(title(), input_dim, output_dim);
  embeddings = add_table("embeddings", {input_dim, output_dim}, o.embeddings_initializer,
                         weight_options(o.embeddings_regularizer, o.embeddings_constraint), embeddings_scale, {input_dim});
}
Value Embedding::call(const Value& x) { return look_up(x, embeddings, embeddings_scale, compute_dtype()); }
Values Embedding::compute_mask(const Values& inputs, const Values&, const Values&) {
  if (!o.mask_zero) return {Value()};
  return {ops::not_equal(inputs[0], ops::scalar_like(inputs[0], 0))};
}

std::vector<Variable> ReversibleEmbedding::stored_variables() const {
  std::vector<Variable> r{embeddings};
  if (quantized()) r.push_back(embeddings_scale);
  if (!o.tie_weights) r.push_back(reverse_embeddings);
  if (!o.tie_weights && quantized()) r.push_back(reverse_embeddings_scale);
  return r;
}
std::vector<Quantizable::Table> ReversibleEmbedding::tables() {
  std::vector<Table> r{{&embeddings, &embeddings_scale, {1}, {input_dim}}};
  if (!o.tie_weights) r.push_back({&reverse_embeddings, &reverse_embeddings_scale, {0}, {input_dim}});
  return r;
}
void ReversibleEmbedding::fields(Fields& f) {
  Quantizable::fields(f);
  embedding_fields(*this, f);
  f("tie_weights", o.tie_weights);
  f("reverse_dtype", o.reverse_dtype);
  f("logit_soft_cap", o.logit_soft_cap);
}
void ReversibleEmbedding::build(const std::vector<Shape>&) {
  check_dims(title(), input_dim, output_dim);
  embeddings = add_table("embeddings", {input_dim, output_dim}, o.embeddings_initializer,
                         weight_options(o.embeddings_regularizer, o.embeddings_constraint), embeddings_scale, {input_dim});
  if (!o.tie_weights)
    reverse_embeddings = add_table("reverse_embeddings", {output_dim, input_dim}, o.embeddings_initializer, {},
                                   reverse_embeddings_scale, {input_dim});
}
Values ReversibleEmbedding::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  if (!options.reverse) return {look_up(inputs[0], embeddings, embeddings_scale, compute_dtype())};
  Value x = inputs[0], kernel = o.tie_weights ? embeddings.value() : reverse_embeddings.value();
  check_last_axis(title(), x.shape(), output_dim);
  DType t = o.reverse_dtype ? dtype_from_name(*o.reverse_dtype) : compute_dtype();
  Value logits;
  if (quantized()) {
    const Variable& kernel_scale = o.tie_weights ? embeddings_scale : reverse_embeddings_scale;
    x = ops::cast(x, compute_dtype());
    if (const AbsMaxQuantizer* quantizer = inputs_quantizer()) {
      auto [integers, scale] = (*quantizer)(x, {-1});
      logits = integer_product(integers, kernel, o.tie_weights) / (scale * scale_of(kernel_scale, x));
    } else {
      logits = integer_product(x, kernel, o.tie_weights) / scale_of(kernel_scale, x);
    }
  } else {
    logits = ops::matmul(ops::cast(x, t), ops::cast(kernel, t), false, o.tie_weights);
  }
  if (o.logit_soft_cap) logits = ops::tanh(logits / *o.logit_soft_cap) * *o.logit_soft_cap;
  return {logits};
}
Values ReversibleEmbedding::compute_mask(const Values& inputs, const Values&, const Values&) {
  if (!o.mask_zero || is_float(inputs[0].dtype())) return {Value()};
  return {ops::not_equal(inputs[0], ops::scalar_like(inputs[0], 0))};
}

void Masking::fields(Fields& f) {
  Layer::fields(f);
  f("mask_value", o.mask_value);
}
Value Masking::call(const Value& x) {
  check_min_rank(title(), x.shape(), 2);
  Value keep = ops::any(ops::not_equal(x, ops::scalar_like(x, o.mask_value)), {-1}, true);
  return ops::where(keep, x, ops::scalar_like(x, 0));
}
Values Masking::compute_mask(const Values& inputs, const Values&, const Values&) {
  const Value& x = inputs[0];
  return {ops::any(ops::not_equal(x, ops::scalar_like(x, o.mask_value)), {-1})};
}

void Lambda::fields(Fields& f) {
  Layer::fields(f);
  f("function", function);
  Numbers arguments;  // functions with arguments have no name to be found by
  f("arguments", arguments);
  GLIA_CHECK(arguments.empty(), "{}: arguments of a function are not supported. Write a layer of your own.", title());
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef InputLayer(Shape shape, InputLayerOptions o) {
  for (int64_t d : shape)
    GLIA_CHECK(d == -1 || d > 0, "InputLayer: extents must be positive, or -1 for any. Received shape {}.", to_string(shape));
  auto l = std::make_shared<nn::InputLayer>();
  l->configure({o.name, shape, true, ""});
  l->batch_shape = {o.batch_size.value_or(-1)};
  l->batch_shape.insert(l->batch_shape.end(), shape.begin(), shape.end());
  l->input_dtype = o.dtype;
  return LayerRef(l);
}

LayerRef Embedding(int64_t input_dim, int64_t output_dim, EmbeddingOptions options) {
  auto l = nn::make_with<nn::Embedding>(std::move(options));
  l->input_dim = input_dim;
  l->output_dim = output_dim;
  return LayerRef(l);
}
LayerRef ReversibleEmbedding(int64_t input_dim, int64_t output_dim, ReversibleEmbeddingOptions options) {
  auto l = nn::make_with<nn::ReversibleEmbedding>(std::move(options));
  l->input_dim = input_dim;
  l->output_dim = output_dim;
  return LayerRef(l);
}
LayerRef Identity(PlainOptions options) { return LayerRef(nn::make_with<nn::Identity>(std::move(options))); }
LayerRef Masking(MaskingOptions options) { return LayerRef(nn::make_with<nn::Masking>(std::move(options))); }
LayerRef Lambda(std::function<Value(const Value&)> function, PlainOptions options) {
  auto l = nn::make_with<nn::Lambda>(std::move(options));
  l->function = glia::Activation(std::move(function), "lambda");
  return LayerRef(l);
}

}  // namespace glia::layers
