#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/norm.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<int64_t> leading_axes(const Value& x) {
  std::vector<int64_t> axes;
  for (int64_t i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  return axes;
}
double rows_of(const Value& x) {
  return static_cast<double>(num_elements(x.shape())) / static_cast<double>(std::max<int64_t>(1, x.dim(-1)));
}

std::vector<TensorType> infer_channels(const InferContext& c) {
  GLIA_CHECK(is_float(c.in[0].dtype) && c.in[0].rank() >= 2,
             "{}: expected floating point (..., channels). Received {}.", c.op.name, to_string(c.in[0]));
  const TensorType t{c.in[0].dtype, {c.in[0].shape.back()}};
  return {t, t};
}

struct Params {
  int64_t rows, n;
  cpu::Elem type;
  size_t unused_at;  // place in the workspace for an output that nobody reads
  decltype(&cpu::scalar::channel_moments) moments;
  decltype(&cpu::scalar::channel_grad_sums) sums;
};
std::optional<KernelPlan> make_channels(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 && q.in[0].dtype != DType::f64) {
    refusal = "needs float32 or float64";
    return {};
  }
  const int64_t n = q.in[0].shape.back();
  Params p{n ? q.in[0].elements() / n : 0,    n, elem(q.in[0].dtype), 0, GLIA_ISA_SELECT(channel_moments),
           GLIA_ISA_SELECT(channel_grad_sums)};
  if (p.rows == 0) {
    refusal = "no rows";
    return {};
  }
  p.unused_at = (static_cast<size_t>(cpu::channel_workspace(p.type, p.rows, n)) + 63) / 64 * 64;
  KernelPlan plan;
  plan.workspace = p.unused_at + static_cast<size_t>(n * cpu::elem_size(p.type));
  plan.params = kernel_params(p);
  if (q.in.size() == 1) {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<Params>();
      void* spare = static_cast<char*>(a.work) + p.unused_at;
      p.moments(p.type, {a.in[0], a.out[0] ? a.out[0] : spare, a.out[1] ? a.out[1] : spare, p.rows, p.n, a.work});
    };
  } else {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<Params>();
      void* spare = static_cast<char*>(a.work) + p.unused_at;
      p.sums(p.type, {a.in[0], a.in[1], a.in[2], a.in[3], a.out[0] ? a.out[0] : spare, a.out[1] ? a.out[1] : spare,
                      p.rows, p.n, a.work});
    };
  }
  return plan;
}

const OpDef& channel_moments_op() {
  static const OpDef def{
      .name = "channel_moments",
      .doc = "x (..., channels) -> mean and biased variance (channels) over all other axes.",
      .infer = infer_channels,
      .decompose = [](const Attrs&, const Values& in) -> Values {
        Value m = mean(in[0], leading_axes(in[0]));
        return {m, mean(square(in[0] - m), leading_axes(in[0]))};
      },
      .kernels = {{"columns", make_channels}},
  };
  return def;
}

const OpDef& channel_grad_sums_op() {
  static const OpDef def{
      .name = "channel_grad_sums",
      .doc =
          "x, dy (..., channels), mean, rstd (channels) -> sum(dy) and sum(dy (x - mean) rstd) over all other axes.",
      .min_inputs = 4,
      .max_inputs = 4,
      .infer = infer_channels,
      .decompose = [](const Attrs&, const Values& in) -> Values {
        return {sum(in[1], leading_axes(in[0])), sum(in[1] * (in[0] - in[2]), leading_axes(in[0])) * in[3]};
      },
      .kernels = {{"columns", make_channels}},
  };
  return def;
}

struct Places {
  int gamma = -1, beta = -1;
  explicit Places(const Attrs& a) {
    if (a.b("scale")) gamma = 1;
    if (a.b("center")) beta = a.b("scale") ? 2 : 1;
  }
};

std::vector<TensorType> infer_batch_norm(const InferContext& c) {
  auto stats = infer_channels(c);
  for (size_t i = 1; i < c.in.size(); ++i)
    GLIA_CHECK(c.in[i] == stats[0], "batch_norm: gamma and beta must be {}. Received {} for an input {}.",
               to_string(stats[0]), to_string(c.in[i]), to_string(c.in[0]));
  return {c.in[0], stats[0], stats[1]};
}

