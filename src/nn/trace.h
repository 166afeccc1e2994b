// Trace: the function being traced. While one is active, Variable::value() is a graph input and assign() an update.
//
//   Trace t(Mode::train);
//   Value x = t.input({DType::f32, {32, 4}}, "x");
//   Values y = layer.apply({x});
//   t.finish({y[0]});               // outputs, then one update per assigned variable
//   auto exe = runtime::compile(*t.graph);
//   // inputs in order: those added by input(), then t.variables' tensors
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <glia/layer.h>

#include "ir/graph.h"

namespace glia {

struct Variable::State {
  VariableOptions options;
  std::string path;
  Tensor tensor;
  bool listed_as_trainable = true;  // Keras keeps a weight in the list it was added to
  Variable adapter_a, adapter_b;    // Layer::enable_lora: read as the tensor + adapter_scale * a b
  double adapter_scale = 0;
};

// Calls that happen outside of the traced step, before it: layers over strings. `call` gives the input of the step that holds
// the result.
class HostCalls {
 public:
  virtual ~HostCalls() = default;
  virtual Values call(Layer& layer, const Values& inputs) = 0;
  virtual bool knows(const Value& v) const = 0;  // an input of the model, or what such a call gave
};

class Trace {
 public:
  explicit Trace(bool training, std::shared_ptr<ir::Graph> graph = nullptr);
  ~Trace();
  Trace(const Trace&) = delete;
  static Trace* current();

  Value input(TensorType type, const std::string& name);
  Value read(const Variable& v);
  void assign(const Variable& v, const Value& value);
  Value seed();                  // int64 (2,): seed and step, an input read through the seed variable
  int64_t next_stream() { return streams_++; }  // a different random stream for every use in this trace
  void finish(const Values& outputs);

  std::shared_ptr<ir::Graph> graph;
  bool training;
  bool probing = false;          // a layer is called for the types of its outputs alone
  HostCalls* host = nullptr;     // where there is a batch to run them on
  std::vector<Value> losses;     // added by layers
  std::vector<std::pair<std::string, Value>> metrics;  // named scalars, added by layers and own steps
  // Input i of the graph is fed from: a plain input (undefined Variable) or this variable's tensor.
  std::vector<Variable> input_variables;

 private:
  struct Entry { Variable variable; Value value; Value updated; };
  Entry& entry(const Variable& v);
  std::vector<Entry> entries_;
  std::map<const void*, size_t> index_;
  int64_t streams_ = 0;
  Trace* previous_;
};

// While a layer's call runs, float weights are read in its compute dtype (mixed precision).
class AutocastGuard {
 public:
  explicit AutocastGuard(DType to);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;

 private:
  int previous_;
};

// The global random state: int64 {seed, step}. Training steps advance `step`.
const Variable& seed_variable();
uint64_t next_initializer_seed();

}  // namespace glia
