// Softmax, cross-entropy, normalisation.
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

GLIA_SAMPLES(softmaxes) {
  for (const char* op : {"softmax", "log_softmax"}) {
    list.add(op, {}, {numbers({5, 7}, -4, 4)});
    list.add(op, {}, {numbers({3, 100}, -4, 4)});
    list.add(op, {{"axis", int64_t{0}}}, {numbers({6, 37}, -4, 4)});
    list.add(op, {{"axis", int64_t{1}}}, {numbers({2, 5, 3}, -4, 4)});
    list.add(op, {}, {numbers({0, 4})});
    const std::string grad = std::string(op) + "_grad";
    list.add(grad, {}, {numbers({5, 7}, -2, 2), numbers({5, 7}, -1, 1, 2)});
    list.add(grad, {{"axis", int64_t{0}}}, {numbers({6, 37}, -2, 2), numbers({6, 37}, -1, 1, 2)});
  }
  list.refuse("softmax", {{"axis", int64_t{2}}}, {{DType::f32, {2, 3}}},
              "softmax: axis 2 is out of range for rank 2.");
  list.refuse("softmax", {}, {{DType::i32, {2, 3}}}, "softmax: expected floating point. Received int32 (2, 3).");
}

GLIA_SAMPLES(cross_entropies) {
  const ir::Attrs ignore{{"has_ignore", true}, {"ignore", int64_t{2}}};
  for (const ir::Attrs& attrs : {ir::Attrs{}, ignore}) {
    list.add("sparse_cross_entropy", attrs, {numbers({9, 5}, -3, 3), integers({9}, 0, 4)});
    list.add("sparse_cross_entropy", attrs, {numbers({4, 3, 40}, -3, 3), integers({4, 3}, 0, 39, DType::i64)});
    list.add("sparse_cross_entropy_grad", attrs,
             {numbers({9, 5}, -2, 0), integers({9}, 0, 4), numbers({9}, 0.5, 1, 3), numbers({9}, 0.5, 1, 4)});
  }
  list.refuse("sparse_cross_entropy", {}, {{DType::f32, {4, 3}}, {DType::i32, {3}}},
              "sparse_cross_entropy: labels must have the shape of the logits without the last axis. Received logits "
              "float32 (4, 3) and "
              "labels int32 (3,).");
  list.refuse("sparse_cross_entropy", {}, {{DType::f32, {4, 3}}, {DType::f32, {4}}},
              "sparse_cross_entropy: labels must be int32 or int64. Received float32 (4,).");
}

GLIA_SAMPLES(layer_norms) {
  const Tensor gamma = numbers({6}, 0.5, 2, 2), beta = numbers({6}, -1, 1, 3);
  list.add("layer_norm", {}, {numbers({4, 6})});
  list.add("layer_norm", {{"scale", true}, {"center", true}}, {numbers({3, 5, 6}), gamma, beta});
  list.add("layer_norm", {{"center", true}}, {numbers({3, 5, 6}), beta});
  list.add("layer_norm", {{"rms", true}, {"scale", true}, {"epsilon", 1e-6}}, {numbers({7, 6}), gamma});
  list.add("layer_norm", {}, {numbers({70, 300})});
  const Tensor x = numbers({4, 6}), dy = numbers({4, 6}, -1, 1, 5), mean = numbers({4}, -0.2, 0.2, 6),
               rstd = numbers({4}, 0.8, 1.2, 7);
  list.add("layer_norm_grad", {}, {x, mean, rstd, dy});
  list.add("layer_norm_grad", {{"scale", true}, {"center", true}}, {x, mean, rstd, dy, gamma});
  list.add("layer_norm_grad", {{"rms", true}}, {x, mean, rstd, dy});
  list.refuse("layer_norm", {{"scale", true}}, {{DType::f32, {2, 3}}, {DType::f32, {4}}},
              "layer_norm: gamma and beta must be float32 (3). Received float32 (4,) for an input float32 (2, 3).");
}

GLIA_SAMPLES(batch_norms) {
  const Tensor gamma = numbers({3}, 0.5, 2, 2), beta = numbers({3}, -1, 1, 3);
  list.add("batch_norm_training", {}, {numbers({8, 3})});
  list.add("batch_norm_training", {{"scale", true}, {"center", true}}, {numbers({4, 5, 3}), gamma, beta});
  list.add("channel_moments", {}, {numbers({4, 5, 3})});
  list.add("channel_moments", {}, {numbers({300, 70})});
  list.add("channel_grad_sums", {}, {numbers({4, 5, 3}), numbers({4, 5, 3}, -1, 1, 4), beta, gamma});
  list.refuse("batch_norm_training", {}, {{DType::f32, {3}}},
              "batch_norm_training: expected floating point (..., channels). Received float32 (3,).");
}
