#include "io/onnx/exporter.h"

#include <glia/ops.h>

#include <algorithm>

#include "io/onnx/export_tables.h"
#include "io/onnx/graph.h"
#include "io/onnx/operand.h"
#include "passes/rewrite.h"

namespace glia::onnx {

namespace {
const ExportRules& rules() {
  static const ExportRules all = [] {
    ExportRules r;
    for (const ExportRules& some : {pointwise_rules(), move_rules(), nn_rules(), rnn_rules()})
      r.insert(some.begin(), some.end());
    return r;
  }();
  return all;
}
bool identity(const Ints& axes) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(i)) return false;
  return true;
}
}  // namespace

bool has_rule(const std::string& op) { return rules().count(op) > 0; }

Ints compose_inverse(const Ints& axes, const Ints& wanted) {
  // value = transpose(t, axes); result = transpose(value, inverse(wanted)).
  Ints r = wanted.empty() ? axes : inverse(wanted);
  if (!wanted.empty() && !axes.empty())
    for (int64_t& a : r) a = axes[static_cast<size_t>(a)];
  return r;
}

Exporter::Exporter(const SymbolicGraph& graph, const ExportOptions& options, pb::ModelProto& model)
    : graph_(graph),
      options_(options),
      model_(model),
      out_(*model.mutable_graph()),
      users_(passes::users_of(graph.graph())),
      skipped_(graph.graph().nodes.size()) {}

void Exporter::fail(const ir::Node& n, const std::string& text) const {
  throw_error("onnx::save: {}op '{}': {}", n.scope.empty() ? "" : n.scope + ": ", n.op->name, text);
}

void Exporter::run() {
  add_inputs();
  find_batch_norms();
  const ir::Graph& g = graph();
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    if (skipped_[static_cast<size_t>(id)] || g.nodes[static_cast<size_t>(id)].op == &ir::input_op()) continue;
    scope_ = g.nodes[static_cast<size_t>(id)].scope;
    run_node(id);
  }
  add_outputs();
  remove_unused();
}

// What rules wrote before a later one found a better form, and weights that only those read.
void Exporter::remove_unused() {
  std::set<std::string> needed;
  for (const auto& o : out_.output()) needed.insert(o.name());
  google::protobuf::RepeatedPtrField<pb::NodeProto> nodes;
  for (int i = out_.node_size(); i-- > 0;) {
    const pb::NodeProto& n = out_.node(i);
    bool used = false;
    for (const auto& o : n.output()) used |= needed.count(o) > 0;
    if (!used) continue;
    needed.insert(n.input().begin(), n.input().end());
    *nodes.Add() = n;
  }
  std::reverse(nodes.begin(), nodes.end());
  out_.mutable_node()->Swap(&nodes);
  auto& weights = *out_.mutable_initializer();
  weights.erase(
      std::remove_if(weights.begin(), weights.end(), [&](const auto& t) { return !needed.count(t.name()); }),
      weights.end());
}

void Exporter::run_node(int id) {
  const ir::Node& n = graph().nodes[static_cast<size_t>(id)];
  if (auto it = instead_.find(id); it != instead_.end()) return it->second();
  if (fold(id)) return;
  auto rule = rules().find(n.op->name);
  if (rule == rules().end()) fail(n, fmt::format("there is no ONNX operator for it in opset {}.", opset()));
  rule->second(*this, n, id);
}

