// Losses: what training minimises. By name ("mse", "sparse_categorical_crossentropy") or as object with options.
//
//   Loss loss = losses::Huber({.delta = 2.0});
//   Value v = (*loss)(y_true, y_pred, sample_weight);            // reduced, as keras.losses.Loss.__call__
//   Loss own = losses::custom("third", [](const Value& t, const Value& p) { return ops::mean(ops::abs(t - p), {-1}); });
#pragma once
#include <functional>
#include <optional>
#include <string>

#include <glia/config.h>
#include <glia/value.h>

namespace glia {

class LossBase : public Configurable {
 public:
  static constexpr std::string_view kind = "loss";
  LossBase() = default;
  LossBase(std::string loss_name, std::string loss_reduction);

  std::string name = "loss";
  std::string reduction = "sum_over_batch_size";  // "sum", "mean", "mean_with_sample_weight", "none"

  void fields(Fields& f) override;
  // Loss per sample: the last axis is gone, unless the class says otherwise.
  virtual Value call(const Value& y_true, const Value& y_pred) = 0;
  // Keras's way from there: ranks that differ by one are squeezed, floats are cast to float32 (float64 where y_pred is),
  // the mask y_pred carries and the weights multiply, `reduction` reduces.
  Value operator()(const Value& y_true, const Value& y_pred, const Value& sample_weight = {});
};
using Loss = Ref<LossBase>;

// The loss that compile's string stands for; 'crossentropy' and 'ce' depend on the shapes. Throws Error with
// "did you mean".
Loss resolve_loss(const std::string& name, const TensorType& y_true, const TensorType& y_pred);

namespace losses {

struct MeanSquaredErrorOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "mean_squared_error";
};
Loss MeanSquaredError(MeanSquaredErrorOptions options = {});
struct MeanAbsoluteErrorOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "mean_absolute_error";
};
Loss MeanAbsoluteError(MeanAbsoluteErrorOptions options = {});
struct MeanAbsolutePercentageErrorOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "mean_absolute_percentage_error";
};
Loss MeanAbsolutePercentageError(MeanAbsolutePercentageErrorOptions options = {});
struct MeanSquaredLogarithmicErrorOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "mean_squared_logarithmic_error";
};
Loss MeanSquaredLogarithmicError(MeanSquaredLogarithmicErrorOptions options = {});
struct CosineSimilarityOptions {
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "cosine_similarity";
};
Loss CosineSimilarity(CosineSimilarityOptions options = {});  // -cos: -1 is best
struct HuberOptions {
  double delta = 1.0;
  std::string reduction = "sum_over_batch_size";
  std::string name = "huber_loss";
};
Loss Huber(HuberOptions options = {});
struct LogCoshOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "log_cosh";
};
Loss LogCosh(LogCoshOptions options = {});
struct HingeOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "hinge";
};
Loss Hinge(HingeOptions options = {});  // labels -1/1; 0/1 are converted
struct SquaredHingeOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "squared_hinge";
};
Loss SquaredHinge(SquaredHingeOptions options = {});
struct CategoricalHingeOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "categorical_hinge";
};
Loss CategoricalHinge(CategoricalHingeOptions options = {});
struct KLDivergenceOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "kl_divergence";
};
Loss KLDivergence(KLDivergenceOptions options = {});
struct PoissonOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "poisson";
};
Loss Poisson(PoissonOptions options = {});

// The cross-entropies. From probabilities that a softmax (sigmoid) of the same graph made, the logits are used instead.
struct BinaryCrossentropyOptions {
  bool from_logits = false;
  double label_smoothing = 0.0;
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "binary_crossentropy";
};
Loss BinaryCrossentropy(BinaryCrossentropyOptions options = {});
struct CategoricalCrossentropyOptions {
  bool from_logits = false;
  double label_smoothing = 0.0;
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "categorical_crossentropy";
};
Loss CategoricalCrossentropy(CategoricalCrossentropyOptions options = {});
struct SparseCategoricalCrossentropyOptions {
  bool from_logits = false;
  std::optional<int64_t> ignore_class = {};  // samples with this label weigh nothing
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "sparse_categorical_crossentropy";
};
Loss SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions options = {});
struct BinaryFocalCrossentropyOptions {  // Lin et al. 2018
  bool apply_class_balancing = false;
  double alpha = 0.25;
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "binary_focal_crossentropy";
};
Loss BinaryFocalCrossentropy(BinaryFocalCrossentropyOptions options = {});
struct CategoricalFocalCrossentropyOptions {
  double alpha = 0.25;
  double gamma = 2.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "categorical_focal_crossentropy";
};
Loss CategoricalFocalCrossentropy(CategoricalFocalCrossentropyOptions options = {});
struct CategoricalGeneralizedCrossEntropyOptions {  // Zhang and Sabuncu 2018; integer labels
  double q = 0.5;
  std::string reduction = "sum_over_batch_size";
  std::string name = "categorical_generalized_cross_entropy";
};
Loss CategoricalGeneralizedCrossEntropy(CategoricalGeneralizedCrossEntropyOptions options = {});

struct DiceOptions {
  std::optional<Ints> axis = {};  // per these axes; all when empty
  std::string reduction = "sum_over_batch_size";
  std::string name = "dice";
};
Loss Dice(DiceOptions options = {});
struct TverskyOptions {
  double alpha = 0.5;  // weight of false positives
  double beta = 0.5;   // weight of false negatives
  std::optional<Ints> axis = {};
  std::string reduction = "sum_over_batch_size";
  std::string name = "tversky";
};
Loss Tversky(TverskyOptions options = {});
struct CTCOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "ctc";
};
Loss CTC(CTCOptions options = {});  // y_true (batch, labels) int, 0 pads; y_pred (batch, time, classes) logits
struct CircleOptions {              // Sun et al. 2020; y_true int labels, y_pred unit embeddings
  double gamma = 80.0;
  double margin = 0.4;
  bool remove_diagonal = true;
  std::string reduction = "sum_over_batch_size";
  std::string name = "circle";
};
Loss Circle(CircleOptions options = {});

// A loss of one's own: fn gives the loss per sample.
Loss custom(std::string name, std::function<Value(const Value& y_true, const Value& y_pred)> fn);

}  // namespace losses
}  // namespace glia
