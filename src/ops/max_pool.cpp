// max_pool and what its gradients of any order need: max_pool_backprop sends values to the argmax, max_pool_take
// reads them from there; each is the gradient of the other.
#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

// The argmax is the cell's number within its window.
DType argmax_type(const cpu::PoolShape& s) { return s.taps() <= 256 ? DType::u8 : DType::i32; }

Shape with_batch(int64_t batch, const Ints& rest) {
  Shape x{batch};
  x.insert(x.end(), rest.begin(), rest.end());
  return x;
}

std::vector<TensorType> infer_max_pool(const InferContext& c) {
  check_float(c.op.name, "the input", c.in[0].dtype);
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, c.in[0].shape);
  const Shape out = pool_output(s, c.in[0].shape.size());
  return {{c.in[0].dtype, out}, {argmax_type(s), out}};
}

void check_argmax(const InferContext& c, const cpu::PoolShape& s, const TensorType& argmax, size_t rank) {
  const TensorType want{argmax_type(s), pool_output(s, rank)};
  GLIA_CHECK(argmax == want, "{}: expected an argmax {}. Received {}.", c.op.name, to_string(want),
             to_string(argmax));
}

std::vector<TensorType> infer_backprop(const InferContext& c) {
  check_float(c.op.name, "the gradient", c.in[0].dtype);
  GLIA_CHECK(c.in[0].rank() >= 1, "{}: expected a gradient of rank 3, 4 or 5. Received {}.", c.op.name,
             to_string(c.in[0]));
  const Shape x = with_batch(c.in[0].shape[0], c.attrs.ints("input_shape"));
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, x);
  check_argmax(c, s, c.in[1], x.size());
  GLIA_CHECK(c.in[0].shape == c.in[1].shape, "{}: gradient and argmax differ in shape. Received {} and {}.",
             c.op.name, to_string(c.in[0]), to_string(c.in[1]));
  return {{c.in[0].dtype, x}};
}

std::vector<TensorType> infer_take(const InferContext& c) {
  check_float(c.op.name, "the input", c.in[0].dtype);
  const cpu::PoolShape s = pool_shape(c.op.name, c.attrs, c.in[0].shape);
  check_argmax(c, s, c.in[1], c.in[0].shape.size());
  return {{c.in[0].dtype, c.in[1].shape}};
}

Values vjp_max_pool(const VjpContext& c) {
  if (c.inputs[0].rank() == 5) return {emit_max_pool_spread(c.attrs, c.inputs[0], c.outputs[0], c.grads[0])};  // 3-D: all of equal cells
  return {emit_max_pool_backprop(c.attrs, c.grads[0], c.outputs[1], c.inputs[0].shape())};
}
Values vjp_backprop(const VjpContext& c) { return {emit_max_pool_take(c.attrs, c.grads[0], c.inputs[1]), Value()}; }
Values vjp_take(const VjpContext& c) {
  return {emit_max_pool_backprop(c.attrs, c.grads[0], c.inputs[1], c.inputs[0].shape()), Value()};
}

// The argmax as the plain kernels take it.
std::vector<int32_t> plain_argmax(const Tensor& t) {
  std::vector<int32_t> r(static_cast<size_t>(t.size()));
  for (int64_t i = 0; i < t.size(); ++i) r[i] = static_cast<int32_t>(t.item(i));
  return r;
}

void reference_max_pool(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::PoolShape s = pool_shape("max_pool", attrs, in[0].shape());
  const Tensor x = in[0].astype(DType::f64), y(pool_output(s, in[0].shape().size()), DType::f64);
  std::vector<int32_t> at(static_cast<size_t>(y.size()));
  cpu::max_pool_plain(s, x.data<double>(), y.data<double>(), at.data());
  if (out[0].defined()) out[0].copy_from(y.astype(out[0].dtype()));
  for (int64_t i = 0; out[1].defined() && i < y.size(); ++i) out[1].set_item(i, at[i]);
}
void reference_backprop(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::PoolShape s = pool_shape("max_pool_backprop", attrs, out[0].shape());
  const Tensor dy = in[0].astype(DType::f64), dx(out[0].shape(), DType::f64);
  cpu::max_pool_backward_plain(s, dy.data<double>(), plain_argmax(in[1]).data(), dx.data<double>());
  out[0].copy_from(dx.astype(out[0].dtype()));
}
void reference_take(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::PoolShape s = pool_shape("max_pool_take", attrs, in[0].shape());
  const Tensor t = in[0].astype(DType::f64), y(out[0].shape(), DType::f64);
  cpu::max_pool_take_plain(s, t.data<double>(), plain_argmax(in[1]).data(), y.data<double>());
  out[0].copy_from(y.astype(out[0].dtype()));
}

