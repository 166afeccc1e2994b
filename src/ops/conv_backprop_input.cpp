#include "base/error.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr const char* kName = "conv_backprop_input";

// The shape of the input, without batch, is an attribute: several lengths lead to the same dy.
Shape input_of(const Attrs& attrs, int64_t batch) {
  Shape x{batch};
  const Ints& rest = attrs.ints("input_shape");
  x.insert(x.end(), rest.begin(), rest.end());
  return x;
}

std::vector<TensorType> infer(const InferContext& c) {
  const TensorType &dy = c.in[0], &w = c.in[1];
  check_float(kName, "the gradient", dy.dtype);
  GLIA_CHECK(dy.dtype == w.dtype, "{}: gradient and kernel must share a dtype. Received {} and {}.", kName,
             to_string(dy), to_string(w));
  GLIA_CHECK(dy.rank() >= 1, "{}: expected a gradient of rank 3, 4 or 5. Received {}.", kName, to_string(dy));
  const TensorType out{dy.dtype, input_of(c.attrs, dy.shape[0])};
  const cpu::ConvShape s = conv_shape(kName, c.attrs, out.shape, w.shape);
  GLIA_CHECK(dy.shape == conv_output(s, out.shape.size()),
             "{}: a convolution of {} by {} gives {}, but the gradient is {}.", kName, to_string(out.shape),
             to_string(w.shape), to_string(conv_output(s, out.shape.size())), to_string(dy.shape));
  check_epilogue(c, 2, out);
  return {out};
}

Values vjp(const VjpContext& c) {
  const Value &dy = c.inputs[0], &w = c.inputs[1], &g = c.grads[0];
  Values r(2);
  if (c.needs[0]) r[0] = emit_conv(c.attrs, g, w);
  if (c.needs[1]) r[1] = emit_conv_backprop_filter(c.attrs, g, dy, w.shape())[0];
  return r;
}

void reference(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::ConvShape s = conv_shape(kName, attrs, out[0].shape(), in[1].shape());
  const Tensor dy = in[0].astype(DType::f64), w = in[1].astype(DType::f64), dx(out[0].shape(), DType::f64);
  cpu::conv_backward_data_f64(s, dy.data<double>(), w.data<double>(), dx.data<double>());
  reference_epilogue(attrs, in.subspan(2), dx);
  out[0].copy_from(dx.astype(out[0].dtype()));
}

using BackwardFn = void (*)(const cpu::ConvShape&, const cpu::ConvEpilogue&, const float*, const float*, float*,
                            void*, bool);

std::optional<KernelPlan> make_pointwise(const KernelQuery& q, std::string& refusal) {
  return pointwise_conv_plan(q, conv_shape(kName, q.attrs, q.out[0].shape, q.in[1].shape),
                             ConvPass::input, refusal);
}

std::optional<KernelPlan> make_winograd(const KernelQuery& q, std::string& refusal) {
  return winograd_conv_plan(q, conv_shape(kName, q.attrs, q.out[0].shape, q.in[1].shape), ConvPass::input, refusal);
}

std::optional<KernelPlan> make_direct(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32) {
    refusal = "float32 only";
    return std::nullopt;
  }
  ConvParams p = conv_params(q.attrs, conv_shape(kName, q.attrs, q.out[0].shape, q.in[1].shape), true);
  p.fn = reinterpret_cast<void*>(static_cast<BackwardFn>(GLIA_ISA_SELECT(conv_backward_data_f32)));
  const size_t workspace = cpu::conv_backward_data_workspace(p.shape);
  return KernelPlan{[](const KernelArgs& a) {
                      const auto& p = a.param<ConvParams>();
                      reinterpret_cast<BackwardFn>(p.fn)(p.shape, p.epilogue_of(a, 2), a.input<float>(0),
                                                         a.input<float>(1), a.output<float>(0), a.work,
                                                         a.ready);
                    },
                    kernel_params(p), workspace, keeps_filter(q, p.shape, workspace)};
}

std::optional<KernelPlan> make_bf16(const KernelQuery& q, std::string& refusal) {
  return bf16_conv_plan(q, conv_shape(kName, q.attrs, q.out[0].shape, q.in[1].shape), ConvPass::input, refusal);
}

bool takes_half(const InferContext& c) {
  const Shape x = input_of(c.attrs, c.in[0].shape[0]);
  return conv_takes_bf16(c.in[0], conv_shape(kName, c.attrs, x, c.in[1].shape), ConvPass::input);
}

std::optional<KernelPlan> make_f64(const KernelQuery& q, std::string& refusal) {
  const ConvParams p = conv_params(q.attrs, conv_shape(kName, q.attrs, q.out[0].shape, q.in[1].shape), true);
  if (q.in[0].dtype != DType::f64 || p.bias || p.residual || p.epilogue.act != cpu::Act::none) {
    refusal = "float64 without epilogue only";
    return std::nullopt;
  }
  return KernelPlan{[](const KernelArgs& a) {
                      cpu::conv_backward_data_f64(a.param<ConvParams>().shape, a.input<double>(0), a.input<double>(1),
                                                  a.output<double>(0));
                    },
                    kernel_params(p), 0};
}

const OpDef& conv_backprop_input_op() {
  static const OpDef def{
      .name = kName,
      .doc =
          "Gradient of conv with respect to its input, from the gradient (batch, spatial..., filters) and the "
          "kernel; "
          "also the transposed convolution. keras.ops.conv_transpose.",
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = conv_attrs(true, {{"input_shape", Ints{}, "(spatial..., channels) of the result", true}}),
      .infer = infer,
      .vjp = vjp,
      .reference = reference,
      .kernels = {{"gemm", make_pointwise}, {"winograd", make_winograd}, {"direct", make_direct}, {"bf16", make_bf16}, {"f64", make_f64}},
      .takes_half = takes_half,
      .traits = {.epilogue = true},
  };
  return def;
}

}  // namespace

Value emit_conv_backprop_input(const Attrs& attrs, const Value& dy, const Value& kernel, const Shape& input_shape) {
  return apply1(conv_backprop_input_op(),
                window_attrs(attrs, false, {{"input_shape", Ints(input_shape.begin() + 1, input_shape.end())}}),
                {dy, kernel});
}

OpList conv_backprop_input_ops() { return {&conv_backprop_input_op()}; }

}  // namespace glia::ops
