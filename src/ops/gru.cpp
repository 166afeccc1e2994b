// gru and gru_backprop. Gates z, r, h; activation tanh, recurrent_activation sigmoid (keras.layers.GRU).
#include <glia/ops.h>

#include "ops/op_list.h"
#include "ops/rnn_family.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr RnnSpec kSpec{"gru", 3, true, false};
const OpDef& gru_op();
const OpDef& gru_backprop_op();

Values step(const Attrs& attrs, const Value& x, const Values& states, const Values& weights, Value* gates) {
  const int64_t n = weights[1].dim(0);
  const bool after = attrs.b("reset_after"), bias = weights.size() > 2;
  const Value& h = states[0];
  const auto part = [&](const Value& v, int64_t begin, int64_t end) { return slice_axis(v, 1, begin * n, end * n); };
  Value a = matmul(x, weights[0]), b;
  if (after) {
    b = matmul(h, weights[1]);
    if (bias) {
      a = a + slice_axis(weights[2], 0, 0, 1);
      b = b + slice_axis(weights[2], 0, 1, 2);
    }
  } else {
    b = matmul(h, part(weights[1], 0, 2));
    if (bias) a = a + weights[2];
  }
  const Value z = sigmoid(part(a, 0, 1) + part(b, 0, 1)), r = sigmoid(part(a, 1, 2) + part(b, 1, 2));
  const Value q = after ? part(b, 2, 3) : r * h;
  const Value hh = tanh(part(a, 2, 3) + (after ? r * q : matmul(q, part(weights[1], 2, 3))));
  *gates = concatenate({z, r, hh, q}, 1);
  return {z * h + (1.0 - z) * hh};
}
Values decompose(const Attrs& attrs, const Values& in) { return unroll_rnn(kSpec, attrs, in, step); }

template <class T>
void run_forward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::GruForward<T>>>();
  cpu::GruForward<T> f;
  set_forward<T>(f, k.p, a);
  f.reset_after = k.p.reset_after;
  f.states = saved<T>(k.p, a, k.p.out.states, k.p.states_at);
  f.gates = saved<T>(k.p, a, k.p.out.gates, k.p.gates_at);
  f.kept = k.p.kept, f.ready = a.ready;
  k.fn(f);
}
template <class T>
void run_backward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::GruBackward<T>>>();
  cpu::GruBackward<T> f;
  set_backward<T>(f, k.p, a);
  f.reset_after = k.p.reset_after;
  f.gates = a.input<T>(k.p.in.gates);
  k.fn(f);
}

using Plan = std::optional<KernelPlan>;
Plan make_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, false, cpu::gru_workspace, GLIA_ISA_SELECT(gru_forward_f32),
                         run_forward<float>);
}
Plan make_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, false, cpu::gru_workspace, cpu::gru_forward_f64, run_forward<double>);
}
Plan make_backprop_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, true, cpu::gru_backward_workspace, GLIA_ISA_SELECT(gru_backward_f32),
                         run_backward<float>);
}
Plan make_backprop_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, true, cpu::gru_backward_workspace, cpu::gru_backward_f64,
                          run_backward<double>);
}

const OpDef& gru_op() {
  static const OpDef def{
      .name = "gru",
      .doc =
          "GRU over (batch, steps, features): output and last state h, and two outputs that gru_backprop "
          "reads. keras.layers.GRU.",
      .min_inputs = 3,
      .max_inputs = 6,
      .attrs = rnn_attrs(false, {{"reset_after", true, "the reset gate scales h @ U + b, else h"}}),
      .infer = [](const InferContext& c) { return infer_rnn(kSpec, c); },
      .vjp = [](const VjpContext& c) { return vjp_rnn(kSpec, gru_backprop_op(), c); },
      .decompose = decompose,
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_f64}, gru_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_f32}, {"f64", make_f64}},
  };
  return def;
}
const OpDef& gru_backprop_op() {
  static const OpDef def{
      .name = "gru_backprop",
      .doc = "Gradients of gru's inputs, from its inputs, its saved outputs and the gradients of its results.",
      .min_inputs = 5,
      .max_inputs = 10,
      .attrs = rnn_attrs(true, {{"reset_after", true, "as in gru"}}),
      .infer = [](const InferContext& c) { return infer_rnn_backprop(kSpec, c); },
      .decompose = [](const Attrs& attrs,
                      const Values& in) { return decompose_rnn_backprop(kSpec, decompose, attrs, in); },
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_backprop_f64}, gru_backprop_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_backprop_f32}, {"f64", make_backprop_f64}},
  };
  return def;
}

}  // namespace

RnnResult gru(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& o, bool reset_after) {
  return emit_rnn(kSpec, gru_op(), {{"reset_after", reset_after}}, x, kernel, recurrent, o);
}

OpList gru_ops() { return {&gru_op(), &gru_backprop_op()}; }

}  // namespace glia::ops
