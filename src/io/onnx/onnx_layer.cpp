#include "io/onnx/onnx_layer.h"

#include <glia/ops.h>

#include <algorithm>
#include <optional>
#include <set>

#include "io/file/path_name.h"
#include "ir/eager_budget.h"
#include "nn/trace.h"

namespace glia::onnx {
namespace {

// How the nodes of a file use a name.
struct Use {
  bool weight = false;               // an operand of arithmetic
  bool fixed = false;                // a shape, an axis, a bound: must be known when a step is compiled
  bool statistics = false;           // a moving average
  bool trained = false;              // of an operator that has weights at that place (Conv, Gemm, MatMul, LSTM, ...)
  const Operator* keeper = nullptr;  // every use wants the weight in this operator's layout
  bool other_layout = false;
};

bool has_weights(const std::string& op) {
  static const std::set<std::string> names = {"Conv",
                                              "ConvTranspose",
                                              "Gemm",
                                              "MatMul",
                                              "LSTM",
                                              "GRU",
                                              "RNN",
                                              "BatchNormalization",
                                              "LayerNormalization",
                                              "InstanceNormalization",
                                              "GroupNormalization",
                                              "RMSNormalization",
                                              "PRelu",
                                              "Gather"};
  return names.count(op) > 0;
}

void collect(const Body& body, std::map<std::string, Use>& uses) {
  for (const NodeDef& n : body.nodes) {
    const Operator* op = find_operator(n.domain, n.op);
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      Use& u = uses[n.inputs[i]];
      const auto listed = [&](const std::vector<int>& slots) {
        return std::find(slots.begin(), slots.end(), static_cast<int>(i)) != slots.end();
      };
      if (op && listed(op->known))
        u.fixed = true;
      else
        u.weight = true;
      if (op && listed(op->statistics)) u.statistics = true;
      u.trained |= has_weights(n.op);
      if (op && op->kept && i == 1 && (!u.keeper || u.keeper->kept == op->kept))
        u.keeper = op;
      else
        u.other_layout = true;
    }
    for (auto& [name, a] : n.attributes)
      if (a.body) collect(*a.body, uses);
  }
  for (const ValueInfo& v : body.outputs) uses[v.name].other_layout = true;
}

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(const std::string& bytes) {
  std::string r;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) r += i + k > bytes.size() ? '=' : kDigits[v >> (18 - 6 * k) & 63];
  }
  return r;
}
std::string from_base64(const std::string& text) {
  std::string r;
  uint32_t v = 0;
  int bits = 0;
  for (char c : text) {
    if (c == '=') break;
    const char* at = std::find(kDigits, kDigits + 64, c);
    GLIA_CHECK(at != kDigits + 64, "OnnxGraph: the field 'graph' is not base64.");
    v = v << 6 | static_cast<uint32_t>(at - kDigits);
    if ((bits += 6) >= 8) r += static_cast<char>(v >> (bits -= 8) & 255);
  }
  return r;
}

}  // namespace

OnnxLayer::OnnxLayer(std::shared_ptr<const File> file, const ImportOptions& options) : constants_(options.constants) {
  set_name(options.name.empty() ? unique_layer_name("OnnxGraph") : options.name + "_graph");
  adopt(std::move(file), options.trainable);
}

void OnnxLayer::adopt(std::shared_ptr<const File> file, bool trainable) {
  register_onnx_layer();
  file_ = std::move(file);
  std::set<std::string> initialized;
  for (const Initializer& i : file_->graph.initializers) initialized.insert(i.name);
  std::vector<std::string> names;
  for (const ValueInfo& v : file_->graph.inputs) {
    if (initialized.count(v.name)) continue;  // files of IR version 3 list weights as inputs
    names.push_back(v.name);
    if (!constants_.count(v.name)) inputs_.push_back(v);
  }
  for (auto& [name, t] : constants_)
    GLIA_CHECK(std::find(names.begin(), names.end(), name) != names.end(),
               "{}: ImportOptions::constants: the model has no input named '{}'.{}", file_->source, name,
               did_you_mean(name, names));
  if (!inputs_.empty() && !inputs_[0].shape.empty()) declared_batch_ = inputs_[0].shape[0].value;
  make_weights(trainable);
  set_built();
}

