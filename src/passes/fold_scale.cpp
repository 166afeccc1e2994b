// What scales and shifts the channels of a product whose weights seldom change joins the weights (batch normalization
// in predict and evaluate; the weights are scaled once, not in every call):
//
//   (conv(x, w) - m) * s + b   ->   conv(x, w * s) + ((0 - m) * s + b)
//
// Left alone where the scaled weights would take more than eight times the memory of the result that is saved a pass.
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

namespace {

class ScaleFolder {
 public:
  ScaleFolder(Graph& g, const PassContext& context) : g_(g), users_(users_of(g)), fixed_(g.nodes.size()), chain_(g.nodes.size()) {
    for (size_t i = 0; i < g.inputs.size(); ++i) fixed_[g.inputs[i]] = i < context.fixed.size() && context.fixed[i];
    for (auto [in, out] : g.updates) fixed_[g.inputs[in]] = false;
    for (size_t id = 0; id < g.nodes.size(); ++id) {
      const Node& n = g.nodes[id];
      if (n.op == &input_op()) continue;
      bool fixed = !n.op->traits.random && (n.op == &constant_op() || !n.inputs.empty());
      for (Ref r : n.inputs) fixed = fixed && fixed_[r.node];
      fixed_[id] = fixed;
    }
  }

  void run() {
    bool any = false;
    for (int id = 0; id < static_cast<int>(g_.nodes.size()); ++id) any |= follow(id);
    if (any) rebuild();
  }

 private:
  struct Step {
    char what;  // '+', '-', '*'
    Ref operand;
  };
  struct Chain {
    int product = -1;
    std::vector<Step> steps;
  };

  bool is_product(const Node& n) const {
    if (n.op->name != "conv" && n.op->name != "matmul") return false;
    if (n.inputs.size() != 2 || n.types[0].dtype != DType::f32 || !n.attrs.s("activation").empty()) return false;
    const TensorType& w = g_.type(n.inputs[1]);
    if (n.op->name == "matmul" && (w.rank() != 2 || n.attrs.b("transpose_b"))) return false;
    return fixed_[n.inputs[1].node] && !fixed_[n.inputs[0].node] && n.types[0].elements() * 8 >= w.elements();
  }

  bool per_channel(const TensorType& t, const TensorType& result) const {
    return t.dtype == result.dtype && t.rank() >= 1 && t.elements() == t.shape.back() && t.shape.back() == result.shape.back();
  }

  // Notes the chain behind product `id` under its last node.
  bool follow(int id) {
    if (!is_product(g_.nodes[id])) return false;
    const TensorType type = g_.nodes[id].types[0];
    Chain chain{id, {}};
    int at = id;
    bool scales = false;
    while (users_[at].size() == 1 && users_[at][0] >= 0) {
      const int next = users_[at][0];
      const Node& n = g_.nodes[next];
      const char what = n.op->name == "add" ? '+' : n.op->name == "sub" ? '-' : n.op->name == "mul" ? '*' : 0;
      if (!what || n.types[0] != type) break;
      const bool first = n.inputs[0].node == at;
      const Ref other = n.inputs[first ? 1 : 0];
      if ((what == '-' && !first) || !fixed_[other.node] || !per_channel(g_.type(other), type)) break;
      chain.steps.push_back({what, other});
      scales |= what == '*';
      at = next;
    }
    if (scales) chain_[at] = std::move(chain);
    return scales;
  }

  Ref emit(Rewriter& rw, const std::string& op, std::vector<Ref> inputs, const TensorType& type, const std::string& scope) {
    Node n;
    n.op = &find_op(op);
    n.inputs = std::move(inputs);
    n.types = {type};
    n.scope = scope;
    return rw.add(std::move(n));
  }

  Ref rewrite(Rewriter& rw, const Chain& chain, const std::string& scope) {
    Node product = g_.nodes[chain.product];
    const TensorType type = product.types[0], vector{type.dtype, {type.shape.back()}};
    Ref scale, shift;
    for (const Step& s : chain.steps) {
      const Ref v = rw.view(rw.mapped(s.operand), vector, scope);
      if (s.what == '*') {
        scale = scale.node < 0 ? v : emit(rw, "mul", {scale, v}, vector, scope);
        if (shift.node >= 0) shift = emit(rw, "mul", {shift, v}, vector, scope);
      } else if (shift.node >= 0) {
        shift = emit(rw, s.what == '+' ? "add" : "sub", {shift, v}, vector, scope);
      } else {
        shift = s.what == '+' ? v : emit(rw, "neg", {v}, vector, scope);
      }
    }
    const Ref w = rw.mapped(product.inputs[1]);
    product.inputs = {rw.mapped(product.inputs[0]), emit(rw, "mul", {w, scale}, rw.fresh()->type(w), scope)};
    const Ref result = rw.add(std::move(product));
    return shift.node < 0 ? result : emit(rw, "add", {result, shift}, type, scope);
  }

  void rebuild() {
    std::vector<bool> gone(g_.nodes.size());
    for (const Chain& c : chain_) {
      if (c.product < 0) continue;
      int at = c.product;
      for (size_t i = 0; i < c.steps.size(); ++i) {
        gone[at] = true;
        at = users_[at][0];
      }
    }
    Rewriter rw(g_);
    for (int id = 0; id < rw.size(); ++id) {
      if (chain_[id].product >= 0) rw.replace(id, {rewrite(rw, chain_[id], g_.nodes[id].scope)});
      else if (!gone[id]) rw.copy(id);
    }
    rw.finish();
  }

  Graph& g_;
  std::vector<std::vector<int>> users_;
  std::vector<bool> fixed_;
  std::vector<Chain> chain_;  // by last node
};

}  // namespace

void fold_scale(Graph& g, const PassContext& context) {
  if (!context.fixed.empty()) ScaleFolder(g, context).run();
}

}  // namespace glia::passes
