// Export rules of ops that move elements.
#include <glia/ops.h>

#include <algorithm>

#include "io/onnx/exporter.h"
#include "io/onnx/operand.h"

namespace glia::onnx {
namespace {

// Position in the ONNX value of the IR's axis.
int64_t stored(const Item& it, int64_t axis) { return it.axes.empty() ? axis : it.axes[static_cast<size_t>(axis)]; }

// A value that is read as it lies: its item with the name written.
Item as_it_lies(Exporter& ex, ir::Ref r) {
  Item it = ex.item(r);
  if (it.constant.defined()) it.name = ex.plain(r);
  return it;
}

void export_transpose(Exporter& ex, const ir::Node& n, int id) {
  const Item it = as_it_lies(ex, n.inputs[0]);
  Ints axes;
  for (int64_t a : n.attrs.ints("axes")) axes.push_back(stored(it, a));
  ex.define({id, 0}, it.name, axes);
}

std::string reshape(Exporter& ex, const std::string& x, const std::vector<Dims>& from, const std::vector<Dims>& to) {
  Ints shape;
  int open = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    if (is_known(to[i])) {
      shape.push_back(to[i][0]);
    } else if (open == 0 && !(i < from.size() && from[i] == to[i])) {
      shape.push_back(-1), ++open;
    } else if (i < from.size() && from[i] == to[i]) {
      shape.push_back(0);
    } else {
      return ex.emit1("Reshape", {x, ex.shape_of(to)});
    }
  }
  // One open extent that is copied is better told by -1, which also holds for files that fix the input's shape.
  if (open == 0 && std::count(shape.begin(), shape.end(), 0) == 1) *std::find(shape.begin(), shape.end(), 0) = -1;
  for (const Dims& d : to)
    if (is_known(d) && d[0] == 0) return ex.emit1("Reshape", {x, ex.shape_of(to)}, {{"allowzero", int64_t{1}}});
  return ex.emit1("Reshape", {x, ex.ints(shape)});
}

// (batch, spatial..., channels) -> (batch, all): the channels may stay second when a product with known weights
// follows.
bool stays_flattened(Exporter& ex, const ir::Node& n, int id) {
  const TensorType &from = ex.type(n.inputs[0]), &to = n.types[0];
  if (ex.known(n.inputs[0])) return false;
  const Item& it = ex.item(n.inputs[0]);
  if (from.rank() < 3 || to.rank() != 2 || from.shape[0] != to.shape[0] || it.name.empty() ||
      it.axes != channels_last_axes(from.rank()))
    return false;
  for (size_t i = 1; i < from.shape.size(); ++i)
    if (!is_known(ex.symbols().extent(n.inputs[0], static_cast<int>(i)))) return false;
  for (int user : ex.users(id)) {
    if (user < 0) return false;
    const ir::Node& u = ex.graph().nodes[static_cast<size_t>(user)];
    if (u.op->name != "matmul" || u.inputs[0].node != id || u.attrs.b("transpose_a") ||
        !ex.will_be_known(u.inputs[1]) || ex.type(u.inputs[1]).rank() != 2)
      return false;
  }
  return true;
}

// (batch, steps, features) -> (rows, features), read by products with known weights only: those take the array as it
// is.
bool stays_merged(Exporter& ex, const ir::Node& n, int id) {
  const TensorType &from = ex.type(n.inputs[0]), &to = n.types[0];
  const Dims last = ex.symbols().extent(n.inputs[0], from.rank() - 1);
  if (from.rank() < 3 || to.rank() != 2 || from.shape.back() != to.shape.back() || !is_known(last) ||
      ex.known(n.inputs[0]))
    return false;
  for (int user : ex.users(id)) {
    if (user < 0) return false;
    const ir::Node& u = ex.graph().nodes[static_cast<size_t>(user)];
    if (u.op->name != "matmul" || u.inputs[0].node != id || u.inputs[1].node == id || u.attrs.b("transpose_a") ||
        u.attrs.b("residual") || !ex.will_be_known(u.inputs[1]) || ex.type(u.inputs[1]).rank() != 2)
      return false;
  }
  return true;
}

// Whether a chain of reshapes and broadcasts repeats each element of its source, as often as `times` along each axis:
// tried on an array that counts, because the simplifier merges the reshapes of neighbouring axes.
bool repeats(Exporter& ex, int id, ir::Ref* source, Ints* times) {
  const ir::Graph& g = ex.graph();
  std::vector<const ir::Node*> chain;
  bool wide = false;
  ir::Ref at{id, 0};
  for (const ir::Node* n = &g.nodes[static_cast<size_t>(id)];
       n->op->name == "reshape" || n->op->name == "broadcast_to"; n = &g.nodes[static_cast<size_t>(at.node)]) {
    if (!chain.empty() && ex.users(at.node).size() != 1) break;
    wide |= n->op->name == "broadcast_to";
    chain.push_back(n);
    at = n->inputs[0];
  }
  const TensorType &x = ex.type(at), &y = ex.type({id, 0});
  if (!wide || x.rank() != y.rank() || x.elements() == 0 || y.elements() > 4000000) return false;
  times->clear();
  for (size_t i = 0; i < x.shape.size(); ++i) {
    if (y.shape[i] % x.shape[i]) return false;
    times->push_back(y.shape[i] / x.shape[i]);
  }
  Value counted = ops::reshape(ops::arange(0, static_cast<double>(x.elements())), x.shape), want = counted;
  for (size_t k = chain.size(); k-- > 0;) counted = ir::run_eagerly(*chain[k]->op, chain[k]->attrs, {counted})[0];
  for (size_t i = 0; i < times->size(); ++i)
    if ((*times)[i] != 1) want = ops::repeat(want, (*times)[i], static_cast<int64_t>(i));
  *source = at;
  return counted.tensor().equals(want.tensor());
}
bool export_repeat(Exporter& ex, const ir::Node& n, int id) {
  ir::Ref source;
  Ints times;
  if (!is_float(n.types[0].dtype) || n.types[0].rank() < 3 || !repeats(ex, id, &source, &times) || ex.known(source))
    return false;
  const Item it = as_it_lies(ex, source);
  Tensor scales({static_cast<int64_t>(times.size())});
  for (size_t i = 0; i < times.size(); ++i)
    scales.set_item(stored(it, static_cast<int64_t>(i)), static_cast<double>(times[i]));
  const std::string y = ex.emit1("Resize", {it.name, "", ex.tensor(scales, "scales")},
                                 {{"mode", std::string("nearest")},
                                  {"coordinate_transformation_mode", std::string("asymmetric")},
                                  {"nearest_mode", std::string("floor")}});
  ex.define({id, 0}, y, it.axes);
  return true;
}

void export_reshape(Exporter& ex, const ir::Node& n, int id) {
  std::vector<Dims> from = ex.symbols().shape(n.inputs[0]);
  const std::vector<Dims> to = ex.symbols().shape({id, 0});
  if (const Item& raw = ex.raw_item(n.inputs[0]); !raw.merged.empty()) {
    std::vector<Dims> whole = raw.merged;
    whole.push_back(from.back());
    if (whole == to) return ex.define({id, 0}, raw.name, raw.axes);
    const std::string x = raw.axes.empty() ? raw.name : ex.emit1("Transpose", {raw.name}, {{"perm", raw.axes}});
    return ex.define({id, 0}, reshape(ex, x, whole, to));
  }
  if (stays_flattened(ex, n, id))
    return ex.define({id, 0}, Item{.name = reshape(ex, ex.item(n.inputs[0]).name, {}, to),
                                   .flattened = ex.type(n.inputs[0]).shape});
  if (stays_merged(ex, n, id)) {
    Item it = as_it_lies(ex, n.inputs[0]);
    if (!it.axes.empty() && it.axes.back() + 1 != static_cast<int64_t>(from.size()))
      it = Item{.name = ex.plain(n.inputs[0])};
    from.pop_back();
    it.merged = from;
    return ex.define({id, 0}, it);
  }
  if (export_repeat(ex, n, id)) return;
  ex.define({id, 0}, reshape(ex, ex.plain(n.inputs[0]), from, to));
}

void export_broadcast(Exporter& ex, const ir::Node& n, int id) {
  const std::vector<Dims> from = ex.symbols().shape(n.inputs[0]);
  std::vector<Dims> to = ex.symbols().shape({id, 0});
  const size_t lead = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] == to[lead + i]) to[lead + i] = Dims(from[i].size(), 1);  // 1 keeps the extent that is there
  ex.define({id, 0}, ex.emit1("Expand", {ex.plain(n.inputs[0]), ex.shape_of(to)}));
}

