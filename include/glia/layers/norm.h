// Normalisation layers.
//
//   layers::BatchNormalization()                 // statistics of the batch in training, moving averages otherwise
//   layers::LayerNormalization({.epsilon = 1e-6})
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct BatchNormalizationOptions {
  int64_t axis = -1;        // the channel axis
  double momentum = 0.99;   // of the old value: moving = moving * momentum + batch * (1 - momentum)
  double epsilon = 1e-3;
  bool center = true;       // add beta
  bool scale = true;        // multiply by gamma
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  bool renorm = false;      // batch renormalisation (Ioffe 2017)
  Numbers renorm_clipping = {};  // "rmin", "rmax", "dmax": limits of its corrections
  double renorm_momentum = 0.99;
  bool synchronized = false;
  GLIA_LAYER_OPTIONS
};
// (x - mean) / sqrt(variance + epsilon) * gamma + beta for each channel; biased variance (Ioffe and Szegedy 2015). In training
// mean and variance are the batch's, over all axes but `axis` and unmasked steps only, and update the moving ones; else, and
// when trainable is false, the moving ones are used. Weights: gamma, beta, moving_mean, moving_variance.
LayerRef BatchNormalization(BatchNormalizationOptions options = {});  // BatchNormalization(): (8, 16) -> (8, 16)

struct LayerNormalizationOptions {
  Ints axis = {-1};
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  bool rms_scaling = false;  // Keras's deprecated option: x / sqrt(variance + epsilon) * gamma
  GLIA_LAYER_OPTIONS
};
// Mean 0 and variance 1 over `axis` for each example (Ba et al. 2016). Weights: gamma, beta, shaped like these axes.
LayerRef LayerNormalization(LayerNormalizationOptions options = {});  // LayerNormalization({.epsilon = 1e-6}): (2, 5, 16) -> (2, 5, 16)

struct GroupNormalizationOptions {
  int64_t groups = 32;  // -1: one per channel (instance normalisation)
  int64_t axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  GLIA_LAYER_OPTIONS
};
// Mean 0 and variance 1 over each group of channels of each example (Wu and He 2018). Weights: gamma, beta (channels).
LayerRef GroupNormalization(GroupNormalizationOptions options = {});  // GroupNormalization({.groups = 4}): (1, 6, 6, 8) -> (1, 6, 6, 8)

struct RMSNormalizationOptions {
  Ints axis = {-1};
  double epsilon = 1e-6;
  GLIA_LAYER_OPTIONS
};
// x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich 2019). Weights: scale.
LayerRef RMSNormalization(RMSNormalizationOptions options = {});  // RMSNormalization(): (2, 16) -> (2, 16)

struct UnitNormalizationOptions {
  Ints axis = {-1};
  GLIA_LAYER_OPTIONS
};
// x divided by its L2 norm over `axis`.
LayerRef UnitNormalization(UnitNormalizationOptions options = {});  // UnitNormalization(): (2, 16) -> (2, 16)

struct SpectralNormalizationOptions {
  int64_t power_iterations = 1;
  GLIA_LAYER_OPTIONS
};
// Keeps the largest singular value of the wrapped layer's kernel at 1: each training call divides the kernel by an estimate of
// it (Miyato et al. 2018). Weights: those of the layer, then the state vector_u.
LayerRef SpectralNormalization(LayerRef layer, SpectralNormalizationOptions options = {});  // SpectralNormalization(Dense(8)): (2, 16) -> (2, 8)

}  // namespace glia::layers
