// What conv.cpp, conv_backprop_*.cpp and pool*.cpp share: attributes, shapes and their checks.
//
//   cpu::ConvShape s = conv_shape("conv", attrs, x_shape, kernel_shape);   // throws Error if they do not fit
#pragma once
#include <string_view>

#include "ir/op_def.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/pool.h"

namespace glia::ops {

// strides, pads (before, after per axis), dilation: one entry, or pair, per spatial axis.
std::vector<ir::AttrField> conv_attrs(bool epilogue, std::vector<ir::AttrField> more = {});
std::vector<ir::AttrField> pool_attrs(std::vector<ir::AttrField> more = {});
// Those of `attrs` that conv_attrs (pool_attrs) lists without epilogue, to hand to another op of the family.
ir::Attrs window_attrs(const ir::Attrs& attrs, bool pool, std::initializer_list<ir::Attrs::Entry> more = {});

cpu::ConvShape conv_shape(std::string_view op, const ir::Attrs& attrs, const Shape& x, const Shape& kernel);
cpu::PoolShape pool_shape(std::string_view op, const ir::Attrs& attrs, const Shape& x);
Shape conv_output(const cpu::ConvShape& s, size_t rank);  // (batch, spatial..., cout)
Shape pool_output(const cpu::PoolShape& s, size_t rank);

void check_float(std::string_view op, std::string_view what, DType dtype);
// Bias and residual of the epilogue against the output's type; inputs from `first` on.
void check_epilogue(const ir::InferContext& c, size_t first, const TensorType& out);
// Finishes `out` in the reference: bias, residual, activation.
void reference_epilogue(const ir::Attrs& attrs, std::span<const Tensor> extra, const Tensor& out);

// What a kernel of the conv family needs at run time.
struct ConvParams {
  cpu::ConvShape shape;
  cpu::ConvEpilogue epilogue;  // act only; the pointers come from the inputs
  bool bias = false, residual = false;
  void* fn = nullptr;  // of the instruction set chosen at plan time

  template <class T>
  cpu::ConvEpilogue epilogue_of(const T& args, int first) const {
    cpu::ConvEpilogue e = epilogue;
    if (bias) e.bias = args.template input<float>(first++);
    if (residual) e.residual = args.template input<float>(first);
    return e;
  }
};
ConvParams conv_params(const ir::Attrs& attrs, const cpu::ConvShape& shape, bool epilogue);

// Whether a kernel that packs the filter (input 1) keeps it from call to call.
bool keeps_filter(const ir::KernelQuery& q, const cpu::ConvShape& s, size_t workspace);

// 1x1 convolutions without stride and padding are one matrix product of all pixels. Null with a reason for others.
enum class ConvPass { forward, input, filter };
std::optional<ir::KernelPlan> pointwise_conv_plan(const ir::KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                                  std::string& refusal);

// 3x3 convolutions of many channels in float32 (ops/conv_winograd.cpp). The choice: null where the shape has no such algorithm
// or would not gain, with a reason.
struct WinogradChoice {
  size_t workspace = 0;
  bool keep = false;  // the transformed filter from call to call
};
std::optional<WinogradChoice> winograd_choice(const ir::KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                              std::string& refusal);
std::optional<ir::KernelPlan> winograd_conv_plan(const ir::KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                                 std::string& refusal);

// Convolutions in bfloat16 (ops/conv_bf16.cpp), of the forward and input passes: whether the machine has kernels for them.
bool conv_takes_bf16(const TensorType& x, const cpu::ConvShape& s, ConvPass pass);
std::optional<ir::KernelPlan> bf16_conv_plan(const ir::KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                             std::string& refusal);

}  // namespace glia::ops
