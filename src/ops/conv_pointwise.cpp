#include "kernels/cpu/gemm.h"
#include "ops/conv_geometry.h"
#include "ops/fixed_input.h"

namespace glia::ops {
using namespace ir;

namespace {

struct PointwiseParams {
  cpu::GemmParams gemm;
  bool bias = false, residual = false;
};

void run(const KernelArgs& args) {
  const auto& p = args.param<PointwiseParams>();
  cpu::gemm_run(p.gemm, args.in[0], args.in[1], args.out[0], p.bias ? args.in[2] : nullptr,
                p.residual ? args.in[2 + int{p.bias}] : nullptr, args.work, args.ready);
}

bool is_pointwise(const cpu::ConvShape& s) {
  if (s.groups != 1 || s.taps() != 1) return false;
  for (int i = 0; i < 3; ++i)
    if (s.stride[i] != 1 || s.pad[i] != 0 || s.in[i] != s.out[i]) return false;
  return true;
}

}  // namespace

std::optional<KernelPlan> pointwise_conv_plan(const KernelQuery& q, const cpu::ConvShape& s, ConvPass pass,
                                              std::string& refusal) {
  const DType t = q.in[0].dtype;
  if (!is_pointwise(s) || (t != DType::f32 && t != DType::f64 && t != DType::bf16)) {
    refusal = "1x1 without stride, padding or groups, float32, float64 or bfloat16 only";
    return std::nullopt;
  }
  if (pass == ConvPass::filter && (q.out_used[1] || !q.out_used[0])) {
    refusal = "the bias gradient is wanted too, or only that";
    return std::nullopt;
  }
  PointwiseParams p;
  cpu::GemmParams& g = p.gemm;
  const int64_t pixels = s.batch * s.in_pixels();
  g.m = pass == ConvPass::filter ? s.cin : pixels;
  g.n = pass == ConvPass::input ? s.cin : s.cout;
  g.k = pass == ConvPass::forward ? s.cin : pass == ConvPass::input ? s.cout : pixels;
  g.trans_a = pass == ConvPass::filter;
  g.trans_b = pass == ConvPass::input;
  g.lda = g.trans_a ? g.m : g.k;
  g.ldb = g.trans_b ? g.k : g.n;
  g.ldc = g.ldr = g.n;
  g.keep_b = pass != ConvPass::filter && is_fixed(q, 1);
  if (pass != ConvPass::filter) {
    const ConvParams e = conv_params(q.attrs, s, true);
    p.bias = g.has_bias = e.bias;
    p.residual = g.has_residual = e.residual;
    g.act = e.epilogue.act;
  }
  using cpu::GemmType;
  cpu::gemm_prepare(g, t == DType::f32 ? GemmType::f32 : t == DType::bf16 ? GemmType::bf16 : GemmType::f64);
  const size_t workspace = g.plan.workspace;
  const bool keep = g.plan.kept;
  return KernelPlan{run, kernel_params(std::move(p)), workspace, keep};
}

}  // namespace glia::ops
