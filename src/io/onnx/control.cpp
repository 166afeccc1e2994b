// Loop and Scan whose number of turns is known when a step is compiled: their bodies are emitted once a turn.
#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

constexpr int64_t kMaxTurns = 16384;
// A turn costs the nodes of its body; loops in loops must not ask for more than a graph can hold.
void spend(const Node& n, const Body& body, int64_t turn) {
  n.check(turn < kMaxTurns, fmt::format("more than {} turns.", kMaxTurns));
  n.interpreter().repeats_left -= 1 + static_cast<int64_t>(body.nodes.size());
  n.check(n.interpreter().repeats_left >= 0, "the loops of this model would emit more than 262,144 nodes.");
}

const Body& body_of(const Node& n) {
  const Attribute* a = n.attr("body");
  n.check(a && a->body, "the attribute 'body' is missing.");
  return *a->body;
}
Value array(const Node& n, const Operand& x) {
  n.check(!x.is_sequence() && !x.is_nothing(), "a result of the body that is stacked must be an array.");
  return x.logical();
}
bool known_true(const Node& n, const Operand& x, const char* what) {
  n.check(x.stored().defined() && x.stored().is_concrete() && x.stored().type().elements() == 1,
          fmt::format("{} depends on data. The number of turns must be known when a step is compiled.", what));
  return x.stored().tensor().item(0) != 0;
}

// M turns at most, as long as the condition holds; the values carried from turn to turn come first, then stacked
// results.
Operands import_loop(Node& n) {
  const Body& body = body_of(n);
  const size_t carried = n.count() < 2 ? 0 : n.count() - 2;
  n.check(body.inputs.size() == carried + 2 && body.outputs.size() >= carried + 1,
          "the body does not fit the inputs.");
  const size_t stacked = body.outputs.size() - 1 - carried;
  const int64_t limit = n.has(0) ? known_integer(n, 0, "the number of turns") : kMaxTurns + 1;
  bool go = !n.has(1) || known_true(n, n.operand(1), "the condition");
  Operands state(n.operands().begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(2, n.count())),
                 n.operands().end());
  std::vector<Values> rows(stacked);
  int64_t turn = 0;
  for (; go && turn < limit; ++turn) {
    spend(n, body, turn);
    Scope scope(&n.interpreter().scope());
    scope.set(body.inputs[0].name, Value(Tensor::from_vector<int64_t>({}, {turn})));
    scope.set(body.inputs[1].name, Value(Tensor::full({}, 1, DType::bool_)));
    for (size_t i = 0; i < carried; ++i) scope.set(body.inputs[i + 2].name, state[i]);
    const Operands out = n.interpreter().run(body, scope);
    go = known_true(n, out[0], "the condition that the body computes");
    for (size_t i = 0; i < carried; ++i) state[i] = out[i + 1];
    for (size_t i = 0; i < stacked; ++i) rows[i].push_back(array(n, out[carried + 1 + i]));
  }
  Operands result = state;
  for (size_t i = 0; i < stacked; ++i) {
    if (rows[i].empty()) {
      const ValueInfo& v = body.outputs[carried + 1 + i];
      Shape s{0};
      for (const Dim& d : v.shape) s.push_back(std::max<int64_t>(0, d.value));
      check_extents(n, s, true);
      result.push_back(Operand(ops::zeros(s, n.dtype_of(v.type, "a result of the body"))));
      continue;
    }
    result.push_back(Operand(ops::stack(rows[i], 0)));
  }
  return result;
}

// One turn for each element of the scan axes.
Operands scan(Node& n) {
  const Body& body = body_of(n);
  const auto scanned = static_cast<size_t>(std::max<int64_t>(0, n.i("num_scan_inputs")));
  n.check(scanned >= 1 && scanned <= n.count() && body.inputs.size() == n.count(),
          "num_scan_inputs and the body do not fit the inputs.");
  const size_t carried = n.count() - scanned;
  n.check(body.outputs.size() >= carried, "the body gives too few outputs.");
  const size_t stacked = body.outputs.size() - carried;
  const auto of = [&](const char* name, size_t count) {
    Ints v = n.ints(name, Ints(count, 0));
    n.check(v.size() == count, fmt::format("the attribute '{}' must have {} numbers.", name, count));
    return v;
  };
  const Ints axes = of("scan_input_axes", scanned),
             backwards = of(n.has_attr("directions") ? "directions" : "scan_input_directions", scanned);
  const Ints out_axes = of("scan_output_axes", stacked), out_backwards = of("scan_output_directions", stacked);
  Operands state(n.operands().begin(), n.operands().begin() + static_cast<std::ptrdiff_t>(carried));
  Values xs;
  Ints at;
  int64_t turns = -1;
  for (size_t i = 0; i < scanned; ++i) {
    xs.push_back(n.in(carried + i));
    at.push_back(n.axis(axes[i], xs[i].rank()));
    const int64_t extent = xs[i].dim(static_cast<int>(at[i]));
    n.check(turns < 0 || turns == extent, "the scanned inputs have different extents.");
    turns = extent;
  }
  std::vector<Values> rows(stacked);
  for (int64_t t = 0; t < turns; ++t) {
    spend(n, body, t);
    Scope scope(&n.interpreter().scope());
    for (size_t i = 0; i < carried; ++i) scope.set(body.inputs[i].name, state[i]);
    for (size_t i = 0; i < scanned; ++i) {
      const int64_t k = backwards[i] ? turns - 1 - t : t;
      scope.set(body.inputs[carried + i].name,
                Operand(ops::squeeze(ops::slice_axis(xs[i], at[i], k, k + 1), {at[i]})));
    }
    const Operands out = n.interpreter().run(body, scope);
    for (size_t i = 0; i < carried; ++i) state[i] = out[i];
    for (size_t i = 0; i < stacked; ++i) rows[i].push_back(array(n, out[carried + i]));
  }
  for (size_t i = 0; i < stacked; ++i) {
    n.check(!rows[i].empty(), "there is nothing to scan.");
    if (out_backwards[i]) std::reverse(rows[i].begin(), rows[i].end());
    state.push_back(Operand(ops::stack(rows[i], n.axis(out_axes[i], rows[i][0].rank() + 1))));
  }
  return state;
}
// In opset 8 lengths come first and everything has a batch axis in front, over which the scan is repeated.
Operands import_scan(Node& n) {
  if (n.opset() >= 9) return scan(n);
  n.check(!n.has(0), "Scan of opset 8 with lengths of its sequences is not read.");
  n.check(n.count() >= 2 && n.in(1).rank() > 0, "the inputs have no batch axis.");
  const int64_t batch = n.in(1).dim(0);
  std::vector<Values> rows;
  for (int64_t b = 0; b < batch; ++b) {
    Operands in;
    for (size_t i = 1; i < n.count(); ++i) {
      n.check(n.in(i).rank() > 0 && n.in(i).dim(0) == batch, "the inputs have different batches.");
      in.push_back(ops::squeeze(ops::slice_axis(n.in(i), 0, b, b + 1), {0}));
    }
    Node one(n.interpreter(), n.def(), std::move(in), 9);
    const Operands out = scan(one);
    rows.resize(out.size());
    for (size_t i = 0; i < out.size(); ++i) rows[i].push_back(array(n, out[i]));
  }
  n.check(!rows.empty(), "there is nothing to scan.");
  Operands r;
  for (const Values& row : rows) r.push_back(Operand(ops::stack(row, 0)));
  return r;
}

}  // namespace

OperatorList control_operators() { return {{"Loop", 1, import_loop, {0, 1}}, {"Scan", 8, import_scan}}; }

}  // namespace glia::onnx
