// Model: layers with compile, fit, evaluate, predict, summary and weights.
//
//   Sequential model({layers::Dense(64, {.activation = "relu", .input_shape = {20}}), layers::Dense(3)});
//   model.compile({.optimizer = "adam", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}), .metrics = {"accuracy"}});
//   History h = model.fit(x, y, {.batch_size = 32, .epochs = 10, .validation_split = 0.1});
//
//   Value in = Input({28, 28, 1});                       // functional: several inputs and outputs
//   Model m({in}, {layers::Flatten()(in)});
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glia/callback.h>
#include <glia/dataset.h>
#include <glia/layer.h>
#include <glia/load_options.h>
#include <glia/logs.h>
#include <glia/losses.h>
#include <glia/metrics.h>
#include <glia/optimizers.h>

namespace glia {

// One array: numbers or strings.
struct Array {
  Array() = default;
  Array(Tensor t) : numbers(std::move(t)) {}                          // NOLINT
  Array(StringTensor t) : strings(std::move(t)) {}                    // NOLINT
  Array(std::vector<std::string> t) : strings(std::move(t)) {}        // NOLINT
  Tensor numbers;
  StringTensor strings;
};

// Arrays for the inputs or outputs of a model: one, several in order, or by name. Strings go to the inputs of dtype "string".
//
//   model.fit(x, y);   model.fit({x1, texts}, y);   model.fit({{"age", ages}, {"job", jobs}}, y);   model.predict({"good film"});
struct Data {
  Data() = default;
  Data(Tensor t) { if (t.defined()) tensors.push_back(std::move(t)); }  // NOLINT
  Data(StringTensor t);                                                 // NOLINT
  Data(std::vector<std::string> t) : Data(StringTensor(std::move(t))) {}  // NOLINT
  Data(std::initializer_list<const char*> texts);                       // NOLINT
  Data(std::initializer_list<Array> arrays);                            // NOLINT
  Data(std::initializer_list<std::pair<const std::string, Array>> named);  // NOLINT
  Data(std::vector<Tensor> t) : tensors(std::move(t)) {}                // NOLINT
  Data(std::vector<Array> arrays);                                      // NOLINT
  Data(std::map<std::string, Tensor> named);                            // NOLINT
  Data(std::map<std::string, Array> named);                             // NOLINT
  std::vector<Tensor> tensors;
  std::vector<std::string> names;     // empty, or one per tensor
  std::vector<StringTensor> strings;  // empty, or one per tensor: used where the tensor is undefined
  bool empty() const { return tensors.empty(); }

 private:
  void add(Array a);
};

struct LossArg {  // a name ("mse", "ce", ...) or an object; resolved at the first batch
  LossArg() = default;
  LossArg(const char* n) : name(n) {}                    // NOLINT
  LossArg(std::string n) : name(std::move(n)) {}         // NOLINT
  LossArg(Loss l) : object(std::move(l)) {}              // NOLINT
  std::string name;
  Loss object;
  bool empty() const { return name.empty() && !object; }
};
struct LossSpec {  // one for every output, one per output, or by output name
  LossSpec() = default;
  LossSpec(const char* n) : items{LossArg(n)} {}                        // NOLINT
  LossSpec(std::string n) : items{LossArg(std::move(n))} {}             // NOLINT
  LossSpec(Loss l) : items{LossArg(std::move(l))} {}                    // NOLINT
  LossSpec(std::vector<LossArg> l) : items(std::move(l)), per_output(true) {}  // NOLINT
  LossSpec(std::map<std::string, LossArg> named);                       // NOLINT
  std::vector<LossArg> items;
  std::vector<std::string> names;
  bool per_output = false;
};
struct MetricArg {
  MetricArg(const char* n) : name(n) {}                  // NOLINT
  MetricArg(std::string n) : name(std::move(n)) {}       // NOLINT
  MetricArg(Metric m) : object(std::move(m)) {}          // NOLINT
  std::string name;
  Metric object;
};
struct MetricsSpec {  // a flat list (one output: all of it; several outputs: one each), lists per output, or by name
  MetricsSpec() = default;
  MetricsSpec(std::initializer_list<MetricArg> flat) : items{std::vector<MetricArg>(flat)} {}
  MetricsSpec(std::vector<MetricArg> flat) : items{std::move(flat)} {}  // NOLINT
  MetricsSpec(std::vector<std::vector<MetricArg>> lists) : items(std::move(lists)), per_output(true) {}  // NOLINT
  MetricsSpec(std::map<std::string, std::vector<MetricArg>> named);     // NOLINT
  std::vector<std::vector<MetricArg>> items;
  std::vector<std::string> names;
  bool per_output = false;
};

struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  LossSpec loss = {};
  std::vector<double> loss_weights = {};  // per output
  std::map<std::string, double> named_loss_weights = {};
  MetricsSpec metrics = {};
  MetricsSpec weighted_metrics = {};
};