// Constants, and what is computed from constants alone.
bool Exporter::fold(int id) {
  const ir::Node& n = graph().nodes[static_cast<size_t>(id)];
  if (n.op == &ir::constant_op()) {
    Item c{.constant = n.constant};
    for (size_t t = 1; t < graph_.traces.size(); ++t) {
      const Tensor& other = graph_.constant(id, t);
      if (other.craw() == n.constant.craw() || (other.shape() == n.constant.shape() && other.equals(n.constant)))
        continue;
      define({id, 0}, Item{.open_table = true});
      return true;
    }
    define({id, 0}, c);
    return true;
  }
  for (ir::Ref r : n.inputs)
    if (!known(r)) return false;
  if (n.inputs.empty() || n.op->traits.random) return false;
  for (size_t o = 0; o < n.types.size(); ++o)
    for (const Dims& d : graph_.shape({id, static_cast<int>(o)}))
      if (!is_known(d)) return false;
  Values in;
  for (ir::Ref r : n.inputs) in.emplace_back(item(r).constant);
  const Values y = ir::run_eagerly(*n.op, n.attrs, in);
  for (size_t o = 0; o < y.size(); ++o) define({id, static_cast<int>(o)}, Item{.constant = y[o].tensor()});
  return true;
}

bool Exporter::will_be_known(ir::Ref r) const {
  if (auto it = items_.find(r); it != items_.end()) return it->second.constant.defined();
  const ir::Node& n = graph().nodes[static_cast<size_t>(r.node)];
  if (n.op == &ir::constant_op()) return true;
  for (ir::Ref in : n.inputs)
    if (!will_be_known(in)) return false;
  return !n.inputs.empty();
}

// ---- values
// --------------------------------------------------------------------------------------------------------------

void Exporter::define(ir::Ref r, std::string name, Ints axes) {
  if (identity(axes)) axes.clear();
  items_[r] = Item{.name = std::move(name), .axes = std::move(axes)};
}

Item& Exporter::settle(ir::Ref r) {
  Item& it = items_.at(r);
  if (it.constant.defined()) return it;
  if (it.open_table) {
    it.open_table = false;
    if (!write_open_table(*this, r.node))
      fail(graph().nodes[static_cast<size_t>(r.node)],
           "a table depends on an open extent. Give the model's input that extent as a number.");
  }
  if (it.name.empty() && !it.reversed.empty())
    it.name = emit1("Slice", {it.reversed, ints({-1}), ints({INT64_MIN + 1}), ints({it.reversed_axis}), ints({-1})});
  if (!it.flattened.empty()) {  // back to channels last
    const Dims batch = graph_.extent(r, 0);
    Shape nchw{is_known(batch) ? batch[0] : -1, it.flattened.back()};
    nchw.insert(nchw.end(), it.flattened.begin() + 1, it.flattened.end() - 1);
    const std::string image = emit1("Transpose", {emit1("Reshape", {it.name, ints(nchw)})},
                                    {{"perm", channels_last_axes(static_cast<int>(nchw.size()))}});
    it.name = emit1("Reshape", {image, ints({nchw[0], type(r).shape[1]})});
    it.flattened.clear();
  }
  if (!it.merged.empty()) {
    if (!it.axes.empty()) it.name = emit1("Transpose", {it.name}, {{"perm", it.axes}});
    const Dims rows = graph_.extent(r, 0);
    it.name = emit1("Reshape", {it.name, ints({is_known(rows) ? rows[0] : -1, type(r).shape[1]})});
    it.axes.clear(), it.merged.clear();
  }
  return it;
}

std::string Exporter::in_order(ir::Ref r, const Ints& wanted_axes) {
  const Ints wanted = identity(wanted_axes) ? Ints{} : wanted_axes;
  const Item& it = settle(r);
  if (it.constant.defined()) {
    std::string& written = orders_[{r, wanted}];
    if (!written.empty()) return written;
    const Tensor t = wanted.empty() ? it.constant : ops::transpose(Value(it.constant), inverse(wanted)).tensor();
    return written = tensor(t, graph().nodes[static_cast<size_t>(r.node)].scope);
  }
  if (it.axes == wanted) return it.name;
  std::string& done = orders_[{r, wanted}];
  if (done.empty()) done = emit1("Transpose", {it.name}, {{"perm", compose_inverse(it.axes, wanted)}});
  return done;
}

std::string Exporter::fresh(const std::string& wanted) {
  std::string name = wanted.empty() ? "value" : wanted;
  for (int i = 1; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted.empty() ? "value" : wanted, i);
  return name;
}