void export_concat(Exporter& ex, const ir::Node& n, int id) {
  Ints axes;
  for (ir::Ref r : n.inputs)
    if (!ex.known(r) && !ex.item(r).axes.empty()) axes = ex.item(r).axes;
  std::vector<std::string> in;
  for (ir::Ref r : n.inputs) in.push_back(ex.in_order(r, axes));
  const int64_t axis = ir::normalize_axis(n.attrs.i("axis"), n.types[0].rank(), "concatenate");
  ex.define({id, 0}, ex.emit1("Concat", in, {{"axis", axes.empty() ? axis : axes[static_cast<size_t>(axis)]}}), axes);
}

// Whether x[::-1] along one axis and nothing else.
bool is_flip(const ir::Node& n, int64_t* axis) {
  *axis = -1;
  for (size_t i = 0; i < n.types[0].shape.size(); ++i) {
    if (n.attrs.ints("steps")[i] == 1) continue;
    if (n.attrs.ints("steps")[i] != -1 || *axis >= 0) return false;
    *axis = static_cast<int64_t>(i);
  }
  return *axis >= 0;
}

void export_slice(Exporter& ex, const ir::Node& n, int id) {
  const ir::Ref in = n.inputs[0];
  int64_t flip;
  if (const Item& it = ex.raw_item(in); is_flip(n, &flip) && !it.reversed.empty() &&
                                        stored(it, flip) == it.reversed_axis && n.types[0] == ex.type(in)) {
    ex.define({id, 0}, it.reversed, it.axes);
    return;
  }
  const Item it = as_it_lies(ex, in);
  const std::vector<Dims> from = ex.symbols().shape(in), to = ex.symbols().shape({id, 0}),
                          starts = ex.symbols().attr_ints(id, "starts"), stops = ex.symbols().attr_ints(id, "stops");
  const Ints& steps = n.attrs.ints("steps");
  Ints s, e, a, step;
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t k = steps[i];
    const bool whole = k == 1 && from[i] == to[i];
    if (whole) continue;
    const int64_t extent = from[i][0];
    int64_t start = starts[i][0] == ops::kEnd ? extent - 1 : starts[i][0];
    if (!is_known(starts[i])) {  // counts from the end
      Dims rest;
      for (size_t t = 0; t < starts[i].size(); ++t) rest.push_back(starts[i][t] - from[i][t]);
      if (!is_known(rest) || rest[0] >= 0) ex.fail(n, "where a slice starts depends on an open extent.");
      start = rest[0];
    }
    a.push_back(stored(it, static_cast<int64_t>(i)));
    step.push_back(k);
    s.push_back(k < 0 && start >= extent - 1 && !is_known(from[i]) ? -1 : start);
    const Dims& stop = stops[i];
    if (is_known(stop))
      e.push_back(stop[0] == ops::kEnd         ? (k > 0 ? INT64_MAX : INT64_MIN + 1)
                  : k < 0 && stop[0] < -extent ? INT64_MIN + 1
                                               : stop[0]);
    else {
      // The end counts from the end of the axis, or is the end.
      Dims rest;
      for (size_t t = 0; t < stop.size(); ++t) rest.push_back(stop[t] - from[i][t]);
      if (!is_known(rest)) ex.fail(n, "where a slice ends depends on an open extent.");
      e.push_back(rest[0] >= 0 ? INT64_MAX : rest[0]);
    }
  }
  if (a.empty()) return ex.define({id, 0}, it.name, it.axes);
  ex.define({id, 0}, ex.emit1("Slice", {it.name, ex.ints(s), ex.ints(e), ex.ints(a), ex.ints(step)}), it.axes);
}

