#include "ops/rnn_family.h"

#include <glia/function.h>
#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/fixed_input.h"

namespace glia::ops {
using namespace ir;

RnnInputs rnn_inputs(const RnnSpec& spec, const Attrs& attrs, bool backprop) {
  RnnInputs r;
  const auto next = [&](bool there) { return there ? r.count++ : -1; };
  r.bias = next(attrs.b("bias"));
  r.h0 = next(attrs.b("initial_state"));
  r.c0 = next(attrs.b("initial_state") && spec.cell);
  r.mask = next(attrs.b("mask"));
  if (!backprop) return r;
  r.states = next(true);
  r.gates = next(spec.saves_gates);
  r.cells = next(spec.cell);
  r.dy = next(attrs.b("dy"));
  r.dh = next(attrs.b("dh"));
  r.dc = next(attrs.b("dc"));
  return r;
}

RnnOutputs rnn_outputs(const RnnSpec& spec) {
  RnnOutputs r;
  r.count = 2;
  if (spec.cell) r.c = r.count++;
  r.states = r.count++;
  if (spec.saves_gates) r.gates = r.count++;
  if (spec.cell) r.cells = r.count++;
  return r;
}

std::vector<AttrField> rnn_attrs(bool backprop, std::vector<AttrField> more) {
  std::vector<AttrField> r{{"return_sequences", false, "the output has all steps, else the last only"},
                           {"go_backwards", false, "start at the last step; outputs in processing order"},
                           {"zero_output_for_mask", false, "masked steps give zeros instead of the previous output"},
                           {"bias", false, "an input after recurrent"},
                           {"initial_state", false, "inputs after bias, zeros if absent"},
                           {"mask", false, "an input after the states: bool (batch, steps), false keeps the state"}};
  if (backprop) {
    r.push_back({"dy", false, "gradient of the output is given"});
    r.push_back({"dh", false, "gradient of the last h is given"});
    r.push_back({"dc", false, "gradient of the last c is given"});
  }
  r.insert(r.end(), more.begin(), more.end());
  return r;
}

namespace {

void check_type(const OpDef& op, const char* what, const TensorType& got, DType dtype, const Shape& want) {
  GLIA_CHECK(got.dtype == dtype && got.shape == want, "{}: expected {} of {}. Received {}.", op.name, what,
             to_string(TensorType{dtype, want}), to_string(got));
}

Shape bias_shape(const RnnSpec& spec, const Attrs& attrs, int64_t units) {
  if (attrs.find("reset_after") && attrs.b("reset_after")) return {2, spec.gates * units};
  return {spec.gates * units};
}

// Checks all inputs that X has; returns its shape.
cpu::RnnShape check_inputs(const RnnSpec& spec, const InferContext& c, const RnnInputs& at) {
  const TensorType &x = c.in[0], &kernel = c.in[1], &recurrent = c.in[2];
  GLIA_CHECK(static_cast<int>(c.in.size()) == at.count, "{}: expected {} inputs. Received {}.", c.op.name, at.count,
             c.in.size());
  GLIA_CHECK(x.rank() == 3, "{}: expected an input of rank 3 (batch, steps, features). Received {}.", c.op.name,
             to_string(x));
  GLIA_CHECK(is_float(x.dtype), "{}: expected an input of floats. Received {}.", c.op.name, to_string(x));
  GLIA_CHECK(x.shape[1] > 0, "{}: the input has no steps. Received {}.", c.op.name, to_string(x));
  GLIA_CHECK(recurrent.rank() == 2 && recurrent.shape[0] > 0 && recurrent.shape[1] == spec.gates * recurrent.shape[0],
             "{}: expected a recurrent kernel of shape (units, {} units). Received {}.", c.op.name, spec.gates,
             to_string(recurrent));
  const int64_t batch = x.shape[0], units = recurrent.shape[0];
  check_type(c.op, "a recurrent kernel", recurrent, x.dtype, recurrent.shape);
  check_type(c.op, "a kernel", kernel, x.dtype, {x.shape[2], spec.gates * units});
  if (at.bias >= 0) check_type(c.op, "a bias", c.in[at.bias], x.dtype, bias_shape(spec, c.attrs, units));
  for (int i : {at.h0, at.c0}) {
    if (i >= 0) check_type(c.op, "an initial state", c.in[i], x.dtype, {batch, units});
  }
  if (at.mask >= 0) check_type(c.op, "a mask", c.in[at.mask], DType::bool_, {batch, x.shape[1]});
  return {batch, x.shape[1], x.shape[2], units};
}

Shape output_shape(const Attrs& attrs, const cpu::RnnShape& s) {
  return attrs.b("return_sequences") ? Shape{s.batch, s.steps, s.units} : Shape{s.batch, s.units};
}
// What a layer in a half type saves for its backward pass stays in f32, in which both are computed.
DType saved_type(DType t) { return t == DType::bf16 || t == DType::f16 ? DType::f32 : t; }
Shape states_shape(const cpu::RnnShape& s) { return {s.steps + 1, s.batch, s.units}; }
Shape gates_shape(const cpu::RnnShape& s) { return {s.steps, s.batch, 4 * s.units}; }

size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::vector<TensorType> infer_rnn(const RnnSpec& spec, const InferContext& c) {
  const cpu::RnnShape s = check_inputs(spec, c, rnn_inputs(spec, c.attrs, false));
  const DType t = c.in[0].dtype;
  std::vector<TensorType> r{{t, output_shape(c.attrs, s)}, {t, {s.batch, s.units}}};
  if (spec.cell) r.push_back({t, {s.batch, s.units}});
  const DType saved = saved_type(t);
  r.push_back({saved, states_shape(s)});
  if (spec.saves_gates) r.push_back({saved, gates_shape(s)});
  if (spec.cell) r.push_back({saved, states_shape(s)});
  return r;
}

std::vector<TensorType> infer_rnn_backprop(const RnnSpec& spec, const InferContext& c) {
  const RnnInputs at = rnn_inputs(spec, c.attrs, true);
  const cpu::RnnShape s = check_inputs(spec, c, at);
  const DType t = c.in[0].dtype, saved = saved_type(t);
  check_type(c.op, "saved states", c.in[at.states], saved, states_shape(s));
  if (at.gates >= 0) check_type(c.op, "saved gates", c.in[at.gates], saved, gates_shape(s));
  if (at.cells >= 0) check_type(c.op, "saved cells", c.in[at.cells], saved, states_shape(s));
  if (at.dy >= 0) check_type(c.op, "a gradient of the output", c.in[at.dy], t, output_shape(c.attrs, s));
  for (int i : {at.dh, at.dc}) {
    if (i >= 0) check_type(c.op, "a gradient of the state", c.in[i], t, {s.batch, s.units});
  }
  std::vector<TensorType> r{c.in[0], c.in[1], c.in[2]};
  for (int i : {at.bias, at.h0, at.c0}) {
    if (i >= 0) r.push_back(c.in[i]);
  }
  return r;
}

Values vjp_rnn(const RnnSpec& spec, const OpDef& backprop, const VjpContext& c) {
  const RnnOutputs out = rnn_outputs(spec);
  Values r(c.inputs.size());
  const Value dc = spec.cell ? c.grads[out.c] : Value();
  if (!c.grads[0].defined() && !c.grads[1].defined() && !dc.defined()) return r;
  Attrs attrs = c.attrs;
  Values in = c.inputs;
  in.push_back(c.outputs[out.states]);
  if (spec.saves_gates) in.push_back(c.outputs[out.gates]);
  if (spec.cell) in.push_back(c.outputs[out.cells]);
  const auto give = [&](const char* name, const Value& g) {
    attrs.set(name, g.defined());
    if (g.defined()) in.push_back(g);
  };
  give("dy", c.grads[0]);
  give("dh", c.grads[1]);
  give("dc", dc);
  const Values g = apply(backprop, attrs, in);
  for (size_t i = 0; i < g.size(); ++i) r[i] = g[i];  // the mask, last, has none
  return r;
}

Values decompose_rnn_backprop(const RnnSpec& spec, Values (*forward)(const Attrs&, const Values&), const Attrs& attrs,
                              const Values& inputs) {
  const RnnInputs at = rnn_inputs(spec, attrs, true);
  if (!common_graph(inputs)) {  // concrete: gradients need a trace
    return compile_function([&](const Values& v) { return decompose_rnn_backprop(spec, forward, attrs, v); })(inputs);
  }
  Values own, wrt;  // differentiable copies: only what flows through this op is counted
  for (int i = 0; i < at.states; ++i) {
    own.push_back(i == at.mask ? inputs[i] : inputs[i] * 1.0);
    if (i != at.mask) wrt.push_back(own.back());
  }
  const Values y = forward(attrs, own);
  Values outputs, seeds;
  const auto seed = [&](int input, int output) {
    if (input < 0) return;
    outputs.push_back(y[output]);
    seeds.push_back(inputs[input]);
  };
  seed(at.dy, 0);
  seed(at.dh, 1);
  seed(at.dc, 2);
  return gradients(outputs, wrt, seeds);
}

Values unroll_rnn(const RnnSpec& spec, const Attrs& attrs, const Values& inputs, RnnStep step) {
  const RnnInputs at = rnn_inputs(spec, attrs, false);
  const Value& x = inputs[0];
  const int64_t batch = x.dim(0), steps = x.dim(1), units = inputs[2].dim(0);
  const Value zero = constant(Tensor::zeros({batch, units}, x.dtype()));
  Values states{at.h0 >= 0 ? inputs[at.h0] : zero}, weights{inputs[1], inputs[2]};
  if (spec.cell) states.push_back(at.c0 >= 0 ? inputs[at.c0] : zero);
  if (at.bias >= 0) weights.push_back(inputs[at.bias]);
  Values ys, gates, hs{states[0]}, cs{states.back()};
  Value y = zero;
  for (int64_t s = 0; s < steps; ++s) {
    const int64_t t = attrs.b("go_backwards") ? steps - 1 - s : s;
    Value saved;
    Values next = step(attrs, squeeze(slice_axis(x, 1, t, t + 1), {1}), states, weights, &saved);
    Value out = next[0];
    if (at.mask >= 0) {
      const Value keep = slice_axis(inputs[at.mask], 1, t, t + 1);  // (batch, 1)
      out = where(keep, out, attrs.b("zero_output_for_mask") ? zero : y);
      for (size_t i = 0; i < next.size(); ++i) next[i] = where(keep, next[i], states[i]);
      if (saved.defined()) saved = where(keep, saved, scalar_like(saved, 0));
    }
    states = next, y = out;
    ys.push_back(y), hs.push_back(states[0]), cs.push_back(states.back());
    if (spec.saves_gates) gates.push_back(saved);
  }
  Values r{attrs.b("return_sequences") ? stack(ys, 1) : y};
  r.insert(r.end(), states.begin(), states.end());
  r.push_back(stack(hs, 0));
  if (spec.saves_gates) r.push_back(stack(gates, 0));
  if (spec.cell) r.push_back(stack(cs, 0));
  return r;
}

RnnResult emit_rnn(const RnnSpec& spec, const OpDef& op, Attrs attrs, const Value& x, const Value& kernel,
                   const Value& recurrent, const RnnOptions& o) {
  const size_t states = spec.cell ? 2 : 1;
  GLIA_CHECK(o.initial_state.empty() || o.initial_state.size() == states,
             "{}: expected {} initial state{}. Received {}.", op.name, states, states == 1 ? "" : "s",
             o.initial_state.size());
  attrs.set("return_sequences", o.return_sequences);
  attrs.set("go_backwards", o.go_backwards);
  attrs.set("zero_output_for_mask", o.zero_output_for_mask);
  attrs.set("bias", o.bias.defined());
  attrs.set("initial_state", !o.initial_state.empty());
  attrs.set("mask", o.mask.defined());
  Values in{x, kernel, recurrent};
  if (o.bias.defined()) in.push_back(o.bias);
  in.insert(in.end(), o.initial_state.begin(), o.initial_state.end());
  if (o.mask.defined()) in.push_back(o.mask);
  const Values out = apply(op, attrs, in);
  return {out[0], Values(out.begin() + 1, out.begin() + 1 + static_cast<int64_t>(states))};
}

RnnParams rnn_params(const RnnSpec& spec, const KernelQuery& q, bool backprop, size_t kernel_workspace,
                     size_t* workspace) {
  RnnParams p;
  p.shape = {q.in[0].shape[0], q.in[0].shape[1], q.in[0].shape[2], q.in[2].shape[0]};
  p.in = rnn_inputs(spec, q.attrs, backprop);
  p.out = rnn_outputs(spec);
  p.go_backwards = q.attrs.b("go_backwards");
  p.zero_output = q.attrs.b("zero_output_for_mask");
  p.sequences = q.attrs.b("return_sequences");
  p.reset_after = q.attrs.find("reset_after") && q.attrs.b("reset_after");
  size_t at = padded(kernel_workspace);
  if (!backprop) {
    for (int i : {p.out.states, p.out.gates, p.out.cells}) p.training |= i >= 0 && q.out_used[i];
    const auto place = [&](int output) {
      const size_t was = at;
      if (p.training && output >= 0 && !q.out_used[output]) at += padded(q.out[output].bytes());
      return was;
    };
    p.states_at = place(p.out.states);
    p.gates_at = place(p.out.gates);
    p.cells_at = place(p.out.cells);
  }
  *workspace = at;
  return p;
}

bool rnn_keeps_weights(const KernelQuery& q, const cpu::RnnShape& s) {
  constexpr int64_t kFewRows = 256;
  const size_t weights = 2 + size_t{q.attrs.b("bias")};
  for (size_t i = 1; i <= weights; ++i)
    if (!is_fixed(q, i)) return false;
  return s.batch < 4 || s.batch * s.steps <= kFewRows;
}

void rnn_reference(KernelCandidate f64, const OpDef& op, const Attrs& attrs, std::span<const Tensor> in,
                   std::span<const Tensor> out) {
  std::vector<Tensor> wide_in, wide_out;
  std::vector<TensorType> in_types, out_types;
  std::vector<void*> in_data, out_data;
  std::vector<bool> used;
  for (const Tensor& t : in) {
    wide_in.push_back(is_float(t.dtype()) ? t.astype(DType::f64) : t);
    in_types.push_back({wide_in.back().dtype(), t.shape()});
    in_data.push_back(wide_in.back().raw());
  }
  for (const Tensor& t : out) {
    used.push_back(t.defined());
    wide_out.push_back(t.defined() ? Tensor::zeros(t.shape(), DType::f64) : Tensor());
    out_types.push_back({DType::f64, t.defined() ? t.shape() : Shape{}});
    out_data.push_back(t.defined() ? wide_out.back().raw() : nullptr);
  }
  std::string refusal;
  const auto plan = f64.make({op, attrs, in_types, out_types, used}, refusal);
  GLIA_ASSERT(plan.has_value(), refusal);
  std::vector<double> work(plan->workspace / sizeof(double) + 16);
  void* space = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(work.data()) + 63) & ~uintptr_t{63});
  plan->fn({in_data.data(), out_data.data(), space, plan->params.get()});
  for (size_t i = 0; i < out.size(); ++i) {
    if (used[i]) out[i].copy_from(wide_out[i].astype(out[i].dtype()));
  }
}

}  // namespace glia::ops
