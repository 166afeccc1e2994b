#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<TensorType> infer_conv(const InferContext& c) {
  check_float(c.op.name, "the input", c.in[0].dtype);
  GLIA_CHECK(c.in[0].dtype == c.in[1].dtype, "conv: input and kernel must share a dtype. Received {} and {}.",
             to_string(c.in[0]), to_string(c.in[1]));
  const cpu::ConvShape s = conv_shape(c.op.name, c.attrs, c.in[0].shape, c.in[1].shape);
  const TensorType out{c.in[0].dtype, conv_output(s, c.in[0].shape.size())};
  check_epilogue(c, 2, out);
  return {out};
}

Values vjp_conv(const VjpContext& c) {
  const Value &x = c.inputs[0], &w = c.inputs[1], &g = c.grads[0];
  Values r(2);
  if (c.needs[0]) r[0] = emit_conv_backprop_input(c.attrs, g, w, x.shape());
  if (c.needs[1]) r[1] = emit_conv_backprop_filter(c.attrs, x, g, w.shape())[0];
  return r;
}

void reference_conv(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::ConvShape s = conv_shape("conv", attrs, in[0].shape(), in[1].shape());
  const Tensor x = in[0].astype(DType::f64), w = in[1].astype(DType::f64), y(out[0].shape(), DType::f64);
  cpu::conv_forward_f64(s, x.data<double>(), w.data<double>(), nullptr, y.data<double>());
  reference_epilogue(attrs, in.subspan(2), y);
  out[0].copy_from(y.astype(out[0].dtype()));
}

using ForwardFn = void (*)(const cpu::ConvShape&, const cpu::ConvEpilogue&, const float*, const float*, float*,
                           void*, bool);

std::optional<KernelPlan> make_pointwise(const KernelQuery& q, std::string& refusal) {
  return pointwise_conv_plan(q, conv_shape("conv", q.attrs, q.in[0].shape, q.in[1].shape),
                             ConvPass::forward, refusal);
}

std::optional<KernelPlan> make_winograd(const KernelQuery& q, std::string& refusal) {
  return winograd_conv_plan(q, conv_shape("conv", q.attrs, q.in[0].shape, q.in[1].shape), ConvPass::forward, refusal);
}

std::optional<KernelPlan> make_direct(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32) {
    refusal = "float32 only";
    return std::nullopt;
  }
  ConvParams p = conv_params(q.attrs, conv_shape("conv", q.attrs, q.in[0].shape, q.in[1].shape), true);
  p.fn = reinterpret_cast<void*>(static_cast<ForwardFn>(GLIA_ISA_SELECT(conv_forward_f32)));
  const size_t workspace = cpu::conv_forward_workspace(p.shape);
  return KernelPlan{[](const KernelArgs& a) {
                      const auto& p = a.param<ConvParams>();
                      reinterpret_cast<ForwardFn>(p.fn)(p.shape, p.epilogue_of(a, 2), a.input<float>(0),
                                                        a.input<float>(1), a.output<float>(0), a.work,
                                                        a.ready);
                    },
                    kernel_params(p), workspace, keeps_filter(q, p.shape, workspace)};
}

std::optional<KernelPlan> make_bf16(const KernelQuery& q, std::string& refusal) {
  return bf16_conv_plan(q, conv_shape("conv", q.attrs, q.in[0].shape, q.in[1].shape), ConvPass::forward, refusal);
}

bool takes_half(const InferContext& c) {
  return conv_takes_bf16(c.in[0], conv_shape("conv", c.attrs, c.in[0].shape, c.in[1].shape), ConvPass::forward);
}

std::optional<KernelPlan> make_f64(const KernelQuery& q, std::string& refusal) {
  const ConvParams p = conv_params(q.attrs, conv_shape("conv", q.attrs, q.in[0].shape, q.in[1].shape), true);
  if (q.in[0].dtype != DType::f64 || p.bias || p.residual || p.epilogue.act != cpu::Act::none) {
    refusal = "float64 without epilogue only";
    return std::nullopt;
  }
  return KernelPlan{[](const KernelArgs& a) {
                      cpu::conv_forward_f64(a.param<ConvParams>().shape, a.input<double>(0), a.input<double>(1),
                                            nullptr, a.output<double>(0));
                    },
                    kernel_params(p), 0};
}

const OpDef& conv_op() {
  static const OpDef def{
      .name = "conv",
      .doc =
          "Cross-correlation of (batch, spatial..., channels) with a kernel (spatial..., channels / groups, filters) "
          "over "
          "1 to 3 spatial axes; the groups follow from the shapes. keras.ops.conv.",
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = conv_attrs(true),
      .infer = infer_conv,
      .vjp = vjp_conv,
      .reference = reference_conv,
      .kernels = {{"gemm", make_pointwise}, {"winograd", make_winograd}, {"direct", make_direct}, {"bf16", make_bf16}, {"f64", make_f64}},
      .takes_half = takes_half,
      .traits = {.epilogue = true},
  };
  return def;
}

}  // namespace

Value emit_conv(const Attrs& attrs, const Value& x, const Value& kernel) {
  return apply1(conv_op(), window_attrs(attrs, false), {x, kernel});
}

OpList conv_ops() { return {&conv_op()}; }

}  // namespace glia::ops
