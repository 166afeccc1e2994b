// The gradient of 3-D max pooling as TensorFlow has it: every cell of a window that holds the maximum receives the whole
// gradient (in 1-D and 2-D only the first one does). Each of the two ops is the gradient of the other for its last input.
#include "base/error.h"
#include "base/thread_pool.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

// f(cell of x, window of y) for all cells of all windows of one image.
template <class F>
void for_cells(const cpu::PoolShape& s, F f) {
  int64_t o[3], window = 0;
  for (o[0] = 0; o[0] < s.out[0]; ++o[0])
    for (o[1] = 0; o[1] < s.out[1]; ++o[1])
      for (o[2] = 0; o[2] < s.out[2]; ++o[2], ++window) {
        int64_t first[3], last[3];
        for (int i = 0; i < 3; ++i) {
          const int64_t at = o[i] * s.stride[i] - s.pad[i];
          first[i] = std::max<int64_t>(0, at), last[i] = std::min(s.in[i], at + s.window[i]);
        }
        for (int64_t a = first[0]; a < last[0]; ++a)
          for (int64_t b = first[1]; b < last[1]; ++b)
            for (int64_t c = first[2]; c < last[2]; ++c) f((a * s.in[1] + b) * s.in[2] + c, window);
      }
}

struct Params {
  cpu::PoolShape shape;
  bool spread, f64;  // spread: from windows to cells; else the sum over cells
};

template <class T>
void run(const Params& p, const T* x, const T* y, const T* v, T* out) {
  const cpu::PoolShape& s = p.shape;
  const int64_t c = s.channels, cells = s.in_pixels() * c, windows = s.out_pixels() * c;
  parallel_for(s.batch, [&](int64_t n) {
    const T *xn = x + n * cells, *yn = y + n * windows, *vn = v + n * (p.spread ? windows : cells);
    T* on = out + n * (p.spread ? cells : windows);
    std::fill(on, on + (p.spread ? cells : windows), T(0));
    for_cells(s, [&](int64_t cell, int64_t window) {
      for (int64_t i = 0; i < c; ++i) {
        if (xn[cell * c + i] != yn[window * c + i]) continue;
        if (p.spread) on[cell * c + i] += vn[window * c + i];
        else on[window * c + i] += vn[cell * c + i];
      }
    });
  });
}

std::vector<TensorType> infer(const InferContext& c, bool spread) {
  check_float(c.op.name, "the input", c.in[0].dtype);
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, c.in[0].shape);
  const TensorType pooled{c.in[0].dtype, pool_output(s, c.in[0].shape.size())};
  GLIA_CHECK(c.in[1] == pooled && c.in[2] == (spread ? pooled : c.in[0]), "{}: expected the maxima {}. Received {} and {}.", c.op.name, to_string(pooled),
             to_string(c.in[1]), to_string(c.in[2]));
  return {spread ? c.in[0] : pooled};
}

std::optional<KernelPlan> make(const KernelQuery& q, std::string& refusal) {
  const DType t = q.in[0].dtype;
  if (t != DType::f32 && t != DType::f64) {
    refusal = "float32 and float64 only";
    return std::nullopt;
  }
  KernelPlan plan;
  plan.params = kernel_params(Params{pool_shape(q.op.name, q.attrs, q.in[0].shape), q.op.name == "max_pool_spread", t == DType::f64});
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<Params>();
    p.f64 ? run<double>(p, a.input<double>(0), a.input<double>(1), a.input<double>(2), a.output<double>(0))
          : run<float>(p, a.input<float>(0), a.input<float>(1), a.input<float>(2), a.output<float>(0));
  };
  return plan;
}

const OpDef& gather_op();

const OpDef& spread_op() {
  static const OpDef def{
      .name = "max_pool_spread",
      .doc = "{x, its maxima, a gradient of them} -> the gradient of x: each cell of a window that equals the maximum receives all of it.",
      .min_inputs = 3,
      .max_inputs = 3,
      .attrs = pool_attrs(),
      .infer = [](const InferContext& c) { return infer(c, true); },
      .vjp = [](const VjpContext& c) -> Values { return {Value(), Value(), apply1(gather_op(), c.attrs, {c.inputs[0], c.inputs[1], c.grads[0]})}; },
      .kernels = {{"loop", make}},
  };
  return def;
}
const OpDef& gather_op() {
  static const OpDef def{
      .name = "max_pool_gather",
      .doc = "{x, its maxima, t of the shape of x} -> for each window the sum of t over the cells of x that equal the maximum.",
      .min_inputs = 3,
      .max_inputs = 3,
      .attrs = pool_attrs(),
      .infer = [](const InferContext& c) { return infer(c, false); },
      .vjp = [](const VjpContext& c) -> Values { return {Value(), Value(), apply1(spread_op(), c.attrs, {c.inputs[0], c.inputs[1], c.grads[0]})}; },
      .kernels = {{"loop", make}},
  };
  return def;
}

}  // namespace

Value emit_max_pool_spread(const Attrs& attrs, const Value& x, const Value& y, const Value& dy) {
  return apply1(spread_op(), window_attrs(attrs, true), {x, y, dy});
}
OpList max_pool_ties_ops() { return {&spread_op(), &gather_op()}; }

}  // namespace glia::ops
