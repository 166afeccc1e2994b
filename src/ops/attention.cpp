#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/attention.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

// Layout everywhere: query [B, T, N, H], key [B, S, M, H], value [B, S, M, D], mask broadcast to [B, N, T, S], with M a
// divisor of N. Results: output [B, T, N, D] and, for the gradient, one number per row of scores [B, N, T] (lse).
struct Sizes { int64_t b, t, s, n, m, h, d; };

Sizes sizes(std::span<const TensorType> in) {
  const Shape &q = in[0].shape, &k = in[1].shape, &v = in[2].shape;
  return {q[0], q[1], k[1], q[2], k[2], q[3], v[3]};
}

Sizes check_inputs(const InferContext& c) {
  const std::string& op = c.op.name;
  for (int i = 0; i < 3; ++i) {
    static const char* const names[] = {"query", "key", "value"};
    GLIA_CHECK(c.in[i].rank() == 4, "{}: {} must be (batch, time, heads, size). Received {}.", op, names[i], to_string(c.in[i]));
    GLIA_CHECK(c.in[i].dtype == c.in[0].dtype && is_float(c.in[i].dtype),
               "{}: query, key and value must share a float dtype. Received {} and {}.", op, to_string(c.in[0]), to_string(c.in[i]));
  }
  const Sizes z = sizes(c.in);
  const Shape &k = c.in[1].shape, &v = c.in[2].shape;
  GLIA_CHECK(k[0] == z.b && v[0] == z.b && v[1] == z.s && v[2] == z.m && k[3] == z.h,
             "{}: key must be (batch, keys, kv_heads, {}) and value (batch, keys, kv_heads, any) with batch {}. Received {} and {}.",
             op, z.h, z.b, to_string(c.in[1]), to_string(c.in[2]));
  GLIA_CHECK(z.m > 0 && z.n % z.m == 0, "{}: the number of query heads must be a multiple of the key heads. Received {} and {}.", op,
             z.n, z.m);
  if (c.attrs.b("mask")) {
    const TensorType& mask = c.in.back();
    GLIA_CHECK(mask.dtype == DType::bool_ || mask.dtype == c.in[0].dtype,
               "{}: the mask must be bool (true = may attend) or {} (added to the scores). Received {}.", op,
               dtype_name(c.in[0].dtype), to_string(mask));
    const Shape want{z.b, z.n, z.t, z.s};
    GLIA_CHECK(broadcast_shapes(mask.shape, want, op) == want, "{}: the mask must broadcast to (batch, heads, queries, keys) = {}. "
               "Received {}.", op, glia::to_string(want), to_string(mask));
  }
  return z;
}

std::vector<TensorType> infer_attention(const InferContext& c) {
  const Sizes z = check_inputs(c);
  const DType t = c.in[0].dtype;
  return {{t, {z.b, z.t, z.n, z.d}}, {t, {z.b, z.n, z.t}}};
}

// Inputs: query, key, value, output, lse, gradient of the output, mask.
std::vector<TensorType> infer_attention_grad(const InferContext& c) {
  const Sizes z = check_inputs(c);
  const DType t = c.in[0].dtype;
  const TensorType out{t, {z.b, z.t, z.n, z.d}}, lse{t, {z.b, z.n, z.t}};
  GLIA_CHECK(c.in[3] == out && c.in[4] == lse && c.in[5] == out, "{}: expected output, lse and gradient {}, {}, {}. Received {}, {}, {}.",
             c.op.name, to_string(out), to_string(lse), to_string(out), to_string(c.in[3]), to_string(c.in[4]), to_string(c.in[5]));
  return {c.in[0], c.in[1], c.in[2]};
}

// ---- decomposition ----

constexpr double kMasked = -1e9;  // as in the kernels and in Keras

Value heads_first(const Value& x) { return transpose(x, {0, 2, 1, 3}); }

// [B, M, S, X] -> [B, N, S, X]: every key head serves N / M query heads.
Value repeat_heads(const Value& x, int64_t n) {
  const Shape s = x.shape();
  if (s[1] == n) return x;
  return reshape(broadcast_to(expand_dims(x, 2), {s[0], s[1], n / s[1], s[2], s[3]}), {s[0], n, s[2], s[3]});
}
Value sum_heads(const Value& x, int64_t m) {  // its transpose
  const Shape s = x.shape();
  if (s[1] == m) return x;
  return sum(reshape(x, {s[0], m, s[1] / m, s[2], s[3]}), {2});
}