void export_pad(Exporter& ex, const ir::Node& n, int id) {
  const Item it = as_it_lies(ex, n.inputs[0]);
  const Ints &low = n.attrs.ints("low"), &high = n.attrs.ints("high"), &interior = n.attrs.ints("interior");
  for (int64_t i : interior)
    if (i) ex.fail(n, "ONNX cannot put elements between others.");
  const size_t rank = low.size();
  Ints pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    const size_t at = static_cast<size_t>(stored(it, static_cast<int64_t>(i)));
    pads[at] = low[i], pads[rank + at] = high[i];
  }
  const DType t = n.types[0].dtype;
  const std::string y = ex.emit1("Pad", {it.name, ex.ints(pads), ex.scalar(n.attrs.f("value"), t)},
                                 {{"mode", std::string("constant")}});
  ex.define({id, 0}, y, it.axes);
}

std::string indices(Exporter& ex, ir::Ref r) {
  const std::string at = ex.plain(r);
  const DType t = ex.type(r).dtype;
  return t == DType::i32 || t == DType::i64 ? at : ex.cast(at, DType::i64);
}
void export_take(Exporter& ex, const ir::Node& n, int id) {
  ex.define({id, 0},
            ex.emit1("Gather", {ex.plain(n.inputs[0]), indices(ex, n.inputs[1])}, {{"axis", n.attrs.i("axis")}}));
}
void export_take_along(Exporter& ex, const ir::Node& n, int id) {
  ex.define({id, 0}, ex.emit1("GatherElements", {ex.plain(n.inputs[0]), indices(ex, n.inputs[1])},
                              {{"axis", n.attrs.i("axis")}}));
}
void export_segment_sum(Exporter& ex, const ir::Node& n, int id) {
  if (ex.opset() < 16) ex.fail(n, "sums by index need opset 16 or newer.");
  const TensorType &data = ex.type(n.inputs[0]), &at = ex.type(n.inputs[1]);
  const std::vector<Dims> shape = ex.symbols().shape({id, 0});
  const std::string zeros = ex.emit1("Expand", {ex.scalar(0, data.dtype), ex.shape_of(shape)});
  std::string index = indices(ex, n.inputs[1]);
  if (at.dtype != DType::i64) index = ex.cast(index, DType::i64);
  index = ex.emit1("Unsqueeze", {index, ex.ints({-1})});
  ex.define({id, 0},
            ex.emit1("ScatterND", {zeros, index, ex.plain(n.inputs[0])}, {{"reduction", std::string("add")}}));
}

