// Ops without kernels for half types are computed in f32: casts before and after. Pointwise ops, views and ops with the
// trait low_precision, or that take half types on this machine, keep their types; the casts then fuse into neighbouring pointwise nodes.
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

}  // namespace

void promote_low_precision(Graph& g, const PassContext&) {
  bool any = false;
  for (auto& n : g.nodes)
    for (auto& t : n.types) any |= is_half(t.dtype);
  if (!any) return;
  Rewriter rw(g);
  for (int id = 0; id < rw.size(); ++id) {
    const Node& n = rw.node(id);
    bool half = false;
    for (auto& t : n.types) half |= is_half(t.dtype);
    for (Ref r : n.inputs) half |= is_half(g.type(r).dtype);
    if (!half || n.inputs.empty() || keeps_types(g, n)) {
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
      out.push_back(types[i].dtype == n.types[i].dtype ? r : cast_ref(*rw.fresh(), r, n.types[i].dtype, n.scope));
    }
    rw.replace(id, out);
  }
  rw.finish();
}

}  // namespace glia::passes