struct Softmaxed {
  Value q, k, v;  // heads first, key heads repeated
  Value max, total, p;
};

Softmaxed probabilities(const Attrs& attrs, const Value& query, const Value& key, const Value& value, const Value& mask) {
  Softmaxed r;
  r.q = heads_first(query);
  const int64_t n = r.q.dim(1), t = r.q.dim(2), s = key.dim(1);
  r.k = repeat_heads(heads_first(key), n);
  r.v = repeat_heads(heads_first(value), n);
  Value scores = matmul(r.q * attrs.f("scale"), r.k, false, true);
  if (mask.defined()) {
    if (mask.dtype() == DType::bool_) scores = where(mask, scores, scalar_like(scores, kMasked));
    else scores = scores + mask;
  }
  if (attrs.b("causal")) {
    Tensor visible({t, s}, DType::bool_);
    for (int64_t i = 0; i < t; ++i)
      for (int64_t j = 0; j < s; ++j) visible.set_item(i * s + j, j <= i + attrs.i("causal_offset") ? 1 : 0);
    scores = where(constant(visible), scores, scalar_like(scores, -INFINITY));
  }
  r.max = stop_gradient(maximum(max(scores, {-1}, true), scalar_like(scores, -1e30)));  // a row of -inf gives 0
  const Value e = exp(scores - r.max);
  r.total = sum(e, {-1}, true);
  r.p = e / maximum(r.total, scalar_like(r.total, 1e-30));
  return r;
}

Value mask_input(const Attrs& attrs, const Values& in) { return attrs.b("mask") ? in.back() : Value(); }

// See attention.h: rows that met only masked keys, and rows that met none, have their own mark.
Value row_mark(const Softmaxed& x, bool bool_mask) {
  Value lse = x.max + log(maximum(x.total, scalar_like(x.total, 1e-30)));
  if (bool_mask) lse = where(equal(x.max, scalar_like(x.max, kMasked)), x.max * (x.total + 1.0), lse);
  return squeeze(where(x.total > 0.0, lse, scalar_like(lse, INFINITY)), {-1});
}

Values decompose_attention(const Attrs& attrs, const Values& in) {
  const Value mask = mask_input(attrs, in);
  const Softmaxed x = probabilities(attrs, in[0], in[1], in[2], mask);
  return {heads_first(matmul(x.p, x.v)), row_mark(x, mask.defined() && mask.dtype() == DType::bool_)};
}

struct ScoreGradient { Softmaxed x; Value dout, ds; };

// dlse: gradient of the second output, or undefined.
ScoreGradient score_gradient(const Attrs& attrs, const Values& in, const Value& mask, const Value& dout, const Value& dlse) {
  ScoreGradient r{probabilities(attrs, in[0], in[1], in[2], mask), heads_first(dout), {}};
  const Value dp = matmul(r.dout, r.x.v, false, true);
  Value centred = dp - sum(dp * r.x.p, {-1}, true);
  if (dlse.defined()) centred = centred + expand_dims(dlse, -1);
  r.ds = r.x.p * centred;
  if (mask.defined() && mask.dtype() == DType::bool_) r.ds = where(mask, r.ds, scalar_like(r.ds, 0));
  return r;
}

Values input_gradients(const Attrs& attrs, const ScoreGradient& r, int64_t m) {
  const Value dq = matmul(r.ds, r.x.k) * attrs.f("scale"), dk = matmul(r.ds, r.x.q, true, false) * attrs.f("scale");
  return {heads_first(dq), heads_first(sum_heads(dk, m)), heads_first(sum_heads(matmul(r.x.p, r.dout, true, false), m))};
}

Values decompose_attention_grad(const Attrs& attrs, const Values& in) {
  return input_gradients(attrs, score_gradient(attrs, in, mask_input(attrs, in), in[5], {}), in[1].dim(2));
}

const OpDef& attention_grad_op();

