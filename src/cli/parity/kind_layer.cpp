// kind "layer": one layer from its configuration, called with given weights; outputs, masks, losses, state and gradients.
#include <glia/function.h>
#include <glia/layer.h>
#include <glia/ops.h>

#include <map>

#include "base/error.h"
#include "cli/parity/kinds.h"
#include "io/keras/model_config.h"
#include "nn/class_list.h"
#include "nn/config_json.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/text.h"
#include "nn/trace.h"
#include "runtime/executable.h"

namespace glia::parity {
namespace {

bool is_missing(const json& line, const char* key) { return !line.contains(key) || line[key].is_null(); }

// Arrays and nulls of nested lists, in order.
void flatten(const json& value, std::vector<const json*>& out) {
  if (value.is_array())
    for (const json& v : value) flatten(v, out);
  else out.push_back(&value);
}
std::vector<const json*> flatten(const json& value) {
  std::vector<const json*> out;
  flatten(value, out);
  return out;
}

// The graph under construction with the arrays that feed it.
struct Feed {
  Trace trace;
  std::vector<Tensor> arrays;
  explicit Feed(bool training) : trace(training) {}
  Value add(const json& array) {
    arrays.push_back(to_tensor(array));
    return trace.input({arrays.back().dtype(), arrays.back().shape()}, fmt::format("in{}", arrays.size()));
  }
};

void require_classes(const json& value) {  // classes nested in configurations may be missing, too
  if (value.is_array())
    for (const json& v : value) require_classes(v);
  if (!value.is_object()) return;
  if (value.contains("class_name") && value["class_name"].is_string() && value.value("module", "") == "keras.layers") {
    std::string name = value["class_name"];
    if (!find_class("layer", name) && !io::keras::is_model_class(name)) throw Unsupported("layer " + name);
  }
  for (const auto& [key, v] : value.items()) require_classes(v);
}

LayerRef make_layer_of(const json& line) {
  json object = line.at("layer");
  std::string name = object.at("class_name");
  if (!find_class("layer", name)) throw Unsupported("layer " + name);
  require_classes(object);
  io::keras::use_for_nested_models();
  return LayerRef(std::static_pointer_cast<Layer>(deserialize("layer", object.dump())));
}

using CallArrays = std::map<std::string, Values>;  // by argument

CallOptions call_options(const json& line, Feed& feed, size_t inputs, CallArrays& call_arrays) {
  CallOptions o;
  std::string argument;
  auto array = [&](const json& v) {
    if (v.is_null()) return Value();
    call_arrays[argument].push_back(feed.add(v));
    return call_arrays[argument].back();
  };
  o.masks.resize(inputs);
  bool masks = false;
  for (const auto& [key, v] : line.at("call").items()) {
    argument = key;
    if (key == "training") o.training = v.get<bool>();
    else if (key == "use_causal_mask") o.use_causal_mask = v.get<bool>();
    else if (key == "return_attention_scores") o.return_attention_scores = v.get<bool>();
    else if (key == "reverse") o.reverse = v.get<bool>();
    else if (key == "attention_mask") o.attention_mask = array(v);
    else if (key == "initial_state") for (const json* s : flatten(v)) o.initial_state.push_back(array(*s));
    else if (key == "mask" && v.is_array()) for (size_t i = 0; i < v.size() && i < inputs; ++i) masks = true, o.masks[i] = array(v[i]);
    else if (key == "mask") o.mask = array(v);
    else if (key == "query_mask") masks = true, o.masks[0] = array(v);
    else if (key == "value_mask" && inputs > 1) masks = true, o.masks[1] = array(v);
    else if (key == "key_mask" && inputs > 2) masks = true, o.masks[2] = array(v);
    else if (!v.is_null() && key != "count_weights") throw_error("the call argument '{}' is not known.", key);
  }
  if (!masks) o.masks.clear();
  return o;
}

void check_masks(const json& line, const Values& outputs, const std::vector<Tensor>& masks, Check& check) {
  std::vector<const json*> want = is_missing(line, "output_mask") ? std::vector<const json*>(outputs.size(), nullptr) : flatten(line["output_mask"]);
  size_t at = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    bool has = outputs[i].mask().defined(), wanted = i < want.size() && want[i] && !want[i]->is_null();
    std::string what = fmt::format("output_mask[{}]", i);
    if (has != wanted) check.fail(what, has ? "there is a mask where Keras has none" : "there is no mask where Keras has one");
    else if (has) check.tensor(what, masks[at], *want[i], {});
    if (has) ++at;
  }
}

// Values of the weights at the start of the trace; a call may assign new ones.
struct Initial {
  std::vector<Variable> variables;
  Values values;
  Value of(const Variable& v) const {
    for (size_t i = 0; i < variables.size(); ++i)
      if (variables[i].same_as(v)) return values[i];
    throw_error("the variable {} appeared during the call.", v.path());
  }
};

struct Gradients {
  Values values;
  std::vector<const json*> want;
  std::vector<std::string> names;
};

Gradients gradients_of(const json& line, const LayerRef& layer, Feed& feed, const Initial& initial, const Values& outputs, const Values& inputs, const CallArrays& call_arrays) {
  Gradients g;
  if (is_missing(line, "cotangents") || is_missing(line, "grad_inputs")) return g;
  std::vector<const json*> cotangents = flatten(line["cotangents"]);
  Values floats, seeds, wrt;
  for (const Value& y : outputs) {
    if (!is_float(y.dtype())) continue;
    if (floats.size() >= cotangents.size()) throw_error("there are more float outputs than cotangents.");
    seeds.push_back(ops::cast(feed.add(*cotangents[floats.size()]), y.dtype()));
    floats.push_back(y);
  }
  auto want = [&](const json& list, const Values& values, const char* name) {
    std::vector<const json*> flat = flatten(list);
    for (size_t i = 0; i < flat.size() && i < values.size(); ++i) {
      if (flat[i]->is_null()) continue;
      wrt.push_back(values[i]);
      g.want.push_back(flat[i]->contains("value") ? &(*flat[i])["value"] : flat[i]);
      g.names.push_back(fmt::format("{}[{}]", name, i));
    }
  };
  want(line["grad_inputs"], inputs, "grad_inputs");
  if (!is_missing(line, "grad_call")) {
    for (const auto& [key, list] : line["grad_call"].items())
      if (auto it = call_arrays.find(key); it != call_arrays.end()) want(list, it->second, "grad_call");
  }
  Values weights;
  for (const Variable& v : layer->trainable_weights()) weights.push_back(initial.of(v));
  if (!is_missing(line, "grad_weights")) {
    if (flatten(line["grad_weights"]).size() != weights.size())
      throw_error("the layer has {} trainable weights. Keras has {}.", weights.size(), line["grad_weights"].size());
    want(line["grad_weights"], weights, "grad_weights");
  }
  if (!wrt.empty()) g.values = gradients(floats, wrt, seeds);
  return g;
}

StringTensor to_strings(const json& array) {
  if (!is_string_array(array)) return nn::integers_as_text(to_tensor(array));
  StringTensor t;
  t.shape = to_shape(array["shape"]);
  for (const json& v : array["v"]) t.values.push_back(v.get<std::string>());
  return t;
}
json strings_of(const json& list) {  // a vocabulary may hold numbers
  json r = json::array();
  for (const json& v : list) r.push_back(v.is_string() ? v : json(v.dump()));
  return r;
}

// Layers over strings and categories run on the host.
void run_host_layer(const json& line, const LayerRef& layer, nn::HostLayer& host, Check& check) {
  if (!is_missing(line, "adapt")) host.adapt_to(to_strings(line["adapt"]));
  if (!is_missing(line, "vocabulary"))
    check.text("vocabulary", json(get_vocabulary(layer)).dump(), strings_of(line["vocabulary"]).dump());
  std::vector<StringTensor> inputs;
  std::vector<bool> integers;
  for (const json* j : flatten(line["inputs"])) {
    integers.push_back(!is_string_array(*j));
    inputs.push_back(to_strings(*j));
  }
  const json& want = *flatten(line["outputs"])[0];
  if (is_string_array(want)) {
    StringTensor got = decode(layer, to_tensor(*flatten(line["inputs"])[0]));
    check.text("outputs[0]", json(got.values).dump(), want["v"].dump());
    return check.that(got.shape == to_shape(want["shape"]), "outputs[0]", "shape " + to_string(got.shape));
  }
  auto* crossing = dynamic_cast<nn::HashedCrossing*>(&host);
  check.tensor("outputs[0]", crossing ? crossing->run_mixed(inputs, integers) : host.run(inputs), want, tolerance(line));
}

void set_weights(const json& line, const LayerRef& layer, const std::vector<Shape>& shapes) {
  layer->build_once(shapes);
  if (is_missing(line, "weights")) return;
  std::vector<Tensor> values;
  for (const json& w : line["weights"]) values.push_back(to_tensor(w["value"]));
  layer->set_weights(values);
}

}  // namespace

