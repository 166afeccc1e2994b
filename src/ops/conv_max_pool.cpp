// A convolution and the 2x2 max pooling behind it as one step (passes/fuse_pool.cpp puts it in; it has no gradient of its own).
#include <algorithm>

#include "base/error.h"
#include "kernels/cpu/pool.h"
#include "kernels/cpu/winograd.h"
#include "ops/conv_family.h"
#include "ops/conv_geometry.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

constexpr const char* kName = "conv_max_pool";

cpu::ConvShape shape_of(const Attrs& attrs, const Shape& x, const Shape& w) { return conv_shape(kName, attrs, x, w); }

Shape pooled(const cpu::ConvShape& s) { return {s.batch, s.out[1] / 2, s.out[2] / 2, s.cout}; }

std::vector<TensorType> infer(const InferContext& c) {
  check_float(kName, "the input", c.in[0].dtype);
  GLIA_CHECK(c.in[0].rank() == 4 && c.in[0].dtype == c.in[1].dtype,
             "{}: expected an input (batch, height, width, channels) and a kernel of its dtype. Received {} and {}.", kName,
             to_string(c.in[0]), to_string(c.in[1]));
  const cpu::ConvShape s = shape_of(c.attrs, c.in[0].shape, c.in[1].shape);
  check_epilogue(c, 2, {c.in[0].dtype, conv_output(s, 4)});
  return {{c.in[0].dtype, pooled(s)}, {DType::u8, pooled(s)}};
}

void reference(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const cpu::ConvShape s = shape_of(attrs, in[0].shape(), in[1].shape());
  const Tensor x = in[0].astype(DType::f64), w = in[1].astype(DType::f64), y(conv_output(s, 4), DType::f64);
  cpu::conv_forward_f64(s, x.data<double>(), w.data<double>(), nullptr, y.data<double>());
  reference_epilogue(attrs, in.subspan(2), y);
  cpu::PoolShape p{.batch = s.batch, .channels = s.cout};
  for (int i : {1, 2}) p.in[i] = s.out[i], p.out[i] = s.out[i] / 2, p.window[i] = p.stride[i] = 2;
  const Tensor best(pooled(s), DType::f64);
  std::vector<int32_t> at(static_cast<size_t>(best.size()));
  cpu::max_pool_plain(p, y.data<double>(), best.data<double>(), at.data());
  if (out[0].defined()) out[0].copy_from(best.astype(out[0].dtype()));
  for (int64_t i = 0; out[1].defined() && i < best.size(); ++i) out[1].set_item(i, at[i]);
}

using Fn = void (*)(const cpu::ConvShape&, const cpu::ConvEpilogue&, const float*, const float*, float*, uint8_t*, void*, bool);

void run(const KernelArgs& a) {
  const auto& p = a.param<ConvParams>();
  reinterpret_cast<Fn>(p.fn)(p.shape, p.epilogue_of(a, 2), a.input<float>(0), a.input<float>(1), a.output<float>(0),
                             a.output<uint8_t>(1), a.work, a.ready);
}

std::optional<KernelPlan> plan_with(const KernelQuery& q, const cpu::ConvShape& s, Fn fn, size_t workspace, bool keep) {
  ConvParams p = conv_params(q.attrs, s, true);
  p.fn = reinterpret_cast<void*>(fn);
  return KernelPlan{run, kernel_params(p), workspace, keep};
}

bool fits(const KernelQuery& q, std::string& refusal) {
  if (q.out_used[0] && conv_max_pool_fits(q.attrs, q.in[0], q.in[1].shape)) return true;
  refusal = "float32, one group, filters larger than 1x1, no residual, no activation but relu";
  return false;
}

std::optional<KernelPlan> make_winograd(const KernelQuery& q, std::string& refusal) {
  const cpu::ConvShape s = shape_of(q.attrs, q.in[0].shape, q.in[1].shape);
  if (!fits(q, refusal)) return std::nullopt;
  const std::optional<WinogradChoice> choice = winograd_choice(q, s, ConvPass::forward, refusal);
  if (!choice) return std::nullopt;
  return plan_with(q, s, GLIA_ISA_SELECT(winograd_max_pool_f32), choice->workspace, choice->keep);
}

std::optional<KernelPlan> make_direct(const KernelQuery& q, std::string& refusal) {
  const cpu::ConvShape s = shape_of(q.attrs, q.in[0].shape, q.in[1].shape);
  if (!fits(q, refusal)) return std::nullopt;
  const size_t workspace = cpu::conv_forward_workspace(s);
  return plan_with(q, s, GLIA_ISA_SELECT(conv_max_pool_f32), workspace, keeps_filter(q, s, workspace));
}

const OpDef& conv_max_pool_op() {
  static const OpDef def{
      .name = kName,
      .doc =
          "conv with its epilogue, then the largest of every 2x2 results and its number in the window, as max_pool with "
          "strides of 2 and no padding. What the fuse_pool pass makes of the two.",
      .min_inputs = 2,
      .max_inputs = 4,
      .attrs = conv_attrs(true),
      .infer = infer,
      .differentiable = false,
      .reference = reference,
      .kernels = {{"winograd", make_winograd}, {"direct", make_direct}},
  };
  return def;
}

}  // namespace

bool conv_max_pool_fits(const Attrs& attrs, const TensorType& x, const Shape& kernel) {
  const std::string& act = attrs.s("activation");
  if (x.dtype != DType::f32 || x.rank() != 4 || attrs.b("residual") || !(act.empty() || act == "relu")) return false;
  return cpu::conv_max_pool_supported(shape_of(attrs, x.shape, kernel));
}

bool is_square_max_pool(const Node& n) {
  if (n.op->name != "max_pool") return false;
  const Ints two{2, 2};
  const Ints& pads = n.attrs.ints("pads");
  return n.attrs.ints("window") == two && n.attrs.ints("strides") == two &&
         std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; });
}

bool conv_max_pool_prefers_f32(const Attrs& attrs, const TensorType& x, const Shape& kernel) {
  constexpr int64_t kFewProducts = 32;  // per result: the passes over it weigh more
  if (!conv_max_pool_fits(attrs, {DType::f32, x.shape}, kernel)) return false;
  const cpu::ConvShape s = shape_of(attrs, x.shape, kernel);
  return s.taps() * s.cin <= kFewProducts || cpu::winograd_pays(s, cpu::WinogradPass::forward);
}

OpList conv_max_pool_ops() { return {&conv_max_pool_op()}; }

}  // namespace glia::ops