Values vjp_attention(const VjpContext& c) {
  Values r(c.inputs.size());
  const Value mask = mask_input(c.attrs, c.inputs);
  const Value dout = c.grads[0].defined() ? c.grads[0] : constant(Tensor::zeros(c.outputs[0].shape(), c.outputs[0].dtype()));
  const bool learned_mask = mask.defined() && c.needs[3];
  ScoreGradient composed;
  if (c.grads[1].defined() || learned_mask) composed = score_gradient(c.attrs, c.inputs, mask, dout, c.grads[1]);
  Values g;
  if (c.grads[1].defined()) {  // only when a gradient is differentiated again
    g = input_gradients(c.attrs, composed, c.inputs[1].dim(2));
  } else {
    Values in{c.inputs[0], c.inputs[1], c.inputs[2], c.outputs[0], c.outputs[1], dout};
    if (mask.defined()) in.push_back(mask);
    g = apply(attention_grad_op(), c.attrs, in);
  }
  for (int i = 0; i < 3; ++i) r[i] = g[i];
  if (learned_mask) r[3] = sum_to(composed.ds, mask.shape());
  return r;
}

// ---- reference: the definition, in double, one row of scores at a time ----

struct Reader {  // element of a tensor [B, T, heads, X]
  const Tensor& t;
  int64_t at(int64_t b, int64_t i, int64_t head, int64_t x) const {
    return ((b * t.shape()[1] + i) * t.shape()[2] + head) * t.shape()[3] + x;
  }
  double operator()(int64_t b, int64_t i, int64_t head, int64_t x) const { return t.item(at(b, i, head, x)); }
  void add(int64_t b, int64_t i, int64_t head, int64_t x, double value) const {
    const int64_t a = at(b, i, head, x);
    t.set_item(a, t.item(a) + value);
  }
};

// Strides of the mask along [B, N, T, S].
std::vector<int64_t> mask_strides(const Shape& shape) {
  std::vector<int64_t> r(4, 0);
  int64_t stride = 1;
  for (int64_t i = static_cast<int64_t>(shape.size()) - 1, d = 3; i >= 0; --i, --d) {
    if (shape[i] != 1) r[static_cast<size_t>(d)] = stride;
    stride *= shape[i];
  }
  return r;
}

// Probabilities of one row; returns its mark.
double reference_row(const Attrs& attrs, std::span<const Tensor> in, const Sizes& z, int64_t b, int64_t n, int64_t t,
                     std::vector<double>& p) {
  const Reader q{in[0]}, k{in[1]};
  const Tensor* mask = attrs.b("mask") ? &in.back() : nullptr;
  const std::vector<int64_t> ms = mask ? mask_strides(mask->shape()) : std::vector<int64_t>(4);
  p.assign(static_cast<size_t>(z.s), 0);
  double max = -INFINITY, total = 0;
  for (int64_t s = 0; s < z.s; ++s) {
    double x = 0;
    for (int64_t h = 0; h < z.h; ++h) x += q(b, t, n, h) * k(b, s, n / (z.n / z.m), h);
    x *= attrs.f("scale");
    if (mask) {
      const double m = mask->item(b * ms[0] + n * ms[1] + t * ms[2] + s * ms[3]);
      x = mask->dtype() != DType::bool_ ? x + m : m != 0 ? x : kMasked;
    }
    if (attrs.b("causal") && s > t + attrs.i("causal_offset")) x = -INFINITY;
    p[static_cast<size_t>(s)] = x;
    max = std::max(max, x);
  }
  for (double& x : p) total += x = max == -INFINITY ? 0 : std::exp(x - max);
  for (double& x : p) x = total > 0 ? x / total : 0;
  if (total <= 0) return INFINITY;
  const bool all_masked = mask && mask->dtype() == DType::bool_ && max == kMasked;
  return all_masked ? kMasked * (1 + total) : max + std::log(total);
}

void reference_attention(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  std::vector<TensorType> types;
  for (const Tensor& t : in) types.push_back({t.dtype(), t.shape()});
  const Sizes z = sizes(types);
  const Reader v{in[2]}, o{out[0]};
  std::vector<double> p;
  for (int64_t b = 0; b < z.b; ++b)
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t t = 0; t < z.t; ++t) {
        out[1].set_item((b * z.n + n) * z.t + t, reference_row(attrs, in, z, b, n, t, p));
        for (int64_t d = 0; d < z.d; ++d) {
          double x = 0;
          for (int64_t s = 0; s < z.s; ++s) x += p[static_cast<size_t>(s)] * v(b, s, n / (z.n / z.m), d);
          o.t.set_item(o.at(b, t, n, d), x);
        }
      }
}

