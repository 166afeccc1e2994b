#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/norm.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

const std::vector<AttrField>& fields() {
  static const std::vector<AttrField> f = {{"epsilon", 1e-3, "added to the variance"},
                                           {"rms", false, "divide by the root mean square, keep the mean"},
                                           {"scale", false, "a gamma input follows"},
                                           {"center", false, "a beta input follows"}};
  return f;
}

// Position of gamma and beta among the inputs after x; -1 when absent.
struct Places {
  int gamma = -1, beta = -1;
  explicit Places(const Attrs& a) {
    if (a.b("scale")) gamma = 1;
    if (a.b("center")) beta = a.b("scale") ? 2 : 1;
  }
};

std::vector<TensorType> infer_layer_norm(const InferContext& c) {
  const TensorType& x = c.in[0];
  GLIA_CHECK(is_float(x.dtype) && x.rank() >= 1,
             "layer_norm: expected floating point with at least one axis. Received {}.", to_string(x));
  const Places at(c.attrs);
  GLIA_CHECK(static_cast<int>(c.in.size()) == 1 + (at.gamma > 0) + (at.beta > 0),
             "layer_norm: scale and center say {} inputs. Received {}.", 1 + (at.gamma > 0) + (at.beta > 0),
             c.in.size());
  for (size_t i = 1; i < c.in.size(); ++i)
    GLIA_CHECK((c.in[i] == TensorType{x.dtype, {x.shape.back()}}),
               "layer_norm: gamma and beta must be {} ({}). Received {} for an input {}.", dtype_name(x.dtype),
               x.shape.back(), to_string(c.in[i]), to_string(x));
  const TensorType stat{x.dtype, Shape(x.shape.begin(), x.shape.end() - 1)};
  return {x, stat, stat};
}

struct Params {
  int64_t rows, n;
  double eps;
  bool rms;
  Places at;
  cpu::Elem type;
  decltype(&cpu::scalar::layer_norm) forward;
  decltype(&cpu::scalar::layer_norm_grad) backward;
};
std::optional<Params> make_params(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 && q.in[0].dtype != DType::f64) {
    refusal = "needs float32 or float64";
    return {};
  }
  const int64_t n = q.in[0].shape.back();
  return Params{n ? q.in[0].elements() / n : 0,
                n,
                q.attrs.f("epsilon"),
                q.attrs.b("rms"),
                Places(q.attrs),
                elem(q.in[0].dtype),
                GLIA_ISA_SELECT(layer_norm),
                GLIA_ISA_SELECT(layer_norm_grad)};
}
const void* input_or_null(const KernelArgs& a, int at) { return at < 0 ? nullptr : a.in[at]; }

std::optional<KernelPlan> make_forward(const KernelQuery& q, std::string& refusal) {
  auto p = make_params(q, refusal);
  if (!p) return {};
  KernelPlan plan;
  plan.workspace = q.out_used[0] ? 0 : q.out[0].bytes();  // second derivatives may want the statistics only
  plan.params = kernel_params(*p);
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<Params>();
    p.forward(p.type, {a.in[0], input_or_null(a, p.at.gamma), input_or_null(a, p.at.beta),
                       a.out[0] ? a.out[0] : a.work, a.out[1], a.out[2], p.rows, p.n, p.eps, p.rms});
  };
  return plan;
}

std::optional<KernelPlan> make_backward(const KernelQuery& q, std::string& refusal) {
  auto p = make_params(q, refusal);
  if (!p) return {};
  KernelPlan plan;
  const auto sums = static_cast<size_t>(cpu::layer_norm_grad_workspace(p->type, p->rows, p->n)) + 64;
  const size_t dx = q.out_used[0] ? 0 : q.out[0].bytes();
  plan.workspace = sums / 64 * 64 + 64 + dx;
  struct Backward {
    Params p;
    size_t dx_at;
  };
  plan.params = kernel_params(Backward{*p, sums / 64 * 64});
  plan.fn = [](const KernelArgs& a) {  // inputs: x, mean, rstd, dy, gamma
    const auto& [p, dx_at] = a.param<Backward>();
    void* dx = a.out[0] ? a.out[0] : static_cast<char*>(a.work) + dx_at;
    p.backward(p.type, {a.in[0], p.at.gamma > 0 ? a.in[4] : nullptr, a.in[1], a.in[2], a.in[3], dx, a.out[1],
                        a.out[2], p.rows, p.n, p.rms, a.work});
  };
  return plan;
}

Value keep_last(const Value& stat) { return expand_dims(stat, -1); }

const OpDef& grad_op() {
  static const OpDef def{
      .name = "layer_norm_grad",
      .doc = "Gradients of layer_norm for x, gamma and beta, from x, mean, rstd, dy and gamma.",
      .min_inputs = 4,
      .max_inputs = 5,
      .attrs = fields(),
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType n{c.in[0].dtype, {c.in[0].shape.back()}};
        return {c.in[0], n, n};
      },
      .decompose = [](const Attrs& attrs, const Values& in) -> Values {
        const bool rms = attrs.b("rms");
        const Value &x = in[0], rstd = keep_last(in[2]), &dy = in[3];
        Value h = rms ? x * rstd : (x - keep_last(in[1])) * rstd;
        Value g = attrs.b("scale") ? dy * in[4] : dy;
        Value dx = g - h * mean(g * h, {-1}, true);
        if (!rms) dx = dx - mean(g, {-1}, true);
        std::vector<int64_t> lead;
        for (int64_t i = 0; i + 1 < x.rank(); ++i) lead.push_back(i);
        auto over_rows = [&](const Value& v) { return lead.empty() ? v : sum(v, lead); };
        return {dx * rstd, over_rows(dy * h), over_rows(dy)};
      },
      .kernels = {{"rows", make_backward}},
      .traits = {.in_place = {{3, 0}}},
  };
  return def;
}

