#include "train/host_prefix.h"

#include <algorithm>

#include "base/error.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia {

size_t HostPrefix::step(Layer& layer, const std::vector<Source>& inputs) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < steps_->size(); ++i)
    if ((*steps_)[i].layer.get() == &layer && (*steps_)[i].inputs == inputs) return i;
  auto more = std::make_shared<std::vector<Step>>(*steps_);
  more->push_back({layer.shared_from_this(), &dynamic_cast<nn::HostRunnable&>(layer), inputs});
  steps_ = more;
  return steps_->size() - 1;
}

void HostPrefix::run(FeedBatch& b) const {
  const Steps steps = this->steps();
  while (b.encoded.size() < steps->size()) {
    const Step& s = (*steps)[b.encoded.size()];
    std::vector<nn::HostInput> arrays;
    for (const Source& from : s.inputs) {
      if (from.is_step) arrays.push_back({{}, b.encoded[from.index]});
      else if (b.is_text(from.index)) arrays.push_back({b.text[from.index], {}});
      else arrays.push_back({{}, b.x.at(from.index)});
    }
    b.encoded.push_back(s.host->run_host(arrays));
  }
}

bool HostPrefix::row_by_row() const {
  const Steps steps = this->steps();
  return std::all_of(steps->begin(), steps->end(), [](const Step& s) { return s.host->row_by_row(); });
}

HostRecorder::HostRecorder(Trace& trace, HostPrefix& prefix, FeedBatch& batch) : trace_(trace), prefix_(prefix), batch_(batch) {
  for (size_t i = 0; i < batch.x.size(); ++i) {
    const Tensor& t = batch.x[i];
    inputs_.push_back(batch.is_text(i) ? stand_in(batch.text[i].shape) : trace.input({t.dtype(), t.shape()}, fmt::format("x{}", i)));
    sources_[inputs_.back().node()] = {false, i};
  }
  trace.host = this;
}
HostRecorder::~HostRecorder() { trace_.host = nullptr; }

// A node that is no input of the compiled program.
Value HostRecorder::stand_in(const Shape& shape) {
  ir::Node n;
  n.op = &ir::input_op();
  n.types = {{kStringDType, shape}};
  const int id = trace_.graph->add(std::move(n));
  stand_ins_.push_back(id);
  return {trace_.graph, id};
}

void HostRecorder::finish() {
  for (int id : stand_ins_) {  // nothing reads them
    ir::Node& n = trace_.graph->nodes[static_cast<size_t>(id)];
    n.op = &ir::constant_op();
    n.constant = Tensor::zeros({}, DType::u8);
    n.types = {{DType::u8, {}}};
  }
  trace_.host = nullptr;
}

Values HostRecorder::call(Layer& layer, const Values& inputs) {
  std::vector<HostPrefix::Source> from;
  for (const Value& x : inputs) {
    auto it = sources_.find(x.node());
    GLIA_CHECK(it != sources_.end() && x.output() == 0,
               "{} ({}): the layer runs before the compiled part of the model, so it takes inputs of the model, not what other layers compute. "
               "Received {}. Give it an Input of its own.",
               layer.name(), layer.class_name(), to_string(x.type()));
    from.push_back(it->second);
  }
  const size_t step = prefix_.step(layer, from);
  prefix_.run(batch_);
  auto known = results_.find(step);
  if (known != results_.end()) return {known->second};
  const Tensor& t = batch_.encoded.at(step);
  Value v = trace_.input({t.dtype(), t.shape()}, layer.name());
  used.push_back(step);
  results_[step] = v;
  sources_[v.node()] = {true, step};
  return {v};
}

DType dtype_of_first_layer(const LayerRef& layer, DType otherwise) {
  if (auto* s = dynamic_cast<const SequentialLayer*>(layer.ptr().get())) {
    if (!s->input_type().shape.empty()) return s->input_type().dtype;
    return s->layers().empty() ? otherwise : dtype_of_first_layer(s->layers()[0], otherwise);
  }
  if (auto* f = dynamic_cast<const FunctionalLayer*>(layer.ptr().get())) return f->graph().type(f->input_refs()[0]).dtype;
  if (auto* host = dynamic_cast<const nn::HostLayer*>(layer.ptr().get())) return host->takes_text() ? kStringDType : DType::i64;
  return otherwise;
}

bool takes_strings(const LayerRef& root, size_t i) {
  if (dynamic_cast<const SequentialLayer*>(root.ptr().get())) return i == 0 && dtype_of_first_layer(root, DType::f32) == kStringDType;
  auto* f = dynamic_cast<const FunctionalLayer*>(root.ptr().get());
  return f && i < f->input_refs().size() && f->graph().type(f->input_refs()[i]).dtype == kStringDType;
}

}  // namespace glia
