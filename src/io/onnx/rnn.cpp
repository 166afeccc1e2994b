// LSTM, GRU and RNN: the fused sequence ops where the activations are the usual ones, else one step after the other.
#include <glia/ops/rnn.h>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

struct Cell {
  int64_t gates;
  Ints order;  // Glia's gate g is ONNX's gate order[g]
  int states;
};

// Gates of (gates * units, columns) reordered and transposed: (columns, gates * units).
Value gate_columns(const Value& w, const Cell& cell) {
  const int64_t units = w.dim(0) / cell.gates;
  Values parts;
  for (int64_t g : cell.order) parts.push_back(ops::slice_axis(w, 0, g * units, (g + 1) * units));
  return ops::transpose(ops::concatenate(parts, 0), {1, 0});
}
Value gate_vector(const Value& b, const Cell& cell) {
  const int64_t units = b.dim(0) / cell.gates;
  Values parts;
  for (int64_t g : cell.order) parts.push_back(ops::slice_axis(b, 0, g * units, (g + 1) * units));
  return ops::concatenate(parts, 0);
}

Value activation(const Node& n, const std::string& name, const Value& x, double alpha, double beta) {
  if (name == "sigmoid") return ops::sigmoid(x);
  if (name == "tanh") return ops::tanh(x);
  if (name == "relu") return ops::relu(x);
  if (name == "softsign") return x / (ops::abs(x) + 1.0);
  if (name == "softplus") return ops::softplus(x);
  if (name == "affine") return x * alpha + beta;
  if (name == "leakyrelu") return ops::where(x < 0.0, x * alpha, x);
  if (name == "thresholdedrelu") return ops::where(x > alpha, x, ops::scalar_like(x, 0));
  if (name == "scaledtanh") return ops::tanh(x * beta) * alpha;
  if (name == "hardsigmoid") return ops::clip(x * alpha + beta, 0.0, 1.0);
  if (name == "elu") return ops::where(x > 0.0, x, ops::expm1(x) * alpha);
  n.fail(fmt::format("unknown activation '{}'.", name));
}
struct Activations {
  std::vector<std::string> names;  // lower case, three per direction for LSTM, ...
  std::vector<double> alpha, beta;
};
Activations activations(const Node& n, const std::vector<std::string>& usual, int64_t directions, bool* plain) {
  Activations a;
  a.names = n.strings("activations");
  for (std::string& s : a.names)
    for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (a.names.empty())
    for (int64_t d = 0; d < directions; ++d) a.names.insert(a.names.end(), usual.begin(), usual.end());
  n.check(a.names.size() == usual.size() * static_cast<size_t>(directions),
          "one activation per gate and direction is needed.");
  for (size_t i = 0; i < a.names.size(); ++i) {
    *plain &= a.names[i] == usual[i % usual.size()];
    const std::string& s = a.names[i];
    a.alpha.push_back(s == "leakyrelu" ? 0.01 : s == "hardsigmoid" ? 0.2 : 1.0);
    a.beta.push_back(s == "hardsigmoid" ? 0.5 : s == "affine" ? 0.0 : 1.0);
  }
  const std::vector<double> alpha = n.floats("activation_alpha"), beta = n.floats("activation_beta");
  for (size_t i = 0; i < std::min(alpha.size(), a.alpha.size()); ++i) a.alpha[i] = alpha[i];
  for (size_t i = 0; i < std::min(beta.size(), a.beta.size()); ++i) a.beta[i] = beta[i];
  return a;
}

// One direction: everything with the batch first.
struct Direction {
  Value x, w, r, b, mask;  // (B, T, I), (G H, I), (G H, H), (2 G H) or undefined, (B, T) or undefined
  Values states;           // (B, H)
  Value peepholes;         // (3 H), LSTM
  bool backwards = false;
  size_t number = 0;
};
struct Sequence {
  Value y;  // (B, T, H) in order of time
  Values states;
};

struct Family {
  const char* op;
  Cell cell;
  std::vector<std::string> usual;
};

Values lstm_step(const Node& n, const Direction& d, const Activations& a, const Value& pre, const Values& s) {
  const int64_t h = s[0].dim(1);
  const size_t at = d.number * 3;
  const double clip = n.f("clip", 0);
  const auto gate = [&](int64_t g) { return ops::slice_axis(pre, 1, g * h, (g + 1) * h); };  // i, o, f, c
  const auto peep = [&](int64_t g, const Value& c) {
    return c * ops::slice_axis(d.peepholes, 0, g * h, (g + 1) * h);
  };
  const auto act = [&](size_t k, Value x) {
    if (clip > 0) x = ops::clip(x, -clip, clip);
    return activation(n, a.names[at + k], x, a.alpha[at + k], a.beta[at + k]);
  };
  Value i = gate(0), o = gate(1), f = gate(2), c = s[1];
  if (d.peepholes.defined()) i = i + peep(0, c), f = f + peep(2, c);
  i = act(0, i);
  f = n.i("input_forget", 0) ? ops::subtract(ops::scalar_like(i, 1), i) : act(0, f);
  c = f * c + i * act(1, gate(3));
  if (d.peepholes.defined()) o = o + peep(1, c);
  return {act(0, o) * activation(n, a.names[at + 2], c, a.alpha[at + 2], a.beta[at + 2]), c};
}