Values vjp_layer_norm(const VjpContext& c) {
  const Places at(c.attrs);
  const Value& x = c.inputs[0];
  const double n = static_cast<double>(x.dim(-1));
  Values r(c.inputs.size());
  auto add = [&](const Value& v) { r[0] = r[0].defined() ? r[0] + v : v; };
  // The statistics are read by the gradient itself, so second derivatives pass through them.
  if (c.grads[1].defined() && !c.attrs.b("rms")) add(broadcast_to(keep_last(c.grads[1]) * (1 / n), x.shape()));
  if (c.grads[2].defined()) {
    Value rstd = keep_last(c.outputs[2]), d = c.attrs.b("rms") ? x : x - keep_last(c.outputs[1]);
    add(d * (keep_last(c.grads[2]) * rstd * rstd * rstd * (-1 / n)));
  }
  if (!c.grads[0].defined()) return r;
  Values in{c.inputs[0], c.outputs[1], c.outputs[2], c.grads[0]};
  if (at.gamma > 0) in.push_back(c.inputs[1]);
  Values g = apply(grad_op(), c.attrs, in);
  add(g[0]);
  if (at.gamma > 0) r[1] = g[1];
  if (at.beta > 0) r[static_cast<size_t>(at.beta)] = g[2];
  return r;
}

const OpDef& layer_norm_op() {
  static const OpDef def{
      .name = "layer_norm",
      .doc =
          "x (..., n) -> y = (x - mean) / sqrt(variance + epsilon) gamma + beta over the last axis; also mean (0 "
          "with rms) and 1 / sqrt(...). "
          "With rms: x / sqrt(mean(x^2) + epsilon) gamma. Ba et al. 2016; Zhang and Sennrich 2019.",
      .max_inputs = 3,
      .attrs = fields(),
      .infer = infer_layer_norm,
      .vjp = vjp_layer_norm,
      .decompose = [](const Attrs& attrs, const Values& in) -> Values {
        const Places at(attrs);
        const Value& x = in[0];
        Value m = attrs.b("rms") ? Value() : mean(x, {-1}, true);
        Value d = m.defined() ? x - m : x;
        Value rstd = rsqrt(mean(square(d), {-1}, true) + attrs.f("epsilon")), y = d * rstd;
        if (at.gamma > 0) y = y * in[1];
        if (at.beta > 0) y = y + in[static_cast<size_t>(at.beta)];
        return {y, squeeze(m.defined() ? m : rstd * 0.0, {-1}), squeeze(rstd, {-1})};
      },
      .kernels = {{"rows", make_forward}},
      .traits = {.in_place = {{0, 0}}},
  };
  return def;
}

// The normalised axes become one: x (..., n), gamma and beta (n).
Value normalise(const Value& x, const Value& gamma, const Value& beta, double epsilon, bool rms, int64_t axes) {
  const char* name = rms ? "rms_norm" : "layer_norm";
  GLIA_CHECK(axes >= 1 && axes <= x.rank(), "{}: cannot normalise {} axes of {}.", name, axes, to_string(x.type()));
  Value f = is_float(x.dtype()) ? x : cast(x, DType::f32);
  const Shape shape = f.shape(), tail(shape.end() - axes, shape.end());
  auto flat = [&](const Value& v) {
    GLIA_CHECK(v.shape() == tail, "{}: gamma and beta must have the shape {} of the normalised axes. Received {}.",
               name, to_string(tail), to_string(v.shape()));
    return cast(axes == 1 ? v : reshape(v, {-1}), f.dtype());
  };
  Shape rows(shape.begin(), shape.end() - axes);
  rows.push_back(num_elements(tail));
  Values in{axes == 1 ? f : reshape(f, rows)};
  if (gamma.defined()) in.push_back(flat(gamma));
  if (beta.defined()) in.push_back(flat(beta));
  Value y = apply1(layer_norm_op(),
                   {{"epsilon", epsilon}, {"rms", rms}, {"scale", gamma.defined()}, {"center", beta.defined()}}, in);
  return axes == 1 ? y : reshape(y, shape);
}

}  // namespace

OpList layer_norm_ops() { return {&layer_norm_op(), &grad_op()}; }

Value layer_norm(const Value& x, const Value& gamma, const Value& beta, double epsilon, int64_t axes) {
  return normalise(x, gamma, beta, epsilon, false, axes);
}
Value rms_norm(const Value& x, const Value& gamma, double epsilon, int64_t axes) {
  return normalise(x, gamma, {}, epsilon, true, axes);
}

}  // namespace glia::ops