int Exporter::type_of(DType t) const {
  const int since = !is_cast_only(t) ? 0 : t <= DType::f8e5m2fnuz ? 19 : t == DType::i4 || t == DType::u4 ? 21 : t == DType::f4e2m1fn ? 23 : t == DType::f8e8m0fnu ? 24 : 25;
  GLIA_CHECK(opset() >= since, "onnx::save: {} exists from opset {} on. Received opset {}.", dtype_name(t), since, opset());
  return type_of_dtype(t);
}

pb::TensorProto Exporter::tensor_proto(const Tensor& t, const std::string& name) const {
  pb::TensorProto p;
  p.set_name(name);
  p.set_data_type(type_of(t.dtype()));
  for (int64_t d : t.shape()) p.add_dims(d);
  p.set_raw_data(raw_bytes(t));
  return p;
}
std::string Exporter::tensor(const Tensor& t, const std::string& hint) {
  std::string key = to_string(TensorType{t.dtype(), t.shape()});
  const bool small = t.bytes() <= 4096;
  key.append(small ? std::string(static_cast<const char*>(t.craw()), t.bytes()) : fmt::format("@{}", t.craw()));
  // Larger arrays are recognised by their memory, which the weights keep; computed ones are written once per use.
  std::string& name = written_[key];
  if (!name.empty()) return name;
  name = fresh(hint.empty() ? "constant" : hint);
  *out_.add_initializer() = tensor_proto(t, name);
  const std::string result = name;
  if (!small) kept_.push_back(t);
  return result;
}
std::string Exporter::ints(const Ints& v) {
  return tensor(Tensor::from_vector<int64_t>({static_cast<int64_t>(v.size())}, v), "shape");
}

// Extents behind pooling and strides are read off the newest value that has them, a part of them, or neighbouring axes
// that multiply to them.
std::string Exporter::extent_of_value(const Dims& d) {
  const auto axis_of = [&](const Item& value, int a) { return value.axes.empty() ? a : value.axes[static_cast<size_t>(a)]; };
  for (int64_t factor : {1, 2, 3, 4, 5, 6, 7, 8, 16, 32}) {
    for (auto it = items_.rbegin(); it != items_.rend(); ++it) {
      const auto& [ref, value] = *it;
      if (value.constant.defined() || value.name.empty() || !value.flattened.empty() || !value.merged.empty()) continue;
      for (int a = 0; a < type(ref).rank(); ++a) {
        Dims product(d.size(), factor);
        for (int b = a; b < type(ref).rank(); ++b) {
          const Dims next = graph_.extent(ref, b);
          for (size_t t = 0; t < d.size(); ++t) product[t] *= next[t];
          if (product != d) continue;
          const std::string shape = emit1("Shape", {value.name});
          std::string r = factor == 1 ? "" : ints({factor});
          for (int c = a; c <= b; ++c) {
            const std::string v = emit1("Gather", {shape, ints({axis_of(value, c)})}, {{"axis", int64_t{0}}});
            r = r.empty() ? v : emit1("Mul", {r, v});
          }
          return r;
        }
      }
    }
  }
  return "";
}

