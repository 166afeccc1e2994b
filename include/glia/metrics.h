// Metrics: numbers watched during training and evaluation. By name ("accuracy", "mae") or as object with options.
//
//   Metric auc = metrics::AUC({.curve = "PR"});
//   auc->update(y_true, y_pred);                       // builds on first use, then adds a batch
//   double v = auc->result().tensor().item();
//   Metric own = metrics::custom("off_by", [](const Value& t, const Value& p) { return ops::mean(ops::abs(t - p), {-1}); });
//
// A metric keeps sums in variables: update_state inside a traced step becomes part of that step, outside it runs at once.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <glia/config.h>
#include <glia/losses.h>
#include <glia/value.h>
#include <glia/variable.h>

namespace glia {

class MetricBase : public Configurable {
 public:
  static constexpr std::string_view kind = "metric";
  MetricBase() = default;
  explicit MetricBase(std::string metric_name, std::string metric_dtype = "float32");

  std::string name = "metric";
  std::string dtype = "float32";
  std::vector<Variable> variables = {};  // created by build

  void fields(Fields& f) override;
  // Creates the variables; later calls do nothing. y_pred's type is empty (rank 0) for Mean and Sum.
  virtual void build(const TensorType& y_true, const TensorType& y_pred) = 0;
  virtual void update_state(const Value& y_true, const Value& y_pred, const Value& sample_weight) = 0;
  virtual Value result() = 0;
  virtual void reset_state();  // zeros
  // Which way is better for callbacks in mode "auto": "up", "down" or "" when nobody knows.
  virtual std::string direction() const { return ""; }
  // build and update_state.
  void update(const Value& y_true, const Value& y_pred = {}, const Value& sample_weight = {});

 protected:
  Variable add_variable(const std::string& variable_name, const Shape& shape);
};
using Metric = Ref<MetricBase>;

// Weighted mean of the values it is given; also what trackers of losses are.
class MeanMetric : public MetricBase {
 public:
  explicit MeanMetric(std::string metric_name = "mean", std::string metric_dtype = "float32");
  std::string class_name() const override { return "Mean"; }
  void build(const TensorType& y_true, const TensorType& y_pred) override;
  void update_state(const Value& values, const Value& unused, const Value& sample_weight) override;
  Value result() override;

