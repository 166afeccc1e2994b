// Attention layers.
//
//   Value y = layers::Attention()({query, value});
//   Value z = layers::MultiHeadAttention(8, 64)({x, x}, {.use_causal_mask = true});
//
// Calls take {query, value} or {query, value, key}; the key is the value unless given. With return_attention_scores in the call
// the scores follow as second output.
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct AttentionOptions {
  bool use_scale = false;          // a learned scalar on the scores
  std::string score_mode = "dot";  // or "concat": weight * sum(tanh(scale * (q + k)))
  double dropout = 0.0;            // of the attention weights
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// softmax(q k^T) v over (batch, steps, features), without 1 / sqrt(features). Masks of query and value are respected.
LayerRef Attention(AttentionOptions options = {});  // Attention({.use_scale = true}): (2, 4, 8), (2, 5, 8) -> (2, 4, 8)

struct AdditiveAttentionOptions {
  bool use_scale = true;  // a learned vector over the features
  double dropout = 0.0;
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// Scores sum(scale * tanh(q + k)) (Bahdanau et al. 2015). AdditiveAttention(): (2, 4, 8), (2, 5, 8) -> (2, 4, 8)
LayerRef AdditiveAttention(AdditiveAttentionOptions options = {});

struct MultiHeadAttentionOptions {
  std::optional<int64_t> value_dim = {};  // default: key_dim
  double dropout = 0.0;
  bool use_bias = true;
  Ints output_shape = {};      // features of the result; empty: those of the query
  Ints attention_axes = {};    // axes to attend over; empty: all but batch and features
  std::optional<int64_t> sliding_window = {};  // attend only to keys less than this far away
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;       // multiplies the heads by a sigmoid gate of the query
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// Vaswani et al. 2017. Weights: query, key (features, heads, key_dim), value (features, heads, value_dim), attention_output
// (heads, value_dim, features), each with a bias. MultiHeadAttention(2, 4): (2, 3, 8), (2, 5, 8) -> (2, 3, 8)
// The query's mask is the one that it carries; of masks given in the call only those of value and key count, as in Keras.
LayerRef MultiHeadAttention(int64_t num_heads, int64_t key_dim, MultiHeadAttentionOptions options = {});

struct GroupQueryAttentionOptions {
  double dropout = 0.0;
  bool use_bias = true;
  std::optional<int64_t> sliding_window = {};
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;
  std::optional<int64_t> seed = {};
  GLIA_LAYER_OPTIONS
};
// Ainslie et al. 2023: groups of query heads share one key and value head.
LayerRef GroupQueryAttention(int64_t head_dim, int64_t num_query_heads, int64_t num_key_value_heads,
                             GroupQueryAttentionOptions options = {});  // GroupQueryAttention(4, 4, 2): (2, 3, 8), (2, 5, 8) -> (2, 3, 8)

}  // namespace glia::layers
