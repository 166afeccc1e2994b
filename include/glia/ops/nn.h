// Normalisation, softmax and cross-entropy: the heavy pieces of losses and layers. f32 and f64; half types are
// computed in f32. Names and formulas follow keras.ops.
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value softmax(const Value& x, int64_t axis = -1);
Value log_softmax(const Value& x, int64_t axis = -1);
Value logsumexp(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);

// Cross-entropy of integer labels with unnormalised logits over the last axis, numerically safe and fused:
// loss = log(sum(exp(logits))) - logits[label]. labels: int32 or int64, the shape of logits without its last axis.
// A label equal to *ignore_class gives loss and gradient 0; any other label outside [0, classes) is an Error at run
// time.
Value sparse_cross_entropy_with_logits(const Value& logits, const Value& labels,
                                       const int64_t* ignore_class = nullptr);
// keras.ops.*crossentropy; output: probabilities, or logits with from_logits. Probabilities are clipped to
// [1e-7, 1 - 1e-7] as Keras does.
Value categorical_crossentropy(const Value& target, const Value& output, bool from_logits = false, int64_t axis = -1);
Value sparse_categorical_crossentropy(const Value& target, const Value& output, bool from_logits = false,
                                      int64_t axis = -1, const int64_t* ignore_class = nullptr);
Value binary_crossentropy(const Value& target, const Value& output, bool from_logits = false);

// (x - mean) / sqrt(variance + epsilon) over the last `axes_from_end` axes, times gamma, plus beta (either may be
// undefined; their shape is that of the normalised axes). Ba et al. 2016.
Value layer_norm(const Value& x, const Value& gamma, const Value& beta, double epsilon = 1e-3,
                 int64_t axes_from_end = 1);
// x / sqrt(mean(x^2) + epsilon) * gamma. Zhang and Sennrich 2019.
Value rms_norm(const Value& x, const Value& gamma, double epsilon = 1e-6, int64_t axes_from_end = 1);

// Training-mode batch normalisation of the last axis (channels): statistics over all other axes, biased variance.
// gamma, beta: (channels) or undefined. Ioffe and Szegedy 2015.
struct BatchNorm {
  Value y, mean, variance;
};
BatchNorm batch_norm_training(const Value& x, const Value& gamma, const Value& beta, double epsilon = 1e-3);
// keras.ops.batch_normalization: given statistics; pointwise, so it fuses with its neighbours.
Value batch_normalization(const Value& x, const Value& mean, const Value& variance, int64_t axis,
                          const Value& offset = {}, const Value& scale = {}, double epsilon = 1e-3);
// keras.ops.moments: {mean, biased variance} over axes.
Values moments(const Value& x, std::vector<int64_t> axes, bool keepdims = false);

}  // namespace glia::ops
