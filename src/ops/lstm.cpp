// lstm and lstm_backprop. Gates i, f, c, o; activation tanh, recurrent_activation sigmoid (keras.layers.LSTM).
#include <glia/ops.h>

#include "ops/op_list.h"
#include "ops/rnn_family.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr RnnSpec kSpec{"lstm", 4, true, true};
const OpDef& lstm_op();
const OpDef& lstm_backprop_op();

Values step(const Attrs&, const Value& x, const Values& states, const Values& weights, Value* gates) {
  const int64_t n = weights[1].dim(0);
  Value z = matmul(x, weights[0]) + matmul(states[0], weights[1]);
  if (weights.size() > 2) z = z + weights[2];
  const auto gate = [&](int64_t i) { return slice_axis(z, 1, i * n, (i + 1) * n); };
  const Value i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = tanh(gate(2)), o = sigmoid(gate(3));
  const Value c = f * states[1] + i * g;
  *gates = concatenate({i, f, g, o}, 1);
  return {o * tanh(c), c};
}
Values decompose(const Attrs& attrs, const Values& in) { return unroll_rnn(kSpec, attrs, in, step); }

template <class T, class S = T>
void run_forward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::LstmForward<T, S>>>();
  cpu::LstmForward<T, S> f;
  set_forward<T>(f, k.p, a);
  if (k.p.in.c0 >= 0) f.c0 = a.input<T>(k.p.in.c0);
  f.c_last = a.output<T>(k.p.out.c);
  f.states = saved<S>(k.p, a, k.p.out.states, k.p.states_at);
  f.gates = saved<S>(k.p, a, k.p.out.gates, k.p.gates_at);
  f.cells = saved<S>(k.p, a, k.p.out.cells, k.p.cells_at);
  f.kept = k.p.kept, f.ready = a.ready;
  k.fn(f);
}
template <class T, class S = T>
void run_backward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::LstmBackward<T, S>>>();
  cpu::LstmBackward<T, S> f;
  set_backward<T>(f, k.p, a);
  f.gates = a.input<S>(k.p.in.gates), f.cells = a.input<S>(k.p.in.cells);
  if (k.p.in.dc >= 0) f.dc_last = a.input<T>(k.p.in.dc);
  if (k.p.in.c0 >= 0) f.dc0 = a.output<T>(k.p.in.c0);
  k.fn(f);
}

using Plan = std::optional<KernelPlan>;
Plan make_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, false, cpu::lstm_workspace, GLIA_ISA_SELECT(lstm_forward_f32),
                         run_forward<float>);
}
Plan make_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, false, cpu::lstm_workspace, cpu::lstm_forward_f64, run_forward<double>);
}
Plan make_backprop_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, true, cpu::lstm_backward_workspace, GLIA_ISA_SELECT(lstm_backward_f32),
                         run_backward<float>);
}
Plan make_backprop_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, true, cpu::lstm_backward_workspace, cpu::lstm_backward_f64,
                          run_backward<double>);
}

// In bfloat16 where the machine multiplies pairs of them (see kernels/cpu/rnn.h).
bool takes_half(const InferContext& c) {
  const Shape &x = c.in[0].shape, &recurrent = c.in[2].shape;
  return c.in[0].dtype == DType::bf16 && cpu::lstm_bf16_supported({x[0], x[1], x[2], recurrent[0]});
}
std::optional<KernelPlan> plan_bf16(const KernelQuery& q, std::string& refusal, bool backprop) {
  if (!takes_half({q.op, q.attrs, q.in})) {
    refusal = "bfloat16 with even inputs and units, on a machine with AVX512-BF16 only";
    return std::nullopt;
  }
  using Forward = cpu::LstmForwardBf16;
  using Backward = cpu::LstmBackwardBf16;
  if (backprop)
    return plan_rnn<uint16_t, Backward>(kSpec, q, refusal, true, cpu::lstm_backward_bf16_workspace, cpu::lstm_backward_bf16,
                                        run_backward<uint16_t, float>);
  return plan_rnn<uint16_t, Forward>(kSpec, q, refusal, false, cpu::lstm_bf16_workspace, cpu::lstm_forward_bf16,
                                     run_forward<uint16_t, float>);
}
Plan make_bf16(const KernelQuery& q, std::string& r) { return plan_bf16(q, r, false); }
Plan make_backprop_bf16(const KernelQuery& q, std::string& r) { return plan_bf16(q, r, true); }

const OpDef& lstm_op() {
  static const OpDef def{
      .name = "lstm",
      .doc =
          "LSTM over (batch, steps, features): output and last states h, c, and three outputs that lstm_backprop "
          "reads. keras.layers.LSTM.",
      .min_inputs = 3,
      .max_inputs = 7,
      .attrs = rnn_attrs(false),
      .infer = [](const InferContext& c) { return infer_rnn(kSpec, c); },
      .vjp = [](const VjpContext& c) { return vjp_rnn(kSpec, lstm_backprop_op(), c); },
      .decompose = decompose,
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_f64}, lstm_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_f32}, {"bf16", make_bf16}, {"f64", make_f64}},
      .takes_half = takes_half,
  };
  return def;
}
const OpDef& lstm_backprop_op() {
  static const OpDef def{
      .name = "lstm_backprop",
      .doc = "Gradients of lstm's inputs, from its inputs, its saved outputs and the gradients of its results.",
      .min_inputs = 6,
      .max_inputs = 13,
      .attrs = rnn_attrs(true),
      .infer = [](const InferContext& c) { return infer_rnn_backprop(kSpec, c); },
      .decompose = [](const Attrs& attrs,
                      const Values& in) { return decompose_rnn_backprop(kSpec, decompose, attrs, in); },
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_backprop_f64}, lstm_backprop_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_backprop_f32}, {"bf16", make_backprop_bf16}, {"f64", make_backprop_f64}},
      .takes_half = takes_half,
  };
  return def;
}

}  // namespace

RnnResult lstm(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& o) {
  return emit_rnn(kSpec, lstm_op(), {}, x, kernel, recurrent, o);
}

OpList lstm_ops() { return {&lstm_op(), &lstm_backprop_op()}; }

}  // namespace glia::ops
