// Bindings of convolution, pooling, normalisation and cross-entropies.
#include <numeric>

#include <glia/ops.h>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

std::vector<int64_t> integers_or(const OpCall& c, std::string_view name, std::vector<int64_t> fallback) {
  std::vector<int64_t> list = c.integers(name);
  return list.empty() ? fallback : list;
}

ops::ConvOptions conv_options(const OpCall& c) {
  return {.strides = integers_or(c, "strides", {1}),
          .padding = c.text("padding", "valid"),
          .data_format = c.text("data_format", "channels_last"),
          .dilation_rate = integers_or(c, "dilation_rate", {1})};
}
ops::PoolOptions pool_options(const OpCall& c) {
  return {.strides = c.integers("strides"),
          .padding = c.text("padding", "valid"),
          .data_format = c.text("data_format", "channels_last")};
}

Values conv_transpose(OpCall& c) {
  return {ops::conv_transpose(c.value("inputs"), c.value("kernel"),
                              {.strides = integers_or(c, "strides", {1}),
                               .padding = c.text("padding", "valid"),
                               .output_padding = c.integers("output_padding"),
                               .data_format = c.text("data_format", "channels_last"),
                               .dilation_rate = integers_or(c, "dilation_rate", {1})})};
}

// F along several axes at once: they become one last axis.
template <Value (*F)(const Value&, int64_t)>
Value along_axes(const Value& x, const std::vector<int64_t>& axes) {
  const int64_t rank = x.rank();
  std::vector<int64_t> order, back(static_cast<std::size_t>(rank));
  auto chosen = [&](int64_t i) { return std::any_of(axes.begin(), axes.end(), [&](int64_t a) { return (a < 0 ? a + rank : a) == i; }); };
  for (bool last : {false, true})
    for (int64_t i = 0; i < rank; ++i)
      if (chosen(i) == last) order.push_back(i);
  for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int64_t>(i);
  const Value t = ops::transpose(x, order);
  Shape flat = t.shape();
  flat.resize(flat.size() - axes.size());
  flat.push_back(-1);
  return ops::transpose(ops::reshape(F(ops::reshape(t, flat), -1), t.shape()), back);
}

// axis None: over all elements.
template <Value (*F)(const Value&, int64_t)>
Values along_or_flat(OpCall& c) {
  Value x = c.value("x");
  if (c.is_null("axis")) return {ops::reshape(F(ops::reshape(x, {-1}), -1), x.shape())};
  if (const json* axis = c.find("axis"); axis && axis->is_array()) return {along_axes<F>(x, c.integers("axis"))};
  return {F(x, c.integer("axis", -1))};
}

std::optional<int64_t> ignored(const OpCall& c) { return c.maybe_integer("ignore_class"); }

Values sparse_crossentropy(OpCall& c) {
  const auto ignore = ignored(c);
  return {ops::sparse_categorical_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false), c.integer("axis", -1),
                                               ignore ? &*ignore : nullptr)};
}

