// HostPrefix: what runs before a model's compiled step, the layers over strings. Tracing a model finds them: a layer that is
// called on strings (or on integers of an input) becomes a step here, and the traced graph gets an input for its result, so
// that the compiled program sees numbers only.
//
//   HostPrefix prefix;                       // one per trainer; steps are found once and kept
//   Trace t(true);
//   HostRecorder host(t, prefix, batch);     // while it lives, the trace sends such calls here
//   Values y = model->apply(host.inputs());
//   host.finish();                           // host.used: the step behind each further input of the trace
//   prefix.run(batch);                       // later batches: fills batch.encoded, one tensor per step
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "nn/layers/text.h"
#include "nn/trace.h"
#include "train/feed.h"

namespace glia {

class HostPrefix {
 public:
  struct Source {
    bool is_step = false;  // an earlier step's result, else an input of the model
    size_t index = 0;
    bool operator==(const Source&) const = default;
  };
  // The number of this step; a new one is added at the end.
  size_t step(Layer& layer, const std::vector<Source>& inputs);
  bool empty() const { return steps()->empty(); }
  // Computes the steps that the batch does not have yet.
  void run(FeedBatch& batch) const;
  // Whether rows can be encoded once for all epochs: every result depends on its row alone.
  bool row_by_row() const;

 private:
  struct Step {
    std::shared_ptr<Layer> layer;
    nn::HostRunnable* host;  // the same object
    std::vector<Source> inputs;
  };
  using Steps = std::shared_ptr<const std::vector<Step>>;
  Steps steps() const {
    std::lock_guard lock(mutex_);
    return steps_;
  }
  mutable std::mutex mutex_;  // a dataset's thread encodes ahead while a first trace may still find steps
  Steps steps_ = std::make_shared<const std::vector<Step>>();
};

class HostRecorder : public HostCalls {
 public:
  HostRecorder(Trace& trace, HostPrefix& prefix, FeedBatch& batch);
  ~HostRecorder() override;
  HostRecorder(const HostRecorder&) = delete;
  const Values& inputs() const { return inputs_; }
  Values call(Layer& layer, const Values& inputs) override;
  bool knows(const Value& v) const override { return sources_.count(v.node()) > 0; }
  // The stand-ins for strings leave the graph.
  void finish();
  std::vector<size_t> used;

 private:
  Value stand_in(const Shape& shape);
  Trace& trace_;
  HostPrefix& prefix_;
  FeedBatch& batch_;
  Values inputs_;
  std::map<int, HostPrefix::Source> sources_;  // by node
  std::map<size_t, Value> results_;            // by step
  std::vector<int> stand_ins_;
};

// Whether the model, or its input i, takes strings; Sequential models tell by their first layer.
bool takes_strings(const LayerRef& root, size_t input);
// The dtype that the first layer of a Sequential model asks for where none was given: kStringDType for layers over text.
DType dtype_of_first_layer(const LayerRef& layer, DType otherwise);

}  // namespace glia
