// Activation functions of keras.ops; glia::activations and the layers are built of these.
//
//   Value y = ops::elu(x, 0.5);
//   Value p = ops::sparsemax(logits);
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value relu6(const Value& x);                              // min(max(x, 0), 6)
Value leaky_relu(const Value& x, double negative_slope = 0.2);
Value elu(const Value& x, double alpha = 1.0);            // x, or alpha (exp(x) - 1) below zero
Value celu(const Value& x, double alpha = 1.0);           // x, or alpha (exp(x / alpha) - 1) below zero
Value selu(const Value& x);                               // Klambauer et al. 2017
Value softsign(const Value& x);                           // x / (1 + |x|)
Value hard_sigmoid(const Value& x);                       // relu6(x + 3) / 6
Value hard_silu(const Value& x);                          // x hard_sigmoid(x)
Value hard_swish(const Value& x);                         // another name of hard_silu
Value hard_tanh(const Value& x);                          // clip(x, -1, 1)
Value hard_shrink(const Value& x, double threshold = 0.5);  // x where |x| > threshold, else 0
Value soft_shrink(const Value& x, double threshold = 0.5);  // x drawn towards 0 by threshold
Value tanh_shrink(const Value& x);                        // x - tanh(x)
Value threshold(const Value& x, double threshold, double default_value);  // x where x > threshold
Value squareplus(const Value& x, double b = 4.0);         // (x + sqrt(x^2 + b)) / 2
Value sparse_plus(const Value& x);                        // 0 up to -1, (x + 1)^2 / 4, x from 1
Value sparse_sigmoid(const Value& x);                     // 0 up to -1, (x + 1) / 2, 1 from 1
Value glu(const Value& x, int64_t axis = -1);             // first half times sigmoid of the second; the extent must be even
// Martins and Astudillo 2016, with the threshold as Keras 3.15 computes it.
Value sparsemax(const Value& x, int64_t axis = -1);

}  // namespace glia::ops
