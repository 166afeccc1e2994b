#include <glia/layer.h>
#include <glia/ops.h>

#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "nn/layer_call.h"
#include "nn/policy.h"
#include "nn/trace.h"
#include "nn/weight_budget.h"

namespace glia {

namespace {
std::mutex name_mutex;
std::map<std::string, int>& name_counts() {
  static std::map<std::string, int> counts;
  return counts;
}
std::string& global_policy() {
  static std::string policy = "float32";
  return policy;
}
void check_policy(const std::string& name) {
  const std::string p = nn::source_policy(name), mode = nn::quantization_mode(name);
  GLIA_CHECK(mode.empty() || mode == "int8", "The dtype policy '{}' keeps weights as {}. Only int8 is supported.", name, mode);
  static const std::vector<std::string> known{"float32", "float64", "bfloat16", "float16", "mixed_bfloat16", "mixed_float16"};
  for (auto& k : known)
    if (k == p) return;
  throw_error("Unknown dtype policy '{}'.{}", p, did_you_mean(p, known));
}
}  // namespace

std::string unique_layer_name(const std::string& class_name) {
  std::lock_guard<std::mutex> lock(name_mutex);
  std::string base = to_snake_case(class_name);
  int n = name_counts()[base]++;
  return n ? fmt::format("{}_{}", base, n) : base;
}
void clear_session() {
  std::lock_guard<std::mutex> lock(name_mutex);
  name_counts().clear();
}
void set_dtype_policy(const std::string& policy) {
  check_policy(policy);
  global_policy() = policy;
}
const std::string& dtype_policy() { return global_policy(); }

Layer::Layer() : dtype_policy_(global_policy()), sublayers_(std::make_unique<std::vector<LayerRef>>()) {}
Layer::~Layer() = default;

void Layer::fields(Fields& f) {
  f("name", name_);
  f("trainable", trainable_);
  f("dtype", dtype_policy_);
  if (f.reading() || activity_regularizer) activity_regularizer.field(f, "activity_regularizer");
  if (f.reading() || lora_rank_ > 0) {
    std::optional<int64_t> rank;
    std::optional<double> alpha;
    if (lora_rank_ > 0) rank = lora_rank_, alpha = lora_alpha_;
    f("lora_rank", rank);
    f("lora_alpha", alpha);
    lora_rank_ = rank.value_or(0);
    lora_alpha_ = alpha.value_or(static_cast<double>(lora_rank_));
  }
}

void Layer::configure(const LayerOptions& o) {
  name_ = o.name.empty() ? unique_layer_name(class_name()) : o.name;
  GLIA_CHECK(name_.find('/') == std::string::npos, "{}: a layer name must not contain '/'. Received '{}'.", class_name(), name_);
  trainable_ = o.trainable;
  if (!o.dtype.empty()) {
    check_policy(o.dtype);
    dtype_policy_ = o.dtype;
  }
  if (!o.input_shape.empty()) {
    batch_input_shape_ = {-1};
    batch_input_shape_.insert(batch_input_shape_.end(), o.input_shape.begin(), o.input_shape.end());
  }
}

DType Layer::compute_dtype() const {
  const std::string p = nn::source_policy(dtype_policy_);
  return dtype_from_name(p.rfind("mixed_", 0) == 0 ? p.substr(6) : p);
}
DType Layer::variable_dtype() const {
  const std::string p = nn::source_policy(dtype_policy_);
  return p.rfind("mixed_", 0) == 0 ? DType::f32 : dtype_from_name(p);
}
// While the layer is built or called, its name comes with those of the models around it.
std::string Layer::title() const {
  const std::string path = ir::current_scope();
  const bool inside = path.size() > name_.size() && path.ends_with(name_) && path[path.size() - name_.size() - 1] == '/';
  return fmt::format("{} ({})", inside ? path : name_, class_name());
}

Values Layer::call(const Values& inputs, const CallOptions&) {
  GLIA_CHECK(inputs.size() == 1, "{}: expected one input. Received {}.", title(), inputs.size());
  return {call(inputs[0])};
}
Value Layer::call(const Value&) { throw_error("{}: the layer does not define call().", title()); }

Values Layer::compute_mask(const Values&, const Values& masks, const Values& outputs) {
  Values r(outputs.size());
  if (supports_masking() && !masks.empty()) r.assign(outputs.size(), masks[0]);
  return r;
}

void Layer::set_trainable(bool t) {
  trainable_ = t;
  for (const LayerRef& l : *sublayers_) l->set_trainable(t);
}
const std::vector<LayerRef>& Layer::sublayers() const { return *sublayers_; }
LayerRef Layer::track(LayerRef l) {
  sublayers_->push_back(l);
  return l;
}
void Layer::clear_sublayers() { sublayers_->clear(); }

std::vector<Variable> Layer::trainable_weights() const {
  std::vector<Variable> r;
  auto add = [&](const Variable& v) {
    for (const Variable& w : r)
      if (w.same_as(v)) return;
    r.push_back(v);
  };
  if (!trainable_) return r;
  for (const Variable& v : variables_)
    if (v.trainable()) add(v);
  for (const LayerRef& l : *sublayers_)
    for (const Variable& v : l->trainable_weights()) add(v);
  return r;
}
std::vector<Variable> Layer::weights() const {
  std::vector<Variable> r;
  auto add = [&](const Variable& v) {
    for (const Variable& w : r)
      if (w.same_as(v)) return;
    r.push_back(v);
  };
  for (bool first : {true, false})
    for (const Variable& v : variables_)
      if (v.state()->listed_as_trainable == first) add(v);
  for (const LayerRef& l : *sublayers_)
    for (const Variable& v : l->weights()) add(v);
  return r;
}
std::vector<Variable> Layer::non_trainable_weights() const {
  std::vector<Variable> r, t = trainable_weights();
  for (const Variable& v : weights()) {
    bool is_trainable = false;
    for (const Variable& w : t) is_trainable |= w.same_as(v);
    if (!is_trainable) r.push_back(v);
  }
  return r;
}
int64_t Layer::count_params() const {
  int64_t n = 0;
  for (const Variable& v : weights()) n += v.tensor().size();
  return n;
}
std::vector<Tensor> Layer::get_weights() const {
  std::vector<Tensor> r;
  for (const Variable& v : weights()) r.push_back(v.tensor().clone());
  return r;
}
void Layer::set_weights(const std::vector<Tensor>& values) {
  std::vector<Variable> w = weights();
  GLIA_CHECK(values.size() == w.size(), "{}: set_weights received {} arrays. The layer has {} weights{}.", title(), values.size(),
             w.size(), built_ ? "" : " because it is not built yet; call it on an input first");
  for (size_t i = 0; i < w.size(); ++i)
    GLIA_CHECK(values[i].shape() == w[i].shape(), "{}: set_weights received shape {} for weight {} '{}'. Expected {}.", title(),
               to_string(values[i].shape()), i, w[i].path(), to_string(w[i].shape()));
  for (size_t i = 0; i < w.size(); ++i) w[i].tensor().copy_from(values[i].astype(w[i].dtype()));
}

Variable Layer::add_weight(const std::string& name, const Shape& shape, const Initializer& initializer, VariableOptions o) {
  for (int64_t d : shape)
    GLIA_CHECK(d >= 0, "{}: the weight '{}' would have shape {}. Give the input a known extent along that axis.", title(), name,
               to_string(shape));
  o.name = name;
  if (o.dtype == DType::f32) o.dtype = variable_dtype();
  WeightBudget* budget = WeightBudget::current();
  if (budget) budget->charge(title(), name, shape, o.dtype);
  Variable v = budget ? Variable(Tensor::zeros(shape, o.dtype), std::move(o)) : Variable(shape, initializer, std::move(o));
  v.state()->path = name_ + "/" + name;
  variables_.push_back(v);
  return v;
}

bool Layer::training(const CallOptions& o) const {
  if (o.training) return *o.training;
  Trace* t = Trace::current();
  return t && t->training;
}

void Layer::add_loss(const Value& scalar) const {
  if (Trace* t = Trace::current()) t->losses.push_back(scalar);
}

void Layer::build_once(const std::vector<Shape>& shapes) {
  if (built_) return;
  if (name_.empty()) name_ = unique_layer_name(class_name());
  ir::ScopeGuard scope(name_, class_name());
  build(shapes);
  built_ = true;
  if (lora_rank_ > 0) {
    const int64_t rank = std::exchange(lora_rank_, 0);
    enable_lora(rank, lora_alpha_);
  }
}

void Layer::enable_lora(int64_t rank, std::optional<double> alpha) {
  GLIA_CHECK(built_, "{}: low-rank adaptation needs the layer's weights. Build the layer, or call it on an input, first.", title());
  GLIA_CHECK(lora_rank_ == 0, "{}: low-rank adaptation is already enabled, with rank {}.", title(), lora_rank_);
  GLIA_CHECK(rank > 0, "{}: the rank must be positive. Received {}.", title(), rank);
  Variable target;
  for (const Variable& v : variables_)
    if ((v.name() == "kernel" || v.name() == "embeddings") && v.shape().size() >= 2) target = v;
  GLIA_CHECK(target.defined(), "{}: the layer has no weight \"kernel\" or \"embeddings\" to adapt.", title());
  GLIA_CHECK(!target.constraint(), "{}: low-rank adaptation does not go with a constraint on '{}'. Remove the constraint.", title(), target.name());
  Shape a = target.shape();
  a.back() = rank;
  const VariableOptions options{.dtype = DType::f32, .regularizer = target.regularizer()};
  target.state()->adapter_a = add_weight("lora_" + target.name() + "_a", a, "he_uniform", options);
  target.state()->adapter_b = add_weight("lora_" + target.name() + "_b", {rank, target.shape().back()}, "zeros", options);
  lora_rank_ = rank;
  lora_alpha_ = alpha.value_or(static_cast<double>(rank));
  target.state()->adapter_scale = lora_alpha_ / static_cast<double>(rank);
  target.set_trainable(false);
}

Values LayerCall::run(const Values& args) {
  auto g = ir::common_graph(args);
  std::unique_ptr<Trace> scratch;
  if (g && (!Trace::current() || Trace::current()->graph != g)) {
    scratch = std::make_unique<Trace>(false, g);
    scratch->probing = true;
  }
  size_t at = num_inputs;
  Values in(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(num_inputs));
  for (size_t i = 0; i < num_inputs; ++i)
    if (input_has_mask[i]) in[i] = in[i].with_mask(args[at++]);
  CallOptions o = options;
  if (has_mask_option) o.mask = args[at++];
  for (size_t i = 0; i < option_masks.size(); ++i)
    if (option_masks[i]) o.masks[i] = args[at++];
  if (has_attention_mask) o.attention_mask = args[at++];
  for (size_t i = 0; i < num_states; ++i) o.initial_state[i] = args[at++];
  return layer->run_call(in, o);
}

Values LayerCall::call_traced(const Values& args) {
  Values out = run(args), all = out;
  output_has_mask.clear();
  for (const Value& v : out) {
    output_has_mask.push_back(v.mask().defined());
    if (v.mask().defined()) all.push_back(v.mask());
  }
  return all;
}

Values Layer::record_call(const Values& inputs, const CallOptions& options) {
  auto call = std::make_shared<LayerCall>();
  call->layer = shared_from_this();
  call->options = options;
  call->num_inputs = inputs.size();
  Values args = inputs;
  for (const Value& v : inputs) {
    call->input_has_mask.push_back(v.mask().defined());
    if (v.mask().defined()) args.push_back(v.mask());
  }
  if ((call->has_mask_option = options.mask.defined())) args.push_back(options.mask);
  for (const Value& m : options.masks) {
    call->option_masks.push_back(m.defined());
    if (m.defined()) args.push_back(m);
  }
  if ((call->has_attention_mask = options.attention_mask.defined())) args.push_back(options.attention_mask);
  call->num_states = options.initial_state.size();
  args.insert(args.end(), options.initial_state.begin(), options.initial_state.end());
  // Only which are given is kept: a Value would hold the graph whose node holds this call, and neither would ever be freed.
  call->options.mask = call->options.attention_mask = {};
  for (Value& m : call->options.masks) m = {};
  for (Value& s : call->options.initial_state) s = {};
  Values all = ir::add_call(ir::common_graph(args), call, args);
  size_t outputs = call->output_has_mask.size(), at = outputs;
  Values out(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(outputs));
  for (size_t i = 0; i < outputs; ++i)
    if (call->output_has_mask[i]) out[i] = out[i].with_mask(all[at++]);
  return out;
}

Values Layer::run_call(const Values& given, const CallOptions& options) {
  ir::ScopeGuard scope(name_, class_name());
  Values inputs = given;
  if (autocast_inputs())
    for (Value& v : inputs)
      if (is_float(v.dtype())) v = ops::cast(v, compute_dtype()).with_mask(v.mask());
  CallOptions o = options;
  Values masks = o.masks;
  if (masks.empty())
    for (const Value& v : inputs) masks.push_back(v.mask());
  if (o.mask.defined() && !masks.empty()) masks[0] = o.mask;
  else if (!masks.empty() && o.initial_state.empty()) o.mask = masks[0];  // as in Keras, beside given states an attached mask is only passed on
  if (o.masks.empty()) o.masks = masks;
  Values outputs;
  {
    AutocastGuard autocast(compute_dtype());
    outputs = call(inputs, o);
  }
  Values out_masks = compute_mask(inputs, masks, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    Value m = i < out_masks.size() ? out_masks[i] : Value();
    outputs[i] = outputs[i].with_mask(m);
  }
  if (activity_regularizer && Trace::current())
    for (const Value& y : outputs)
      add_loss((*activity_regularizer)(y) * (1.0 / static_cast<double>(std::max<int64_t>(1, y.dim(0)))));
  return outputs;
}

Values Layer::apply(const Values& inputs, const CallOptions& options) {
  Values all = inputs;
  for (const Value& v : options.initial_state) all.push_back(v);
  auto g = ir::common_graph(all);
  std::vector<Shape> shapes;
  for (const Value& v : inputs) shapes.push_back(v.shape());
  build_once(shapes);
  if (g && g->symbolic) return record_call(inputs, options);
  return run_call(inputs, options);
}

Value LayerRef::operator()(const Value& x, const CallOptions& o) const { return ptr_->apply({x}, o)[0]; }
Value LayerRef::operator()(const Values& in, const CallOptions& o) const { return ptr_->apply(in, o)[0]; }
Value LayerRef::operator()(std::initializer_list<Value> in, const CallOptions& o) const { return ptr_->apply(Values(in), o)[0]; }
Values LayerRef::outputs(const Values& in, const CallOptions& o) const { return ptr_->apply(in, o); }

}  // namespace glia
