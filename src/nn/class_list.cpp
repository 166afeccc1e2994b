#include "nn/class_list.h"

#include <glia/activations.h>
#include <glia/constraints.h>
#include <glia/initializers.h>
#include <glia/layer.h>
#include <glia/losses.h>
#include <glia/metrics.h>
#include <glia/optimizers.h>
#include <glia/regularizers.h>
#include <glia/schedules.h>

#include <algorithm>
#include <list>
#include <mutex>

#include "base/error.h"
#include "nn/layers/quantized.h"

namespace glia {
namespace nn {
std::shared_ptr<Configurable> make_optimizer_map();  // optimizers/multi.cpp
}
namespace {

using Names = std::vector<std::string>;

// One line per class: its factory with Keras's defaults. An explicit name keeps "adam_1" and the like for users' objects.
#define GLIA_CLASS(kind, ns, C, module, ...) \
  ClassEntry { kind, #C, module, Names{__VA_ARGS__}, [] { return std::shared_ptr<Configurable>(ns::C().ptr()); }, "" }
#define GLIA_CLASS_WITH(kind, C, module, names, expression) \
  ClassEntry { kind, #C, module, names, [] { return std::shared_ptr<Configurable>((expression).ptr()); }, "" }

#define INITIALIZER(C, ...) GLIA_CLASS("initializer", initializers, C, "keras.initializers", __VA_ARGS__)
std::vector<ClassEntry> initializer_list() {
  return {INITIALIZER(Zeros, "zero"),
          INITIALIZER(Ones, "one"),
          INITIALIZER(Constant),
          INITIALIZER(Identity, "IdentityInitializer", "identity_initializer"),
          INITIALIZER(RandomNormal, "normal"),
          INITIALIZER(RandomUniform, "uniform"),
          INITIALIZER(TruncatedNormal),
          INITIALIZER(VarianceScaling),
          INITIALIZER(GlorotNormal),
          INITIALIZER(GlorotUniform),
          INITIALIZER(HeNormal),
          INITIALIZER(HeUniform),
          INITIALIZER(LecunNormal),
          INITIALIZER(LecunUniform),
          INITIALIZER(Orthogonal, "OrthogonalInitializer", "orthogonal_initializer"),
          INITIALIZER(STFT)};
}

#define REGULARIZER(C, ...) GLIA_CLASS("regularizer", regularizers, C, "keras.regularizers", __VA_ARGS__)
#define CONSTRAINT(C, ...) GLIA_CLASS("constraint", constraints, C, "keras.constraints", __VA_ARGS__)
std::vector<ClassEntry> regularizer_and_constraint_list() {
  return {REGULARIZER(L1),      REGULARIZER(L2),         REGULARIZER(L1L2, "l1_l2"), REGULARIZER(OrthogonalRegularizer),
          CONSTRAINT(MaxNorm),  CONSTRAINT(MinMaxNorm),  CONSTRAINT(NonNeg),         CONSTRAINT(UnitNorm)};
}

#define LOSS(C, ...) GLIA_CLASS("loss", losses, C, "keras.losses", __VA_ARGS__)
std::vector<ClassEntry> loss_list() {
  return {LOSS(MeanSquaredError, "mse", "MSE"),
          LOSS(MeanAbsoluteError, "mae", "MAE"),
          LOSS(MeanAbsolutePercentageError, "mape", "MAPE"),
          LOSS(MeanSquaredLogarithmicError, "msle", "MSLE"),
          LOSS(CosineSimilarity),
          LOSS(Huber, "huber_loss"),
          LOSS(LogCosh, "logcosh"),
          LOSS(Hinge),
          LOSS(SquaredHinge),
          LOSS(CategoricalHinge),
          LOSS(KLDivergence, "kl_divergence", "kld", "KLD", "kullback_leibler_divergence"),
          LOSS(Poisson),
          LOSS(BinaryCrossentropy, "bce", "BCE"),
          LOSS(CategoricalCrossentropy),
          LOSS(SparseCategoricalCrossentropy),
          LOSS(BinaryFocalCrossentropy),
          LOSS(CategoricalFocalCrossentropy),
          LOSS(CategoricalGeneralizedCrossEntropy),
          LOSS(Dice),
          LOSS(Tversky),
          LOSS(CTC),
          LOSS(Circle)};
}

#define METRIC(C, ...) GLIA_CLASS("metric", metrics, C, "keras.metrics", __VA_ARGS__)
#define METRIC_WITH(C, expression) GLIA_CLASS_WITH("metric", C, "keras.metrics", Names{}, metrics::expression)
std::vector<ClassEntry> metric_list() {
  return {METRIC(Mean),
          METRIC(Sum),
          METRIC_WITH(MeanMetricWrapper, MeanMetricWrapper({})),
          METRIC(Accuracy),
          METRIC(BinaryAccuracy),
          METRIC(CategoricalAccuracy),
          METRIC(SparseCategoricalAccuracy),
          METRIC(TopKCategoricalAccuracy),
          METRIC(SparseTopKCategoricalAccuracy),
          METRIC(MeanSquaredError, "mse", "MSE"),
          METRIC(RootMeanSquaredError, "rmse", "RMSE"),
          METRIC(MeanAbsoluteError, "mae", "MAE"),
          METRIC(MeanAbsolutePercentageError, "mape", "MAPE"),
          METRIC(MeanSquaredLogarithmicError, "msle", "MSLE"),
          METRIC(CosineSimilarity),
          METRIC(LogCoshError, "logcosh"),
          METRIC(R2Score),
          METRIC(PearsonCorrelation),
          METRIC(ConcordanceCorrelation),
          METRIC(BinaryCrossentropy, "bce", "BCE"),
          METRIC(CategoricalCrossentropy),
          METRIC(SparseCategoricalCrossentropy),
          METRIC(KLDivergence, "kl_divergence", "kld", "KLD", "kullback_leibler_divergence"),
          METRIC(Poisson),
          METRIC(Hinge),
          METRIC(SquaredHinge),
          METRIC(CategoricalHinge),
          METRIC_WITH(TruePositives, TruePositives({.name = "true_positives"})),
          METRIC_WITH(TrueNegatives, TrueNegatives({.name = "true_negatives"})),
          METRIC_WITH(FalsePositives, FalsePositives({.name = "false_positives"})),
          METRIC_WITH(FalseNegatives, FalseNegatives({.name = "false_negatives"})),
          METRIC_WITH(Precision, Precision({.name = "precision"})),
          METRIC_WITH(Recall, Recall({.name = "recall"})),
          METRIC_WITH(SensitivityAtSpecificity, SensitivityAtSpecificity(0.5, {.name = "sensitivity_at_specificity"})),
          METRIC_WITH(SpecificityAtSensitivity, SpecificityAtSensitivity(0.5, {.name = "specificity_at_sensitivity"})),
          METRIC_WITH(PrecisionAtRecall, PrecisionAtRecall(0.5, {.name = "precision_at_recall"})),
          METRIC_WITH(RecallAtPrecision, RecallAtPrecision(0.5, {.name = "recall_at_precision"})),
          METRIC_WITH(AUC, AUC({.name = "auc"})),
          METRIC(FBetaScore),
          METRIC(F1Score),
          METRIC_WITH(IoU, IoU({.name = "io_u"})),
          METRIC_WITH(BinaryIoU, BinaryIoU({.name = "binary_io_u"})),
          METRIC_WITH(MeanIoU, MeanIoU({.name = "mean_io_u"})),
          METRIC_WITH(OneHotIoU, OneHotIoU({.name = "one_hot_io_u"})),
          METRIC_WITH(OneHotMeanIoU, OneHotMeanIoU({.name = "one_hot_mean_io_u"}))};
}

#define OPTIMIZER(C, keras_name) \
  GLIA_CLASS_WITH("optimizer", C, "keras.optimizers", Names{}, optimizers::C({.name = keras_name}))
#define SCHEDULE(C, ...) GLIA_CLASS("schedule", optimizers::schedules, C, "keras.optimizers.schedules", __VA_ARGS__)
std::vector<ClassEntry> optimizer_and_schedule_list() {
  return {OPTIMIZER(SGD, "sgd"),
          OPTIMIZER(Adam, "adam"),
          OPTIMIZER(AdamW, "adam_w"),
          OPTIMIZER(RMSprop, "rm_sprop"),
          OPTIMIZER(Adagrad, "adagrad"),
          OPTIMIZER(Adadelta, "adadelta"),
          OPTIMIZER(Adamax, "adamax"),
          OPTIMIZER(Nadam, "nadam"),
          OPTIMIZER(Ftrl, "ftrl"),
          OPTIMIZER(Lion, "lion"),
          OPTIMIZER(Lamb, "lamb"),
          OPTIMIZER(Adafactor, "adafactor"),
          OPTIMIZER(Muon, "muon"),
          OPTIMIZER(ScheduleFreeAdamW, "schedule_free_adam_w"),
          GLIA_CLASS_WITH("optimizer", LossScaleOptimizer, "keras.optimizers", Names{},
                          optimizers::LossScaleOptimizer(Optimizer(), {.name = "loss_scale_optimizer"})),
          GLIA_CLASS_WITH("optimizer", MultiOptimizer, "keras.optimizers", Names{},
                          optimizers::MultiOptimizer(optimizers::OptimizerMap(), {.name = "multi_optimizer"})),
          ClassEntry{"optimizer_map", "OptimizerMap", "keras.optimizers", Names{}, nn::make_optimizer_map, ""},
          SCHEDULE(ExponentialDecay),
          SCHEDULE(InverseTimeDecay),
          GLIA_CLASS_WITH("schedule", PiecewiseConstantDecay, "keras.optimizers.schedules", Names{},
                          optimizers::schedules::PiecewiseConstantDecay({.boundaries = {}, .values = {0.1}})),
          SCHEDULE(PolynomialDecay),
          SCHEDULE(CosineDecay),
          SCHEDULE(CosineDecayRestarts)};
}

std::vector<ClassEntry> quantizer_list() {
  return {ClassEntry{"quantizer", "AbsMaxQuantizer", "keras.quantizers", {}, [] { return std::make_shared<nn::AbsMaxQuantizer>(); }, ""},
          ClassEntry{"quantization_config", "Int8QuantizationConfig", "keras.quantizers", {},
                     [] { return std::make_shared<nn::Int8QuantizationConfig>(); }, ""}};
}

std::mutex registry_mutex;
std::list<ClassEntry>& registered() {  // stable addresses; the last registration of a name wins
  static std::list<ClassEntry> entries;
  return entries;
}

std::string lower_case(std::string s) {
  for (char& c : s) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return s;
}

bool answers_to(const ClassEntry& e, std::string_view name) {
  return name == e.class_name || name == to_snake_case(e.class_name) || name == lower_case(e.class_name) ||
         std::find(e.names.begin(), e.names.end(), name) != e.names.end();
}

template <class Pred>
const ClassEntry* find_if(std::string_view kind, Pred pred) {
  {
    std::lock_guard<std::mutex> lock(registry_mutex);
    for (auto it = registered().rbegin(); it != registered().rend(); ++it)
      if (it->kind == kind && (pred(*it) || pred(ClassEntry{{}, it->registered_name, {}, {}, {}, {}}))) return &*it;
  }
  for (const ClassEntry& e : class_list())
    if (e.kind == kind && pred(e)) return &e;
  return nullptr;
}

}  // namespace

const std::vector<ClassEntry>& class_list() {
  static const std::vector<ClassEntry> all = [] {
    std::vector<ClassEntry> r;
    for (auto& part : {layer_list(), initializer_list(), regularizer_and_constraint_list(), loss_list(), metric_list(),
                       optimizer_and_schedule_list(), quantizer_list()})
      r.insert(r.end(), part.begin(), part.end());
    return r;
  }();
  return all;
}

const ClassEntry* find_class(std::string_view kind, std::string_view class_name) {
  return find_if(kind, [&](const ClassEntry& e) {
    return e.class_name == class_name || std::find(e.names.begin(), e.names.end(), class_name) != e.names.end();
  });
}
const ClassEntry* find_class_by_name(std::string_view kind, std::string_view name) {
  return find_if(kind, [&](const ClassEntry& e) { return answers_to(e, name); });
}

std::vector<std::string> known_names(std::string_view kind) {
  std::vector<std::string> r;
  for (const ClassEntry& e : class_list()) {
    if (e.kind != kind) continue;
    r.push_back(kind == OptimizerBase::kind ? lower_case(e.class_name) : to_snake_case(e.class_name));
    r.insert(r.end(), e.names.begin(), e.names.end());
  }
  std::lock_guard<std::mutex> lock(registry_mutex);
  for (const ClassEntry& e : registered())
    if (e.kind == kind) r.push_back(e.class_name);
  return r;
}
std::vector<std::string> known_classes(std::string_view kind) {
  std::vector<std::string> r;
  for (const ClassEntry& e : class_list())
    if (e.kind == kind) r.push_back(e.class_name);
  std::lock_guard<std::mutex> lock(registry_mutex);
  for (const ClassEntry& e : registered())
    if (e.kind == kind) r.push_back(e.class_name);
  return r;
}

std::string_view kind_of(const Configurable& object) {
  const Configurable* p = &object;
  if (dynamic_cast<const Layer*>(p)) return Layer::kind;
  if (dynamic_cast<const InitializerBase*>(p)) return InitializerBase::kind;
  if (dynamic_cast<const RegularizerBase*>(p)) return RegularizerBase::kind;
  if (dynamic_cast<const ConstraintBase*>(p)) return ConstraintBase::kind;
  if (dynamic_cast<const LossBase*>(p)) return LossBase::kind;
  if (dynamic_cast<const MetricBase*>(p)) return MetricBase::kind;
  if (dynamic_cast<const OptimizerBase*>(p)) return OptimizerBase::kind;
  if (dynamic_cast<const ScheduleBase*>(p)) return ScheduleBase::kind;
  if (dynamic_cast<const nn::AbsMaxQuantizer*>(p)) return nn::AbsMaxQuantizer::kind;
  if (dynamic_cast<const nn::Int8QuantizationConfig*>(p)) return nn::Int8QuantizationConfig::kind;
  return object.class_name() == "OptimizerMap" ? "optimizer_map" : "";
}

std::shared_ptr<Configurable> resolve_object(std::string_view kind, const std::string& name) {
  const ClassEntry* e = find_class_by_name(kind, name);
  if (!e) throw_error("Unknown {} '{}'.{}", kind, name, did_you_mean(name, known_names(kind)));
  return e->make();
}

void register_class(std::string_view kind, const std::string& class_name, std::function<std::shared_ptr<Configurable>()> make) {
  ClassEntry e{std::string(kind), class_name, "", {}, std::move(make), class_name};
  size_t package = class_name.find('>');
  if (package == std::string::npos) e.registered_name = "Custom>" + class_name;
  else e.class_name = class_name.substr(package + 1);
  std::lock_guard<std::mutex> lock(registry_mutex);
  registered().push_back(std::move(e));
}

}  // namespace glia