void add_normalisation(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"softmax", "x axis", along_or_flat<ops::softmax>},
      {"log_softmax", "x axis", along_or_flat<ops::log_softmax>},
      {"logsumexp", "x axis keepdims",
       [](OpCall& c) { return Values{c.reduced(ops::logsumexp)}; }},
      {"categorical_crossentropy", "target output from_logits axis",
       [](OpCall& c) {
         return Values{ops::categorical_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false), c.integer("axis", -1))};
       }},
      {"sparse_categorical_crossentropy", "target output from_logits axis ignore_class", sparse_crossentropy},
      {"binary_crossentropy", "target output from_logits",
       [](OpCall& c) { return Values{ops::binary_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false))}; }},
      {"batch_normalization", "x mean variance axis offset scale epsilon",
       [](OpCall& c) {
         return Values{ops::batch_normalization(c.value("x"), c.value("mean"), c.value("variance"), c.integer("axis"),
                                                c.maybe_value("offset"), c.maybe_value("scale"), c.number("epsilon", 1e-3))};
       }},
      {"moments", "x axes keepdims synchronized",
       [](OpCall& c) { return c.flag("synchronized", false), ops::moments(c.value("x"), c.integers("axes"), c.flag("keepdims", false)); }},
      {"layer_normalization", "x gamma beta axis epsilon",
       [](OpCall& c) {
         return Values{ops::layer_normalization(c.value("x"), c.maybe_value("gamma"), c.maybe_value("beta"), integers_or(c, "axis", {-1}),
                                                c.number("epsilon", 1e-7))};
       }},
      {"rms_normalization", "x scale axis epsilon",
       [](OpCall& c) {
         return Values{ops::rms_normalization(c.value("x"), c.maybe_value("scale"), integers_or(c, "axis", {-1}), c.number("epsilon", 1e-7))};
       }},
      {"normalize", "x axis order epsilon",
       [](OpCall& c) {
         const Value x = c.value("x");
         const int64_t order = c.integer("order", 2);
         const double epsilon = c.number("epsilon", 1e-7);
         if (!c.is_null("axis")) return Values{ops::normalize(x, integers_or(c, "axis", {-1}), order, epsilon)};
         std::vector<int64_t> all(static_cast<size_t>(x.rank()));
         std::iota(all.begin(), all.end(), 0);
         if (order == 2) return Values{ops::normalize(x, all, order, epsilon)};
         const Value length = ops::norm(x, std::to_string(order), {}, true);  // of a matrix, the norm of matrices
         return Values{x / ops::maximum(length, ops::scalar_like(length, epsilon))};
       }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

ops::UnfoldOptions windows(const OpCall& c) {
  return {.dilation = integers_or(c, "dilation", {1}), .padding = integers_or(c, "padding", {0}), .stride = integers_or(c, "stride", {1})};
}
Values attention(OpCall& c) {
  GLIA_CHECK(!c.flag("flash_attention", false) && !c.has("attn_logits_soft_cap"), "dot_product_attention: option of another backend.");
  ops::DotProductAttention o{.bias = c.maybe_value("bias"), .mask = c.maybe_value("mask"), .is_causal = c.flag("is_causal", false)};
  if (c.has("scale")) o.scale = c.number("scale");
  return {ops::dot_product_attention(c.value("query"), c.value("key"), c.value("value"), o)};
}
Values multi_hot(OpCall& c) {
  GLIA_CHECK(!c.flag("sparse", false), "multi_hot: sparse results do not exist.");
  c.integer("axis", -1);
  return {ops::multi_hot(c.value("inputs"), c.integer("num_classes"), c.dtype("dtype", DType::f32))};
}
Values decode(OpCall& c) {
  return ops::ctc_decode(c.value("inputs"), c.value("sequence_lengths"),
                         {.strategy = c.text("strategy", "greedy"),
                          .beam_width = c.integer("beam_width", 100),
                          .top_paths = c.integer("top_paths", 1),
                          .merge_repeated = c.flag("merge_repeated", true),
                          .mask_index = c.integer("mask_index", 0)});
}

void add_blocks(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"dot_product_attention", "query key value bias mask scale is_causal flash_attention attn_logits_soft_cap", attention},
      {"multi_hot", "inputs num_classes axis dtype sparse", multi_hot},
      {"psnr", "x1 x2 max_val", [](OpCall& c) { return Values{ops::psnr(c.value("x1"), c.value("x2"), c.number("max_val"))}; }},
      {"depth_to_space", "x block_size data_format",
       [](OpCall& c) { return Values{ops::depth_to_space(c.value("x"), c.integer("block_size"), c.text("data_format", "channels_last"))}; }},
      {"space_to_depth", "x block_size data_format",
       [](OpCall& c) { return Values{ops::space_to_depth(c.value("x"), c.integer("block_size"), c.text("data_format", "channels_last"))}; }},
      {"unfold", "input kernel_size dilation padding stride",
       [](OpCall& c) { return Values{ops::unfold(c.value("input"), c.integers("kernel_size"), windows(c))}; }},
      {"fold", "x output_size kernel_size dilation padding stride",
       [](OpCall& c) { return Values{ops::fold(c.value("x"), c.integers("output_size"), c.integers("kernel_size"), windows(c))}; }},
      {"ctc_loss", "target output target_length output_length mask_index",
       [](OpCall& c) {
         return Values{ops::ctc_loss(c.value("target"), c.value("output"), c.value("target_length"), c.value("output_length"), c.integer("mask_index", 0))};
       }},
      {"ctc_decode", "inputs sequence_lengths strategy beam_width top_paths merge_repeated mask_index", decode, true},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_nn_ops(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"conv", "inputs kernel strides padding data_format dilation_rate",
       [](OpCall& c) { return Values{ops::conv(c.value("inputs"), c.value("kernel"), conv_options(c))}; }},
      {"depthwise_conv", "inputs kernel strides padding data_format dilation_rate",
       [](OpCall& c) { return Values{ops::depthwise_conv(c.value("inputs"), c.value("kernel"), conv_options(c))}; }},
      {"separable_conv", "inputs depthwise_kernel pointwise_kernel strides padding data_format dilation_rate",
       [](OpCall& c) {
         return Values{ops::separable_conv(c.value("inputs"), c.value("depthwise_kernel"), c.value("pointwise_kernel"), conv_options(c))};
       }},
      {"conv_transpose", "inputs kernel strides padding output_padding data_format dilation_rate", conv_transpose},
      {"max_pool", "inputs pool_size strides padding data_format",
       [](OpCall& c) { return Values{ops::max_pool(c.value("inputs"), c.integers("pool_size"), pool_options(c))}; }},
      {"average_pool", "inputs pool_size strides padding data_format",
       [](OpCall& c) { return Values{ops::average_pool(c.value("inputs"), c.integers("pool_size"), pool_options(c))}; }},
      {"adaptive_max_pool", "inputs output_size data_format",
       [](OpCall& c) {
         return Values{ops::adaptive_max_pool(c.value("inputs"), c.integers("output_size"), c.text("data_format", "channels_last"))};
       }},
      {"adaptive_average_pool", "inputs output_size data_format",
       [](OpCall& c) {
         return Values{ops::adaptive_average_pool(c.value("inputs"), c.integers("output_size"), c.text("data_format", "channels_last"))};
       }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
  add_normalisation(list);
  add_blocks(list);
}

}  // namespace glia::keras_ops
