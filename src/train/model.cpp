#include <glia/model.h>

#include <algorithm>

#include "base/error.h"
#include "train/functional.h"
#include "train/sequential.h"
#include "train/trainer.h"

namespace glia {

Model::Model() = default;
Model::Model(const Values& inputs, const Values& outputs, ModelOptions options)
    : Model(LayerRef(std::make_shared<FunctionalLayer>(inputs, outputs, options))) {}
Model::Model(LayerRef layer) : LayerRef(std::move(layer)), trainer_(std::make_shared<Trainer>(*this)) {
  if (ptr_->name().empty()) ptr_->set_name(unique_layer_name(ptr_->class_name()));
}

void Model::compile(CompileOptions options) { trainer_->compile(std::move(options)); }
bool Model::compiled() const { return trainer_ && trainer_->compiled(); }
const Optimizer& Model::optimizer() const {
  GLIA_CHECK(compiled(), "{}: the model has no optimizer before compile().", name());
  return trainer_->optimizer();
}
std::vector<std::string> Model::metrics_names() const { return trainer_->metrics_names(); }
void Model::reset_metrics() { trainer_->reset_metrics(); }
void Model::stop_training(bool stop) { trainer_->stop_training = stop; }
bool Model::training_stopped() const { return trainer_->stop_training; }

std::vector<LayerRef> Model::layers() const {
  if (auto* s = dynamic_cast<SequentialLayer*>(ptr_.get())) return s->layers();
  if (auto* f = dynamic_cast<FunctionalLayer*>(ptr_.get())) return f->layers();
  return ptr_->sublayers();
}
LayerRef Model::get_layer(const std::string& wanted) const {
  std::vector<std::string> known;
  for (const LayerRef& l : layers()) {
    if (l->name() == wanted) return l;
    known.push_back(l->name());
  }
  throw_error("{}: the model has no layer named '{}'.{}", name(), wanted, did_you_mean(wanted, known));
}
std::vector<std::string> Model::input_names() const { return trainer_->input_names(); }
std::vector<std::string> Model::output_names() const { return trainer_->output_names(); }
std::vector<Shape> Model::input_shapes() const {
  std::vector<Shape> r;
  if (auto* f = dynamic_cast<FunctionalLayer*>(ptr_.get()))
    for (ir::Ref in : f->input_refs()) r.push_back(f->graph().type(in).shape);
  if (auto* s = dynamic_cast<SequentialLayer*>(ptr_.get()); s && !s->input_shape().empty()) r.push_back(s->input_shape());
  return r;
}
std::vector<Shape> Model::output_shapes() const {
  std::vector<Shape> r;
  if (auto* f = dynamic_cast<FunctionalLayer*>(ptr_.get()))
    for (ir::Ref out : f->output_refs()) r.push_back(f->graph().type(out).shape);
  if (auto* s = dynamic_cast<SequentialLayer*>(ptr_.get()); s && !s->output_shapes().empty()) r = s->output_shapes().back();
  return r;
}

static std::shared_ptr<SequentialLayer> make_sequential(const std::vector<LayerRef>& layers, const ModelOptions& options) {
  auto s = std::make_shared<SequentialLayer>();
  s->configure({.name = options.name, .trainable = options.trainable});
  for (const LayerRef& l : layers) s->add(l);
  return s;
}
Sequential::Sequential(std::initializer_list<LayerRef> layers, ModelOptions options)
    : Sequential(std::vector<LayerRef>(layers), std::move(options)) {}
Sequential::Sequential(const std::vector<LayerRef>& layers, ModelOptions options)
    : Model(LayerRef(make_sequential(layers, options))) {}
void Sequential::add(LayerRef layer) { static_cast<SequentialLayer&>(*ptr_).add(std::move(layer)); }
void Sequential::pop() { static_cast<SequentialLayer&>(*ptr_).pop(); }

// ---- logs ---------------------------------------------------------------------------------------------------------

void Logs::fill() const {
  if (!compute_) return;
  auto compute = std::move(compute_);
  compute_ = nullptr;
  std::vector<Entry> added = std::move(entries_);
  entries_ = compute();
  entries_.insert(entries_.end(), added.begin(), added.end());
}
double Logs::operator[](const std::string& name) const {
  std::vector<std::string> known;
  for (auto& [n, v] : entries()) {
    if (n == name) return v;
    known.push_back(n);
  }
  throw_error("The logs have no '{}'.{}", name, did_you_mean(name, known));
}
bool Logs::contains(const std::string& name) const {
  return std::any_of(entries().begin(), entries().end(), [&](const Entry& e) { return e.first == name; });
}
void Logs::set(const std::string& name, double value) {
  fill();
  for (auto& e : entries_)
    if (e.first == name) {
      e.second = value;
      return;
    }
  entries_.emplace_back(name, value);
}
const std::vector<double>& History::operator[](const std::string& name) const {
  std::vector<std::string> known;
  for (auto& [n, v] : history) {
    if (n == name) return v;
    known.push_back(n);
  }
  throw_error("The history has no '{}'.{}", name, did_you_mean(name, known));
}
bool History::contains(const std::string& name) const {
  return std::any_of(history.begin(), history.end(), [&](const auto& h) { return h.first == name; });
}

}  // namespace glia
