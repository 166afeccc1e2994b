#include "train/functional.h"

#include <glia/ops.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "nn/layer_call.h"
#include "nn/trace.h"

namespace glia {

using ir::Graph;
using ir::Node;


Value Input(Shape shape, InputOptions o) {
  shape.insert(shape.begin(), o.batch_size);
  auto g = std::make_shared<Graph>();
  g->symbolic = true;
  return ir::add_input(g, {o.dtype, shape}, o.name.empty() ? unique_layer_name("InputLayer") : o.name);
}

namespace {
const LayerCall* layer_call(const Node& n) { return dynamic_cast<const LayerCall*>(n.callee.get()); }
}  // namespace

FunctionalLayer::FunctionalLayer(const Values& inputs, const Values& outputs, const ModelOptions& options) {
  GLIA_CHECK(!inputs.empty() && !outputs.empty(), "Model: give at least one input and one output.");
  for (const Value& v : inputs)
    GLIA_CHECK(v.graph() && v.graph()->symbolic, "Model: every input must come from Input(...).");
  for (const Value& v : outputs)
    GLIA_CHECK(v.graph() && v.graph()->symbolic, "Model: every output must be computed from Input(...) by layers and ops.");
  extract(inputs, outputs);
  order_layers();
  for (const LayerRef& l : layers_) track(l);
  name_ = options.name.empty() ? unique_layer_name("Functional") : options.name;
  trainable_ = options.trainable;
  std::vector<Shape> shapes;
  for (ir::Ref r : inputs_) shapes.push_back(graph_->type(r).shape);
  build_once(shapes);
}

void FunctionalLayer::set_keys(std::vector<std::string> inputs, std::vector<std::string> outputs) {
  GLIA_CHECK((inputs.empty() || inputs.size() == inputs_.size()) && (outputs.empty() || outputs.size() == outputs_.size()),
             "{}: expected one key per input and output.", title());
  input_keys_ = std::move(inputs);
  output_keys_ = std::move(outputs);
}

// Copies the nodes between inputs and outputs into a graph of this model's own.
void FunctionalLayer::extract(const Values& inputs, const Values& outputs) {
  Values all = inputs;
  all.insert(all.end(), outputs.begin(), outputs.end());
  std::shared_ptr<Graph> from = ir::common_graph(all);
  std::map<int, int> fresh;  // node there -> node here
  graph_ = std::make_shared<Graph>();
  graph_->symbolic = true;
  for (const Value& v : inputs) {
    GLIA_CHECK(!fresh.count(v.node()), "Model: the same input is given twice.");
    Node n;
    n.op = &ir::input_op();
    std::string name = from->nodes[v.node()].op == &ir::input_op() ? from->nodes[v.node()].attrs.s("name") : unique_layer_name("InputLayer");
    n.attrs.set("name", name);
    n.types = {v.type()};
    int id = graph_->add(std::move(n));
    graph_->inputs.push_back(id);
    fresh[v.node()] = id;
    inputs_.push_back({id, 0});
    input_names_.push_back(name);
  }
  std::vector<int> needed;
  std::vector<bool> seen(from->nodes.size());
  for (const Value& v : outputs) needed.push_back(v.node());
  for (size_t i = 0; i < needed.size(); ++i) {
    int id = needed[i];
    if (seen[id] || fresh.count(id)) continue;
    seen[id] = true;
    const Node& n = from->nodes[id];
    GLIA_CHECK(n.op != &ir::input_op(), "Model: the graph is disconnected: the outputs need the input '{}' {}, which is not among the inputs given.",
               n.attrs.s("name"), to_string(n.types[0].shape));
    for (ir::Ref r : n.inputs) needed.push_back(r.node);
  }
  for (int id = 0; id < static_cast<int>(from->nodes.size()); ++id) {
    if (!seen[id] || fresh.count(id)) continue;
    Node n = from->nodes[id];
    for (ir::Ref& r : n.inputs) r.node = fresh.at(r.node);
    fresh[id] = graph_->add(std::move(n));
  }
  for (const Value& v : outputs) outputs_.push_back({fresh.at(v.node()), v.output()});
  graph_->outputs = outputs_;
  name_ops();
  for (ir::Ref r : outputs_) output_names_.push_back(node_name(r.node));
  std::map<std::string, LayerRef> by_name;
  for (const Node& n : graph_->nodes) {
    const LayerCall* c = layer_call(n);
    if (!c) continue;
    auto [it, added] = by_name.emplace(c->layer->name(), c->layer);
    GLIA_CHECK(added || it->second.ptr() == c->layer, "Model: two different layers are named '{}'. Names must be unique within a model.", c->layer->name());
  }
}

namespace {
// What Keras calls the operation.
std::string keras_name(const std::string& op) {
  static const std::map<std::string, std::string> names{
      {"sub", "subtract"}, {"mul", "multiply"}, {"div", "divide"}, {"neg", "negative"}, {"abs", "absolute"}, {"pow", "power"},
      {"floor_div", "floor_divide"}, {"atan2", "arctan2"}, {"asin", "arcsin"}, {"acos", "arccos"}, {"atan", "arctan"}, {"asinh", "arcsinh"},
      {"acosh", "arccosh"}, {"atanh", "arctanh"}, {"select", "where"}, {"eq", "equal"}, {"ne", "not_equal"}, {"lt", "less"}, {"le", "less_equal"},
      {"gt", "greater"}, {"ge", "greater_equal"}, {"slice", "get_item"}, {"concat", "concatenate"}, {"reduce_sum", "sum"},
      {"reduce_mean", "mean"}, {"reduce_max", "max"}, {"reduce_min", "min"}, {"reduce_prod", "prod"}};
  const auto it = names.find(op);
  return it == names.end() ? op : it->second;
}
}  // namespace

// Names that no layer has: "add", "add_1".
void FunctionalLayer::name_ops() {
  std::set<std::string> used;
  for (const Node& n : graph_->nodes)
    if (const LayerCall* c = layer_call(n)) used.insert(c->layer->name());
    else if (n.op == &ir::input_op()) used.insert(n.attrs.s("name"));
  for (int id = 0; id < static_cast<int>(graph_->nodes.size()); ++id) {
    const Node& n = graph_->nodes[id];
    if (layer_call(n) || n.op == &ir::input_op() || n.op == &ir::constant_op()) continue;
    const std::string base = n.callee ? n.callee->call_name() : keras_name(n.op->name);
    std::string name = base;
    for (int k = 1; !used.insert(name).second; ++k) name = fmt::format("{}_{}", base, k);
    op_names_[id] = name;
  }
}

std::string FunctionalLayer::node_name(int id) const {
  const Node& n = graph_->nodes[id];
  if (const LayerCall* c = layer_call(n)) return c->layer->name();
  return n.op == &ir::input_op() ? n.attrs.s("name") : op_names_.at(id);
}

// Keras's order (keras/src/ops/function.py, map_graph): by decreasing depth, ties by a pre-order walk from the outputs.
void FunctionalLayer::order_layers() {
  size_t n = graph_->nodes.size();
  auto operation = [&](int id) -> const void* {
    const LayerCall* c = layer_call(graph_->nodes[id]);
    return c ? static_cast<const void*>(c->layer.get()) : static_cast<const void*>(&graph_->nodes[id]);
  };
  std::map<const void*, int> index, op_depth;
  std::vector<bool> finished(n);
  std::vector<int> post_order;
  std::function<void(int)> walk = [&](int id) {
    if (finished[id] || graph_->nodes[id].op == &ir::constant_op()) return;
    index.emplace(operation(id), static_cast<int>(index.size()));
    finished[id] = true;
    for (ir::Ref r : graph_->nodes[id].inputs) walk(r.node);
    post_order.push_back(id);
  };
  for (ir::Ref r : outputs_) walk(r.node);
  std::vector<int> depth(n, 0);
  for (auto it = post_order.rbegin(); it != post_order.rend(); ++it) {
    int& d = op_depth[operation(*it)];
    d = depth[*it] = std::max(depth[*it], d);
    for (ir::Ref r : graph_->nodes[*it].inputs) depth[r.node] = std::max(depth[r.node], depth[*it] + 1);
  }
  std::vector<int> order = post_order;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    int da = op_depth[operation(a)], db = op_depth[operation(b)];
    return da != db ? da > db : index[operation(a)] < index[operation(b)];
  });
  std::map<const void*, bool> listed;
  for (int id : order) {
    if (listed[operation(id)]) continue;
    listed[operation(id)] = true;
    const LayerCall* c = layer_call(graph_->nodes[id]);
    items_.push_back({id, c ? LayerRef(c->layer) : LayerRef(), node_name(id)});
    if (c && !c->layer->is_operation()) layers_.push_back(c->layer);
  }
}

