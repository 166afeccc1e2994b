// Counts of true and false positives and negatives at thresholds; what Precision, Recall and AUC are made of.
#pragma once
#include <glia/metrics.h>

namespace glia::nn {

struct ConfusionInput {
  std::string where;                        // the metric, for messages
  Value y_true, y_pred, sample_weight;
  Floats thresholds;
  std::optional<int64_t> top_k, class_id;
  bool multi_label = false;                 // counts per label: (thresholds, labels); else (thresholds)
  std::optional<Floats> label_weights;
};
// What one batch adds. A prediction is positive when it is greater than the threshold.
struct ConfusionCounts {
  Value true_positives, false_positives, true_negatives, false_negatives;
};
ConfusionCounts count_confusion(ConfusionInput in);

// n thresholds at i / (n - 1).
Floats even_thresholds(int64_t n);
inline constexpr double kNegativeInfinity = -1e10;  // Keras's; below every prediction

}  // namespace glia::nn
