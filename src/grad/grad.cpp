#include "grad/grad.h"

#include <glia/ops.h>

#include <map>

#include "base/error.h"

namespace glia::autodiff {

using namespace ir;

namespace {

Values differentiate(const Values& outputs, const Values& seeds, const Values& wrt, bool leaves);

class Backward {
 public:
  // `leaves`: values of wrt are treated as independent, nothing flows through the nodes that made them.
  Backward(std::shared_ptr<Graph> graph, const Values& wrt, bool leaves) : graph_(std::move(graph)), last_(static_cast<int>(graph_->nodes.size())) {
    depends_.assign(last_, false);
    for (const Value& v : wrt) {
      GLIA_CHECK(v.graph() == graph_, "gradients: differentiate with respect to a value that the outputs are computed from.");
      depends_[v.node()] = true;
    }
    for (int id = 0; id < last_; ++id)
      for (Ref r : graph_->nodes[id].inputs)
        if (depends_[r.node] && is_float(graph_->type(r).dtype) && graph_->nodes[id].op->differentiable) depends_[id] = true;
    leaf_.assign(last_, false);
    for (const Value& v : wrt) leaf_[v.node()] = leaves;
  }

  void seed(const Value& output, const Value& cotangent) { accumulate({output.node(), output.output()}, cotangent); }

  void run() {
    for (int id = last_ - 1; id >= 0; --id)
      if (depends_[id] && !leaf_[id] && !graph_->nodes[id].inputs.empty() && has_gradient(id)) visit(id);
  }

  Value result(const Value& v) {
    auto it = grads_.find({v.node(), v.output()});
    if (it != grads_.end()) return it->second;
    return add_constant(graph_, Tensor::zeros(v.shape(), v.dtype()));
  }

 private:
  bool has_gradient(int id) const {
    auto it = grads_.lower_bound({id, 0});
    return it != grads_.end() && it->first.node == id;
  }

  void visit(int id) {
    const Node node = graph_->nodes[id];  // a copy: emitting gradients moves the arena
    VjpContext c{node.attrs, {}, {}, {}, {}};
    for (Ref r : node.inputs) {
      c.inputs.push_back(to_value(graph_, r));
      c.needs.push_back(depends_[r.node] && is_float(graph_->type(r).dtype));
    }
    for (int i = 0; i < static_cast<int>(node.types.size()); ++i) {
      c.outputs.push_back(to_value(graph_, {id, i}));
      auto it = grads_.find({id, i});
      c.grads.push_back(it == grads_.end() ? Value() : it->second);
    }
    Values g = node.op->vjp ? node.op->vjp(c) : through_decomposition(node, c);
    GLIA_ASSERT(g.size() == node.inputs.size(), node.op->name + ": vjp returned the wrong number of gradients");
    for (size_t i = 0; i < g.size(); ++i) {
      if (!c.needs[i] || !g[i].defined()) continue;
      Value gi = node.op->traits.pointwise ? ops::sum_to(g[i], c.inputs[i].shape()) : g[i];
      accumulate(node.inputs[i], gi);
    }
  }

  // The op has no rule of its own: emit its decomposition and differentiate that.
  Values through_decomposition(const Node& node, const VjpContext& c) {
    GLIA_CHECK(node.op->decompose, "The gradient of {} is not defined.", node.op->name);
    Values outputs = node.op->decompose(node.attrs, c.inputs), live, seeds, wrt;
    for (size_t i = 0; i < outputs.size(); ++i)
      if (c.grads[i].defined()) live.push_back(outputs[i]), seeds.push_back(c.grads[i]);
    for (size_t i = 0; i < c.inputs.size(); ++i)
      if (c.needs[i]) wrt.push_back(c.inputs[i]);
    Values inner = differentiate(live, seeds, wrt, true), g(c.inputs.size());
    for (size_t i = 0, k = 0; i < c.inputs.size(); ++i)
      if (c.needs[i]) g[i] = inner[k++];
    return g;
  }

  void accumulate(Ref r, const Value& g) {
    const TensorType type = graph_->type(r);
    GLIA_ASSERT(g.type().shape == type.shape, fmt::format("gradient of {} has type {}, expected {}",
                graph_->nodes[r.node].op->name, glia::to_string(g.type()), glia::to_string(type)));
    auto [it, fresh] = grads_.emplace(r, g);
    if (!fresh) it->second = it->second + g;
  }

  std::shared_ptr<Graph> graph_;
  int last_;
  std::vector<bool> depends_, leaf_;
  std::map<Ref, Value> grads_;
};

Values differentiate(const Values& outputs, const Values& seeds, const Values& wrt, bool leaves) {
  GLIA_CHECK(!wrt.empty(), "gradients: name at least one value to differentiate with respect to.");
  std::shared_ptr<Graph> graph = wrt[0].graph();
  GLIA_CHECK(graph, "gradients: the values must belong to a traced function. Use glia::grad(f) for concrete tensors.");
  Backward backward(graph, wrt, leaves);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Value& o = outputs[i];
    if (o.graph() != graph) continue;  // a constant: no gradient
    GLIA_CHECK(is_float(o.dtype()), "gradients: the output is {} and has no gradient; differentiate a float value.", to_string(o.type()));
    Value s = i < seeds.size() ? seeds[i] : Value(Tensor::full(o.shape(), 1, o.dtype()));
    GLIA_CHECK(s.shape() == o.shape(), "gradients: the seed of output {} has shape {}. Expected that of the output, {}.", i,
               to_string(s.shape()), to_string(o.shape()));
    backward.seed(o, s);
  }
  backward.run();
  Values r;
  for (const Value& v : wrt) r.push_back(backward.result(v));
  return r;
}

}  // namespace

Values gradients(const Values& outputs, const Values& seeds, const Values& wrt) {
  return differentiate(outputs, seeds, wrt, false);
}

}  // namespace glia::autodiff