struct ValidationData {
  Data x = {}, y = {}, sample_weight = {};
};

constexpr int kVerboseAuto = -1;  // 1 on a terminal, else 2

// When fit() validates: after every n-th epoch, or after the epochs of a list, counted from 1.
struct ValidationFrequency {
  ValidationFrequency(int n = 1) : every(n) {}                                             // NOLINT: numbers and lists convert
  ValidationFrequency(std::initializer_list<int> list) : epochs(std::vector<int>(list)) {}  // NOLINT
  ValidationFrequency(std::vector<int> list) : epochs(std::move(list)) {}                   // NOLINT
  int every = 1;
  std::optional<std::vector<int>> epochs;
};

struct FitOptions {
  std::optional<int64_t> batch_size = {};  // 32
  int epochs = 1;
  int verbose = kVerboseAuto;         // 0 silent, 1 progress bar, 2 one line per epoch
  std::vector<CallbackRef> callbacks = {};
  double validation_split = 0;        // the last part of the data, taken before shuffling
  std::optional<ValidationData> validation_data = {};
  std::optional<Dataset> validation_dataset = {};
  bool shuffle = true;
  std::map<int64_t, double> class_weight = {};
  Data sample_weight = {};
  int initial_epoch = 0;
  std::optional<int64_t> steps_per_epoch = {};
  std::optional<int64_t> validation_steps = {};
  std::optional<int64_t> validation_batch_size = {};
  ValidationFrequency validation_freq = 1;  // or {1, 2, 10}
};
struct EvaluateOptions {
  std::optional<int64_t> batch_size = {};
  int verbose = kVerboseAuto;
  Data sample_weight = {};
  std::optional<int64_t> steps = {};
  std::vector<CallbackRef> callbacks = {};
};
struct PredictOptions {
  std::optional<int64_t> batch_size = {};
  int verbose = 0;                    // Keras's "auto" prints; a C++ program stays quiet
  std::optional<int64_t> steps = {};
  std::vector<CallbackRef> callbacks = {};
};
struct OnBatchOptions {               // train_on_batch, test_on_batch
  Data sample_weight = {};
  std::map<int64_t, double> class_weight = {};
};
struct SummaryOptions {
  int line_length = 0;                // 0: the terminal's width, at most 88 (108 for graphs; 12 more with show_trainable)
  std::vector<double> positions = {}; // where the columns end, as parts of the line: {0.45, 0.8, 1} (graphs {0.3, 0.56, 0.74, 1})
  bool expand_nested = false;
  bool show_trainable = false;
  Strings layer_range = {};           // the first and the last layer to show: names or regular expressions for their beginnings
};
struct SaveOptions {
  bool overwrite = true;              // false: Error when the file exists
  bool include_optimizer = true;      // .h5; a .keras file holds it when the model is compiled
};
struct SaveWeightsOptions {
  bool overwrite = true;
  std::optional<double> max_shard_size = {};  // GiB per file of .weights.json; empty: one file
};
struct LoadWeightsOptions {
  bool skip_mismatch = false;         // layers that do not fit the file keep their weights, with a warning
  bool by_name = false;               // .h5 only: match layers by name instead of by order
  LoadLimits limits = {};
  bool untrusted = false;             // see LoadOptions
};
struct QuantizeOptions {
  bool activations = true;            // false: only weights are rounded (Keras: activation_quantizer = None)
  Strings filters = {};               // regular expressions found in the names of layers; empty: all layers
};
struct ModelOptions {
  std::string name = {};
  bool trainable = true;
};
// "float32", "int64", ..., or "string": the input of a text layer.
struct InputDType {
  InputDType(DType t) : value(t) {}      // NOLINT
  InputDType(const std::string& name);   // NOLINT: throws Error for an unknown name
  InputDType(const char* name) : InputDType(std::string(name)) {}  // NOLINT
  operator DType() const { return value; }  // NOLINT
  DType value;
};
struct InputOptions {
  std::string name = {};
  InputDType dtype = DType::f32;
  int64_t batch_size = -1;
};