Values gru_step(const Node& n, const Direction& d, const Activations& a, const Value& pre, const Value& bias_r,
                const Values& s) {
  const int64_t h = s[0].dim(1);
  const size_t at = d.number * 2;
  const double clip = n.f("clip", 0);
  const auto part = [&](const Value& v, int64_t g) { return ops::slice_axis(v, -1, g * h, (g + 1) * h); };
  const auto act = [&](size_t k, Value x) {
    if (clip > 0) x = ops::clip(x, -clip, clip);
    return activation(n, a.names[at + k], x, a.alpha[at + k], a.beta[at + k]);
  };
  const auto recur = [&](const Value& v, int64_t g) {
    const Value y = ops::matmul(v, ops::slice_axis(d.r, 0, g * h, (g + 1) * h), false, true);
    return bias_r.defined() ? y + part(bias_r, g) : y;
  };
  const Value z = act(0, part(pre, 0) + recur(s[0], 0)), r = act(0, part(pre, 1) + recur(s[0], 1));
  const Value fresh =
      act(1, part(pre, 2) + (n.i("linear_before_reset", 0) ? r * recur(s[0], 2) : recur(r * s[0], 2)));
  return {(ops::scalar_like(z, 1) - z) * fresh + z * s[0]};
}

Sequence unrolled(const Node& n, const Family& family, const Direction& d, const Activations& a) {
  const std::string op = family.op;
  const int64_t steps = d.x.dim(1), gh = d.w.dim(0);
  Value pre = ops::matmul(d.x, d.w, false, true), bias_r;  // (B, T, G H)
  if (d.b.defined()) pre = pre + ops::slice_axis(d.b, 0, 0, gh), bias_r = ops::slice_axis(d.b, 0, gh, 2 * gh);
  Values s = d.states, ys(static_cast<size_t>(steps));
  const double clip = n.f("clip", 0);
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t t = d.backwards ? steps - 1 - k : k;
    Value now = ops::squeeze(ops::slice_axis(pre, 1, t, t + 1), {1});
    Values next;
    if (op == "GRU") {
      next = gru_step(n, d, a, now, bias_r, s);
    } else {
      now = now + ops::matmul(s[0], d.r, false, true);
      if (bias_r.defined()) now = now + bias_r;
      if (op == "LSTM")
        next = lstm_step(n, d, a, now, s);
      else
        next = {activation(n, a.names[d.number], clip > 0 ? ops::clip(now, -clip, clip) : now, a.alpha[d.number],
                           a.beta[d.number])};
    }
    Value y = next[0];
    if (d.mask.defined()) {
      const Value m = ops::slice_axis(d.mask, 1, t, t + 1);  // (B, 1)
      for (size_t i = 0; i < s.size(); ++i) next[i] = ops::where(m, next[i], s[i]);
      y = ops::where(m, y, ops::scalar_like(y, 0));
    }
    s = next;
    ys[static_cast<size_t>(t)] = y;
  }
  return {ops::stack(ys, 1), s};
}

Sequence fused(const Node& n, const Family& family, const Direction& d) {
  const std::string op = family.op;
  const int64_t gh = d.w.dim(0);
  ops::RnnOptions o{.initial_state = d.states,
                    .mask = d.mask,
                    .return_sequences = true,
                    .go_backwards = d.backwards,
                    .zero_output_for_mask = true};
  const bool reset_after = op == "GRU" && n.i("linear_before_reset", 0) != 0;
  if (d.b.defined()) {
    const Value bw = gate_vector(ops::slice_axis(d.b, 0, 0, gh), family.cell),
                br = gate_vector(ops::slice_axis(d.b, 0, gh, 2 * gh), family.cell);
    o.bias = reset_after ? ops::stack({bw, br}, 0) : bw + br;
  }
  const Value w = gate_columns(d.w, family.cell), r = gate_columns(d.r, family.cell);
  const ops::RnnResult result = op == "LSTM"  ? ops::lstm(d.x, w, r, o)
                                : op == "GRU" ? ops::gru(d.x, w, r, o, reset_after)
                                              : ops::simple_rnn(d.x, w, r, o);
  return {d.backwards ? ops::flip(result.output, {1}) : result.output, result.states};
}

