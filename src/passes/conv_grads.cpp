// Two rewrites of the backward graph of convolutional networks that spare passes over the largest tensors:
//
//   relu_grad(y, max_pool_backprop(g, at))  ->  max_pool_backprop(relu_grad(p, g), at)      p, at = max_pool(y)
//   conv_backprop_filter(x, g), reduce_sum(g) over all axes but the last  ->  both outputs of conv_backprop_filter
//
// The first is exact: each value of g goes to a cell of y that equals the maximum p of its window.
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

namespace {

const Node* producer(const Graph& g, Ref r, const char* op, int output) {
  const Node& n = g.nodes[r.node];
  return r.output == output && n.op->name == op ? &n : nullptr;
}

void pull_relu_grad_before_pool(Graph& g) {
  const auto users = users_of(g);
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    const Node& n = rw.node(id);
    const Node* back = n.op->name == "relu_grad" ? producer(g, n.inputs[1], "max_pool_backprop", 0) : nullptr;
    const Node* pool = back ? producer(g, back->inputs[1], "max_pool", 1) : nullptr;
    if (!pool || !(pool->inputs[0] == n.inputs[0]) || users[n.inputs[1].node].size() != 1) {
      rw.copy(id);
      continue;
    }
    Node small;
    small.op = n.op;
    small.attrs = n.attrs;
    small.inputs = {rw.mapped({back->inputs[1].node, 0}), rw.mapped(back->inputs[0])};
    small.types = {g.type(back->inputs[0])};
    small.scope = n.scope;
    Node wide = *back;
    wide.inputs = {rw.add(std::move(small)), rw.mapped(back->inputs[1])};
    rw.replace(id, {rw.add(std::move(wide))});
  }
  rw.finish();
  remove_dead(g, {});
}

bool sums_all_but_last(const Graph& g, const Node& n) {
  if (n.op->name != "reduce_sum") return false;
  const int64_t rank = g.type(n.inputs[0]).rank();
  const Ints axes = normalize_axes(n.attrs.ints("axes"), rank, "reduce_sum");
  return rank >= 2 && static_cast<int64_t>(axes.size()) == rank - 1 && axes.back() == rank - 2;
}

// The filter gradient of the convolution whose result has gradient `r`, if it can be computed where `before` is.
int filter_gradient_of(const Graph& g, const std::vector<std::vector<int>>& users, Ref r, int before) {
  for (int u : users[r.node])
    if (u >= 0 && g.nodes[u].op->name == "conv_backprop_filter" && g.nodes[u].inputs[1] == r &&
        g.nodes[u].inputs[0].node < before)
      return u;
  return -1;
}

void sum_bias_gradient_with_filter(Graph& g) {
  const auto users = users_of(g);
  std::vector<bool> done(g.nodes.size());
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    if (done[id]) continue;
    const Node& n = rw.node(id);
    const int filter = sums_all_but_last(g, n) ? filter_gradient_of(g, users, n.inputs[0], id) : -1;
    if (filter < 0) {
      rw.copy(id);
      continue;
    }
    if (filter > id && !done[filter]) {
      rw.copy(filter);
      done[filter] = true;
    }
    rw.replace(id, {rw.view(rw.mapped({filter, 1}), n.types[0], n.scope)});
  }
  rw.finish();
}

}  // namespace

void rewrite_conv_grads(Graph& g, const PassContext&) {
  pull_relu_grad_before_pool(g);
  sum_bias_gradient_with_filter(g);
}

}  // namespace glia::passes
