// Normalisation, softmax and cross-entropy: the heavy pieces of losses and layers. f32 and f64; half types are
// computed in f32. Names and formulas follow keras.ops.
#pragma once
#include <string>

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

// keras.ops.layer_normalization over any axes: gamma and beta (undefined: none) have the shape of the axes. Computed in float32 at
// least.
Value layer_normalization(const Value& x, const Value& gamma = {}, const Value& beta = {}, std::vector<int64_t> axes = {-1},
                          double epsilon = 1e-7);
Value rms_normalization(const Value& x, const Value& scale = {}, std::vector<int64_t> axes = {-1}, double epsilon = 1e-7);
// x / max(norm(x), epsilon) along axes, the norm of a whole order >= 1.
Value normalize(const Value& x, std::vector<int64_t> axes = {-1}, int64_t order = 2, double epsilon = 1e-7);
Value psnr(const Value& a, const Value& b, double max_val);  // 20 log10(max_val) - 10 log10(mean((a - b)^2))
// Which classes occur along axis 1 of the indices (axis 0 of a vector); others than 0 .. num_classes - 1 do not count.
Value multi_hot(const Value& indices, int64_t num_classes, DType dtype = DType::f32);
Values polar(const Value& magnitude, const Value& angle);  // {real, imaginary}

// ---- blocks of images ----
// (batch, height, width, channels): squares of block_size^2 channels become pixels, and back.
Value depth_to_space(const Value& x, int64_t block_size, const std::string& data_format = "channels_last");
Value space_to_depth(const Value& x, int64_t block_size, const std::string& data_format = "channels_last");
struct UnfoldOptions {  // one number, or one per height and width
  std::vector<int64_t> dilation = {1}, padding = {0}, stride = {1};
};
// Windows of images (batch, channels, height, width) as columns: (batch, channels * kh * kw, windows); fold adds them up again.
Value unfold(const Value& x, std::vector<int64_t> kernel_size, const UnfoldOptions& options = {});
Value fold(const Value& x, std::vector<int64_t> output_size, std::vector<int64_t> kernel_size, const UnfoldOptions& options = {});

// ---- connectionist temporal classification (Graves et al. 2006) ----
// Loss (batch) of labels target (batch, max_length) given logits output (batch, time, classes); lengths (batch) int32.
Value ctc_loss(const Value& target, const Value& output, const Value& target_length, const Value& output_length, int64_t mask_index = 0);
struct CtcDecodeOptions {
  std::string strategy = "greedy";  // or "beam_search" (concrete values only)
  int64_t beam_width = 100, top_paths = 1;
  bool merge_repeated = true;
  int64_t mask_index = 0;  // the blank; negative counts from the end
};
// {paths (top_paths, batch, time) int32, padded with -1; scores (batch, top_paths)}. Scores: the negated sum of the best logits
// (greedy), the log probability (beam search).
Values ctc_decode(const Value& inputs, const Value& sequence_lengths, const CtcDecodeOptions& options = {});

}  // namespace glia::ops
