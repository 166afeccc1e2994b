#include "kernels/cpu/winograd.h"
#include "ops/conv_geometry.h"

namespace glia::ops {
using namespace ir;

namespace {

using ConvFn = void (*)(const cpu::ConvShape&, const cpu::ConvEpilogue&, const float*, const float*, float*, void*, bool);
using FilterFn = void (*)(const cpu::ConvShape&, const float*, const float*, float*, float*, void*);

void run_conv(const KernelArgs& a) {
  const auto& p = a.param<ConvParams>();
  reinterpret_cast<ConvFn>(p.fn)(p.shape, p.epilogue_of(a, 2), a.input<float>(0), a.input<float>(1), a.output<float>(0),
                                 a.work, a.ready);
}

void run_filter(const KernelArgs& a) {
  const auto& p = a.param<ConvParams>();
  reinterpret_cast<FilterFn>(p.fn)(p.shape, a.input<float>(0), a.input<float>(1), a.output<float>(0),
                                   a.output<float>(1), a.work);
}

}  // namespace

std::optional<WinogradChoice> winograd_choice(const KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                              std::string& refusal) {
  const cpu::WinogradPass which = pass == ConvPass::forward ? cpu::WinogradPass::forward
                                  : pass == ConvPass::input ? cpu::WinogradPass::data
                                                            : cpu::WinogradPass::filter;
  if (q.in[0].dtype == DType::f32 && cpu::winograd_supported(s)) {
    const size_t workspace = cpu::winograd_workspace(s, which);
    const bool keep = pass != ConvPass::filter && keeps_filter(q, s, workspace);
    if (cpu::winograd_pays(s, which, keep)) return WinogradChoice{workspace, keep};
  }
  refusal = "float32, 3x3 without strides, dilation or groups, and enough channels and pixels to gain";
  return std::nullopt;
}

std::optional<KernelPlan> winograd_conv_plan(const KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                             std::string& refusal) {
  const bool filter = pass == ConvPass::filter;
  if (filter && !q.out_used[0]) {
    refusal = "the filter's gradient is not in use";
    return std::nullopt;
  }
  const std::optional<WinogradChoice> choice = winograd_choice(q, s, pass, refusal);
  if (!choice) return std::nullopt;
  ConvParams p = conv_params(q.attrs, s, !filter);
  if (filter) {
    p.fn = reinterpret_cast<void*>(static_cast<FilterFn>(GLIA_ISA_SELECT(winograd_backward_filter_f32)));
    return KernelPlan{run_filter, kernel_params(p), choice->workspace};
  }
  p.fn = reinterpret_cast<void*>(pass == ConvPass::forward
                                     ? static_cast<ConvFn>(GLIA_ISA_SELECT(winograd_forward_f32))
                                     : static_cast<ConvFn>(GLIA_ISA_SELECT(winograd_backward_data_f32)));
  return KernelPlan{run_conv, kernel_params(p), choice->workspace, choice->keep};
}

}  // namespace glia::ops