// A symbolic input of a functional model; shape is without the batch axis, -1 for an unknown extent.
Value Input(Shape shape, InputOptions options = {});

class Trainer;

class Model : public LayerRef {
 public:
  Model();
  Model(const Values& inputs, const Values& outputs, ModelOptions options = {});  // functional
  explicit Model(LayerRef layer);                                               // trains any layer

  void compile(CompileOptions options);
  bool compiled() const;
  History fit(const Data& x, const Data& y, const FitOptions& options = {});
  History fit(const Dataset& data, const FitOptions& options = {});
  Logs evaluate(const Data& x, const Data& y, const EvaluateOptions& options = {});
  Logs evaluate(const Dataset& data, const EvaluateOptions& options = {});
  Tensor predict(const Data& x, const PredictOptions& options = {});             // the only or first output
  Tensor predict(const Dataset& data, const PredictOptions& options = {});
  std::vector<Tensor> predict_all(const Data& x, const PredictOptions& options = {});
  std::vector<Tensor> predict_all(const Dataset& data, const PredictOptions& options = {});
  Logs train_on_batch(const Data& x, const Data& y, const OnBatchOptions& options = {});
  Logs test_on_batch(const Data& x, const Data& y, const OnBatchOptions& options = {});
  std::vector<Tensor> predict_on_batch(const Data& x);
  void reset_metrics();

  std::string summary_text(const SummaryOptions& options = {});
  void summary(const SummaryOptions& options = {});                             // prints it to stdout
  std::vector<Tensor> get_weights() const { return ptr_->get_weights(); }
  void set_weights(const std::vector<Tensor>& weights) { ptr_->set_weights(weights); }
  // The whole model in one file: .keras (Keras 3), .h5 (its older format). The file appears when it is complete. Throws
  // Error for an unknown ending, and for models whose architecture has no configuration.
  void save(const std::string& path, const SaveOptions& options = {}) const;
  // Weights alone: .weights.h5 or .weights.json (Keras 3; a compiled model's optimizer state, too), .h5 (older Keras),
  // .safetensors. load_weights also takes .keras. Throws Error that lists the layers that do not fit the file.
  void save_weights(const std::string& path, const SaveWeightsOptions& options = {}) const;
  void load_weights(const std::string& path, const LoadWeightsOptions& options = {});
  // Keeps the weights of Dense, EinsumDense (those in MultiHeadAttention, too) and embeddings as integers of 8 bits with a
  // scale for each output, a quarter of the size; their inputs are rounded to 8 bits while the model runs, and products are
  // exact sums of integers. mode: "int8". Numbers and files are Keras's. The weights cannot be trained any more (the gradient
  // of the input passes through); compile again before training goes on. Returns how many layers were rounded. Throws Error
  // for another mode, and layers that are not built or have adapters.
  int64_t quantize(const std::string& mode, const QuantizeOptions& options = {});
  const std::string& name() const { return ptr_->name(); }
  std::vector<LayerRef> layers() const;
  LayerRef get_layer(const std::string& name) const;  // throws Error with "did you mean"
  std::vector<Shape> input_shapes() const;
  std::vector<Shape> output_shapes() const;
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
  int64_t count_params() const { return ptr_->count_params(); }

  const Optimizer& optimizer() const;
  std::vector<std::string> metrics_names() const;     // "loss", then the others, once trained or evaluated
  void stop_training(bool stop = true);               // from a callback: fit ends after this epoch
  bool training_stopped() const;
  Trainer& trainer() const { return *trainer_; }

 protected:
  std::shared_ptr<Trainer> trainer_;
};

class Sequential : public Model {
 public:
  Sequential(std::initializer_list<LayerRef> layers = {}, ModelOptions options = {});
  explicit Sequential(const std::vector<LayerRef>& layers, ModelOptions options = {});
  void add(LayerRef layer);
  void pop();
};

}  // namespace glia