std::string Exporter::extent(const Dims& d) {
  if (is_known(d)) return ints({d[0]});
  std::string& name = extents_[d];
  if (!name.empty()) return name;
  const auto symbol = [&](size_t k) {
    const auto [input, axis] = graph_.symbols[k].places[0];
    const ir::Ref r{graph().inputs[static_cast<size_t>(input)], 0};
    return emit1("Gather", {emit1("Shape", {items_.at(r).name}), ints({axis})}, {{"axis", int64_t{0}}});
  };
  const auto base = [&](size_t k) {
    const auto [input, axis] = graph_.symbols[k].places[0];
    return graph_.extent({graph().inputs[static_cast<size_t>(input)], 0}, axis)[0];
  };
  const auto changed = [&](size_t k) {
    const auto [input, axis] = graph_.symbols[k].places[0];
    return graph_.extent({graph().inputs[static_cast<size_t>(input)], 0}, axis)[k + 1];
  };
  // c + a times one symbol, or c times several of them.
  std::vector<size_t> used;
  for (size_t k = 0; k < graph_.symbols.size(); ++k)
    if (d[k + 1] != d[0]) used.push_back(k);
  const auto constant = [&](int64_t v) { return ints({v}); };
  if (used.size() == 1) {
    const size_t k = used[0];
    const int64_t da = changed(k) - base(k), dv = d[k + 1] - d[0];
    if (dv % da == 0) {
      const int64_t a = dv / da, c = d[0] - a * base(k);
      std::string v = symbol(k);
      if (a != 1) v = emit1("Mul", {v, constant(a)});
      if (c != 0) v = emit1("Add", {v, constant(c)});
      return name = v;
    }
  } else {
    int64_t product = 1;
    bool proportional = true;
    for (size_t k : used) product *= base(k), proportional &= d[k + 1] * base(k) == d[0] * changed(k);
    if (proportional && d[0] % product == 0) {
      std::string v = constant(d[0] / product);
      for (size_t k : used) v = emit1("Mul", {v, symbol(k)});
      return name = v;
    }
  }
  if (std::string v = extent_of_value(d); !v.empty()) return name = v;
  throw_error(
      "onnx::save: {}an extent follows from '{}' in a way that ONNX shapes here cannot express. Give the model's "
      "input that extent as a number.",
      scope_.empty() ? "" : scope_ + ": ", graph_.symbols[used[0]].name);
}

std::string Exporter::shape_of(const std::vector<Dims>& dims) {
  bool all = true;
  Ints plain_dims;
  for (const Dims& d : dims) all &= is_known(d), plain_dims.push_back(d[0]);
  if (all) return ints(plain_dims);
  std::vector<std::string> parts;
  Ints run;
  const auto flush = [&] {
    if (!run.empty()) parts.push_back(ints(run));
    run.clear();
  };
  for (const Dims& d : dims) {
    if (is_known(d)) {
      run.push_back(d[0]);
      continue;
    }
    flush();
    parts.push_back(extent(d));
  }
  flush();
  return parts.size() == 1 ? parts[0] : emit1("Concat", parts, {{"axis", int64_t{0}}});
}

// ---- nodes
// ---------------------------------------------------------------------------------------------------------------

std::vector<std::string> Exporter::emit(const std::string& op, const std::vector<std::string>& inputs,
                                        const AttrList& attrs, int outputs) {
  pb::NodeProto& n = *out_.add_node();
  n.set_op_type(op);
  n.set_name(fresh(scope_.empty() ? op : scope_ + "/" + op));
  for (const std::string& i : inputs) n.add_input(i);
  while (n.input_size() && n.input(n.input_size() - 1).empty()) n.mutable_input()->RemoveLast();
  std::vector<std::string> r;
  for (int i = 0; i < outputs; ++i) {
    r.push_back(fresh(n.name() + (outputs == 1 ? ":0" : fmt::format(":{}", i))));
    n.add_output(r.back());
  }
  for (const auto& [name, value] : attrs) {
    pb::AttributeProto& a = *n.add_attribute();
    a.set_name(name);
    if (auto* v = std::get_if<int64_t>(&value))
      a.set_type(pb::AttributeProto::INT), a.set_i(*v);
    else if (auto* v = std::get_if<double>(&value))
      a.set_type(pb::AttributeProto::FLOAT), a.set_f(static_cast<float>(*v));
    else if (auto* v = std::get_if<std::string>(&value))
      a.set_type(pb::AttributeProto::STRING), a.set_s(*v);
    else if (auto* v = std::get_if<Tensor>(&value))
      a.set_type(pb::AttributeProto::TENSOR), *a.mutable_t() = tensor_proto(*v, "");
    else if (auto* v = std::get_if<Ints>(&value)) {
      a.set_type(pb::AttributeProto::INTS);
      for (int64_t i : *v) a.add_ints(i);
    } else if (auto* v = std::get_if<Floats>(&value)) {
      a.set_type(pb::AttributeProto::FLOATS);
      for (double f : *v) a.add_floats(static_cast<float>(f));
    }
  }
  return r;
}
std::string Exporter::cast(const std::string& name, DType to) {
  return emit1("Cast", {name}, {{"to", int64_t{type_of(to)}}});
}
std::string Exporter::with_axes(const std::string& op, const std::string& x, const Ints& axes, int since,
                                AttrList attrs) {
  if (opset() >= since) return emit1(op, {x, ints(axes)}, attrs);
  attrs.emplace_back("axes", axes);
  return emit1(op, {x}, attrs);
}

