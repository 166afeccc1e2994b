// What the operators of the domain ai.onnx.ml share: rows of features, and what becomes of scores.
#pragma once
#include "io/onnx/operator_util.h"

namespace glia::onnx {

// Input 0 as float rows (N, features); an array of one axis is one row. float64 stays.
Value feature_rows(const Node& n);

// What the attribute post_transform names: NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, over the last axis.
Value post_transformed(const Node& n, const Value& scores, const std::string& name);
inline Value post_transformed(const Node& n, const Value& scores) { return post_transformed(n, scores, n.s("post_transform", "NONE")); }

// Classes by number: labels as int64. A model whose classes are texts (classlabels_strings) gives their positions in that list,
// because a model of Glia has no texts as results.
struct ClassLabels {
  explicit ClassLabels(const Node& n);
  int64_t size() const { return static_cast<int64_t>(values.size()); }
  Value at(const Value& index) const;  // (N) positions -> (N) labels
  Ints values;
};

}  // namespace glia::onnx
