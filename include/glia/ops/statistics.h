// Order statistics, counting and correlation, named as in keras.ops.
//
//   Value m = ops::median(x, {1});
//   Value q = ops::quantile(x, {0.25, 0.5, 0.75}, {-1});       // quantiles lead the result
//   Value c = ops::corrcoef(x);                                // rows are variables
#pragma once
#include <optional>
#include <string>
#include <utility>

#include <glia/value.h>

namespace glia::ops {

// q in [0, 1]; method: "linear", "lower", "higher", "midpoint" or "nearest". Several quantiles stand along a new first axis;
// `scalar` drops it when there is one. NaN where a line has a NaN; the nan variants leave NaNs out. Integers become float32.
struct QuantileOptions {
  std::string method = "linear";
  bool keepdims = false;
  bool scalar = false;
};
Value quantile(const Value& x, const std::vector<double>& q, std::vector<int64_t> axes = {}, const QuantileOptions& options = {});
Value nanquantile(const Value& x, const std::vector<double>& q, std::vector<int64_t> axes = {}, const QuantileOptions& options = {});
Value percentile(const Value& x, const std::vector<double>& q, std::vector<int64_t> axes = {}, const QuantileOptions& options = {});
Value nanpercentile(const Value& x, const std::vector<double>& q, std::vector<int64_t> axes = {}, const QuantileOptions& options = {});
Value median(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value nanmedian(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);

// Index of the largest / smallest element that is not NaN, -1 where there is none (int32).
Value nanargmax(const Value& x, std::optional<int64_t> axis = {}, bool keepdims = false);
Value nanargmin(const Value& x, std::optional<int64_t> axis = {}, bool keepdims = false);

// Pearson's correlation of the rows of x (variables, samples); leading axes are batches.
Value corrcoef(const Value& x);
// Sliding products of two vectors; mode "valid", "same" or "full".
Value correlate(const Value& a, const Value& b, const std::string& mode = "valid");
// Euclidean distances between the rows of x (..., n, d) and y (..., m, d): (..., n, m).
Value cdist(const Value& x, const Value& y);

// Position of each value in a sorted vector, int32; side "left": before equal elements, "right": behind them.
Value searchsorted(const Value& sorted_sequence, const Value& values, const std::string& side = "left");
// Index of the bin of each element: bins[i-1] <= x < bins[i]; bins ascending.
Value digitize(const Value& x, const Value& bins);
// {counts, edges} of the elements within [low, high] (default: the extremes of x) in equal bins; both have x's dtype.
Values histogram(const Value& x, int64_t bins = 10, std::optional<std::pair<double, double>> range = {});
// How often 0, 1, ..., length - 1 occur along the last axis of x (rank 1 or 2); with weights their sums.
Value bincount(const Value& x, int64_t length, const Value& weights = {});
// The same with the length max(x) + 1, at least minlength. x must be concrete, since the data decide on the shape.
Value bincount_of(const Value& x, const Value& weights = {}, int64_t minlength = 0);

// Whether each element of a occurs in b.
Value isin(const Value& a, const Value& b, bool invert = false);
// Whether predictions[i, targets[i]] is among the k largest of its row; ties count. targets (n), predictions (n, classes).
Value in_top_k(const Value& targets, const Value& predictions, int64_t k);
// Indices such that the k-th smallest stands at place k, smaller ones before it (int32).
Value argpartition(const Value& x, int64_t kth, int64_t axis = -1);

// ---- functions whose result's shape depends on the data: concrete values only, Error while tracing ----

// One int32 vector of indices per axis, of the elements that are not zero, row-major.
Values nonzero(const Value& x);
// The elements, rows, ... for which mask is true, in order; mask has the leading axes of x.
Value boolean_mask(const Value& x, const Value& mask);

struct UniqueOptions {
  bool sorted = true;  // else in order of first occurrence
  bool return_index = false, return_inverse = false, return_counts = false;
  std::optional<int64_t> axis;  // whole slices along it; absent: elements of the flattened array
  std::optional<int64_t> size;  // cut or padded with fill_value to this many
  double fill_value = 0;
};
// {values[, first index][, inverse][, counts]}; indices and counts are int32.
Values unique(const Value& x, const UniqueOptions& options = {});

}  // namespace glia::ops