Operands import_rnn(Node& n, const Family& family) {
  const std::string op = family.op, way = n.s("direction", "forward");
  n.check(way == "forward" || way == "reverse" || way == "bidirectional",
          fmt::format("unknown direction '{}'.", way));
  const int64_t directions = way == "bidirectional" ? 2 : 1;
  const bool batch_first = n.i("layout", 0) != 0;
  bool plain = true;
  const Activations a = activations(n, family.usual, directions, &plain);
  plain = plain && n.f("clip", 0) == 0 && !n.i("input_forget", 0) && !n.has(7);
  const Ints time_first{1, 0, 2};
  n.check(n.operand(0).rank() == 3 && n.operand(1).rank() == 3 && n.operand(2).rank() == 3,
          "expected X of rank 3, W and R of rank 3.");
  const Value x = batch_first ? n.in(0) : n.operand(0).in_order(time_first);  // (B, T, I)
  const int64_t batch = x.dim(0), steps = x.dim(1), units = n.operand(2).shape()[2];
  n.check(n.operand(1).shape() == Shape({directions, family.cell.gates * units, x.dim(2)}) &&
              n.operand(2).shape() == Shape({directions, family.cell.gates * units, units}) &&
              (!n.has(3) || n.operand(3).shape() == Shape({directions, 2 * family.cell.gates * units})),
          fmt::format("W {}, R {} or B do not fit an input of {} features.", to_string(n.operand(1).shape()),
                      to_string(n.operand(2).shape()), x.dim(2)));
  n.check(steps <= (plain ? 1 << 24 : 1 << 14), fmt::format("{} steps are too many for these activations.", steps));
  Value mask;
  if (n.has(4)) {
    const bool full = n.in(4).is_concrete() && [&] {
      const Tensor t = n.in(4).tensor();
      for (int64_t i = 0; i < t.size(); ++i)
        if (t.item(i) < static_cast<double>(steps)) return false;
      return true;
    }();
    if (!full)
      mask = ops::less(ops::reshape(ops::arange(0, static_cast<double>(steps), 1, DType::i64), {1, steps}),
                       ops::reshape(ops::cast(n.in(4), DType::i64), {-1, 1}));
  }
  const auto pick = [&](const Value& v, int64_t d) {
    return ops::reshape(ops::slice_axis(v, 0, d, d + 1), extents_of(v, 1, v.rank()));
  };
  Values ys;
  std::vector<Values> last(static_cast<size_t>(family.cell.states));
  for (int64_t d = 0; d < directions; ++d) {
    Direction one{.x = x,
                  .w = pick(n.in(1), d),
                  .r = pick(n.in(2), d),
                  .mask = mask,
                  .backwards = way == "reverse" || d == 1,
                  .number = static_cast<size_t>(d)};
    if (n.has(3)) one.b = pick(n.in(3), d);
    if (n.has(7)) one.peepholes = pick(n.in(7), d);
    bool initial = false;
    for (int s = 0; s < family.cell.states; ++s) initial |= n.has(5 + static_cast<size_t>(s));
    for (int s = 0; s < family.cell.states && (initial || !plain); ++s) {
      const size_t slot = 5 + static_cast<size_t>(s);
      Value v = ops::zeros({batch, units}, x.dtype());
      if (n.has(slot))
        v = batch_first ? ops::reshape(ops::slice_axis(n.in(slot), 1, d, d + 1), {batch, units})
                        : pick(n.in(slot), d);
      one.states.push_back(v);
    }
    Sequence r = plain ? fused(n, family, one) : unrolled(n, family, one, a);
    ys.push_back(r.y);
    for (size_t s = 0; s < last.size(); ++s) last[s].push_back(r.states[s]);
  }
  // Y: (T, directions, B, H), or (B, T, directions, H) batch first; stored (B, T, directions, H).
  const Value y = ys.size() == 1 ? ops::reshape(ys[0], {batch, steps, 1, units}) : ops::stack(ys, 2);
  Operands out{batch_first ? Operand(y) : Operand(y, {1, 2, 0, 3})};
  for (const Values& s : last) out.emplace_back(ops::stack(s, batch_first ? 1 : 0));
  return out;
}

Operands import_lstm(Node& n) {
  static const Family family{"LSTM", {4, {0, 2, 3, 1}, 2}, {"sigmoid", "tanh", "tanh"}};
  return import_rnn(n, family);
}
Operands import_gru(Node& n) {
  static const Family family{"GRU", {3, {0, 1, 2}, 1}, {"sigmoid", "tanh"}};
  return import_rnn(n, family);
}
Operands import_simple(Node& n) {
  static const Family family{"RNN", {1, {0}, 1}, {"tanh"}};
  return import_rnn(n, family);
}

}  // namespace

OperatorList rnn_operators() { return {{"GRU", 7, import_gru}, {"LSTM", 7, import_lstm}, {"RNN", 7, import_simple}}; }

}  // namespace glia::onnx