void OnnxLayer::keep(std::span<const uint8_t> bytes) {
  std::set<std::string> names;
  for (const Weight& w : weights_) names.insert(w.name);
  text_ = to_base64(skeleton(bytes, *file_, names, constants_));
}

void OnnxLayer::fields(Fields& f) {
  Layer::fields(f);
  f("graph", text_);
  f("batch_free", batch_free);
  if (!f.reading() || text_.empty() || file_) return;
  const std::string bytes = from_base64(text_);
  adopt(std::make_shared<File>(parse({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                                     name_ + " (OnnxGraph)", "", {}, true)),
        true);
}

void register_onnx_layer() {
  static const bool once = [] {
    register_class("layer", "OnnxGraph", [] { return std::make_shared<OnnxLayer>(); });
    return true;
  }();
  (void)once;
}

void OnnxLayer::make_weights(bool trainable) {
  std::map<std::string, Use> uses;
  collect(file_->graph, uses);
  const auto add = [&](const std::string& name, const Tensor& t, const Use& u) {
    Weight w{.name = name};
    if (u.keeper && !u.other_layout && t.rank() >= 2) w.axes = u.keeper->kept(t.rank());
    Tensor kept = w.axes.empty() ? t.clone() : ops::transpose(Value(t), inverse(w.axes)).tensor().clone();
    w.variable = Variable(
        kept, {.name = name, .trainable = trainable && !u.statistics, .dtype = t.dtype(), .autocast = false});
    w.variable.state()->path = name_ + "/" + name;
    track(w.variable);
    weights_.push_back(std::move(w));
  };
  // A number alone is an exporter's constant (an epsilon, a scale); what decides shapes must be known.
  const auto is_weight = [&](const Tensor& t, const Use& u) {
    return t.defined() && is_float(t.dtype()) && t.rank() > 0 && t.size() > 0 && u.weight && !u.fixed;
  };
  for (const Initializer& i : file_->graph.initializers)
    if (const Use& u = uses[i.name]; is_weight(i.tensor, u)) add(i.name, i.tensor, u);
  for (const NodeDef& n : file_->graph.nodes) {  // some exporters write weights as Constant nodes
    auto value = n.attributes.find("value");
    if (n.op != "Constant" || !n.domain.empty() || n.outputs.size() != 1 || value == n.attributes.end()) continue;
    if (const Use& u = uses[n.outputs[0]]; u.trained && is_weight(value->second.t, u))
      add(n.outputs[0], value->second.t, u);
  }
}

Values OnnxLayer::call(const Values& given, const CallOptions& options) {
  GLIA_CHECK(given.size() == inputs_.size(), "{}: expected {} inputs. Received {}.", title(), inputs_.size(),
             given.size());
  // What follows from the file alone is computed here and now; arrays that somebody gave (onnx::run) take what they need.
  bool arrays = !given.empty();
  uint64_t held = text_.size();
  for (const Value& x : given) arrays &= x.is_concrete();
  for (const Initializer& i : file_->graph.initializers) held += i.tensor.defined() ? i.tensor.bytes() : 0;
  std::optional<ir::EagerBudget> budget;
  if (!arrays) budget.emplace((uint64_t{32} << 20) + 64 * held);
  Scope scope;
  for (auto& [name, t] : constants_) scope.set(name, Value(t));
  for (size_t i = 0; i < given.size(); ++i) {
    DType want;
    scope.set(inputs_[i].name, dtype_of_type(inputs_[i].type, &want) ? ops::cast(given[i], want) : given[i]);
  }
  for (const Weight& w : weights_) scope.set(w.name, Operand(w.variable.value(), w.axes));
  Interpreter run(*file_, training(options), batch_free ? declared_batch_ : 0);
  for (const Value& x : given)
    if (!x.is_concrete()) run.graph = x.graph();
  if (!given.empty() && given[0].rank() > 0) run.given_batch = given[0].dim(0);
  Values out;
  for (const Operand& o : run.run(file_->graph, scope)) {
    GLIA_CHECK(!o.is_sequence() && !o.is_nothing(), "{}: the output '{}' is {}. Only arrays can be outputs.", file_->source,
               io::printable(file_->graph.outputs[out.size()].name), o.is_sequence() ? "a sequence" : "an empty optional value");
    out.push_back(o.logical());
  }
  return out;
}

}  // namespace glia::onnx
