// Trainer: what compile() sets up. Traces the train, test and predict steps of a model, keeps one executable per mode
// and input types, and holds losses, metrics and their state.
#pragma once
#include <glia/custom_step.h>
#include <glia/model.h>

#include "base/cpu.h"
#include "nn/trace.h"
#include "runtime/executable.h"
#include "train/feed.h"
#include "train/fit_state.h"
#include "train/host_prefix.h"

namespace glia {

enum class Mode { train, test, predict };

// Running mean kept in two variables, as Keras's Mean("loss").
struct LossTracker {
  std::string name;
  Variable total, count;
  explicit LossTracker(std::string n);
  void update(const Value& loss, int64_t batch) const;
  double result() const;
  void reset() const;
};

class Trainer {
 public:
  explicit Trainer(LayerRef root) : root_(std::move(root)), arena_(std::make_shared<runtime::Arena>()) {}

  LayerRef root() const { return root_; }
  void compile(CompileOptions options);
  bool compiled() const { return compiled_; }
  const Optimizer& optimizer() const { return options_.optimizer; }
  const CompileOptions& options() const { return options_; }

  // One step over a batch. predict writes output o to `outputs[o]`.
  void run(Mode mode, FeedBatch& batch, std::span<void* const> outputs = {});
  std::vector<TensorType> predict_types(FeedBatch& batch);
  std::vector<Tensor> predict(FeedBatch& batch);  // the outputs of one batch

  std::vector<Logs::Entry> results() const;   // loss and metrics, sorted by name as Keras logs them
  std::string metric_direction(const std::string& log_name) const;  // "up", "down" or ""
  void reset_metrics();
  void finish_training();                     // EMA weights
  std::vector<std::string> metrics_names() const;

  // Arrays as the model takes them: order by name, dtype, missing last axis of 1. Fills x and text.
  FeedBatch prepare_inputs(const Data& x) const;
  // Inputs, targets and weights together, their rows counted.
  FeedBatch prepare(const char* where, const Data& x, const Data& y, const Data& w, const char* prefix = "") const;
  std::vector<Tensor> prepare_targets(const Data& y, const char* what) const;
  std::vector<Tensor> class_weights_for(const std::vector<Tensor>& y, const std::map<int64_t, double>& weights) const;
  // Traces the first step, so that mistakes in shapes and names are told before training, and checks label ranges.
  std::vector<TensorType> check_targets(const FeedBatch& all, int64_t batch, bool class_weight);
  std::vector<Tensor> save_metric_state() const;
  std::vector<Tensor> metric_state() const;   // the same, shared instead of copied
  void restore_metric_state(const std::vector<Tensor>& saved);
  void check_labels(const std::vector<Tensor>& y, const std::vector<TensorType>& outputs) const;
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;

  bool stop_training = false;
  FitState* fit = nullptr;                    // of the fit that runs
  // Traces and compiles the step of such batches, so that all variables exist.
  void prepare(Mode mode, FeedBatch& batch) { program(mode, batch); }
  // Runs the layers over strings once for all epochs, where the rows are independent and the results not too large.
  void encode_ahead(FeedBatch& all);
  // What a dataset's thread does with each batch; empty for models without such layers.
  std::function<void(FeedBatch&)> encoder();

  // The compiled step of a batch with its argument pointers, for tests and benchmarks of the step alone.
  void bind_for_test(Mode mode, FeedBatch& batch, runtime::Executable** exe, std::vector<void*>& in, std::vector<void*>& out);

 private:
  friend class Step;
  struct StepProgram {
    std::shared_ptr<runtime::Executable> exe;
    std::vector<void*> inputs;        // variables bound; plain inputs filled per batch
    std::vector<size_t> plain;        // positions of x, y, w
    std::vector<TensorType> outputs;  // predict
    std::vector<void*> output_pointers;
    std::vector<Variable> fixed, updated;  // variables whose memory is bound: read only, written by the step
    uint64_t version = ~uint64_t{0};       // the sum of the versions of `fixed` at the last run
    Mode mode = Mode::train;          // what it was traced for
    Isa isa = Isa::scalar;
    std::vector<TensorType> batch_types;
    std::vector<size_t> host;         // the step before the compiled one behind each further plain input
    std::vector<TensorType> host_types;
  };
  std::vector<Variable> metric_variables() const;
  StepProgram& program(Mode mode, FeedBatch& batch);
  // Adds or drops a last axis of 1 where input i wants so.
  void adjust_rank(size_t i, Shape& shape) const;
  bool fits(const StepProgram& p, Mode mode, const FeedBatch& batch) const;
  void bind(StepProgram& p, Mode mode, const FeedBatch& batch);
  void run(StepProgram& p, Mode mode, const FeedBatch& batch, std::span<void* const> outputs);
  static bool fixed_changed(StepProgram& p);  // since the last call, or possibly
  StepProgram build(Mode mode, FeedBatch& batch);
  // Traces a test step without compiling it: resolves losses and metrics. Types of the model's outputs.
  std::vector<TensorType> trace_test(FeedBatch& batch);
  Value trace_loss(Trace& t, const Values& y, const Values& pred, const Values& w, int64_t batch);
  void trace_metrics(const Values& y, const Values& pred, const Values& w);
  void trace_update(Trace& t, const Value& loss, const Optimizer& optimizer, const std::vector<Variable>& vars);
  Values trace_gradients(Trace& t, const Value& loss, const std::vector<Variable>& vars);
  Values trace_step(Trace& t, const Values& x, const Values& y, const Values& w, int64_t batch);
  static void advance_seed(Trace& t);
  const LossTracker& tracker_of(const std::string& name);  // made where there is none yet
  std::string output_name(size_t output) const;  // its layer's, or output_0
  void resolve(const Values& y, const Values& pred);
  void resolve_losses(const Values& y, const Values& pred);
  void resolve_metrics(const Values& y, const Values& pred);
  void add_metrics(const MetricsSpec& spec, bool weighted, const Values& y, const Values& pred);
  bool has_loss(size_t output) const { return output < losses_.size() && losses_[output]; }

  struct OutputMetric {
    Metric metric;
    std::string log_name;
    size_t output;
    bool weighted;
  };

  LayerRef root_;
  HostPrefix prefix_;
  std::shared_ptr<runtime::Arena> arena_;
  CompileOptions options_;
  bool compiled_ = false, resolved_ = false;
  std::vector<Loss> losses_;            // per output; empty where there is none
  std::vector<double> loss_weights_;
  std::vector<OutputMetric> metrics_;
  std::vector<LossTracker> trackers_;   // "loss", then "{output}_loss"
  // By mode and batch shape; with batches of ever new shapes (series of any length) the oldest one goes.
  static constexpr size_t kMostPrograms = 64;
  std::vector<std::unique_ptr<StepProgram>> programs_;
};

}  // namespace glia