Values FunctionalLayer::call(const Values& given, const CallOptions&) {
  GLIA_CHECK(given.size() == inputs_.size(), "{}: expected {} inputs. Received {}.", title(), inputs_.size(), given.size());
  std::vector<Values> values(graph_->nodes.size());
  for (size_t i = 0; i < given.size(); ++i) {
    const TensorType& want = graph_->type(inputs_[i]);
    Shape got = given[i].shape();
    bool ok = got.size() == want.shape.size();
    for (size_t d = 0; ok && d < got.size(); ++d) ok = want.shape[d] < 0 || got[d] < 0 || want.shape[d] == got[d];
    GLIA_CHECK(ok, "{}: input '{}' has shape {}. Expected {}. Give x that shape, or build the model with another Input.", title(),
               input_names_[i], to_string(got), to_string(want.shape));
    Value v = given[i];
    const bool text = v.dtype() == kStringDType;
    GLIA_CHECK(text == (want.dtype == kStringDType), "{}: input '{}' takes {}. Received {}.", title(), input_names_[i],
               text ? "numbers" : "strings", to_string(v.type()));
    if (v.dtype() != want.dtype && !(is_float(v.dtype()) && is_float(want.dtype))) v = ops::cast(v, want.dtype).with_mask(given[i].mask());
    values[inputs_[i].node] = {v};
  }
  for (int id = 0; id < static_cast<int>(graph_->nodes.size()); ++id) {
    const Node& n = graph_->nodes[id];
    if (!values[id].empty()) continue;
    if (n.op == &ir::constant_op()) {
      values[id] = {Value(n.constant)};
      continue;
    }
    Values in;
    for (ir::Ref r : n.inputs) in.push_back(values[r.node][r.output]);
    if (const LayerCall* c = layer_call(n)) {
      Values out = const_cast<LayerCall*>(c)->run(in);
      values[id] = out;
      for (size_t o = 0; o < out.size() && o < c->output_has_mask.size(); ++o)
        if (c->output_has_mask[o]) values[id].push_back(out[o].mask());
    } else if (n.callee) {
      values[id] = n.callee->call_traced(in);
    } else {
      values[id] = ir::apply(*n.op, n.attrs, in);
    }
  }
  Values out;
  for (ir::Ref r : outputs_) out.push_back(values[r.node][r.output]);
  return out;
}

Values FunctionalLayer::compute_mask(const Values&, const Values&, const Values& outputs) {
  Values r;
  for (const Value& v : outputs) r.push_back(v.mask());
  return r;
}

}  // namespace glia