// How many of the sorted numbers lie before each value.
void export_searchsorted(Exporter& ex, const ir::Node& n, int id) {
  const std::string value = ex.emit1("Unsqueeze", {ex.plain(n.inputs[1]), ex.ints({-1})});
  const std::string before =
      ex.emit1(n.attrs.b("right") ? "LessOrEqual" : "Less", {ex.plain(n.inputs[0]), value});
  ex.define({id, 0}, ex.emit1("ReduceSum", {ex.cast(before, DType::i32), ex.ints({-1})}, {{"keepdims", int64_t{0}}}));
}

void export_arg(Exporter& ex, const ir::Node& n, int id) {
  const Item it = as_it_lies(ex, n.inputs[0]);
  const bool keep = n.attrs.b("keepdims");
  const int64_t axis = ir::normalize_axis(n.attrs.i("axis"), ex.type(n.inputs[0]).rank(), "argmax");
  const std::string x = keep ? it.name : ex.plain(n.inputs[0]);
  const std::string y = ex.emit1(n.op->name == "argmax" ? "ArgMax" : "ArgMin", {x},
                                 {{"axis", keep ? stored(it, axis) : axis}, {"keepdims", int64_t{keep}}});
  ex.define({id, 0}, ex.cast(y, n.types[0].dtype), keep ? it.axes : Ints{});
}
void export_top_k(Exporter& ex, const ir::Node& n, int id) {
  const auto y = ex.emit("TopK", {ex.plain(n.inputs[0]), ex.ints({n.attrs.i("k")})}, {{"axis", int64_t{-1}}}, 2);
  ex.define({id, 0}, y[0]);
  ex.define({id, 1}, ex.cast(y[1], DType::i32));
}
void export_argsort(Exporter& ex, const ir::Node& n, int id) {
  const int64_t axis = n.attrs.i("axis");
  const int64_t rank = ex.type(n.inputs[0]).rank();
  const Dims extent = ex.symbols().extent(n.inputs[0], static_cast<int>(ir::normalize_axis(axis, rank, "argsort")));
  const auto y = ex.emit("TopK", {ex.plain(n.inputs[0]), ex.shape_of({extent})},
                         {{"axis", axis}, {"largest", int64_t{n.attrs.b("descending")}}}, 2);
  ex.define({id, 0}, ex.cast(y[1], DType::i32));
}
// Running products over a known extent: each round multiplies by what lies 1, 2, 4, ... places back.
void export_cumprod(Exporter& ex, const ir::Node& n, int id) {
  const int rank = ex.type(n.inputs[0]).rank();
  const int64_t axis = ir::normalize_axis(n.attrs.i("axis"), rank, "cumprod");
  const Dims extent = ex.symbols().extent(n.inputs[0], static_cast<int>(axis));
  if (!is_known(extent)) ex.fail(n, "running products over an open extent need opset 26.");
  const bool reverse = n.attrs.b("reverse");
  const std::string one = ex.scalar(1, n.types[0].dtype);
  const auto shifted = [&](const std::string& x, int64_t by) {
    Ints pads(2 * static_cast<size_t>(rank));
    pads[static_cast<size_t>(axis + (reverse ? rank : 0))] = by;
    pads[static_cast<size_t>(axis + (reverse ? 0 : rank))] = -by;
    return ex.emit1("Pad", {x, ex.ints(pads), one}, {{"mode", std::string("constant")}});
  };
  std::string y = ex.plain(n.inputs[0]);
  if (n.attrs.b("exclusive")) y = shifted(y, 1);
  for (int64_t by = 1; by < extent[0]; by *= 2) y = ex.emit1("Mul", {y, shifted(y, by)});
  ex.define({id, 0}, y);
}
void export_cumsum(Exporter& ex, const ir::Node& n, int id) {
  const std::string axis = ex.tensor(Tensor::from_vector<int64_t>({}, {n.attrs.i("axis")}), "axis");
  ex.define({id, 0},
            ex.emit1("CumSum", {ex.plain(n.inputs[0]), axis},
                     {{"exclusive", int64_t{n.attrs.b("exclusive")}}, {"reverse", int64_t{n.attrs.b("reverse")}}}));
}

}  // namespace

ExportRules move_rules() {
  return {{"transpose", export_transpose},
          {"reshape", export_reshape},
          {"broadcast_to", export_broadcast},
          {"concatenate", export_concat},
          {"slice", export_slice},
          {"pad", export_pad},
          {"take", export_take},
          {"take_along_axis", export_take_along},
          {"segment_sum", export_segment_sum},
          {"searchsorted", export_searchsorted},
          {"argmax", export_arg},
          {"argmin", export_arg},
          {"top_k", export_top_k},
          {"argsort", export_argsort},
          {"cumsum", export_cumsum},
          {"cumprod", export_cumprod}};
}

}  // namespace glia::onnx
