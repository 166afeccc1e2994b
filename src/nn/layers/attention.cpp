#include "nn/layers/attention.h"

#include <glia/layers/core.h>

#include <cmath>

#include "nn/layers/regularization.h"

namespace glia::nn {

void Attention::fields(Fields& f) {
  Layer::fields(f);
  f("use_scale", o.use_scale);
  if (!additive_) f("score_mode", o.score_mode);
  f("dropout", o.dropout);
  f("seed", o.seed);
}

void Attention::build(const std::vector<Shape>& in) {
  GLIA_CHECK(in.size() == 2 || in.size() == 3, "{}: expected the inputs {{query, value}} or {{query, value, key}}. Received {} inputs.",
             title(), in.size());
  for (const Shape& s : in) check_min_rank(title(), s, 3);
  check_one_of(title(), "score_mode", o.score_mode, {"dot", "concat"});
  const Shape &q = in[0], &k = in.back();
  GLIA_CHECK(q.back() == k.back() || q.back() < 0 || k.back() < 0,
             "{}: query and key must have equally many features. Received shapes {} and {}.", title(), to_string(q), to_string(k));
  if (o.use_scale && additive_) scale_ = add_weight("scale", {q.back()}, "glorot_uniform");
  else if (o.use_scale) scale_ = add_weight("scale", {}, "ones");
  if (!additive_ && o.score_mode == "concat") concat_score_weight_ = add_weight("concat_score_weight", {}, "ones");
}

Value Attention::scores(const Value& q, const Value& k) const {
  Value scale = scale_.defined() ? ops::cast(scale_.value(), q.dtype()) : Value();
  if (!additive_ && o.score_mode == "dot") {
    Value s = ops::matmul(q, k, false, true);
    return scale.defined() ? s * scale : s;
  }
  Value sum = ops::expand_dims(q, -2) + ops::expand_dims(k, -3);
  if (additive_) {
    Value t = ops::tanh(sum);
    return ops::sum(scale.defined() ? t * scale : t, {-1});
  }
  return ops::sum(ops::tanh(scale.defined() ? sum * scale : sum), {-1}) * ops::cast(concat_score_weight_.value(), q.dtype());
}

Values Attention::call(const Values& inputs, const CallOptions& options) {
  GLIA_CHECK(inputs.size() == 2 || inputs.size() == 3, "{}: expected the inputs {{query, value}} or {{query, value, key}}. Received {} inputs.",
             title(), inputs.size());
  const Value &q = inputs[0], &v = inputs[1], &k = inputs.back();
  auto mask_of = [&](size_t i) { return i < options.masks.size() ? options.masks[i] : Value(); };
  Value s = scores(q, inputs.size() > 2 ? k : v), mask = mask_of(1);
  if (mask.defined()) mask = ops::expand_dims(ops::cast(mask, DType::bool_), -2);
  if (options.use_causal_mask) {
    Value causal = ops::cast(ops::tri(s.dim(-2), s.dim(-1)), DType::bool_);
    mask = mask.defined() ? ops::logical_and(mask, causal) : causal;
  }
  // Masked scores are lowered by 1e9 rather than replaced: in a row without any key they keep their order.
  if (mask.defined()) s = ops::where(mask, s, s - (s.dtype() == DType::f16 ? 65504.0 : 1e9));
  Value w = ops::softmax(s, -1);
  if (training(options) && o.dropout > 0) w = dropout(w, o.dropout, {}, o.seed);
  Value y = ops::matmul(w, v);
  if (Value qm = mask_of(0); qm.defined()) y = ops::where(ops::expand_dims(ops::cast(qm, DType::bool_), -1), y, ops::scalar_like(y, 0));
  if (options.return_attention_scores) return {y, w};
  return {y};
}

Values Attention::compute_mask(const Values&, const Values& masks, const Values& outputs) {
  Values r(outputs.size());
  if (!masks.empty()) r[0] = masks[0];
  return r;
}

// ---- heads ------------------------------------------------------------------------------------------------------------------

void HeadAttention::check_call(const std::vector<Shape>& in) const {
  GLIA_CHECK(in.size() == 2 || in.size() == 3, "{}: expected the inputs {{query, value}} or {{query, value, key}}. Received {} inputs.",
             title(), in.size());
  for (const Shape& s : in) check_min_rank(title(), s, 3);
  const Shape &v = in[1], &k = in.back();
  bool same = v.size() == k.size();
  for (size_t i = 1; same && i + 1 < v.size(); ++i) same = v[i] == k[i] || v[i] < 0 || k[i] < 0;
  GLIA_CHECK(same, "{}: key and value must have the same axes before the features. Received value {} and key {}.", title(), to_string(v),
             to_string(k));
}

Value HeadAttention::combined_mask(const Values& inputs, const Value& query_mask, const CallOptions& options, const std::optional<int64_t>& window) {
  Value all;
  auto with = [&](const Value& m) { all = all.defined() ? ops::logical_and(all, m) : m; };
  auto mask_of = [&](size_t i) {
    if (i == 0) return query_mask;
    return i < options.masks.size() ? options.masks[i] : Value();
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    if (Value m = mask_of(i); m.defined()) with(ops::expand_dims(ops::cast(m, DType::bool_), i == 0 ? -1 : -2));
  if (window) {
    int64_t t = inputs[0].dim(1), s = inputs[1].dim(1);
    Value rows = ops::expand_dims(ops::arange(0, static_cast<double>(t)), -1), columns = ops::arange(0, static_cast<double>(s));
    with(ops::expand_dims(ops::abs(rows - columns) < static_cast<double>(*window), 0));
  }
  if (options.attention_mask.defined()) with(ops::cast(options.attention_mask, DType::bool_));
  return all;
}

Values HeadAttention::attend(const Plan& plan, const Value& q, const Value& k, const Value& v, const Value& given_mask,
                             const CallOptions& options) const {
  const int attended = static_cast<int>(plan.axes.size());
  const bool fused = plan.dropout == 0 && !options.return_attention_scores && q.rank() == 4;
  // Alone, the causal rule is a flag of the fused product, which then skips the hidden half.
  const bool causal_flag = fused && options.use_causal_mask && !given_mask.defined();
  Value mask = given_mask;
  if (options.use_causal_mask && !causal_flag) {
    Value causal = ops::expand_dims(ops::cast(ops::tri(q.dim(1), k.dim(1)), DType::bool_), 0);
    mask = mask.defined() ? ops::logical_and(mask, causal) : causal;
  }
  auto expanded = [&](int rank) {
    Value m = mask;
    while (m.defined() && m.rank() < rank) m = ops::expand_dims(m, positive_axis(-attended * 2 - 1, m.rank() + 1));
    return m;
  };
  if (fused) {
    ops::DotProductAttention a{.mask = expanded(4), .scale = plan.scale, .is_causal = causal_flag};
    return {ops::dot_product_attention(q, k, v, a), Value()};
  }
  // Letters: target (query) abc..., the source's attended axes get letters of their own.
  const int rank = q.rank();
  std::string target, source, batch, scores;
  for (int i = 0; i < rank; ++i) target += static_cast<char>('a' + i);
  source = target;
  char next = static_cast<char>('a' + rank);
  for (int64_t a : plan.axes) source[static_cast<size_t>(a)] = next++;
  for (int i = 0; i + 1 < rank; ++i)
    if (source[static_cast<size_t>(i)] == target[static_cast<size_t>(i)]) batch += target[static_cast<size_t>(i)];
  scores = batch;
  for (int64_t a : plan.axes) scores += target[static_cast<size_t>(a)];
  for (int64_t a : plan.axes) scores += source[static_cast<size_t>(a)];
  Value s = ops::einsum(target + "," + source + "->" + scores, {q * plan.scale, k}), m = expanded(static_cast<int>(scores.size()));
  if (m.defined()) s = ops::where(m, s, ops::scalar_like(s, s.dtype() == DType::f16 ? -30000.0 : -1e9));
  Shape shape = s.shape(), flat(shape.begin(), shape.end() - attended);
  flat.push_back(-1);
  Value w = ops::reshape(ops::softmax(ops::reshape(s, flat), -1), shape);
  if (m.defined()) w = ops::where(m, w, ops::scalar_like(w, 0));  // a query that sees nothing gets zeros
  Value used = training(options) && plan.dropout > 0 ? dropout(w, plan.dropout, {}, plan.seed) : w;
  return {ops::einsum(scores + "," + source + "->" + target, {used, v}), w.with_mask(m)};
}

// Only a mask that the query carries passes on, not one given in the call; the scores carry the one they were masked with.
Values HeadAttention::compute_mask(const Values& inputs, const Values&, const Values& outputs) {
  Values r{inputs[0].mask()};
  for (size_t i = 1; i < outputs.size(); ++i) r.push_back(outputs[i].mask());
  return r;
}

// ---- MultiHeadAttention -------------------------------------------------------------------------------------------------------

void MultiHeadAttention::fields(Fields& f) {
  Layer::fields(f);
  f("num_heads", num_heads);
  f("key_dim", key_dim);
  if (!f.reading()) o.value_dim = value_dim();
  f("value_dim", o.value_dim);
  f("dropout", o.dropout);
  f("use_bias", o.use_bias);
  f("use_gate", o.use_gate);
  std::optional<Ints> output, axes;
  if (!o.output_shape.empty()) output = o.output_shape;
  if (!o.attention_axes.empty()) axes = o.attention_axes;
  f("output_shape", output);
  f("attention_axes", axes);
  o.output_shape = output.value_or(Ints{});
  o.attention_axes = axes.value_or(Ints{});
  f("sliding_window", o.sliding_window);
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
  f("seed", o.seed);
}

// "abc,cde->abde": `bound` axes at the end of the input are replaced by `last`.
LayerRef MultiHeadAttention::projection(const char* name, size_t rank, int64_t bound, Shape last, const char* activation) {
  std::string in, weight, out, bias;
  char c = 'a';
  for (size_t i = 0; i < rank; ++i, ++c) in += c, out += c;
  for (int64_t i = 0; i < bound; ++i, ++c) in += c, weight += c;
  for (size_t i = 0; i < last.size(); ++i, ++c) weight += c, out += c, bias += c;
  Shape shape(rank - 1, -1);
  shape.insert(shape.end(), last.begin(), last.end());
  layers::EinsumDenseOptions e{.activation = activation, .bias_axes = o.use_bias ? bias : "", .kernel_initializer = o.kernel_initializer,
                               .bias_initializer = o.bias_initializer, .kernel_regularizer = o.kernel_regularizer,
                               .bias_regularizer = o.bias_regularizer, .activity_regularizer = o.activity_regularizer,
                               .kernel_constraint = o.kernel_constraint, .bias_constraint = o.bias_constraint, .name = name,
                               .trainable = trainable_, .dtype = dtype_policy_};
  return track(layers::EinsumDense(in + "," + weight + "->" + out, shape, std::move(e)));
}

void MultiHeadAttention::build(const std::vector<Shape>& in) {
  check_call(in);
  GLIA_CHECK(num_heads > 0 && key_dim > 0 && value_dim() > 0, "{}: num_heads, key_dim and value_dim must be positive. Received {}, {} and {}.",
             title(), num_heads, key_dim, value_dim());
  const Shape &q = in[0], &v = in[1], &k = in.back();
  query_ = projection("query", q.size() - 1, 1, {num_heads, key_dim});
  key_ = projection("key", k.size() - 1, 1, {num_heads, key_dim});
  query_->build_once({q});
  key_->build_once({k});
  if (o.use_gate) {
    gate_ = projection("gate", q.size() - 1, 1, {num_heads, value_dim()}, "sigmoid");
    gate_->build_once({q});
  }
  value_ = projection("value", v.size() - 1, 1, {num_heads, value_dim()});
  value_->build_once({v});
  const int64_t rank = static_cast<int64_t>(v.size()) + 1;  // of the projected arrays
  if (o.attention_axes.empty())
    for (int64_t i = 1; i < rank - 2; ++i) o.attention_axes.push_back(i);
  for (int64_t& a : o.attention_axes) {
    int64_t given = a;
    if (a < 0) a += rank - 1;
    GLIA_CHECK(a > 0 && a < rank - 2, "{}: attention axis {} must lie between the batch axis and the features. Received shape {}.", title(),
               given, to_string(v));
  }
  output_ = projection("attention_output", q.size() - 1, 2, o.output_shape.empty() ? Shape{q.back()} : o.output_shape);
  Shape heads(q.begin(), q.end() - 1);
  heads.insert(heads.end(), {num_heads, value_dim()});
  output_->build_once({heads});
}

Values MultiHeadAttention::call(const Values& inputs, const CallOptions& options) {
  const Value &q = inputs[0], &v = inputs[1], &k = inputs.back();
  Value mask = combined_mask(inputs, q.mask(), options, o.sliding_window);  // as in Keras, only a mask that the query carries
  Value heads = query_(q);
  Plan plan{o.dropout, o.seed, o.sliding_window, o.attention_axes, 1 / std::sqrt(static_cast<double>(key_dim))};
  Values r = attend(plan, heads, key_(k), value_(v), mask, options);
  Value y = output_(o.use_gate ? r[0] * gate_(q) : r[0]);
  if (options.return_attention_scores) return {y, r[1]};
  return {y};
}

// ---- GroupQueryAttention --------------------------------------------------------------------------------------------------------

void GroupQueryAttention::fields(Fields& f) {
  Layer::fields(f);
  f("head_dim", head_dim);
  f("num_query_heads", num_query_heads);
  f("num_key_value_heads", num_key_value_heads);
  f("use_bias", o.use_bias);
  f("use_gate", o.use_gate);
  f("sliding_window", o.sliding_window);
  f("dropout", o.dropout);
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
  f("seed", o.seed);
}

LayerRef GroupQueryAttention::projection(const char* name, const char* equation, Shape output, const char* bias, const char* activation) {
  layers::EinsumDenseOptions e{.activation = activation, .bias_axes = o.use_bias ? bias : "", .kernel_initializer = o.kernel_initializer,
                               .bias_initializer = o.bias_initializer, .kernel_regularizer = o.kernel_regularizer,
                               .bias_regularizer = o.bias_regularizer, .activity_regularizer = o.activity_regularizer,
                               .kernel_constraint = o.kernel_constraint, .bias_constraint = o.bias_constraint, .name = name,
                               .trainable = trainable_, .dtype = dtype_policy_};
  return track(layers::EinsumDense(equation, std::move(output), std::move(e)));
}

void GroupQueryAttention::build(const std::vector<Shape>& in) {
  check_call(in);
  for (const Shape& s : in) check_rank(title(), s, 3, "(batch, steps, features)");
  GLIA_CHECK(head_dim > 0 && num_key_value_heads > 0 && num_query_heads > 0 && num_query_heads % num_key_value_heads == 0,
             "{}: num_query_heads ({}) must be a multiple of num_key_value_heads ({}), and head_dim ({}) positive.", title(),
             num_query_heads, num_key_value_heads, head_dim);
  const Shape &q = in[0], &v = in[1], &k = in.back();
  query_ = projection("query", "bqm,muh->bquh", {-1, num_query_heads, head_dim}, "uh");
  query_->build_once({q});
  key_ = projection("key", "bkm,mvh->bkvh", {-1, num_key_value_heads, head_dim}, "vh");
  key_->build_once({k});
  if (o.use_gate) {
    gate_ = projection("gate", "bqm,muh->bquh", {-1, num_query_heads, head_dim}, "uh", "sigmoid");
    gate_->build_once({q});
  }
  value_ = projection("value", "bkm,mvh->bkvh", {-1, num_key_value_heads, head_dim}, "vh");
  value_->build_once({v});
  output_ = projection("attention_output", "bquh,uhm->bqm", {-1, q.back()}, "m");
  output_->build_once({{q[0], q[1], num_query_heads, head_dim}});
}

Values GroupQueryAttention::call(const Values& inputs, const CallOptions& options) {
  const Value &q = inputs[0], &v = inputs[1], &k = inputs.back();
  Value mask = combined_mask(inputs, options.masks[0], options, o.sliding_window), keys = key_(k), values = value_(v);
  const bool fused = o.dropout == 0 && !options.return_attention_scores;
  if (!fused) {  // the fused product takes shared heads as they are
    keys = ops::repeat(keys, num_query_heads / num_key_value_heads, 2);
    values = ops::repeat(values, num_query_heads / num_key_value_heads, 2);
  }
  Plan plan{o.dropout, o.seed, o.sliding_window, {1}, 1 / std::sqrt(static_cast<double>(head_dim))};
  Values r = attend(plan, query_(q), keys, values, mask, options);
  Value y = output_(o.use_gate ? r[0] * gate_(q) : r[0]);
  if (options.return_attention_scores) return {y, r[1]};
  return {y};
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef Attention(AttentionOptions options) { return LayerRef(nn::make_with<nn::Attention>(std::move(options))); }
LayerRef AdditiveAttention(AdditiveAttentionOptions a) {
  AttentionOptions o{.use_scale = a.use_scale, .dropout = a.dropout, .seed = a.seed, .name = a.name, .input_shape = a.input_shape,
                     .trainable = a.trainable, .dtype = a.dtype};
  return LayerRef(nn::make_with<nn::Attention>(std::move(o), true));
}
LayerRef MultiHeadAttention(int64_t num_heads, int64_t key_dim, MultiHeadAttentionOptions options) {
  auto l = nn::make_with<nn::MultiHeadAttention>(std::move(options));
  l->num_heads = num_heads;
  l->key_dim = key_dim;
  return LayerRef(l);
}
LayerRef GroupQueryAttention(int64_t head_dim, int64_t num_query_heads, int64_t num_key_value_heads, GroupQueryAttentionOptions options) {
  auto l = nn::make_with<nn::GroupQueryAttention>(std::move(options));
  l->head_dim = head_dim;
  l->num_query_heads = num_query_heads;
  l->num_key_value_heads = num_key_value_heads;
  return LayerRef(l);
}

}  // namespace glia::layers
