// Names to objects: losses, metrics and input arrays, once the shapes of a first batch are known.
#include <glia/custom_step.h>
#include <glia/ops.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/losses/functions.h"
#include "train/functional.h"
#include "train/sequential.h"
#include "train/trainer.h"

namespace glia {

void Data::add(Array a) {
  if (a.strings.defined()) {
    strings.resize(tensors.size());
    strings.push_back(std::move(a.strings));
  } else if (!strings.empty()) {
    strings.emplace_back();
  }
  tensors.push_back(std::move(a.numbers));
}
Data::Data(StringTensor t) { add(std::move(t)); }
Data::Data(std::initializer_list<const char*> texts) : Data(StringTensor(std::vector<std::string>(texts.begin(), texts.end()))) {}
Data::Data(std::initializer_list<Array> arrays) {
  for (const Array& a : arrays) add(a);
}
Data::Data(std::initializer_list<std::pair<const std::string, Array>> named) {
  for (const auto& [n, a] : named) names.push_back(n), add(a);
}
Data::Data(std::vector<Array> arrays) {
  for (Array& a : arrays) add(std::move(a));
}
Data::Data(std::map<std::string, Tensor> named) {
  for (auto& [n, t] : named) names.push_back(n), tensors.push_back(t);
}
Data::Data(std::map<std::string, Array> named) {
  for (auto& [n, a] : named) names.push_back(n), add(std::move(a));
}
InputDType::InputDType(const std::string& name) : value(name == "string" ? kStringDType : dtype_from_name(name)) {}
LossSpec::LossSpec(std::map<std::string, LossArg> named) : per_output(true) {
  for (auto& [n, l] : named) names.push_back(n), items.push_back(l);
}
MetricsSpec::MetricsSpec(std::map<std::string, std::vector<MetricArg>> named) : per_output(true) {
  for (auto& [n, l] : named) names.push_back(n), items.push_back(l);
}

namespace {

// Position of each name among `known`; every name must be there.
std::vector<size_t> positions(const std::vector<std::string>& names, const std::vector<std::string>& known, const char* what) {
  std::vector<size_t> r;
  for (auto& n : names) {
    auto it = std::find(known.begin(), known.end(), n);
    GLIA_CHECK(it != known.end(), "{}: the model has no output or input named '{}'.{}", what, n, did_you_mean(n, known));
    r.push_back(static_cast<size_t>(it - known.begin()));
  }
  return r;
}

Shape expected_input_shape(const LayerRef& root, size_t i) {
  if (auto* s = dynamic_cast<SequentialLayer*>(root.ptr().get())) return i == 0 ? s->input_shape() : Shape{};
  if (auto* f = dynamic_cast<FunctionalLayer*>(root.ptr().get())) return f->graph().type(f->input_refs()[i]).shape;
  return {};
}

// A last axis of 1 is added or taken away where that makes the rank the expected one; tells whether it was.
bool adjust_rank_to(const Shape& want, Shape& shape) {
  if (want.empty() || shape.empty()) return false;
  if (shape.size() + 1 == want.size() && want.back() == 1) shape.push_back(1);
  else if (shape.size() == want.size() + 1 && shape.back() == 1) shape.pop_back();
  else return false;
  return true;
}

Shape open_batch(Shape s) {
  if (!s.empty()) s[0] = -1;
  return s;
}

// Strings where strings go and numbers where numbers go, for the models whose inputs tell.
void check_kind(const LayerRef& root, size_t i, const FeedBatch& b, const std::string& name) {
  auto* s = dynamic_cast<SequentialLayer*>(root.ptr().get());
  if (!s && !dynamic_cast<FunctionalLayer*>(root.ptr().get())) return;
  const bool want = takes_strings(root, i), either = s && s->input_type().shape.empty() && want;
  if (want == b.is_text(i) || (either && !is_float(b.x[i].dtype()))) return;
  const std::string what = b.is_text(i) ? fmt::format("strings of shape {}", to_string(b.text[i].shape))
                           : b.x[i].defined() ? fmt::format("{} {}", dtype_name(b.x[i].dtype()), to_string(b.x[i].shape())) : "nothing";
  throw_error("{} ({}): input {}{} takes {}. Received {}. {}", root->name(), root->class_name(), i, name.empty() ? "" : " '" + name + "'",
              want ? "strings" : "numbers", what,
              want ? "Give a StringTensor." : "Put a layer over text in front (TextVectorization, StringLookup), on an Input with .dtype = \"string\".");
}

Tensor with_floatx(const Tensor& t, DType floatx) {
  bool narrow = t.dtype() == DType::f64 && floatx != DType::f64;
  return narrow ? t.astype(DType::f32) : t;
}

}  // namespace

void Trainer::adjust_rank(size_t i, Shape& shape) const { adjust_rank_to(expected_input_shape(root_, i), shape); }

FeedBatch Trainer::prepare_inputs(const Data& x) const {
  FeedBatch r;
  r.x = x.tensors, r.text = x.strings;
  std::vector<std::string> names = input_names();
  if (!x.names.empty()) {
    GLIA_CHECK(!names.empty(), "fit: arrays by name need a functional model with named inputs.");
    std::vector<size_t> at = positions(x.names, names, "fit");
    r.x.assign(names.size(), Tensor());
    if (!r.text.empty()) r.text.assign(names.size(), {});
    for (size_t i = 0; i < at.size(); ++i) {
      r.x[at[i]] = x.tensors[i];
      if (i < x.strings.size()) r.text[at[i]] = x.strings[i];
    }
    for (size_t i = 0; i < r.x.size(); ++i)
      GLIA_CHECK(r.x[i].defined() || r.is_text(i), "fit: the input '{}' is missing from x.", names[i]);
  }
  if (!names.empty())
    GLIA_CHECK(r.x.size() == names.size(), "fit: the model '{}' has {} inputs. Received {} arrays.", root_->name(), names.size(), r.x.size());
  const auto* sequential = dynamic_cast<SequentialLayer*>(root_.ptr().get());
  const bool declared = !sequential || sequential->shape_declared();
  if (sequential) GLIA_CHECK(r.x.size() <= 1, "fit: the model '{}' has 1 input. Received {} arrays. Models with several inputs are made with Model({{a, b}}, {{y}}).",
                             root_->name(), r.x.size());
  if (r.is_text(0))
    if (auto* s = dynamic_cast<SequentialLayer*>(root_.ptr().get()); s && !s->built()) s->build_for({kStringDType, open_batch(r.text[0].shape)});
  for (size_t i = 0; i < r.x.size(); ++i) {
    Shape want = expected_input_shape(root_, i);
    check_kind(root_, i, r, i < names.size() ? names[i] : "");
    if (!r.is_text(i)) r.x[i] = with_floatx(r.x[i], root_->variable_dtype());
    if (r.is_text(i)) {
      adjust_rank_to(want, r.text[i].shape);
    } else if (Shape shape = r.x[i].shape(); adjust_rank_to(want, shape)) {
      r.x[i] = r.x[i].reshape(shape);
    }
    const Shape& got = r.is_text(i) ? r.text[i].shape : r.x[i].shape();
    if (!declared) std::fill(want.begin(), want.end(), -1);  // learned from the first batch: the layers say what else they can take
    bool ok = want.empty() || got.size() == want.size();
    for (size_t d = 1; ok && d < want.size(); ++d) ok = want[d] < 0 || want[d] == got[d];
    GLIA_CHECK(ok, "{} ({}): input {} has shape {}. Expected {}. Reshape x, or change the model's input_shape.", root_->name(),
               root_->class_name(), i, to_string(got), to_string(want));
  }
  return r;
}

FeedBatch Trainer::prepare(const char* where, const Data& x, const Data& y, const Data& w, const char* prefix) const {
  FeedBatch r = prepare_inputs(x);
  const auto given = [](const Data& d) { return !d.tensors.empty() || !d.strings.empty() || !d.names.empty(); };
  if (given(y)) r.y = prepare_targets(y, fmt::format("{}y", prefix).c_str());
  if (given(w)) r.w = prepare_targets(w, fmt::format("{}sample_weight", prefix).c_str());
  r.size = checked_rows(where, r);
  return r;
}

std::vector<Tensor> Trainer::prepare_targets(const Data& y, const char* what) const {
  GLIA_CHECK(y.strings.empty(), "fit: {} must be numbers. Received strings. Turn labels into class ids first, e.g. with encode(StringLookup, labels).",
             what);
  std::vector<Tensor> r = y.tensors;
  if (!y.names.empty()) {
    std::vector<std::string> names = output_names();
    GLIA_CHECK(!names.empty(), "fit: {} by name needs a functional model with named outputs.", what);
    std::vector<size_t> at = positions(y.names, names, what);
    r.assign(names.size(), Tensor());
    for (size_t i = 0; i < at.size(); ++i) r[at[i]] = y.tensors[i];
    r.erase(std::remove_if(r.begin(), r.end(), [](const Tensor& t) { return !t.defined(); }), r.end());
  }
  for (Tensor& t : r) t = with_floatx(t, root_->variable_dtype());
  return r;
}

std::vector<Tensor> Trainer::class_weights_for(const std::vector<Tensor>& y, const std::map<int64_t, double>& weights) const {
  GLIA_CHECK(y.size() == 1, "fit: class_weight works with a single output. Received {} target arrays.", y.size());
  const Tensor& t = y[0];
  int64_t n = t.dim(0), width = t.size() / std::max<int64_t>(1, n);
  Tensor w({n});
  for (int64_t i = 0; i < n; ++i) {
    int64_t label = 0;
    if (width == 1) label = std::llround(t.item(i));
    else
      for (int64_t k = 1; k < width; ++k)
        if (t.item(i * width + k) > t.item(i * width + label)) label = k;
    auto it = weights.find(label);
    w.data<float>()[i] = it == weights.end() ? 1.f : static_cast<float>(it->second);
  }
  return {w};
}

void Trainer::resolve(const Values& y, const Values& pred) {
  if (resolved_) return;
  tracker_of("loss");
  resolve_losses(y, pred);
  resolve_metrics(y, pred);
  resolved_ = true;
}

void Trainer::resolve_losses(const Values& y, const Values& pred) {
  const LossSpec& spec = options_.loss;
  std::vector<std::string> names = output_names();
  losses_.assign(pred.size(), Loss());
  std::vector<LossArg> args(pred.size());
  if (!spec.names.empty()) {
    std::vector<size_t> at = positions(spec.names, names, "compile(loss)");
    for (size_t i = 0; i < at.size(); ++i) args[at[i]] = spec.items[i];
  } else if (spec.per_output) {
    GLIA_CHECK(spec.items.size() == pred.size(), "compile: {} losses for a model with {} outputs. Give one loss per output.", spec.items.size(), pred.size());
    args = spec.items;
  } else if (!spec.items.empty()) {
    args.assign(pred.size(), spec.items[0]);
  }
  size_t with_loss = 0;
  for (auto& a : args) with_loss += !a.empty();
  GLIA_CHECK(y.size() >= with_loss, "fit: the model has {} outputs with a loss. Received {} target arrays in y. Give one per output.", with_loss, y.size());
  for (size_t o = 0, target = 0; o < pred.size(); ++o) {
    if (args[o].empty()) continue;
    size_t k = y.size() == pred.size() ? o : target++;
    losses_[o] = args[o].object ? args[o].object : resolve_loss(args[o].name, y[k].type(), pred[o].type());
  }
  loss_weights_ = options_.loss_weights;
  if (!options_.named_loss_weights.empty()) {
    loss_weights_.assign(pred.size(), 1.0);
    std::vector<std::string> given;
    for (auto& [n, v] : options_.named_loss_weights) given.push_back(n);
    std::vector<size_t> at = positions(given, names, "compile(loss_weights)");
    for (size_t i = 0; i < at.size(); ++i) loss_weights_[at[i]] = options_.named_loss_weights.at(given[i]);
  }
  if (pred.size() > 1)
    for (size_t o = 0; o < pred.size(); ++o)
      if (losses_[o]) tracker_of(output_name(o) + "_loss");
}

std::string Trainer::output_name(size_t output) const {
  std::vector<std::string> names = output_names();
  return output < names.size() ? names[output] : fmt::format("output_{}", output);
}

void Trainer::resolve_metrics(const Values& y, const Values& pred) {
  add_metrics(options_.metrics, false, y, pred);
  add_metrics(options_.weighted_metrics, true, y, pred);
}

void Trainer::add_metrics(const MetricsSpec& spec, bool weighted, const Values& y, const Values& pred) {
  std::vector<std::string> names = output_names();
  std::vector<std::vector<MetricArg>> per_output(pred.size());
  if (!spec.names.empty()) {
    std::vector<size_t> at = positions(spec.names, names, "compile(metrics)");
    for (size_t i = 0; i < at.size(); ++i) per_output[at[i]] = spec.items[i];
  } else if (spec.per_output) {
    GLIA_CHECK(spec.items.size() == pred.size(), "compile: {} lists of metrics for a model with {} outputs.", spec.items.size(), pred.size());
    per_output = spec.items;
  } else if (!spec.items.empty() && pred.size() == 1) {
    per_output[0] = spec.items[0];
  } else if (!spec.items.empty()) {  // Keras: a flat list with several outputs means one each
    GLIA_CHECK(spec.items[0].size() == pred.size(), "compile: {} metrics for a model with {} outputs; give one per output, or lists per output.",
               spec.items[0].size(), pred.size());
    for (size_t o = 0; o < pred.size(); ++o) per_output[o] = {spec.items[0][o]};
  }
  for (size_t o = 0; o < pred.size(); ++o) {
    for (const MetricArg& arg : per_output[o]) {
      size_t k = y.size() == pred.size() ? o : std::min(o, y.size() - 1);
      Metric m = arg.object ? arg.object : resolve_metric(arg.name, y[k].type(), pred[o].type());
      m->build(y[k].type(), pred[o].type());
      std::string base = arg.object ? m->name : arg.name, prefix = pred.size() > 1 ? output_name(o) + "_" : "";
      auto used = [&](const std::string& n) {
        return std::any_of(metrics_.begin(), metrics_.end(), [&](const OutputMetric& x) { return x.log_name == n; });
      };
      std::string log_name = prefix + base;
      if (weighted && used(log_name)) log_name = prefix + "weighted_" + base;
      for (int i = 1; used(log_name); ++i) log_name = fmt::format("{}{}_{}", prefix, base, i);
      metrics_.push_back({m, log_name, o, weighted});
    }
  }
}

std::vector<TensorType> Trainer::check_targets(const FeedBatch& all, int64_t batch, bool class_weight) {
  if (options_.loss.items.empty() && dynamic_cast<const CustomSteps*>(&*root_)) return {};  // a training step that has losses of its own
  FeedBatch first = all.rows(0, batch);
  if (class_weight) first.w = {Tensor({batch})};
  std::vector<TensorType> outputs = trace_test(first);
  check_labels(all.y, outputs);
  return outputs;
}

void Trainer::check_labels(const std::vector<Tensor>& y, const std::vector<TensorType>& out) const {
  for (size_t o = 0, target = 0; o < out.size() && o < losses_.size(); ++o) {
    if (!losses_[o]) continue;
    size_t k = y.size() == out.size() ? o : target++;
    if (losses_[o]->class_name() != "SparseCategoricalCrossentropy" || k >= y.size()) continue;
    int64_t classes = out[o].shape.back();
    std::optional<int64_t> ignored = nn::ignored_class(*losses_[o]);
    for (int64_t i = 0; i < y[k].size(); ++i) {
      double label = y[k].item(i);
      bool ok = (label >= 0 && label < static_cast<double>(classes)) || (ignored && label == static_cast<double>(*ignored));
      GLIA_CHECK(ok, "fit: label {} at position {} of y is out of range. The output '{}' has {} classes, so labels go from 0 to {}. "
                 "Renumber the labels, or give the last layer more units.",
                 label, i, o < output_names().size() ? output_names()[o] : root_->name(), classes, classes - 1);
    }
  }
}

}  // namespace glia
