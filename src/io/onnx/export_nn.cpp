// Export rules of products, convolutions, pooling, reductions, normalisation and attention.
#include <glia/ops.h>

#include <algorithm>
#include <cmath>

#include "io/onnx/exporter.h"
#include "io/onnx/operand.h"

namespace glia::onnx {
namespace {

// Residual and activation of a heavy op, which fuse_epilogue has moved into it; the value lies in order `axes`.
std::string finish(Exporter& ex, const ir::Node& n, std::string y, size_t first, const Ints& axes, bool bias_done) {
  size_t next = first;
  if (n.attrs.b("bias")) {
    const ir::Ref bias = n.inputs[next++];
    if (!bias_done) y = ex.emit1("Add", {y, ex.plain(bias)});
  }
  if (n.attrs.b("residual")) y = ex.emit1("Add", {y, ex.in_order(n.inputs[next], axes)});
  const std::string& f = n.attrs.s("activation");
  return f.empty() ? y : ex.activation(f, y, n.types[0].dtype);
}

// Rows of weights that belong to a flattened image, reordered from channels last to channels first.
Tensor reordered_rows(const Tensor& w, const Shape& image, int64_t axis) {
  Shape split(image.begin() + 1, image.end());
  Ints perm;
  const int64_t k = static_cast<int64_t>(split.size());
  if (axis == 1) split.insert(split.begin(), w.dim(0)), perm.push_back(0);
  perm.push_back(axis + k - 1);
  for (int64_t i = 0; i + 1 < k; ++i) perm.push_back(axis + i);
  if (axis == 0) split.push_back(w.dim(1)), perm.push_back(k);
  return ops::transpose(Value(w.reshape(split)), perm).tensor().reshape(w.shape());
}

void export_matmul(Exporter& ex, const ir::Node& n, int id) {
  const ir::Ref a = n.inputs[0], b = n.inputs[1];
  const bool ta = n.attrs.b("transpose_a"), tb = n.attrs.b("transpose_b"),
             two = ex.type(a).rank() == 2 && ex.type(b).rank() == 2;
  const DType t = n.types[0].dtype;
  std::string x, w;
  const Item raw = ex.raw_item(a);
  if (!raw.merged.empty() && !n.attrs.b("residual") && ex.known(b)) {
    w = ex.in_order(b, tb ? Ints{1, 0} : Ints{});
    ex.define({id, 0}, Item{.name = finish(ex, n, ex.emit1("MatMul", {raw.name, w}), 2, {}, false),
                            .axes = raw.axes,
                            .merged = raw.merged});
    return;
  }
  if (!raw.flattened.empty()) {
    x = raw.name;
    w = ex.tensor(reordered_rows(ex.item(b).constant, raw.flattened, tb ? 1 : 0),
                  ex.graph().nodes[static_cast<size_t>(b.node)].scope);
  }
  if (two && is_float(t)) {
    if (x.empty()) x = ex.plain(a), w = ex.plain(b);
    std::vector<std::string> in{x, w};
    if (n.attrs.b("bias")) in.push_back(ex.plain(n.inputs[2]));
    AttrList attrs;
    if (ta) attrs.emplace_back("transA", int64_t{1});
    if (tb) attrs.emplace_back("transB", int64_t{1});
    const bool bare = !ta && !tb && in.size() == 2;
    ex.define({id, 0}, finish(ex, n, ex.emit1(bare ? "MatMul" : "Gemm", in, attrs), 2, {}, true));
    return;
  }
  const auto side = [&](ir::Ref r, bool transposed) {
    if (!transposed) return ex.plain(r);
    Ints swap;
    for (int64_t i = 0; i < ex.type(r).rank(); ++i) swap.push_back(i);
    std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
    return ex.in_order(r, swap);  // its own inverse
  };
  const std::string left = side(a, ta), right = side(b, tb);
  ex.define({id, 0}, finish(ex, n, ex.emit1("MatMul", {left, right}), 2, {}, false));
}

Ints first_axes(int rank) {
  return channels_last_axes(rank);
}  // value (N, spatial, C) of an ONNX value (N, C, spatial)
Ints kernel_axes(int rank) {  // value (spatial, I, O) of an ONNX value (O, I, spatial)
  Ints r;
  for (int64_t i = 2; i < rank; ++i) r.push_back(i);
  r.insert(r.end(), {1, 0});
  return r;
}
Ints onnx_pads(const Ints& pairs) {
  Ints r;
  for (size_t i = 0; i < pairs.size(); i += 2) r.push_back(pairs[i]);
  for (size_t i = 1; i < pairs.size(); i += 2) r.push_back(pairs[i]);
  return r;
}
bool all_of(const Ints& v, int64_t x) {
  return std::all_of(v.begin(), v.end(), [&](int64_t y) { return x == y; });
}

// Pads depend on the extent for padding "same" with strides; then ONNX's own rule says the same.
void add_pads(Exporter& ex, const ir::Node& n, int id, AttrList& attrs) {
  bool known = true;
  for (const Dims& d : ex.symbols().attr_ints(id, "pads")) known &= is_known(d);
  if (!known)
    attrs.emplace_back("auto_pad", std::string("SAME_UPPER"));
  else if (!all_of(n.attrs.ints("pads"), 0))
    attrs.emplace_back("pads", onnx_pads(n.attrs.ints("pads")));
}

void export_conv(Exporter& ex, const ir::Node& n, int id) {
  const int rank = ex.type(n.inputs[0]).rank();
  const Shape w = ex.type(n.inputs[1]).shape;
  const int64_t channels = ex.type(n.inputs[0]).shape.back(),
                groups = w[w.size() - 2] ? channels / w[w.size() - 2] : 1;
  std::vector<std::string> in{ex.in_order(n.inputs[0], first_axes(rank)),
                              ex.in_order(n.inputs[1], kernel_axes(rank))};
  if (n.attrs.b("bias")) in.push_back(ex.plain(n.inputs[2]));
  AttrList attrs{{"kernel_shape", Ints(w.begin(), w.end() - 2)}};
  if (!all_of(n.attrs.ints("strides"), 1)) attrs.emplace_back("strides", n.attrs.ints("strides"));
  if (!all_of(n.attrs.ints("dilation"), 1)) attrs.emplace_back("dilations", n.attrs.ints("dilation"));
  if (groups != 1) attrs.emplace_back("group", groups);
  add_pads(ex, n, id, attrs);
  ex.define({id, 0}, finish(ex, n, ex.emit1("Conv", in, attrs), 2, first_axes(rank), true), first_axes(rank));
}

void export_conv_transpose(Exporter& ex, const ir::Node& n, int id) {
  const int rank = ex.type(n.inputs[0]).rank();
  const Shape w = ex.type(n.inputs[1]).shape;
  const int64_t out_channels = n.types[0].shape.back(), groups = w[w.size() - 2] ? out_channels / w[w.size() - 2] : 1;
  std::vector<std::string> in{ex.in_order(n.inputs[0], first_axes(rank)),
                              ex.in_order(n.inputs[1], kernel_axes(rank))};
  if (n.attrs.b("bias")) in.push_back(ex.plain(n.inputs[2]));
  AttrList attrs{{"kernel_shape", Ints(w.begin(), w.end() - 2)}, {"strides", n.attrs.ints("strides")}};
  if (!all_of(n.attrs.ints("dilation"), 1)) attrs.emplace_back("dilations", n.attrs.ints("dilation"));
  if (groups != 1) attrs.emplace_back("group", groups);
  Ints pads = n.attrs.ints("pads"), extra;
  for (size_t i = 0; i < pads.size(); i += 2) {  // cells beyond the end are ONNX's output_padding
    extra.push_back(std::max<int64_t>(0, -pads[i + 1]));
    pads[i + 1] = std::max<int64_t>(0, pads[i + 1]);
    if (pads[i] < 0) ex.fail(n, "cells before the first are not exported.");
  }
  if (!all_of(pads, 0)) attrs.emplace_back("pads", onnx_pads(pads));
  if (!all_of(extra, 0)) attrs.emplace_back("output_padding", extra);
  ex.define({id, 0}, finish(ex, n, ex.emit1("ConvTranspose", in, attrs), 2, first_axes(rank), true),
            first_axes(rank));
}

void export_pool(Exporter& ex, const ir::Node& n, int id) {
  const int rank = n.types[0].rank();
  const bool max = n.op->name == "max_pool";
  AttrList attrs{{"kernel_shape", n.attrs.ints("window")}, {"strides", n.attrs.ints("strides")}};
  add_pads(ex, n, id, attrs);
  const std::string x = ex.in_order(n.inputs[0], first_axes(rank));
  ex.define({id, 0}, ex.emit1(max ? "MaxPool" : "AveragePool", {x}, attrs), first_axes(rank));
}

void export_reduce(Exporter& ex, const ir::Node& n, int id) {
  static const std::map<std::string, const char*> names = {
      {"reduce_sum", "ReduceSum"}, {"reduce_mean", "ReduceMean"}, {"reduce_max", "ReduceMax"},
      {"reduce_min", "ReduceMin"}, {"reduce_prod", "ReduceProd"}, {"reduce_any", "ReduceMax"},
      {"reduce_all", "ReduceMin"}};
  const ir::Ref in = n.inputs[0];
  const Item it = ex.item(in);
  const bool keep = n.attrs.b("keepdims"), logic = n.op->name == "reduce_any" || n.op->name == "reduce_all";
  const int rank = ex.type(in).rank();
  Ints axes = n.attrs.ints("axes");
  for (int64_t& a : axes) a = ir::normalize_axis(a, rank, n.op->name);
  if (axes.empty())
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  // What is left keeps its order: the axes that stay, in the order in which they lie.
  Ints order = it.axes, places, left;
  if (order.empty())
    for (int64_t i = 0; i < rank; ++i) order.push_back(i);
  for (int64_t a : axes) places.push_back(order[static_cast<size_t>(a)]);
  std::sort(places.begin(), places.end());
  for (int64_t i = 0; i < rank; ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) left.push_back(order[static_cast<size_t>(i)]);
  std::string x = ex.in_order(in, it.axes);
  if (logic) x = ex.cast(x, DType::i32);
  if (rank > 0) {
    const std::string op = names.at(n.op->name);
    x = ex.with_axes(op, x, places, op == "ReduceSum" ? 13 : 18, {{"keepdims", int64_t{keep}}});
  }
  if (logic) x = ex.cast(x, DType::bool_);
  if (keep) return ex.define({id, 0}, x, it.axes);
  Ints rank_of_left = left;
  for (int64_t& v : rank_of_left) v -= std::count_if(places.begin(), places.end(), [&](int64_t p) { return p < v; });
  ex.define({id, 0}, x, rank_of_left);
}

void export_softmax(Exporter& ex, const ir::Node& n, int id) {
  const Item& it = ex.item(n.inputs[0]);
  const int64_t axis = ir::normalize_axis(n.attrs.i("axis"), n.types[0].rank(), n.op->name);
  const Ints axes = it.axes;
  ex.define({id, 0},
            ex.emit1(n.op->name == "softmax" ? "Softmax" : "LogSoftmax", {ex.in_order(n.inputs[0], axes)},
                     {{"axis", axes.empty() ? axis : axes[static_cast<size_t>(axis)]}}),
            axes);
}

void export_layer_norm(Exporter& ex, const ir::Node& n, int id) {
  for (int user : ex.users(id)) {
    if (user < 0) continue;
    for (ir::Ref r : ex.graph().nodes[static_cast<size_t>(user)].inputs)
      if (r.node == id && r.output > 0) ex.fail(n, "its mean and deviation are not exported as results.");
  }
  const std::string x = ex.plain(n.inputs[0]);
  const DType t = n.types[0].dtype;
  const bool scale = n.attrs.b("scale"), center = n.attrs.b("center"), rms = n.attrs.b("rms");
  const double eps = n.attrs.f("epsilon");
  const int64_t width = n.types[0].shape.back();
  const std::string gamma = scale ? ex.plain(n.inputs[1]) : "",
                    beta = center ? ex.plain(n.inputs[scale ? 2 : 1]) : "";
  if (!rms && ex.opset() >= 17) {
    const std::string ones = scale ? gamma : ex.tensor(Tensor::full({width}, 1, t), "ones");
    return ex.define({id, 0},
                     ex.emit1("LayerNormalization", {x, ones, beta}, {{"axis", int64_t{-1}}, {"epsilon", eps}}));
  }
  if (rms && !center && ex.opset() >= 23) {
    const std::string ones = scale ? gamma : ex.tensor(Tensor::full({width}, 1, t), "ones");
    return ex.define({id, 0}, ex.emit1("RMSNormalization", {x, ones}, {{"axis", int64_t{-1}}, {"epsilon", eps}}));
  }
  const auto mean = [&](const std::string& v) {
    return ex.with_axes("ReduceMean", v, {-1}, 18, {{"keepdims", int64_t{1}}});
  };
  const std::string d = rms ? x : ex.emit1("Sub", {x, mean(x)});
  std::string y =
      ex.emit1("Div", {d, ex.emit1("Sqrt", {ex.emit1("Add", {mean(ex.emit1("Mul", {d, d})), ex.scalar(eps, t)})})});
  if (scale) y = ex.emit1("Mul", {y, gamma});
  if (center) y = ex.emit1("Add", {y, beta});
  ex.define({id, 0}, y);
}

// query (B, T, heads, size), key and value (B, S, key heads, size).
void export_attention(Exporter& ex, const ir::Node& n, int id) {
  const ir::Ref q = n.inputs[0], k = n.inputs[1], v = n.inputs[2];
  const DType t = n.types[0].dtype;
  const int64_t heads = ex.type(q).shape[2], key_heads = ex.type(k).shape[2];
  const Ints heads_first{0, 2, 1, 3};
  std::string query = ex.emit1("Mul", {ex.in_order(q, heads_first), ex.scalar(n.attrs.f("scale"), t)});
  std::string keys, values = ex.in_order(v, heads_first);
  if (heads == key_heads) {
    keys = ex.in_order(k, {0, 3, 1, 2});  // (B, heads, size, S)
  } else {
    const auto repeated = [&](const std::string& x, ir::Ref r, bool transposed) {
      std::vector<Dims> s = ex.symbols().shape(r);
      const Dims one(s[0].size(), 1), times(s[0].size(), heads / key_heads), all(s[0].size(), heads);
      const Dims &rows = transposed ? s[3] : s[1], &columns = transposed ? s[1] : s[3];
      const std::string wide =
          ex.emit1("Expand", {ex.emit1("Unsqueeze", {x, ex.ints({2})}), ex.shape_of({one, one, times, one, one})});
      return ex.emit1("Reshape", {wide, ex.shape_of({s[0], all, rows, columns})});
    };
    keys = repeated(ex.in_order(k, {0, 3, 1, 2}), k, true);
    values = repeated(values, v, false);
  }
  std::string scores = ex.emit1("MatMul", {query, keys});
  if (n.attrs.b("mask")) {
    const ir::Ref m = n.inputs[3];
    if (ex.type(m).dtype == DType::bool_)
      scores = ex.emit1("Where", {ex.plain(m), scores, ex.scalar(-1e9, t)});
    else
      scores = ex.emit1("Add", {scores, ex.plain(m)});
  }
  if (n.attrs.b("causal")) {
    const Dims rows = ex.symbols().extent(q, 1), columns = ex.symbols().extent(k, 1),
               offset = ex.symbols().attr_int(id, "causal_offset");
    if (!is_known(offset)) ex.fail(n, "the offset of the causal mask depends on an open extent.");
    std::string visible;
    if (is_known(rows) && is_known(columns)) {
      Tensor m({rows[0], columns[0]}, DType::bool_);
      for (int64_t i = 0; i < rows[0]; ++i)
        for (int64_t j = 0; j < columns[0]; ++j) m.set_item(i * columns[0] + j, j <= i + offset[0]);
      visible = ex.tensor(m, "causal_mask");
    } else {
      const auto count = [&](const Dims& d, int64_t from) {
        const std::string length = ex.emit1("Squeeze", {ex.shape_of({d}), ex.ints({0})});
        const auto num = [&](int64_t x) { return ex.tensor(Tensor::from_vector<int64_t>({}, {x}), "number"); };
        const std::string r = ex.emit1("Range", {num(0), length, num(1)});
        return from ? ex.emit1("Add", {r, num(from)}) : r;
      };
      visible =
          ex.emit1("LessOrEqual", {count(columns, 0), ex.emit1("Unsqueeze", {count(rows, offset[0]), ex.ints({1})})});
    }
    scores = ex.emit1("Where", {visible, scores, ex.scalar(-1e30, t)});
  }
  const std::string p = ex.emit1("Softmax", {scores}, {{"axis", int64_t{-1}}});
  ex.define({id, 0}, ex.emit1("MatMul", {p, values}), heads_first);
}

}  // namespace

// (x - mean) * (rsqrt(variance + epsilon) * scale) + offset, as ops::batch_normalization writes it, with known
// statistics over the last axis, is one BatchNormalization.
struct BatchNormMatch {
  Exporter& ex;
  const ir::Node* node(ir::Ref r, const char* op) const {
    const ir::Node& n = ex.graph().nodes[static_cast<size_t>(r.node)];
    return n.op->name == op ? &n : nullptr;
  }
  const Tensor* vector(ir::Ref r, int64_t channels) const {
    const ir::Node& n = ex.graph().nodes[static_cast<size_t>(r.node)];
    return n.op == &ir::constant_op() && n.constant.shape() == Shape{channels} ? &n.constant : nullptr;
  }
  bool single_use(ir::Ref r) const { return ex.users(r.node).size() == 1; }

