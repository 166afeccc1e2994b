// What lstm.cpp, gru.cpp and simple_rnn.cpp share. Each cell is two ops: X (forward; beside its results it has
// outputs that only X_backprop reads) and X_backprop.
//
//   inputs of X:           x, kernel, recurrent, [bias], [h0, [c0]], [mask]        (attributes say which are there)
//   outputs of X:          y, h, [c], states, [gates, [cells]]
//   inputs of X_backprop:  those of X, states, [gates, [cells]], [dy], [dh], [dc]
//   outputs of X_backprop: dx, dkernel, drecurrent, [dbias], [dh0, [dc0]]
#pragma once
#include <glia/ops/rnn.h>

#include "ir/op_def.h"
#include "kernels/cpu/rnn.h"

namespace glia::ops {

struct RnnSpec {
  const char* name;
  int64_t gates;  // columns of the weights per unit
  bool saves_gates;
  bool cell;  // has the second state, c
};

// Positions among the inputs; -1: not there.
struct RnnInputs {
  int bias = -1, h0 = -1, c0 = -1, mask = -1, states = -1, gates = -1, cells = -1, dy = -1, dh = -1, dc = -1,
      count = 3;
};
RnnInputs rnn_inputs(const RnnSpec&, const ir::Attrs&, bool backprop);

// Positions among the outputs of X.
struct RnnOutputs {
  int c = -1, states = 2, gates = -1, cells = -1, count = 3;
};
RnnOutputs rnn_outputs(const RnnSpec&);

std::vector<ir::AttrField> rnn_attrs(bool backprop, std::vector<ir::AttrField> more = {});
std::vector<TensorType> infer_rnn(const RnnSpec&, const ir::InferContext&);
std::vector<TensorType> infer_rnn_backprop(const RnnSpec&, const ir::InferContext&);
Values vjp_rnn(const RnnSpec&, const ir::OpDef& backprop, const ir::VjpContext&);
// X_backprop as the gradient of what X decomposes into (recomputed from X's inputs, so that it can be
// differentiated).
Values decompose_rnn_backprop(const RnnSpec&, Values (*forward)(const ir::Attrs&, const Values&), const ir::Attrs&,
                              const Values& inputs);

// The steps of an unrolled forward pass, in processing order. `step` maps (x at the step, states) to the new states,
// the first of which is the output, and may append to `saved` what the gates output stacks.
using RnnStep = Values (*)(const ir::Attrs&, const Value& x, const Values& states, const Values& weights,
                           Value* gates);
Values unroll_rnn(const RnnSpec&, const ir::Attrs&, const Values& inputs, RnnStep step);

RnnResult emit_rnn(const RnnSpec&, const ir::OpDef&, ir::Attrs more, const Value& x, const Value& kernel,
                   const Value& recurrent, const RnnOptions&);

// What a kernel needs at run time: the shape and where its arguments are.
struct RnnParams {
  cpu::RnnShape shape;
  RnnInputs in;
  RnnOutputs out;
  bool go_backwards = false, zero_output = false, sequences = false, reset_after = false, training = false;
  bool kept = false;  // the workspace stays: weights are packed once
  // Offsets in the workspace of saved buffers that nobody else reads; the kernel's own workspace starts at 0.
  size_t states_at = 0, gates_at = 0, cells_at = 0;
};

template <class T>
cpu::RnnSequence<T> rnn_sequence(T* data, int64_t steps, int64_t features) {
  return {data, steps * features, features};
}

// The fields that all forward (backward) argument structs have.
template <class T, class Args>
void set_common(Args& f, const RnnParams& p, const ir::KernelArgs& a) {
  const auto in = [&](int i) { return i < 0 ? nullptr : a.input<T>(i); };
  f.shape = p.shape;
  f.x = rnn_sequence(in(0), p.shape.steps, p.shape.input);
  f.kernel = in(1), f.recurrent = in(2);
  if (p.in.mask >= 0) f.mask = {{a.input<uint8_t>(p.in.mask), p.shape.steps, 1}, p.zero_output};
  f.go_backwards = p.go_backwards;
  f.workspace = a.work;
}
template <class T, class Args>
void set_forward(Args& f, const RnnParams& p, const ir::KernelArgs& a) {
  set_common<T>(f, p, a);
  const auto in = [&](int i) { return i < 0 ? nullptr : a.input<T>(i); };
  const int64_t n = p.shape.units;
  f.bias = in(p.in.bias), f.h0 = in(p.in.h0);
  f.y = {a.output<T>(0), p.sequences ? p.shape.steps * n : n, p.sequences ? n : 0};
  f.h_last = a.output<T>(1);
}
// A saved buffer: the output, or its place in the workspace, or null for inference.
template <class T>
T* saved(const RnnParams& p, const ir::KernelArgs& a, int output, size_t at) {
  if (!p.training) return nullptr;
  if (a.out[output]) return a.output<T>(output);
  return reinterpret_cast<T*>(static_cast<char*>(a.work) + at);
}
template <class T, class Args>
void set_backward(Args& f, const RnnParams& p, const ir::KernelArgs& a) {
  set_common<T>(f, p, a);
  const auto in = [&](int i) { return i < 0 ? nullptr : a.input<T>(i); };
  const auto out = [&](int i) { return i < 0 ? nullptr : a.output<T>(i); };
  const int64_t n = p.shape.units;
  using Saved = std::remove_cvref_t<decltype(*f.states)>;  // f32 beside half types
  f.states = a.input<Saved>(p.in.states);
  f.dy = {in(p.in.dy), p.sequences ? p.shape.steps * n : n, n};
  f.dy_last_only = !p.sequences;
  f.dh_last = in(p.in.dh);
  f.dx = rnn_sequence(out(0), p.shape.steps, p.shape.input);
  f.dkernel = out(1), f.drecurrent = out(2), f.dbias = out(p.in.bias), f.dh0 = out(p.in.h0);
}

RnnParams rnn_params(const RnnSpec&, const ir::KernelQuery&, bool backprop, size_t kernel_workspace,
                     size_t* workspace);

// Few rows read the weights about once a step: then it pays to keep them packed, where they stay the same.
bool rnn_keeps_weights(const ir::KernelQuery&, const cpu::RnnShape&);

// The candidate for one dtype: `run` fills the kernel's arguments and calls fn.
template <class Args>
struct RnnPlanned {
  RnnParams p;
  void (*fn)(const Args&);
};
template <class T>
constexpr DType rnn_dtype = dtype_of<T>();
template <>
inline constexpr DType rnn_dtype<uint16_t> = DType::bf16;
template <class T, class Args>
std::optional<ir::KernelPlan> plan_rnn(const RnnSpec& spec, const ir::KernelQuery& q, std::string& refusal,
                                       bool backprop, size_t (*space)(const cpu::RnnShape&), void (*fn)(const Args&),
                                       ir::KernelFn run) {
  if (q.in[0].dtype != rnn_dtype<T>) {
    refusal = "dtype is not " + std::string(dtype_name(rnn_dtype<T>));
    return std::nullopt;
  }
  const cpu::RnnShape shape{q.in[0].shape[0], q.in[0].shape[1], q.in[0].shape[2], q.in[2].shape[0]};
  size_t workspace = 0;
  RnnParams p = rnn_params(spec, q, backprop, space(shape), &workspace);
  if constexpr (requires(Args a) { a.kept; }) p.kept = !p.training && rnn_keeps_weights(q, shape);
  return ir::KernelPlan{run, ir::kernel_params(RnnPlanned<Args>{p, fn}), workspace, p.kept};
}

// reference: the f64 kernel on converted copies.
void rnn_reference(ir::KernelCandidate f64, const ir::OpDef&, const ir::Attrs&, std::span<const Tensor> in,
                   std::span<const Tensor> out);

}  // namespace glia::ops
