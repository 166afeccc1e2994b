// What losses and metrics share: how targets, predictions, masks and weights of different ranks meet (keras.losses.loss).
#pragma once
#include <string>

#include <glia/ops.h>

namespace glia::nn {

// Ranks that differ by one: a last axis of 1 is squeezed, or appended where the other has rank 1.
void squeeze_or_expand(Value& a, Value& b);
// Weights with the mask (bool, or undefined) worked in. For means the mask is scaled so that the mean is over the valid ones.
Value apply_mask(const Value& sample_weight, const Value& mask, DType dtype, const std::string& reduction);
Value reduce_weighted(const Value& values, Value sample_weight, const Value& mask, const std::string& reduction);
Value divide_no_nan(const Value& a, const Value& b);  // 0 where b is 0

// One value per sample, weighted, and the weights per sample (undefined without sample_weight); keras.metrics.Mean and Sum.
struct SampleValues {
  Value values, weight;
};
SampleValues to_samplewise(const Value& values, const Value& sample_weight, bool by_mean, DType dtype);

}  // namespace glia::nn