  bool match(int id) {
    const ir::Graph& g = ex.graph();
    const ir::Node& last = g.nodes[static_cast<size_t>(id)];
    if (last.types.empty() || last.types[0].rank() < 2 || last.types[0].dtype != DType::f32) return false;
    const int64_t channels = last.types[0].shape.back();
    const Tensor *beta = nullptr, *gamma = nullptr, *mean = nullptr, *variance = nullptr;
    ir::Ref product{id, 0};
    if (last.op->name == "add") {
      if (!(beta = vector(last.inputs[1], channels))) return false;
      product = last.inputs[0];
      if (!single_use(product)) return false;
    }
    const ir::Node* mul = node(product, "mul");
    const ir::Node* sub = mul ? node(mul->inputs[0], "sub") : nullptr;
    if (!sub || !single_use(mul->inputs[0]) || !(mean = vector(sub->inputs[1], channels))) return false;
    ir::Ref factor = mul->inputs[1];
    if (const ir::Node* scaled = node(factor, "mul")) {
      if (!(gamma = vector(scaled->inputs[1], channels))) return false;
      factor = scaled->inputs[0];
    }
    const ir::Node* root = node(factor, "rsqrt");
    const ir::Node* sum = root ? node(root->inputs[0], "add") : nullptr;
    if (!sum || !(variance = vector(sum->inputs[0], channels))) return false;
    const ir::Node& eps = g.nodes[static_cast<size_t>(sum->inputs[1].node)];
    if (eps.op != &ir::constant_op() || eps.constant.size() != 1) return false;
    for (int skip : {product.node, mul->inputs[0].node})
      if (skip != id) ex.skipped_[static_cast<size_t>(skip)] = true;
    const ir::Ref x = sub->inputs[0];
    const double epsilon = eps.constant.item(0);
    const auto name_of = [&](const Tensor* t, double otherwise) -> std::pair<Tensor, std::string> {
      if (!t) return {Tensor::full({channels}, otherwise), otherwise ? "ones" : "zeros"};
      for (const ir::Node& n : g.nodes)
        if (&n.constant == t) return {*t, n.scope};
      return {*t, ""};
    };
    const auto g1 = name_of(gamma, 1), b1 = name_of(beta, 0), m1 = name_of(mean, 0), v1 = name_of(variance, 1);
    ex.instead_[id] = [this_ex = &ex, id, x, epsilon, g1, b1, m1, v1] {
      Exporter& e = *this_ex;
      const int rank = e.type(x).rank();
      const Ints axes = first_axes(rank);
      const auto t = [&](const auto& p) { return e.tensor(p.first, p.second); };
      e.define(
          {id, 0},
          e.emit1("BatchNormalization", {e.in_order(x, axes), t(g1), t(b1), t(m1), t(v1)}, {{"epsilon", epsilon}}),
          axes);
    };
    return true;
  }
};

void Exporter::find_batch_norms() {
  BatchNormMatch m{*this};
  const int n = static_cast<int>(graph().nodes.size());
  for (int id = 0; id < n; ++id)
    if (graph().nodes[static_cast<size_t>(id)].op->name == "add") m.match(id);
  for (int id = 0; id < n; ++id)
    if (!skipped_[static_cast<size_t>(id)] && graph().nodes[static_cast<size_t>(id)].op->name == "mul") m.match(id);
}

ExportRules nn_rules() {
  ExportRules r{{"matmul", export_matmul},
                {"conv", export_conv},
                {"conv_backprop_input", export_conv_transpose},
                {"max_pool", export_pool},
                {"avg_pool", export_pool},
                {"softmax", export_softmax},
                {"log_softmax", export_softmax},
                {"layer_norm", export_layer_norm},
                {"attention", export_attention}};
  for (const char* name :
       {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_any", "reduce_all"})
    r[name] = export_reduce;
  return r;
}

}  // namespace glia::onnx
