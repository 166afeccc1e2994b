// simple_rnn and simple_rnn_backprop: h = tanh(x W + b + h U) (keras.layers.SimpleRNN).
#include <glia/ops.h>

#include "ops/op_list.h"
#include "ops/rnn_family.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr RnnSpec kSpec{"simple_rnn", 1, false, false};
const OpDef& simple_rnn_op();
const OpDef& simple_rnn_backprop_op();

Values step(const Attrs&, const Value& x, const Values& states, const Values& weights, Value*) {
  Value z = matmul(x, weights[0]) + matmul(states[0], weights[1]);
  if (weights.size() > 2) z = z + weights[2];
  return {tanh(z)};
}
Values decompose(const Attrs& attrs, const Values& in) { return unroll_rnn(kSpec, attrs, in, step); }

template <class T>
void run_forward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::SimpleRnnForward<T>>>();
  cpu::SimpleRnnForward<T> f;
  set_forward<T>(f, k.p, a);
  f.states = saved<T>(k.p, a, k.p.out.states, k.p.states_at);
  k.fn(f);
}
template <class T>
void run_backward(const KernelArgs& a) {
  const auto& k = a.param<RnnPlanned<cpu::SimpleRnnBackward<T>>>();
  cpu::SimpleRnnBackward<T> f;
  set_backward<T>(f, k.p, a);
  k.fn(f);
}

using Plan = std::optional<KernelPlan>;
Plan make_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, false, cpu::simple_rnn_workspace, GLIA_ISA_SELECT(simple_rnn_forward_f32),
                         run_forward<float>);
}
Plan make_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, false, cpu::simple_rnn_workspace, cpu::simple_rnn_forward_f64,
                          run_forward<double>);
}
Plan make_backprop_f32(const KernelQuery& q, std::string& r) {
  return plan_rnn<float>(kSpec, q, r, true, cpu::simple_rnn_backward_workspace,
                         GLIA_ISA_SELECT(simple_rnn_backward_f32), run_backward<float>);
}
Plan make_backprop_f64(const KernelQuery& q, std::string& r) {
  return plan_rnn<double>(kSpec, q, r, true, cpu::simple_rnn_backward_workspace, cpu::simple_rnn_backward_f64,
                          run_backward<double>);
}

const OpDef& simple_rnn_op() {
  static const OpDef def{
      .name = "simple_rnn",
      .doc =
          "SimpleRNN over (batch, steps, features): output and last state h, and the states that simple_rnn_backprop "
          "reads. keras.layers.SimpleRNN.",
      .min_inputs = 3,
      .max_inputs = 6,
      .attrs = rnn_attrs(false),
      .infer = [](const InferContext& c) { return infer_rnn(kSpec, c); },
      .vjp = [](const VjpContext& c) { return vjp_rnn(kSpec, simple_rnn_backprop_op(), c); },
      .decompose = decompose,
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_f64}, simple_rnn_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_f32}, {"f64", make_f64}},
  };
  return def;
}
const OpDef& simple_rnn_backprop_op() {
  static const OpDef def{
      .name = "simple_rnn_backprop",
      .doc = "Gradients of simple_rnn's inputs, from its inputs, its saved outputs and the gradients of its results.",
      .min_inputs = 4,
      .max_inputs = 9,
      .attrs = rnn_attrs(true),
      .infer = [](const InferContext& c) { return infer_rnn_backprop(kSpec, c); },
      .decompose = [](const Attrs& attrs,
                      const Values& in) { return decompose_rnn_backprop(kSpec, decompose, attrs, in); },
      .reference =
          [](const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
            rnn_reference({"f64", make_backprop_f64}, simple_rnn_backprop_op(), attrs, in, out);
          },
      .kernels = {{"simd", make_backprop_f32}, {"f64", make_backprop_f64}},
  };
  return def;
}

}  // namespace

RnnResult simple_rnn(const Value& x, const Value& kernel, const Value& recurrent, const RnnOptions& o) {
  return emit_rnn(kSpec, simple_rnn_op(), {}, x, kernel, recurrent, o);
}

OpList simple_rnn_ops() { return {&simple_rnn_op(), &simple_rnn_backprop_op()}; }

}  // namespace glia::ops