using ForwardFn = void (*)(const cpu::PoolShape&, const float*, float*, uint8_t*);
using ArgmaxFn = void (*)(const cpu::PoolShape&, const float*, const uint8_t*, float*);
template <class Fn>
struct PoolParams {
  cpu::PoolShape shape;
  Fn fn;
};

bool simd_takes(DType dtype, const cpu::PoolShape& s, std::string& refusal) {
  if (dtype == DType::f32 && s.taps() <= 256) return true;
  refusal = "float32 with windows of up to 256 cells only";
  return false;
}

std::optional<KernelPlan> make_max_pool(const KernelQuery& q, std::string& refusal) {
  const cpu::PoolShape s = pool_shape("max_pool", q.attrs, q.in[0].shape);
  if (!simd_takes(q.in[0].dtype, s, refusal)) return std::nullopt;
  if (!q.out_used[0]) {
    refusal = "the maximum itself is not in use";
    return std::nullopt;
  }
  return KernelPlan{[](const KernelArgs& a) {
                      const auto& p = a.param<PoolParams<ForwardFn>>();
                      p.fn(p.shape, a.input<float>(0), a.output<float>(0), a.output<uint8_t>(1));
                    },
                    kernel_params(PoolParams<ForwardFn>{s, GLIA_ISA_SELECT(max_pool_f32)}), 0};
}

KernelPlan argmax_plan(const cpu::PoolShape& s, ArgmaxFn fn) {
  return {[](const KernelArgs& a) {
            const auto& p = a.param<PoolParams<ArgmaxFn>>();
            p.fn(p.shape, a.input<float>(0), a.input<uint8_t>(1), a.output<float>(0));
          },
          kernel_params(PoolParams<ArgmaxFn>{s, fn}), 0};
}
std::optional<KernelPlan> make_backprop(const KernelQuery& q, std::string& refusal) {
  const cpu::PoolShape s = pool_shape("max_pool_backprop", q.attrs, q.out[0].shape);
  if (!simd_takes(q.in[0].dtype, s, refusal)) return std::nullopt;
  return argmax_plan(s, GLIA_ISA_SELECT(max_pool_backward_f32));
}
std::optional<KernelPlan> make_take(const KernelQuery& q, std::string& refusal) {
  const cpu::PoolShape s = pool_shape("max_pool_take", q.attrs, q.in[0].shape);
  if (!simd_takes(q.in[0].dtype, s, refusal)) return std::nullopt;
  return argmax_plan(s, GLIA_ISA_SELECT(max_pool_take_f32));
}

const OpDef& max_pool_op() {
  static const OpDef def{
      .name = "max_pool",
      .doc =
          "Largest cell of each window of (batch, spatial..., channels), and its number within the window (the first "
          "of "
          "equals). Padding does not take part. keras.ops.max_pool.",
      .attrs = pool_attrs(),
      .infer = infer_max_pool,
      .vjp = vjp_max_pool,
      .reference = reference_max_pool,
      .kernels = {{"simd", make_max_pool}},
  };
  return def;
}
const OpDef& max_pool_backprop_op() {
  static const OpDef def{
      .name = "max_pool_backprop",
      .doc =
          "Gradient of max_pool: each value of the gradient goes to the cell that the argmax names, values that meet "
          "are "
          "added.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = pool_attrs({{"input_shape", Ints{}, "(spatial..., channels) of the result", true}}),
      .infer = infer_backprop,
      .vjp = vjp_backprop,
      .reference = reference_backprop,
      .kernels = {{"simd", make_backprop}},
  };
  return def;
}
const OpDef& max_pool_take_op() {
  static const OpDef def{
      .name = "max_pool_take",
      .doc = "The cell of each window that the argmax of a max_pool names: the gradient of max_pool_backprop.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = pool_attrs(),
      .infer = infer_take,
      .vjp = vjp_take,
      .reference = reference_take,
      .kernels = {{"simd", make_take}},
  };
  return def;
}

}  // namespace

Value emit_max_pool(const Attrs& attrs, const Value& x) {
  return apply1(max_pool_op(), window_attrs(attrs, true), {x});
}
Value emit_max_pool_backprop(const Attrs& attrs, const Value& dy, const Value& argmax, const Shape& input_shape) {
  return apply1(max_pool_backprop_op(),
                window_attrs(attrs, true, {{"input_shape", Ints(input_shape.begin() + 1, input_shape.end())}}),
                {dy, argmax});
}
Value emit_max_pool_take(const Attrs& attrs, const Value& t, const Value& argmax) {
  return apply1(max_pool_take_op(), window_attrs(attrs, true), {t, argmax});
}

OpList max_pool_ops() { return {&max_pool_op(), &max_pool_backprop_op(), &max_pool_take_op()}; }

}  // namespace glia::ops
