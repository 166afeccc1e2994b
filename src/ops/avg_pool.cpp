#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<TensorType> infer_avg_pool(const InferContext& c) {
  check_float(c.op.name, "the input", c.in[0].dtype);
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, c.in[0].shape);
  return {{c.in[0].dtype, pool_output(s, c.in[0].shape.size())}};
}

std::vector<TensorType> infer_backprop(const InferContext& c) {
  const TensorType& dy = c.in[0];
  check_float(c.op.name, "the gradient", dy.dtype);
  GLIA_CHECK(dy.rank() >= 1, "{}: expected a gradient of rank 3, 4 or 5. Received {}.", c.op.name, to_string(dy));
  Shape x{dy.shape[0]};
  const Ints& rest = c.attrs.ints("input_shape");
  x.insert(x.end(), rest.begin(), rest.end());
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, x);
  GLIA_CHECK(dy.shape == pool_output(s, x.size()), "{}: pooling {} gives {}, but the gradient is {}.", c.op.name,
             to_string(x), to_string(pool_output(s, x.size())), to_string(dy.shape));
  return {{dy.dtype, x}};
}

Values vjp_avg_pool(const VjpContext& c) {
  return {emit_avg_pool_backprop(c.attrs, c.grads[0], c.inputs[0].shape())};
}
Values vjp_backprop(const VjpContext& c) { return {emit_avg_pool(c.attrs, c.grads[0])}; }

void reference_avg_pool(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const Tensor x = in[0].astype(DType::f64), y(out[0].shape(), DType::f64);
  cpu::avg_pool_plain(pool_shape("avg_pool", attrs, in[0].shape()), x.data<double>(), y.data<double>());
  out[0].copy_from(y.astype(out[0].dtype()));
}
void reference_backprop(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const Tensor dy = in[0].astype(DType::f64), dx(out[0].shape(), DType::f64);
  cpu::avg_pool_backward_plain(pool_shape("avg_pool_backprop", attrs, out[0].shape()), dy.data<double>(),
                               dx.data<double>());
  out[0].copy_from(dx.astype(out[0].dtype()));
}

using PoolFn = void (*)(const cpu::PoolShape&, const float*, float*);
struct PoolParams {
  cpu::PoolShape shape;
  PoolFn fn;
};
std::optional<KernelPlan> make(const KernelQuery& q, const cpu::PoolShape& s, PoolFn fn, std::string& refusal) {
  if (q.in[0].dtype != DType::f32) {
    refusal = "float32 only";
    return std::nullopt;
  }
  return KernelPlan{[](const KernelArgs& a) {
                      const auto& p = a.param<PoolParams>();
                      p.fn(p.shape, a.input<float>(0), a.output<float>(0));
                    },
                    kernel_params(PoolParams{s, fn}), 0};
}
std::optional<KernelPlan> make_avg_pool(const KernelQuery& q, std::string& refusal) {
  return make(q, pool_shape("avg_pool", q.attrs, q.in[0].shape), GLIA_ISA_SELECT(avg_pool_f32), refusal);
}
std::optional<KernelPlan> make_backprop(const KernelQuery& q, std::string& refusal) {
  return make(q, pool_shape("avg_pool_backprop", q.attrs, q.out[0].shape), GLIA_ISA_SELECT(avg_pool_backward_f32),
              refusal);
}

const OpDef& avg_pool_op() {
  static const OpDef def{
      .name = "avg_pool",
      .doc =
          "Mean of the cells of each window of (batch, spatial..., channels) that lie inside. "
          "keras.ops.average_pool.",
      .attrs = pool_attrs(),
      .infer = infer_avg_pool,
      .vjp = vjp_avg_pool,
      .reference = reference_avg_pool,
      .kernels = {{"simd", make_avg_pool}},
  };
  return def;
}
const OpDef& avg_pool_backprop_op() {
  static const OpDef def{
      .name = "avg_pool_backprop",
      .doc = "Gradient of avg_pool: each value of the gradient is shared by the cells of its window.",
      .attrs = pool_attrs({{"input_shape", Ints{}, "(spatial..., channels) of the result", true}}),
      .infer = infer_backprop,
      .vjp = vjp_backprop,
      .reference = reference_backprop,
      .kernels = {{"simd", make_backprop}},
  };
  return def;
}

}  // namespace

Value emit_avg_pool(const Attrs& attrs, const Value& x) {
  return apply1(avg_pool_op(), window_attrs(attrs, true), {x});
}
Value emit_avg_pool_backprop(const Attrs& attrs, const Value& dy, const Shape& input_shape) {
  return apply1(avg_pool_backprop_op(),
                window_attrs(attrs, true, {{"input_shape", Ints(input_shape.begin() + 1, input_shape.end())}}), {dy});
}

OpList avg_pool_ops() { return {&avg_pool_op(), &avg_pool_backprop_op()}; }

}  // namespace glia::ops