 protected:
  void add_values(const Value& values, const Value& sample_weight);
};

// The metric that compile's string stands for; "accuracy", "acc", "crossentropy" and "ce" depend on the shapes. The metric
// is named after the string. Throws Error with "did you mean".
Metric resolve_metric(const std::string& name, const TensorType& y_true, const TensorType& y_pred);

namespace metrics {

struct MeanOptions { std::string name = "mean"; std::string dtype = "float32"; };
Metric Mean(MeanOptions options = {});
struct SumOptions { std::string name = "sum"; std::string dtype = "float32"; };
Metric Sum(SumOptions options = {});
// Mean of fn(y_true, y_pred), the value per sample.
Metric custom(std::string name, std::function<Value(const Value& y_true, const Value& y_pred)> fn);
// The same of a function of Keras named as in keras.losses or keras.metrics ("mean_squared_error").
struct MeanMetricWrapperOptions { std::string fn = "mean_squared_error"; std::string name = "mean_metric_wrapper"; std::string dtype = "float32"; };
Metric MeanMetricWrapper(MeanMetricWrapperOptions options);

// Accuracies.
struct AccuracyOptions { std::string name = "accuracy"; std::string dtype = "float32"; };
Metric Accuracy(AccuracyOptions options = {});
struct BinaryAccuracyOptions { std::string name = "binary_accuracy"; std::string dtype = "float32"; double threshold = 0.5; };
Metric BinaryAccuracy(BinaryAccuracyOptions options = {});
struct CategoricalAccuracyOptions { std::string name = "categorical_accuracy"; std::string dtype = "float32"; };
Metric CategoricalAccuracy(CategoricalAccuracyOptions options = {});
struct SparseCategoricalAccuracyOptions { std::string name = "sparse_categorical_accuracy"; std::string dtype = "float32"; };
Metric SparseCategoricalAccuracy(SparseCategoricalAccuracyOptions options = {});
struct TopKCategoricalAccuracyOptions { int64_t k = 5; std::string name = "top_k_categorical_accuracy"; std::string dtype = "float32"; };
Metric TopKCategoricalAccuracy(TopKCategoricalAccuracyOptions options = {});
struct SparseTopKCategoricalAccuracyOptions {
  int64_t k = 5;
  std::string name = "sparse_top_k_categorical_accuracy";
  std::string dtype = "float32";
  bool from_sorted_ids = false;  // y_pred holds class ids, best first
};
Metric SparseTopKCategoricalAccuracy(SparseTopKCategoricalAccuracyOptions options = {});

// Regression.
struct MeanSquaredErrorOptions { std::string name = "mean_squared_error"; std::string dtype = "float32"; };
Metric MeanSquaredError(MeanSquaredErrorOptions options = {});
struct RootMeanSquaredErrorOptions { std::string name = "root_mean_squared_error"; std::string dtype = "float32"; };
Metric RootMeanSquaredError(RootMeanSquaredErrorOptions options = {});
struct MeanAbsoluteErrorOptions { std::string name = "mean_absolute_error"; std::string dtype = "float32"; };
Metric MeanAbsoluteError(MeanAbsoluteErrorOptions options = {});
struct MeanAbsolutePercentageErrorOptions { std::string name = "mean_absolute_percentage_error"; std::string dtype = "float32"; };
Metric MeanAbsolutePercentageError(MeanAbsolutePercentageErrorOptions options = {});
struct MeanSquaredLogarithmicErrorOptions { std::string name = "mean_squared_logarithmic_error"; std::string dtype = "float32"; };
Metric MeanSquaredLogarithmicError(MeanSquaredLogarithmicErrorOptions options = {});
struct CosineSimilarityOptions { std::string name = "cosine_similarity"; std::string dtype = "float32"; int64_t axis = -1; };
Metric CosineSimilarity(CosineSimilarityOptions options = {});
struct LogCoshErrorOptions { std::string name = "logcosh"; std::string dtype = "float32"; };
Metric LogCoshError(LogCoshErrorOptions options = {});
struct R2ScoreOptions {
  std::optional<std::string> class_aggregation = "uniform_average";  // or "variance_weighted_average", or none
  int64_t num_regressors = 0;
  std::string name = "r2_score";
  std::string dtype = "float32";
};
Metric R2Score(R2ScoreOptions options = {});
struct PearsonCorrelationOptions { std::string name = "pearson_correlation"; std::string dtype = "float32"; int64_t axis = -1; };
Metric PearsonCorrelation(PearsonCorrelationOptions options = {});
struct ConcordanceCorrelationOptions { std::string name = "concordance_correlation"; std::string dtype = "float32"; int64_t axis = -1; };
Metric ConcordanceCorrelation(ConcordanceCorrelationOptions options = {});

// Probabilities and margins: the losses of the same names.
struct BinaryCrossentropyOptions {
  std::string name = "binary_crossentropy";
  std::string dtype = "float32";
  bool from_logits = false;
  double label_smoothing = 0.0;
};
Metric BinaryCrossentropy(BinaryCrossentropyOptions options = {});
struct CategoricalCrossentropyOptions {
  std::string name = "categorical_crossentropy";
  std::string dtype = "float32";
  bool from_logits = false;
  double label_smoothing = 0.0;
  int64_t axis = -1;
};
Metric CategoricalCrossentropy(CategoricalCrossentropyOptions options = {});
struct SparseCategoricalCrossentropyOptions {
  std::string name = "sparse_categorical_crossentropy";
  std::string dtype = "float32";
  bool from_logits = false;
  std::optional<int64_t> ignore_class = {};
  int64_t axis = -1;
};
Metric SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions options = {});
struct KLDivergenceOptions { std::string name = "kl_divergence"; std::string dtype = "float32"; };
Metric KLDivergence(KLDivergenceOptions options = {});
struct PoissonOptions { std::string name = "poisson"; std::string dtype = "float32"; };
Metric Poisson(PoissonOptions options = {});
struct HingeOptions { std::string name = "hinge"; std::string dtype = "float32"; };
Metric Hinge(HingeOptions options = {});
struct SquaredHingeOptions { std::string name = "squared_hinge"; std::string dtype = "float32"; };
Metric SquaredHinge(SquaredHingeOptions options = {});
struct CategoricalHingeOptions { std::string name = "categorical_hinge"; std::string dtype = "float32"; };
Metric CategoricalHinge(CategoricalHingeOptions options = {});

// Confusion counts at thresholds (one: a scalar result; several: a vector). An empty name becomes the class's.
struct ConfusionOptions {
  std::optional<Floats> thresholds = {};  // default 0.5
  std::string name = {};
  std::string dtype = "float32";
};
Metric TruePositives(ConfusionOptions options = {});
Metric TrueNegatives(ConfusionOptions options = {});
Metric FalsePositives(ConfusionOptions options = {});
Metric FalseNegatives(ConfusionOptions options = {});
struct PrecisionOptions {
  std::optional<Floats> thresholds = {};  // a prediction counts as positive when it is greater
  std::optional<int64_t> top_k = {};      // only the k largest of the last axis count
  std::optional<int64_t> class_id = {};   // only this class
  std::string name = {};
  std::string dtype = "float32";
};
using RecallOptions = PrecisionOptions;
Metric Precision(PrecisionOptions options = {});
Metric Recall(RecallOptions options = {});
struct AtOptions {
  int64_t num_thresholds = 200;
  std::optional<int64_t> class_id = {};
  std::string name = {};
  std::string dtype = "float32";
};
Metric SensitivityAtSpecificity(double specificity, AtOptions options = {});
Metric SpecificityAtSensitivity(double sensitivity, AtOptions options = {});
Metric PrecisionAtRecall(double recall, AtOptions options = {});
Metric RecallAtPrecision(double precision, AtOptions options = {});
struct AUCOptions {
  int64_t num_thresholds = 200;
  std::string curve = "ROC";                       // "PR", "PRGAIN"
  std::string summation_method = "interpolation";  // "minoring", "majoring"
  std::string name = {};
  std::string dtype = "float32";
  std::optional<Floats> thresholds = {};
  bool multi_label = false;
  std::optional<int64_t> num_labels = {};
  std::optional<Floats> label_weights = {};
  bool from_logits = false;
};
Metric AUC(AUCOptions options = {});
struct FBetaScoreOptions {
  std::optional<std::string> average = {};  // "micro", "macro", "weighted"; none: per class
  double beta = 1.0;
  std::optional<double> threshold = {};     // none: the largest wins
  std::string name = "fbeta_score";
  std::string dtype = "float32";
};
Metric FBetaScore(FBetaScoreOptions options = {});
struct F1ScoreOptions {
  std::optional<std::string> average = {};
  std::optional<double> threshold = {};
  std::string name = "f1_score";
  std::string dtype = "float32";
};
Metric F1Score(F1ScoreOptions options = {});

// Intersection over union of segmentations.
struct IoUOptions {
  int64_t num_classes = 2;
  Ints target_class_ids = {0};
  std::string name = {};
  std::string dtype = "int64";
  std::optional<int64_t> ignore_class = {};
  bool sparse_y_true = true;
  bool sparse_y_pred = true;
  int64_t axis = -1;
};
Metric IoU(IoUOptions options);
struct BinaryIoUOptions {
  Ints target_class_ids = {0, 1};
  double threshold = 0.5;
  std::string name = {};
  std::string dtype = "int64";
};
Metric BinaryIoU(BinaryIoUOptions options = {});
struct MeanIoUOptions {
  int64_t num_classes = 2;
  std::string name = {};
  std::string dtype = "int64";
  std::optional<int64_t> ignore_class = {};
  bool sparse_y_true = true;
  bool sparse_y_pred = true;
  int64_t axis = -1;
};
Metric MeanIoU(MeanIoUOptions options);
struct OneHotIoUOptions {
  int64_t num_classes = 2;
  Ints target_class_ids = {0};
  std::string name = {};
  std::string dtype = "int64";
  std::optional<int64_t> ignore_class = {};
  bool sparse_y_pred = false;
  int64_t axis = -1;
};
Metric OneHotIoU(OneHotIoUOptions options);
struct OneHotMeanIoUOptions {
  int64_t num_classes = 2;
  std::string name = {};
  std::string dtype = "int64";
  std::optional<int64_t> ignore_class = {};
  bool sparse_y_pred = false;
  int64_t axis = -1;
};
Metric OneHotMeanIoU(OneHotMeanIoUOptions options);

}  // namespace metrics
}  // namespace glia
