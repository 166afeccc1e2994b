// Bias, residual and activation move into the heavy op that made their operand (trait `epilogue`):
//
//   %2 = matmul(%0, %1)   %4 = add(%2, %3)   %5 = relu(%4)      ->      %2 = matmul(%0, %1, %3) {bias, activation="relu"}
//
// A reshape between the product and the bias (a Dense layer on a sequence, an EinsumDense whose last axis is two) is looked
// through, because all of these act on the last axis or on elements alike; bias and residual are then reshaped instead.
#include <algorithm>

#include "base/error.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

namespace {

class EpilogueFuser {
 public:
  explicit EpilogueFuser(Graph& g) : g_(g), users_(users_of(g)), fused_into_(g.nodes.size(), -1), tails_(g.nodes.size()) {}

  void run() {
    for (int id = 0; id < static_cast<int>(g_.nodes.size()); ++id)
      if (g_.nodes[id].op->traits.epilogue) grow(id);
    rebuild();
  }

 private:
  struct Tail { Ref bias, residual; std::string activation; };

  // Follows the only user of the heavy node's result while it is something the epilogue can do.
  void grow(int heavy) {
    Node& h = g_.nodes[heavy];
    if (!h.attrs.find("bias") || h.attrs.b("bias") || h.attrs.b("residual") || !h.attrs.s("activation").empty()) return;
    DType t = h.types[0].dtype;
    if (t != DType::f32 && t != DType::bf16) return;
    Tail tail;
    int at = heavy, last = heavy;
    while (users_[at].size() == 1 && users_[at][0] >= 0) {
      int next = users_[at][0];
      Node& n = g_.nodes[next];
      if (n.op->name == "reshape" && last_axes(n.types[0].shape, h.types[0].shape.back()) > 0) {
        at = next;  // kept only if something behind it fuses
        continue;
      }
      if (!absorb(n, at, heavy, tail)) break;
      at = last = next;
    }
    if (last == heavy) return;
    finish(heavy, last, tail);
  }

  // How many of the last axes together are the heavy op's last axis of n columns; 0 where none are.
  static int last_axes(const Shape& shape, int64_t n) {
    int64_t product = 1;
    for (int count = 1; count <= static_cast<int>(shape.size()); ++count) {
      product *= shape[shape.size() - static_cast<size_t>(count)];
      if (product == n) return count;
    }
    return 0;
  }

  bool absorb(const Node& n, int at, int heavy, Tail& tail) {
    if (!tail.activation.empty()) return false;
    if (n.op->name == "add" && n.inputs[0].node != n.inputs[1].node) {
      Ref other = n.inputs[0].node == at ? n.inputs[1] : n.inputs[0];
      const TensorType& type = g_.type(other);
      if (n.types[0] != g_.nodes[at].types[0] || type.dtype != n.types[0].dtype) return false;
      const Shape& shape = n.types[0].shape;
      const int axes = last_axes(shape, g_.nodes[heavy].types[0].shape.back());
      const bool is_bias = type.rank() == axes && std::equal(type.shape.begin(), type.shape.end(), shape.end() - axes);
      if (is_bias && tail.bias.node < 0 && tail.residual.node < 0 && other.node < heavy) {
        tail.bias = other;
        return true;
      }
      if (type == n.types[0] && tail.residual.node < 0 && other.node < heavy) {  // it must exist when the heavy op runs
        tail.residual = other;
        return true;
      }
      return false;
    }
    // Of the kernels in bfloat16 only matmul's apply activations other than relu.
    const bool any = g_.nodes[heavy].types[0].dtype != DType::bf16 || g_.nodes[heavy].op->traits.low_precision;
    if (n.op->traits.pointwise && n.inputs.size() == 1 && is_epilogue_activation(n.op->name) && (any || n.op->name == "relu")) {
      tail.activation = n.op->name;
      return true;
    }
    return false;
  }

  void finish(int heavy, int last, const Tail& tail) {
    Node& h = g_.nodes[heavy];
    if (tail.bias.node >= 0) h.attrs.set("bias", true);
    if (tail.residual.node >= 0) h.attrs.set("residual", true);
    h.attrs.set("activation", tail.activation);
    tails_[heavy] = tail;
    fused_into_[last] = heavy;
  }

  void copy_with_tail(Rewriter& rw, int id) {
    const Tail& tail = tails_[id];
    if (tail.bias.node < 0 && tail.residual.node < 0) return rw.copy(id);
    Node n = g_.nodes[id];
    n.inputs = rw.mapped_inputs(id);
    const TensorType type = n.types[0];
    if (tail.bias.node >= 0)
      n.inputs.push_back(rw.view(rw.mapped(tail.bias), {type.dtype, {type.shape.back()}}, n.scope));
    if (tail.residual.node >= 0) n.inputs.push_back(rw.view(rw.mapped(tail.residual), type, n.scope));
    rw.replace(id, {rw.add(std::move(n))});
  }

  void rebuild() {
    Rewriter rw(g_);
    for (int id = 0; id < rw.size(); ++id) {
      if (fused_into_[id] < 0) {
        copy_with_tail(rw, id);
        continue;
      }
      Ref r = rw.view(rw.mapped({fused_into_[id], 0}), g_.nodes[id].types[0], g_.nodes[id].scope);
      rw.replace(id, {r});
    }
    rw.finish();
    remove_dead(g_, {});
  }

  Graph& g_;
  std::vector<std::vector<int>> users_;
  std::vector<int> fused_into_;
  std::vector<Tail> tails_;  // of the heavy ops
};

}  // namespace

// Weights are read after the op they join (a layer reads its bias last); as inputs they can come first, and so can a bias
// that mixed precision casts.
static constexpr int64_t kMostBias = 1 << 14;  // elements
static void hoist_inputs(Graph& g) {
  std::vector<bool> free;
  for (const Node& n : g.nodes) {
    const bool cast_bias = n.op->name == "cast" && n.types[0].elements() <= kMostBias && free[n.inputs[0].node];
    free.push_back(n.op == &input_op() || n.op == &constant_op() || cast_bias);
  }
  Rewriter rw(g);
  for (bool first : {true, false})
    for (int id = 0; id < rw.size(); ++id)
      if (free[id] == first) rw.copy(id);
  rw.finish();
}

void fuse_epilogue(Graph& g, const PassContext&) {
  hoist_inputs(g);
  EpilogueFuser(g).run();
}

}  // namespace glia::passes
