// OpDef: everything known about one op, in one place. An op is one file src/ops/x.cpp that defines
//   const OpDef& x_op() { static const OpDef def{...}; return def; }
// and a public builder `Value ops::x(...)` declared in include/glia/ops.h, plus one line in src/ops/op_list.cpp, and
// src/ops/x_test.cpp with samples only (the conformance suite in ops/conformance_test.cpp does the rest).
// docs/add-an-op.md walks through one. Nothing about an op is repeated elsewhere: a pass that wants to switch on op
// names adds a trait here instead.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <glia/value.h>

#include "ir/attrs.h"

namespace glia::ir {

struct OpDef;

struct AttrField {
  std::string name;
  AttrValue default_value;  // its type is the attribute's type
  std::string doc;
  bool required = false;    // true: there is no default, the value given here only tells the type
};

// Arguments of the rules.
struct InferContext {
  const OpDef& op;
  const Attrs& attrs;
  std::span<const TensorType> in;
};
struct VjpContext {
  const Attrs& attrs;
  Values inputs;
  Values outputs;
  Values grads;             // cotangent of each output; undefined where nothing flows
  std::vector<bool> needs;  // which inputs want a gradient
};

// A kernel sees raw row-major pointers. `params` is what the candidate prepared at plan time; `work` is scratch memory
// of KernelPlan::workspace bytes, 64-byte aligned. An unused output has a null pointer. `ready`, where KernelPlan::keep: the
// workspace is as the last call left it and the fixed inputs are the same, so what was made of them still lies there.
struct KernelArgs {
  void* const* in;
  void* const* out;
  void* work;
  const void* params;
  bool ready = false;
  template <class T> const T* input(int i) const { return static_cast<const T*>(in[i]); }
  template <class T> T* output(int i) const { return static_cast<T*>(out[i]); }
  template <class T> const T& param() const { return *static_cast<const T*>(params); }
};
using KernelFn = void (*)(const KernelArgs&);

struct KernelQuery {
  const OpDef& op;
  const Attrs& attrs;
  std::span<const TensorType> in;
  std::span<const TensorType> out;
  std::vector<bool> out_used;  // outputs that somebody reads
  std::vector<bool> in_fixed;  // inputs that are weights nobody changes from call to call (prediction)
};
struct KernelPlan {
  KernelFn fn = nullptr;
  std::shared_ptr<const void> params;
  size_t workspace = 0;
  bool keep = false;  // the workspace is this step's own from call to call: what is made of fixed inputs need be made once
};
// Candidates are tried in order; the first that accepts wins. A refusal says why (GLIA_VERBOSE=dispatch prints it).
struct KernelCandidate {
  std::string name;  // "simd", "f64", ...
  std::optional<KernelPlan> (*make)(const KernelQuery&, std::string& refusal);
};
template <class P>
std::shared_ptr<const void> kernel_params(P p) { return std::make_shared<const P>(std::move(p)); }

struct Traits {
  bool pointwise = false;    // output element i depends on input elements i only (after broadcasting); see ops/pointwise.h
  bool view = false;         // output 0 is input 0 seen with another shape: no kernel, shares the buffer
  bool moves = false;        // copies whole elements, of any dtype
  bool random = false;       // never folded or merged
  bool low_precision = false;  // kernels take bf16/f16; otherwise the promote pass computes it in f32
  // Pairs (input, output) whose buffers may be the same: the kernel reads element i before it writes element i.
  std::vector<std::pair<int, int>> in_place;
  // Heavy op that finishes its own result: y = activation(op(...) + bias + residual). Its OpDef::attrs must include
  // {"bias", false}, {"residual", false}, {"activation", ""}; the extra inputs follow the op's own inputs in that order.
  // bias is rank 1 over the last axis, residual has the type of the output, activation is "" or one of
  // epilogue_activations(). passes/fuse_epilogue.cpp sets them; vjp never sees them (it runs before).
  bool epilogue = false;
};

struct OpDef {
  std::string name;
  std::string doc;               // one or two sentences: what it computes, shapes, source
  int min_inputs = 1;
  int max_inputs = 1;            // -1: any number
  std::vector<AttrField> attrs;  // the one fields() list

  // Types of the outputs; the only place for shape, dtype and user errors of this op (throw Error via GLIA_CHECK).
  std::vector<TensorType> (*infer)(const InferContext&) = nullptr;
  // Gradients of the inputs (one Value per input, undefined = none), emitted through public builders.
  // Null with `differentiable`: the gradient of decompose is used.
  Values (*vjp)(const VjpContext&) = nullptr;
  bool differentiable = true;    // false: gradient is zero or undefined (comparisons, indices)
  // The op in simpler ops: fallback on any device and oracle for the kernels.
  Values (*decompose)(const Attrs&, const Values& inputs) = nullptr;
  // Naive implementation for any dtype it makes sense for; the fallback kernel and the oracle. Writes into `out`.
  void (*reference)(const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) = nullptr;
  std::vector<KernelCandidate> kernels;
  // For ops without the trait low_precision: whether this machine has kernels for half types at these inputs.
  bool (*takes_half)(const InferContext&) = nullptr;
  Traits traits;
};

// The registry: filled once from the explicit list in ops/op_list.cpp.
const OpDef& find_op(std::string_view name);  // throws Error with "did you mean"
const OpDef* find_op_or_null(std::string_view name);
std::vector<const OpDef*> all_ops();

// Completes attrs with defaults, in the order of the op's fields; refuses unknown names and wrong types.
Attrs normalized(const OpDef&, Attrs);

// Emits one node; when every input is concrete, runs the op at once instead.
Values apply(const OpDef&, Attrs, const Values& inputs);
Value apply1(const OpDef&, Attrs, const Values& inputs);  // the only or first output

// Names a kernel epilogue must know: relu, sigmoid, tanh, gelu, gelu_tanh, silu (of pointwise_ops.h).
bool is_epilogue_activation(std::string_view name);

// Helpers for infer rules. `op` is the name for messages.
int64_t normalize_axis(int64_t axis, int64_t rank, std::string_view op);      // throws Error
Ints normalize_axes(const Ints& axes, int64_t rank, std::string_view op);     // sorted, unique; throws Error
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op);  // NumPy rules, throws Error

}  // namespace glia::ir