Values decompose_batch_norm(const Attrs& attrs, const Values& in) {
  const Places at(attrs);
  Values s = apply(channel_moments_op(), {}, {in[0]});
  Value rstd = rsqrt(s[1] + attrs.f("epsilon")), y = (in[0] - s[0]) * (at.gamma > 0 ? rstd * in[1] : rstd);
  if (at.beta > 0) y = y + in[static_cast<size_t>(at.beta)];
  return {y, s[0], s[1]};
}

Values vjp_batch_norm(const VjpContext& c) {
  const Places at(c.attrs);
  const Value &x = c.inputs[0], &m = c.outputs[1];
  const double n = rows_of(x);
  Value rstd = rsqrt(c.outputs[2] + c.attrs.f("epsilon")), dx;
  Values r(c.inputs.size());
  if (c.grads[0].defined()) {
    Values s = apply(channel_grad_sums_op(), {}, {x, c.grads[0], m, rstd});
    Value xhat = (x - m) * rstd;
    dx = (c.grads[0] - s[0] * (1 / n) - xhat * (s[1] * (1 / n))) * (at.gamma > 0 ? rstd * c.inputs[1] : rstd);
    if (at.gamma > 0) r[1] = s[1];
    if (at.beta > 0) r[static_cast<size_t>(at.beta)] = s[0];
  }
  auto add = [&](const Value& v) { dx = dx.defined() ? dx + v : v; };
  if (c.grads[1].defined()) add(broadcast_to(c.grads[1] * (1 / n), x.shape()));
  if (c.grads[2].defined()) add((x - m) * (c.grads[2] * (2 / n)));
  r[0] = dx;
  return r;
}

// No kernel: the lowering pass replaces it by its decomposition, whose pointwise part fuses with what follows.
const OpDef& batch_norm_op() {
  static const OpDef def{
      .name = "batch_norm_training",
      .doc =
          "x (..., channels) -> y = (x - mean) / sqrt(variance + epsilon) gamma + beta with the batch's own "
          "statistics over "
          "all axes but the last, and these statistics. Ioffe and Szegedy 2015.",
      .max_inputs = 3,
      .attrs = {{"epsilon", 1e-3, "added to the variance"},
                {"scale", false, "a gamma input follows"},
                {"center", false, "a beta input follows"}},
      .infer = infer_batch_norm,
      .vjp = vjp_batch_norm,
      .decompose = decompose_batch_norm,
  };
  return def;
}

}  // namespace

OpList batch_norm_ops() { return {&batch_norm_op(), &channel_moments_op(), &channel_grad_sums_op()}; }

BatchNorm batch_norm_training(const Value& x, const Value& gamma, const Value& beta, double epsilon) {
  Value f = is_float(x.dtype()) ? x : cast(x, DType::f32);
  Values in{f};
  if (gamma.defined()) in.push_back(cast(gamma, f.dtype()));
  if (beta.defined()) in.push_back(cast(beta, f.dtype()));
  Values r =
      apply(batch_norm_op(), {{"epsilon", epsilon}, {"scale", gamma.defined()}, {"center", beta.defined()}}, in);
  return {r[0], r[1], r[2]};
}

Value batch_normalization(const Value& x, const Value& mean, const Value& variance, int64_t axis, const Value& offset,
                          const Value& scale, double epsilon) {
  axis = normalize_axis(axis, x.rank(), "batch_normalization");
  Shape shape(static_cast<size_t>(x.rank()), 1);
  shape[static_cast<size_t>(axis)] = x.dim(static_cast<int>(axis));
  auto along = [&](const Value& v, const char* what) {
    GLIA_CHECK(v.rank() == 1 && (v.dim(0) == x.dim(static_cast<int>(axis)) || v.dim(0) == -1),
               "batch_normalization: {} must have shape ({},). Received {}.", what, x.dim(static_cast<int>(axis)),
               to_string(v.shape()));
    return axis == x.rank() - 1 ? v : reshape(v, shape);
  };
  Value factor = rsqrt(along(variance, "variance") + epsilon);
  if (scale.defined()) factor = factor * along(scale, "scale");
  Value y = (x - along(mean, "mean")) * factor;
  return offset.defined() ? y + along(offset, "offset") : y;
}

Values moments(const Value& x, std::vector<int64_t> axes, bool keepdims) {
  Value f = is_float(x.dtype()) ? x : cast(x, DType::f32), m = mean(f, axes, true);
  Value v = mean(square(f - stop_gradient(m)), axes, true);  // the mean's own gradient cancels
  if (keepdims) return {m, v};
  Shape kept = mean(f, axes, false).shape();
  return {reshape(m, kept), reshape(v, kept)};
}

}  // namespace glia::ops
