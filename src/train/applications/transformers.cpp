// GPT-2 and BERT. The layers bear the names of Hugging Face's modules, by which weights find them.
#include <glia/layers.h>
#include <glia/ops.h>
#include <glia/transformers.h>

#include "base/error.h"

namespace glia::transformers {
namespace {

Value activated(const Value& x, const std::string& name) {
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return ops::gelu(x, true);
  if (name == "gelu") return ops::gelu(x, false);
  if (name == "relu") return ops::relu(x);
  if (name == "silu" || name == "swish") return ops::silu(x);
  if (name == "tanh") return ops::tanh(x);
  static const std::vector<std::string> known{"gelu_new", "gelu", "relu", "silu", "tanh"};
  throw_error("Unknown activation '{}'.{}", name, did_you_mean(name, known));
}

Value normed(const Value& x, double epsilon, const std::string& name) {
  return layers::LayerNormalization({.epsilon = epsilon, .name = name})(x);
}
Value dropped(const Value& x, double rate) { return rate > 0 ? layers::Dropout(rate)(x) : x; }

// 0, 1, ... T - 1 for each row, whatever T is.
Value positions_of(const Value& ids) { return ops::cumsum(ids * 0 + 1, 1) - 1; }

void check_heads(const char* who, int64_t width, int64_t heads, int64_t layer_count) {
  GLIA_CHECK(heads > 0 && width > 0 && width % heads == 0, "{}: the width must be a multiple of the number of heads. Received {} and {}.", who,
             width, heads);
  GLIA_CHECK(layer_count >= 0 && layer_count <= 10000, "{}: expected 0 to 10,000 layers. Received {}.", who, layer_count);
}

}  // namespace

Model GPT2(const GPT2Options& o) {
  check_heads("GPT2", o.n_embd, o.n_head, o.n_layer);
  const Value ids = Input({-1}, {.name = "input_ids", .dtype = DType::i32});
  const LayerRef tokens = layers::ReversibleEmbedding(o.vocab_size, o.n_embd, {.name = "wte"});
  Value x = tokens(ids) + layers::Embedding(o.n_positions, o.n_embd, {.name = "wpe"})(positions_of(ids));
  x = dropped(x, o.embd_pdrop);
  for (int64_t i = 0; i < o.n_layer; ++i) {
    const std::string h = fmt::format("h.{}.", i);
    Value y = normed(x, o.layer_norm_epsilon, h + "ln_1");
    y = layers::MultiHeadAttention(o.n_head, o.n_embd / o.n_head, {.dropout = o.attn_pdrop, .name = h + "attn"})({y, y}, {.use_causal_mask = true});
    x = x + dropped(y, o.resid_pdrop);
    y = normed(x, o.layer_norm_epsilon, h + "ln_2");
    y = activated(layers::Dense(o.n_inner.value_or(4 * o.n_embd), {.name = h + "mlp.c_fc"})(y), o.activation_function);
    x = x + dropped(layers::Dense(o.n_embd, {.name = h + "mlp.c_proj"})(y), o.resid_pdrop);
  }
  x = normed(x, o.layer_norm_epsilon, "ln_f");
  if (o.logits) x = tokens(x, {.reverse = true});
  return Model({ids}, {x}, {.name = o.name});
}

Model BERT(const BERTOptions& o) {
  check_heads("BERT", o.hidden_size, o.num_attention_heads, o.num_hidden_layers);
  const Value ids = Input({-1}, {.name = "input_ids", .dtype = DType::i32}), mask = Input({-1}, {.name = "attention_mask", .dtype = DType::i32}),
              types = Input({-1}, {.name = "token_type_ids", .dtype = DType::i32});
  const auto table = [&](int64_t rows, const char* name) { return layers::Embedding(rows, o.hidden_size, {.name = std::string("embeddings.") + name}); };
  Value x = table(o.vocab_size, "word_embeddings")(ids) + table(o.max_position_embeddings, "position_embeddings")(positions_of(ids)) +
            table(o.type_vocab_size, "token_type_embeddings")(types);
  x = dropped(normed(x, o.layer_norm_eps, "embeddings.LayerNorm"), o.hidden_dropout_prob);
  const Value visible = ops::not_equal(mask, ops::scalar_like(mask, 0));
  for (int64_t i = 0; i < o.num_hidden_layers; ++i) {
    const std::string l = fmt::format("encoder.layer.{}.", i);
    Value y = layers::MultiHeadAttention(o.num_attention_heads, o.hidden_size / o.num_attention_heads,
                                         {.dropout = o.attention_probs_dropout_prob, .name = l + "attention"})({x, x}, {.masks = {Value(), visible}});
    x = normed(x + dropped(y, o.hidden_dropout_prob), o.layer_norm_eps, l + "attention.output.LayerNorm");
    y = activated(layers::Dense(o.intermediate_size, {.name = l + "intermediate.dense"})(x), o.hidden_act);
    y = layers::Dense(o.hidden_size, {.name = l + "output.dense"})(y);
    x = normed(x + dropped(y, o.hidden_dropout_prob), o.layer_norm_eps, l + "output.LayerNorm");
  }
  if (!o.pooler) return Model({ids, mask, types}, {x}, {.name = o.name});
  const Value first = ops::squeeze(ops::slice_axis(x, 1, 0, 1), {1});
  const Value pooled = layers::Dense(o.hidden_size, {.activation = "tanh", .name = "pooler.dense"})(first);
  return Model({ids, mask, types}, {x, pooled}, {.name = o.name});
}

}  // namespace glia::transformers
