#include "base/cpu.h"
#include "ops/conv_geometry.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

using ConvFn = void (*)(const cpu::ConvShape&, const cpu::ConvEpilogueBf16&, const uint16_t*, const uint16_t*,
                        uint16_t*, void*, bool);

size_t bias_bytes(int64_t channels) { return static_cast<size_t>(channels + 15) / 16 * 64; }

struct Params {
  ConvParams conv;
  int64_t channels = 0;  // of the result
};

void run(const KernelArgs& a) {
  const auto& p = a.param<Params>();
  cpu::ConvEpilogueBf16 e{p.conv.epilogue.act};
  char* work = static_cast<char*>(a.work);
  int next = 2;
  if (p.conv.bias) {
    convert_elements(DType::f32, work, DType::bf16, a.in[next++], p.channels);
    e.bias = reinterpret_cast<const float*>(work);
  }
  if (p.conv.residual) e.residual = static_cast<const uint16_t*>(a.in[next]);
  reinterpret_cast<ConvFn>(p.conv.fn)(p.conv.shape, e, static_cast<const uint16_t*>(a.in[0]),
                                      static_cast<const uint16_t*>(a.in[1]), static_cast<uint16_t*>(a.out[0]),
                                      work + bias_bytes(p.channels), a.ready);
}

}  // namespace

bool conv_takes_bf16(const TensorType& x, const cpu::ConvShape& s, ConvPass pass) {
  return x.dtype == DType::bf16 && cpu::conv_bf16_supported(s, pass == ConvPass::input);
}

std::optional<KernelPlan> bf16_conv_plan(const KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                         std::string& refusal) {
  const bool backward = pass == ConvPass::input;
  Params p{conv_params(q.attrs, s, true), backward ? s.cin : s.cout};
  const bool simple = p.conv.epilogue.act == cpu::Act::none || p.conv.epilogue.act == cpu::Act::relu;
  if (!conv_takes_bf16(q.in[0], s, pass) || !simple) {
    refusal = "bfloat16 on a machine with AVX512-BF16, more than 4 channels, no activation but relu";
    return std::nullopt;
  }
  p.conv.fn = backward ? reinterpret_cast<void*>(static_cast<ConvFn>(GLIA_ISA_SELECT(conv_backward_data_bf16)))
                       : reinterpret_cast<void*>(static_cast<ConvFn>(GLIA_ISA_SELECT(conv_forward_bf16)));
  const size_t workspace = bias_bytes(p.channels) + (backward ? cpu::conv_backward_data_bf16_workspace(s)
                                                              : cpu::conv_forward_bf16_workspace(s));
  return KernelPlan{run, kernel_params(std::move(p)), workspace, keeps_filter(q, s, workspace)};
}

}  // namespace glia::ops