void reference_attention_grad(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  std::vector<TensorType> types;
  for (const Tensor& t : in) types.push_back({t.dtype(), t.shape()});
  const Sizes z = sizes(types);
  const Reader q{in[0]}, k{in[1]}, v{in[2]}, dout{in[5]}, dq{out[0]}, dk{out[1]}, dv{out[2]};
  const Tensor* mask = attrs.b("mask") && in.back().dtype() == DType::bool_ ? &in.back() : nullptr;
  const std::vector<int64_t> ms = mask ? mask_strides(mask->shape()) : std::vector<int64_t>(4);
  for (int i = 0; i < 3; ++i) out[i].fill(0);
  std::vector<double> p, dp(static_cast<size_t>(z.s));
  for (int64_t b = 0; b < z.b; ++b)
    for (int64_t n = 0; n < z.n; ++n)
      for (int64_t t = 0; t < z.t; ++t) {
        reference_row(attrs, in, z, b, n, t, p);
        const int64_t m = n / (z.n / z.m);
        double delta = 0;
        for (int64_t s = 0; s < z.s; ++s) {
          dp[static_cast<size_t>(s)] = 0;
          for (int64_t d = 0; d < z.d; ++d) {
            dp[static_cast<size_t>(s)] += dout(b, t, n, d) * v(b, s, m, d);
            dv.add(b, s, m, d, p[static_cast<size_t>(s)] * dout(b, t, n, d));
          }
          delta += dp[static_cast<size_t>(s)] * p[static_cast<size_t>(s)];
        }
        for (int64_t s = 0; s < z.s; ++s) {
          if (mask && mask->item(b * ms[0] + n * ms[1] + t * ms[2] + s * ms[3]) == 0) continue;
          const double ds = p[static_cast<size_t>(s)] * (dp[static_cast<size_t>(s)] - delta) * attrs.f("scale");
          for (int64_t h = 0; h < z.h; ++h) {
            dq.add(b, t, n, h, ds * k(b, s, m, h));
            dk.add(b, s, m, h, ds * q(b, t, n, h));
          }
        }
      }
}

// ---- kernels ----

using ForwardFn = decltype(&cpu::scalar::attention_forward);
using BackwardFn = decltype(&cpu::scalar::attention_backward);
struct AttentionKernel {
  cpu::AttentionParams p;
  ForwardFn forward = nullptr;
  BackwardFn backward = nullptr;
  bool mask = false;
};

std::optional<AttentionKernel> kernel_params_of(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32) {
    refusal = "dtype is not float32";
    return {};
  }
  const Sizes z = sizes(q.in);
  if (std::max(z.h, z.d) > cpu::AttentionParams::kMaxDim) {
    refusal = "head size above 512";
    return {};
  }
  AttentionKernel k;
  cpu::AttentionParams& p = k.p;
  p = {.batch = z.b, .heads = z.n, .kv_heads = z.m, .tq = z.t, .tk = z.s, .d = z.h, .dv = z.d};
  p.scale = static_cast<float>(q.attrs.f("scale"));
  p.causal = q.attrs.b("causal");
  p.causal_offset = q.attrs.i("causal_offset");
  auto strides = [](int64_t t, int64_t heads, int64_t x) { return cpu::AttnStride{t * heads * x, x, heads * x}; };
  p.q = p.dq = strides(z.t, z.n, z.h);
  p.k = p.dk = strides(z.s, z.m, z.h);
  p.v = p.dvalue = strides(z.s, z.m, z.d);
  p.out = p.dout = strides(z.t, z.n, z.d);
  k.mask = q.attrs.b("mask");
  if (k.mask) {
    const std::vector<int64_t> s = mask_strides(q.in.back().shape);
    p.mask = q.in.back().dtype == DType::bool_ ? cpu::AttnMask::boolean : cpu::AttnMask::additive;
    p.mask_b = s[0], p.mask_h = s[1], p.mask_q = s[2], p.mask_k = s[3];
  }
  using namespace cpu;
  k.forward = GLIA_ISA_SELECT(attention_forward);
  k.backward = GLIA_ISA_SELECT(attention_backward);
  return k;
}