// ---- the border
// ----------------------------------------------------------------------------------------------------------

static void set_type(pb::ValueInfoProto& v, int onnx_type, const std::vector<Dims>& shape,
                     const std::vector<SymbolicGraph::Symbol>& symbols,
                     const std::function<Dims(size_t)>& of_symbol) {
  auto& type = *v.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type);
  auto& dims = *type.mutable_shape();
  int unnamed = 0;
  for (const Dims& d : shape) {
    auto& dim = *dims.add_dim();
    if (is_known(d)) {
      dim.set_dim_value(d[0]);
      continue;
    }
    for (size_t k = 0; k < symbols.size(); ++k)
      if (of_symbol(k) == d) dim.set_dim_param(symbols[k].name);
    if (!dim.has_dim_param()) dim.set_dim_param(fmt::format("{}_{}", v.name(), unnamed));
    ++unnamed;
  }
}

void Exporter::add_inputs() {
  const ir::Graph& g = graph();
  const auto of_symbol = [&](size_t k) {
    const auto [input, axis] = graph_.symbols[k].places[0];
    return graph_.extent({g.inputs[static_cast<size_t>(input)], 0}, axis);
  };
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    const ir::Ref r{g.inputs[i], 0};
    pb::ValueInfoProto& v = *out_.add_input();
    v.set_name(fresh(graph_.input_names[i]));
    set_type(v, type_of(type(r).dtype), graph_.shape(r), graph_.symbols, of_symbol);
    define(r, v.name());
  }
  for (size_t i = 0; i < g.outputs.size(); ++i) names_.insert(graph_.output_names[i]);
}
void Exporter::add_outputs() {
  const ir::Graph& g = graph();
  const auto of_symbol = [&](size_t k) {
    const auto [input, axis] = graph_.symbols[k].places[0];
    return graph_.extent({g.inputs[static_cast<size_t>(input)], 0}, axis);
  };
  scope_.clear();
  std::vector<std::string> values;
  for (const ir::Ref& r : g.outputs) values.push_back(plain(r));
  std::map<std::string, int> readers;
  for (auto& n : out_.node())
    for (auto& in : n.input()) ++readers[in];
  for (const std::string& v : values) ++readers[v];
  std::set<std::string> used;
  for (size_t i = 0; i < g.outputs.size(); ++i) {
    std::string wanted = graph_.output_names[i];
    for (int k = 1; !used.insert(wanted).second; ++k) wanted = fmt::format("{}_{}", graph_.output_names[i], k);
    for (const auto& in : out_.input())
      if (in.name() == wanted) wanted += "_output";
    // The node that makes the value gives it the output's name, unless others or another output read it.
    bool renamed = false;
    for (auto& n : *out_.mutable_node())
      for (auto& o : *n.mutable_output())
        if (o == values[i] && readers[o] == 1) o = wanted, renamed = true;
    if (!renamed) {
      pb::NodeProto& n = *out_.add_node();
      n.set_op_type("Identity"), n.set_name(fresh("Identity"));
      n.add_input(values[i]), n.add_output(wanted);
    }
    pb::ValueInfoProto& v = *out_.add_output();
    v.set_name(wanted);
    set_type(v, type_of(type(g.outputs[i]).dtype), graph_.shape(g.outputs[i]), graph_.symbols, of_symbol);
  }
}

}  // namespace glia::onnx