void run_layer(const json& line, Check& check) {
  LayerRef layer = make_layer_of(line);
  std::vector<const json*> input_json = flatten(line.at("inputs"));
  if (auto* host = dynamic_cast<nn::HostLayer*>(&*layer)) return run_host_layer(line, layer, *host, check);
  bool training = !is_missing(line["call"], "training") && line["call"]["training"].get<bool>();
  if (!is_missing(line, "adapt")) adapt(layer, to_tensor(line["adapt"]));
  Feed feed(training);
  Values inputs;
  std::vector<Shape> shapes;
  for (const json* j : input_json) {
    inputs.push_back(feed.add(*j));
    shapes.push_back(inputs.back().shape());
  }
  set_weights(line, layer, shapes);
  if (line.at("call").contains("count_weights")) inputs.push_back(feed.add(line["call"]["count_weights"]));  // an input in Glia
  Values masked = inputs;
  CallArrays call_arrays;
  if (!is_missing(line, "input_masks")) {
    std::vector<const json*> masks = flatten(line["input_masks"]);
    for (size_t i = 0; i < masks.size(); ++i)
      if (!masks[i]->is_null()) masked[i] = masked[i].with_mask(feed.add(*masks[i]));
  }
  Initial initial;
  for (const Variable& v : layer->weights()) {
    initial.variables.push_back(v);
    initial.values.push_back(feed.trace.read(v));
  }
  CallOptions options = call_options(line, feed, inputs.size(), call_arrays);
  Values outputs = layer->apply(masked, options), results = outputs;
  for (const Value& y : outputs)
    if (y.mask().defined()) results.push_back(y.mask());
  size_t num_masks = results.size() - outputs.size();
  Value added(Tensor::scalar(0));
  for (const Value& l : feed.trace.losses) added = added + ops::cast(l, DType::f32);
  for (const Variable& v : layer->trainable_weights())
    if (v.regularizer()) added = added + ops::cast((*v.regularizer())(initial.of(v)), DType::f32);
  results.push_back(added + 0.0);
  Gradients g = gradients_of(line, layer, feed, initial, outputs, inputs, call_arrays);
  results.insert(results.end(), g.values.begin(), g.values.end());
  feed.trace.finish(results);
  auto exe = runtime::compile(*feed.trace.graph);
  std::vector<Tensor> tensors;
  size_t next = 0;
  for (const Variable& v : feed.trace.input_variables) tensors.push_back(v.defined() ? v.tensor() : feed.arrays[next++]);
  std::vector<Tensor> got = exe->run(tensors);

  Tolerance tol = tolerance(line), grad_tol = gradient_tolerance(line);
  std::vector<const json*> want = flatten(line.at("outputs"));
  if (want.size() != outputs.size()) return check.fail("outputs", fmt::format("{} outputs, Keras has {}", outputs.size(), want.size()));
  for (size_t i = 0; i < want.size(); ++i) check.tensor(fmt::format("outputs[{}]", i), got[i], *want[i], tol);
  check_masks(line, outputs, {got.begin() + static_cast<std::ptrdiff_t>(outputs.size()), got.begin() + static_cast<std::ptrdiff_t>(outputs.size() + num_masks)}, check);
  size_t at = outputs.size() + num_masks;
  if (!is_missing(line, "added_loss")) check.tensor("added_loss", got[at], line["added_loss"], tol, false);
  for (size_t i = 0; i < g.values.size(); ++i) check.tensor(g.names[i], got[at + 1 + i], *g.want[i], grad_tol, false);
  if (!is_missing(line, "bin_boundaries")) {
    const Floats& bounds = dynamic_cast<nn::Discretization&>(*layer).o.bin_boundaries;
    std::vector<const json*> want_bounds = flatten(line["bin_boundaries"]);
    check.that(bounds.size() == want_bounds.size(), "bin_boundaries", fmt::format("{} boundaries, Keras has {}", bounds.size(), want_bounds.size()));
    for (size_t i = 0; i < bounds.size() && i < want_bounds.size(); ++i)
      check.number(fmt::format("bin_boundaries[{}]", i), bounds[i], to_number(*want_bounds[i]), tol);
  }
  if (is_missing(line, "weights_after")) return;
  std::vector<Variable> weights = layer->weights();
  for (size_t i = 0; i < line["weights_after"].size() && i < weights.size(); ++i) {
    const json& w = line["weights_after"][i];
    check.tensor(fmt::format("weights_after[{}]", i), weights[i].tensor(), w.contains("value") ? w["value"] : w, tol, false);
  }
}

}  // namespace glia::parity
