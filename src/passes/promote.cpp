// Ops without kernels for half types are computed in f32: casts before and after. Pointwise ops, views and ops with the
// trait low_precision, or that take half types on this machine, keep their types; the casts then fuse into neighbouring pointwise nodes.
#include "ops/conv_family.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"

namespace glia::passes {
using namespace ir;

namespace {

bool is_half(DType t) { return t == DType::bf16 || t == DType::f16; }

Ref cast_ref(Graph& g, Ref r, DType to, const std::string& scope) {
  Node n;
  n.op = &find_op("cast");
  n.attrs.set("dtype", std::string(dtype_name(to)));
  n.inputs = {r};
  n.types = {{to, g.type(r).shape}};
  n.scope = scope;
  return {g.add(std::move(n)), 0};
}

bool keeps_types(const Graph& g, const Node& n) {
  if (n.op->traits.low_precision || !n.op->takes_half) return n.op->traits.low_precision;
  std::vector<TensorType> in;
  for (Ref r : n.inputs) in.push_back(g.type(r));
  return n.op->takes_half({*n.op, n.attrs, in});
}

// A convolution, its bias and its relu in front of a 2x2 max pooling, where all of these in one step (passes/fuse_pool.cpp)
// take less time in f32 than apart in bfloat16: they are computed in f32 without rounding in between.
std::vector<bool> pooled_in_f32(const Graph& g) {
  std::vector<bool> chosen(g.nodes.size());
  const auto users = users_of(g);
  for (const Node& pool : g.nodes) {
    if (!ops::is_square_max_pool(pool) || g.type(pool.inputs[0]).dtype != DType::bf16) continue;
    std::vector<int> chain;
    for (int at = pool.inputs[0].node; users[at].size() == 1; at = g.nodes[at].inputs[0].node) {
      const Node& n = g.nodes[at];
      chain.push_back(at);
      if (n.op->name == "conv") {
        if (!ops::conv_max_pool_prefers_f32(n.attrs, g.type(n.inputs[0]), g.type(n.inputs[1]).shape)) break;
        for (int id : chain) chosen[id] = true;
        break;
      }
      const bool bias = n.op->name == "add" && g.type(n.inputs[1]).rank() == 1;
      if (n.op->name != "relu" && !bias) break;
    }
  }
  return chosen;
}

}  // namespace

void promote_low_precision(Graph& g, const PassContext&) {
  bool any = false;
  for (auto& n : g.nodes)
    for (auto& t : n.types) any |= is_half(t.dtype);
  if (!any) return;
  const std::vector<bool> pooled = pooled_in_f32(g);
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    const Node& n = rw.node(id);
    bool half = false;
    for (auto& t : n.types) half |= is_half(t.dtype);
    for (Ref r : n.inputs) half |= is_half(g.type(r).dtype);
    if (!half || n.inputs.empty() || (!pooled[id] && keeps_types(g, n))) {
      rw.copy(id);
      continue;
    }
    Node wide = n;
    wide.inputs = rw.mapped_inputs(id);
    std::vector<TensorType> in;
    for (Ref& r : wide.inputs) {
      if (is_half(rw.fresh()->type(r).dtype)) r = cast_ref(*rw.fresh(), r, DType::f32, n.scope);
      in.push_back(rw.fresh()->type(r));
    }
    if (const AttrValue* dtype = wide.attrs.find("dtype"); dtype && is_half(n.types[0].dtype))
      wide.attrs.set("dtype", std::string("float32"));
    wide.types = n.op->infer({*n.op, wide.attrs, in});
    std::vector<TensorType> types = wide.types;
    int fresh = rw.add(std::move(wide)).node;
    std::vector<Ref> out;
    for (int i = 0; i < static_cast<int>(types.size()); ++i) {
      Ref r{fresh, i};
      out.push_back(pooled[id] || types[i].dtype == n.types[i].dtype ? r : cast_ref(*rw.fresh(), r, n.types[i].dtype, n.scope));
    }
    rw.replace(id, out);
  }
  rw.finish();
}

}  // namespace glia::passes
