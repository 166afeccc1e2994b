// Export rules of the recurrent ops: ONNX's LSTM, GRU and RNN, time first. Sequences stay time first between such
// layers.
#include <glia/ops.h>

#include "io/onnx/exporter.h"
#include "io/onnx/operand.h"

namespace glia::onnx {
namespace {

struct Family {
  const char* op;
  int64_t gates;
  Ints order;  // ONNX's gate g is Glia's gate order[g]
  bool cell;
};

// (features, gates * units) -> (1, gates * units, features) with the gates in ONNX's order.
Tensor rows(const Tensor& w, const Family& f) {
  const int64_t units = w.dim(1) / f.gates;
  Values parts;
  for (int64_t g : f.order) parts.push_back(ops::slice_axis(Value(w), 1, g * units, (g + 1) * units));
  const Value y = ops::transpose(ops::concatenate(parts, 1), {1, 0});
  return ops::reshape(y, {1, y.dim(0), y.dim(1)}).tensor();
}
Value gates_of(const Value& b, const Family& f) {
  const int64_t units = b.dim(0) / f.gates;
  Values parts;
  for (int64_t g : f.order) parts.push_back(ops::slice_axis(b, 0, g * units, (g + 1) * units));
  return ops::concatenate(parts, 0);
}

bool is_zero(Exporter& ex, ir::Ref r) {
  const ir::Node& n = ex.graph().nodes[static_cast<size_t>(r.node)];
  if (n.op != &ir::constant_op()) return n.op->name == "broadcast_to" && is_zero(ex, n.inputs[0]);
  for (int64_t i = 0; i < n.constant.size(); ++i)
    if (n.constant.item(i) != 0) return false;
  return true;
}

void export_rnn(Exporter& ex, const ir::Node& n, int id, const Family& f) {
  const ir::Ref x = n.inputs[0];
  const bool sequences = n.attrs.b("return_sequences"), backwards = n.attrs.b("go_backwards"),
             masked = n.attrs.b("mask"), initial = n.attrs.b("initial_state");
  if (!ex.known(n.inputs[1]) || !ex.known(n.inputs[2])) ex.fail(n, "its weights are not constants.");
  const Tensor &w = ex.item(n.inputs[1]).constant, &r = ex.item(n.inputs[2]).constant;
  const std::string scope = n.scope.empty() ? f.op : n.scope;
  const int64_t units = r.dim(0), width = f.gates * units;
  const DType t = n.types[0].dtype;
  size_t next = 3;
  Value bias = Value(Tensor::zeros({2 * width}, t));
  const bool reset_after = f.gates == 3 && n.attrs.b("reset_after");
  if (n.attrs.b("bias")) {
    const Tensor& b = ex.item(n.inputs[next++]).constant;
    if (!b.defined()) ex.fail(n, "its bias is not a constant.");
    if (b.rank() == 2)
      bias = ops::concatenate({gates_of(ops::reshape(ops::slice_axis(Value(b), 0, 0, 1), {width}), f),
                               gates_of(ops::reshape(ops::slice_axis(Value(b), 0, 1, 2), {width}), f)},
                              0);
    else
      bias = ops::concatenate({gates_of(Value(b), f), Value(Tensor::zeros({width}, t))}, 0);
  }
  std::vector<std::string> in{ex.in_order(x, {1, 0, 2}), ex.tensor(rows(w, f), scope + "/W"),
                              ex.tensor(rows(r, f), scope + "/R"),
                              ex.tensor(ops::reshape(bias, {1, 2 * width}).tensor(), scope + "/B"), ""};
  std::vector<std::string> states;
  bool zeros = true;  // ONNX's own default
  for (int s = 0; initial && s < (f.cell ? 2 : 1); ++s) zeros &= is_zero(ex, n.inputs[next + static_cast<size_t>(s)]);
  for (int s = 0; initial && s < (f.cell ? 2 : 1); ++s, ++next)
    if (!zeros) states.push_back(ex.emit1("Unsqueeze", {ex.plain(n.inputs[next]), ex.ints({0})}));
  std::string mask;
  if (masked) {  // padding comes last: the mask is a length
    mask = ex.plain(n.inputs[next++]);
    in[4] = ex.with_axes("ReduceSum", ex.cast(mask, DType::i32), {1}, 13, {{"keepdims", int64_t{0}}});
  }
  in.insert(in.end(), states.begin(), states.end());
  AttrList attrs{{"hidden_size", units}};
  if (backwards) attrs.emplace_back("direction", std::string("reverse"));
  if (f.gates == 3) attrs.emplace_back("linear_before_reset", int64_t{reset_after});
  const std::vector<std::string> y = ex.emit(f.op, in, attrs, f.cell ? 3 : 2);
  const auto last = [&](size_t k) { return ex.emit1("Squeeze", {y[k], ex.ints({0})}); };  // (1, B, H) -> (B, H)
  bool state_used = !sequences;
  for (int user : ex.users(id))
    if (user < 0)
      state_used = true;
    else
      for (ir::Ref ref : ex.graph().nodes[static_cast<size_t>(user)].inputs)
        state_used |= ref.node == id && ref.output > 0;
  std::string h = state_used ? last(1) : "";
  if (state_used) ex.define({id, 1}, h);
  if (f.cell && state_used) ex.define({id, 2}, last(2));
  if (!sequences) return ex.define({id, 0}, h);
  std::string all = ex.emit1("Squeeze", {y[0], ex.ints({1})});       // (T, B, H), in order of time
  if (masked && !n.attrs.b("zero_output_for_mask") && !backwards) {  // masked steps repeat the last output
    const std::string keep =
        ex.emit1("Unsqueeze", {ex.emit1("Transpose", {mask}, {{"perm", Ints{1, 0}}}), ex.ints({2})});
    all = ex.emit1("Where", {keep, all, y[1]});
  }
  if (!backwards) return ex.define({id, 0}, all, {1, 0, 2});
  ex.define({id, 0}, Item{.axes = {1, 0, 2}, .reversed = all, .reversed_axis = 0});
}

void export_lstm(Exporter& ex, const ir::Node& n, int id) {
  static const Family f{"LSTM", 4, {0, 3, 1, 2}, true};
  export_rnn(ex, n, id, f);
}
void export_gru(Exporter& ex, const ir::Node& n, int id) {
  static const Family f{"GRU", 3, {0, 1, 2}, false};
  export_rnn(ex, n, id, f);
}
void export_simple(Exporter& ex, const ir::Node& n, int id) {
  static const Family f{"RNN", 1, {0}, false};
  export_rnn(ex, n, id, f);
}

}  // namespace

ExportRules rnn_rules() { return {{"lstm", export_lstm}, {"gru", export_gru}, {"simple_rnn", export_simple}}; }

}  // namespace glia::onnx