void run_forward(const KernelArgs& a) {
  const auto& k = a.param<AttentionKernel>();
  k.forward(k.p, a.input<float>(0), a.input<float>(1), a.input<float>(2), k.mask ? a.in[3] : nullptr, a.output<float>(0),
            a.output<float>(1));
}
void run_backward(const KernelArgs& a) {
  const auto& k = a.param<AttentionKernel>();
  const cpu::AttentionParams& p = k.p;
  const int64_t size[3] = {p.batch * p.q.b, p.batch * p.k.b, p.batch * p.v.b};
  float *g[3], *scratch = static_cast<float*>(a.work);
  for (int i = 0; i < 3; ++i) {
    g[i] = a.output<float>(i);
    if (g[i]) continue;
    g[i] = scratch;
    scratch += (size[i] + 15) / 16 * 16;
  }
  k.backward(p, a.input<float>(0), a.input<float>(1), a.input<float>(2), k.mask ? a.in[6] : nullptr, a.input<float>(3),
             a.input<float>(4), a.input<float>(5), g[0], g[1], g[2]);
}
std::optional<KernelPlan> make_forward(const KernelQuery& q, std::string& refusal) {
  auto k = kernel_params_of(q, refusal);
  if (!k) return {};
  if (!q.out_used[0]) {
    refusal = "the output is not used";
    return {};
  }
  return KernelPlan{run_forward, kernel_params(std::move(*k)), 0};
}
std::optional<KernelPlan> make_backward(const KernelQuery& q, std::string& refusal) {
  auto k = kernel_params_of(q, refusal);
  if (!k) return {};
  size_t workspace = 0;  // gradients that nobody reads are written there
  for (size_t i = 0; i < 3; ++i)
    if (!q.out_used[i]) workspace += (q.out[i].bytes() + 63) / 64 * 64;
  return KernelPlan{run_backward, kernel_params(std::move(*k)), workspace};
}

std::vector<AttrField> attention_attrs() {
  return {{"scale", 1.0, "factor on the scores"},
          {"causal", false, "query i sees keys up to i + causal_offset"},
          {"causal_offset", int64_t{0}, "position of the first query minus that of the first key"},
          {"mask", false, "the last input is a mask"}};
}

const OpDef& attention_op() {
  static const OpDef def{
      .name = "attention",
      .doc = "softmax(scale * query key^T + mask) value for query [B,T,N,H], key [B,S,M,H], value [B,S,M,D]; M divides N. The second "
             "output serves the gradient. Computed block by block, without the score matrix (Dao et al. 2022).",
      .min_inputs = 3,
      .max_inputs = 4,
      .attrs = attention_attrs(),
      .infer = infer_attention,
      .vjp = vjp_attention,
      .decompose = decompose_attention,
      .reference = reference_attention,
      .kernels = {{"tiled", make_forward}},
  };
  return def;
}

const OpDef& attention_grad_op() {
  static const OpDef def{
      .name = "attention_grad",
      .doc = "Gradients of attention for query, key and value, from its inputs, outputs and the gradient of its output.",
      .min_inputs = 6,
      .max_inputs = 7,
      .attrs = attention_attrs(),
      .infer = infer_attention_grad,
      .decompose = decompose_attention_grad,
      .reference = reference_attention_grad,
      .kernels = {{"tiled", make_backward}},
  };
  return def;
}

}  // namespace

Value dot_product_attention(const Value& query, const Value& key, const Value& value, const DotProductAttention& o) {
  DType t = result_type(result_type(query.dtype(), key.dtype()), value.dtype());
  if (!is_float(t)) t = DType::f32;
  Values in{cast(query, t), cast(key, t), cast(value, t)};
  GLIA_CHECK(in[0].rank() == 4, "dot_product_attention: query must be (batch, time, heads, size). Received {}.", to_string(query.type()));
  Value mask = o.mask;
  if (o.mask.defined())
    GLIA_CHECK(o.mask.dtype() == DType::bool_, "dot_product_attention: the mask must be bool. Received {}. Pass values to add as bias.",
               to_string(o.mask.type()));
  if (o.bias.defined()) {
    const Value bias = cast(o.bias, t);
    mask = mask.defined() ? where(mask, bias, scalar_like(bias, kMasked)) : bias;
  }
  const int64_t h = in[0].dim(3);
  const double scale = o.scale ? *o.scale : 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, h)));
  if (mask.defined()) in.push_back(mask);
  const Attrs attrs{{"scale", scale}, {"causal", o.is_causal}, {"causal_offset", o.causal_offset}, {"mask", mask.defined()}};
  if (std::max(h, in[2].dim(-1)) > cpu::AttentionParams::kMaxDim) {  // the kernel's limit
    std::vector<TensorType> types;
    for (const Value& v : in) types.push_back(v.type());
    infer_attention({attention_op(), attrs, types});
    return decompose_attention(attrs, in)[0];
  }
  return apply1(attention_op(), attrs, in);
}

OpList attention_ops() { return {&attention_op(), &attention_grad_op()}; }

}  // namespace glia::ops
