#include <glia/ops.h>

#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr const char* kName = "conv_backprop_filter";

std::vector<TensorType> infer(const InferContext& c) {
  const TensorType &x = c.in[0], &dy = c.in[1];
  check_float(kName, "the input", x.dtype);
  GLIA_CHECK(x.dtype == dy.dtype, "{}: input and gradient must share a dtype. Received {} and {}.", kName,
             to_string(x), to_string(dy));
  const Shape& kernel = c.attrs.ints("kernel_shape");
  const cpu::ConvShape s = conv_shape(kName, c.attrs, x.shape, kernel);
  GLIA_CHECK(dy.shape == conv_output(s, x.shape.size()),
             "{}: a convolution of {} by {} gives {}, but the gradient is {}.", kName, to_string(x.shape),
             to_string(kernel), to_string(conv_output(s, x.shape.size())), to_string(dy.shape));
  return {{x.dtype, kernel}, {x.dtype, {s.cout}}};
}

Values vjp(const VjpContext& c) {
  const Value &x = c.inputs[0], &dy = c.inputs[1], &gw = c.grads[0], &gb = c.grads[1];
  Values r(2);
  if (c.needs[0] && gw.defined()) r[0] = emit_conv_backprop_input(c.attrs, dy, gw, x.shape());
  if (c.needs[1]) {
    if (gw.defined()) r[1] = emit_conv(c.attrs, x, gw);
    if (gb.defined()) r[1] = r[1].defined() ? r[1] + gb : broadcast_to(gb, dy.shape());
  }
  return r;
}

void reference(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const Shape& kernel = attrs.ints("kernel_shape");
  const cpu::ConvShape s = conv_shape(kName, attrs, in[0].shape(), kernel);
  const Tensor x = in[0].astype(DType::f64), dy = in[1].astype(DType::f64), dw(kernel, DType::f64),
               db({s.cout}, DType::f64);
  cpu::conv_backward_filter_f64(s, x.data<double>(), dy.data<double>(), dw.data<double>(), db.data<double>());
  if (out[0].defined()) out[0].copy_from(dw.astype(out[0].dtype()));
  if (out[1].defined()) out[1].copy_from(db.astype(out[1].dtype()));
}

using FilterFn = void (*)(const cpu::ConvShape&, const float*, const float*, float*, float*, void*);

std::optional<KernelPlan> make_pointwise(const KernelQuery& q, std::string& refusal) {
  return pointwise_conv_plan(q, conv_shape(kName, q.attrs, q.in[0].shape, q.attrs.ints("kernel_shape")),
                             ConvPass::filter, refusal);
}

std::optional<KernelPlan> make_winograd(const KernelQuery& q, std::string& refusal) {
  return winograd_conv_plan(q, conv_shape(kName, q.attrs, q.in[0].shape, q.attrs.ints("kernel_shape")), ConvPass::filter, refusal);
}

std::optional<KernelPlan> make_direct(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 || !q.out_used[0]) {
    refusal = "float32 only, with the filter's gradient in use";
    return std::nullopt;
  }
  ConvParams p = conv_params(q.attrs, conv_shape(kName, q.attrs, q.in[0].shape, q.attrs.ints("kernel_shape")), false);
  p.fn = reinterpret_cast<void*>(static_cast<FilterFn>(GLIA_ISA_SELECT(conv_backward_filter_f32)));
  const size_t workspace = cpu::conv_backward_filter_workspace(p.shape);
  return KernelPlan{[](const KernelArgs& a) {
                      const auto& p = a.param<ConvParams>();
                      reinterpret_cast<FilterFn>(p.fn)(p.shape, a.input<float>(0), a.input<float>(1),
                                                       a.output<float>(0), a.output<float>(1), a.work);
                    },
                    kernel_params(p), workspace};
}

std::optional<KernelPlan> make_f64(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f64 || !q.out_used[0]) {
    refusal = "float64 only, with the filter's gradient in use";
    return std::nullopt;
  }
  const ConvParams p =
      conv_params(q.attrs, conv_shape(kName, q.attrs, q.in[0].shape, q.attrs.ints("kernel_shape")), false);
  return KernelPlan{[](const KernelArgs& a) {
                      cpu::conv_backward_filter_f64(a.param<ConvParams>().shape, a.input<double>(0),
                                                    a.input<double>(1), a.output<double>(0), a.output<double>(1));
                    },
                    kernel_params(p), 0};
}

const OpDef& conv_backprop_filter_op() {
  static const OpDef def{
      .name = kName,
      .doc =
          "Gradients of conv with respect to its kernel and, second output, to a bias added to its result (the sum "
          "of the "
          "gradient over batch and space), from the input and the gradient of the result.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = conv_attrs(false, {{"kernel_shape", Ints{}, "shape of the kernel", true}}),
      .infer = infer,
      .vjp = vjp,
      .reference = reference,
      .kernels = {{"gemm", make_pointwise}, {"winograd", make_winograd}, {"direct", make_direct}, {"f64", make_f64}},
  };
  return def;
}

}  // namespace

Values emit_conv_backprop_filter(const Attrs& attrs, const Value& x, const Value& dy, const Shape& kernel_shape) {
  return apply(conv_backprop_filter_op(), window_attrs(attrs, false, {{"kernel_shape", Ints(kernel_shape)}}),
               {x, dy});
}

OpList conv_backprop_filter_ops() { return {&conv_backprop_filter_op()}; }

}  // namespace glia::ops
