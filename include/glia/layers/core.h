// Core layers: dense maps, embeddings, activations, masking.
//
//   Value x = Input({16});
//   Value y = layers::Dense(64, {.activation = "relu"})(x);
//   Value z = layers::Dense(10, {.activation = "softmax"})(y);
#pragma once
#include <functional>

#include <glia/layers/options.h>

namespace glia::layers {

struct InputLayerOptions {
  std::optional<int64_t> batch_size = {};  // fixed batch size; else any
  std::string dtype = "float32";
  std::string name = {};
};
// The input of a Sequential model as its first layer. shape is without the batch axis; -1 is any extent. Functional models start
// with glia::Input.
LayerRef InputLayer(Shape shape, InputLayerOptions options = {});  // InputLayer({16}): (8, 16) -> (8, 16)

struct DenseOptions {
  glia::Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// activation(x @ kernel + bias) over the last axis: (batch, ..., n) -> (batch, ..., units). Weights: kernel (n, units),
// bias (units). Throws Error for an input of rank < 2 or an unknown last axis.
LayerRef Dense(int64_t units, DenseOptions options = {});  // Dense(64, {.activation = "relu"}): (8, 16) -> (8, 64)

struct EinsumDenseOptions {
  glia::Activation activation = {};
  std::string bias_axes = {};  // letters of the output that the bias spans; empty: no bias
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// activation(einsum(equation, x, kernel) + bias), e.g. "abc,cd->abd" or "...x,xy->...y". output_shape is without the batch
// axis; -1 (None) is taken from the input.
LayerRef EinsumDense(std::string equation, Shape output_shape, EinsumDenseOptions options = {});  // EinsumDense("abc,cd->abd", {-1, 6}, {.bias_axes = "d"}): (2, 3, 4) -> (2, 3, 6)

struct EmbeddingOptions {
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;  // id 0 is padding: the output carries the mask (ids != 0)
  Regularizer activity_regularizer = {};
  GLIA_LAYER_OPTIONS
};
// Rows of a table: ids (batch, ...) in 0 .. input_dim-1 -> (batch, ..., output_dim). Weights: embeddings (input_dim,
// output_dim). Embedding(100, 8): int (2, 5) -> (2, 5, 8)
LayerRef Embedding(int64_t input_dim, int64_t output_dim, EmbeddingOptions options = {});

struct ReversibleEmbeddingOptions {
  bool tie_weights = true;  // the way back uses the transposed table, else a matrix of its own
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;
  std::optional<std::string> reverse_dtype = {};
  std::optional<double> logit_soft_cap = {};  // cap * tanh(logits / cap)
  Regularizer activity_regularizer = {};
  GLIA_LAYER_OPTIONS
};
// An Embedding that also maps back: called with {.reverse = true} it turns (..., output_dim) into logits (..., input_dim).
LayerRef ReversibleEmbedding(int64_t input_dim, int64_t output_dim, ReversibleEmbeddingOptions options = {});  // ReversibleEmbedding(100, 8): int (2, 5) -> (2, 5, 8)

LayerRef Identity(PlainOptions options = {});  // Identity(): (2, 3) -> (2, 3)

struct MaskingOptions {
  double mask_value = 0.0;
  GLIA_LAYER_OPTIONS
};
// Masks the steps (batch, step, features) all of whose features equal mask_value, and sets them to zero.
LayerRef Masking(MaskingOptions options = {});  // Masking(): (2, 5, 3) -> (2, 5, 3)

// An elementwise or other function of one's own. It must be built from ops so that it can be traced. Without a name it
// cannot be saved. Lambda([](const Value& x) { return x * 2.0; }): (2, 3) -> (2, 3)
LayerRef Lambda(std::function<Value(const Value&)> function, PlainOptions options = {});

LayerRef Activation(glia::Activation activation, PlainOptions options = {});  // Activation("tanh"): (2, 3) -> (2, 3)

struct ReLUOptions {
  std::optional<double> max_value = {};
  double negative_slope = 0.0;
  double threshold = 0.0;
  GLIA_LAYER_OPTIONS
};
// x for x >= threshold, negative_slope * (x - threshold) below, at most max_value.
LayerRef ReLU(ReLUOptions options = {});  // ReLU({.max_value = 6.0}): (2, 3) -> (2, 3)

struct LeakyReLUOptions {
  double negative_slope = 0.3;
  GLIA_LAYER_OPTIONS
};
LayerRef LeakyReLU(LeakyReLUOptions options = {});  // LeakyReLU({.negative_slope = 0.1}): (2, 3) -> (2, 3)

struct ELUOptions {
  double alpha = 1.0;
  GLIA_LAYER_OPTIONS
};
LayerRef ELU(ELUOptions options = {});  // ELU(): (2, 3) -> (2, 3)

struct PReLUOptions {
  Initializer alpha_initializer = "zeros";
  Regularizer alpha_regularizer = {};
  Constraint alpha_constraint = {};
  Ints shared_axes = {};  // axes (from 1) along which one alpha serves all
  GLIA_LAYER_OPTIONS
};
// max(x, 0) + alpha * min(x, 0) with learned alpha.
LayerRef PReLU(PReLUOptions options = {});  // PReLU({.shared_axes = {1, 2}}): (1, 4, 4, 3) -> (1, 4, 4, 3)

struct SoftmaxOptions {
  Ints axis = {-1};
  GLIA_LAYER_OPTIONS
};
// Softmax over one or several axes. A mask (as second argument of the call) gives its masked places probability 0.
LayerRef Softmax(SoftmaxOptions options = {});  // Softmax(): (2, 10) -> (2, 10)

}  // namespace glia::layers
