// GPT-2 and BERT as functional models of this library's layers, with the options and weight names of Hugging Face's
// transformers: a folder with config.json and model.safetensors (or pytorch_model.bin, or shards) loads as it is, and what
// is saved loads there. Tokens are numbers here; nothing is downloaded.
//
//   Model gpt2 = transformers::load("gpt2");                                  // a folder
//   Tensor logits = gpt2.predict(ids);                                        // (batch, T) int32 -> (batch, T, 50257)
//   Model bert = transformers::load("bert-base-uncased", {.pooler = false});
//   std::vector<Tensor> y = bert.predict_all({ids, mask, types});             // (batch, T, 768)
//   save_pytorch_weights(gpt2, "out/model.safetensors", {.names = "gpt2"});
#pragma once
#include <optional>
#include <string>

#include <glia/load_options.h>
#include <glia/model.h>

namespace glia::transformers {

// Radford et al. 2019, "Language models are unsupervised multitask learners". Names: those of config.json.
struct GPT2Options {
  int64_t vocab_size = 50257;
  int64_t n_positions = 1024;
  int64_t n_embd = 768;
  int64_t n_layer = 12;
  int64_t n_head = 12;
  std::optional<int64_t> n_inner = {};            // 4 n_embd
  std::string activation_function = "gelu_new";   // or "gelu", "relu", "silu", "tanh"
  double resid_pdrop = 0.1;
  double embd_pdrop = 0.1;
  double attn_pdrop = 0.1;
  double layer_norm_epsilon = 1e-5;
  bool logits = true;                             // false: the last hidden state (HF's GPT2Model)
  std::string name = "gpt2";
};
// (batch, T) token ids, T at most n_positions -> (batch, T, vocab_size) logits by the table of tokens turned round.
Model GPT2(const GPT2Options& options = {});

// Devlin et al. 2018, "BERT: pre-training of deep bidirectional transformers".
struct BERTOptions {
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  std::string hidden_act = "gelu";
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  double layer_norm_eps = 1e-12;
  bool pooler = true;                             // the second output
  std::string name = "bert";
};
// {token ids, mask (1: a token, 0: padding), types}, each (batch, T) int32 -> {(batch, T, hidden_size), (batch, hidden_size)}:
// the last hidden state, and a tanh layer over its first token.
Model BERT(const BERTOptions& options = {});

struct LoadTransformerOptions {
  bool logits = true;  // GPT-2
  bool pooler = true;  // BERT; false when the file has none
  LoadOptions load = {};
};
// Reads config.json ("model_type": "gpt2" or "bert") and the weights beside it; heads of other tasks (classifier, cls, ...)
// are left out. Throws Error for other models, for options that are not built here (such as relative positions), and
// weights that do not fit.
Model load(const std::string& folder, const LoadTransformerOptions& options = {});

}  // namespace glia::transformers
