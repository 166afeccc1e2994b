#include "kernels/cpu/random.h"

#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "base/philox.h"
#include "ir/graph.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

void check_seed(const OpDef& op, const TensorType& seed) {
  GLIA_CHECK((seed == TensorType{DType::i64, {2}}), "{}: the seed must be int64 (2,), {{seed, step}}. Received {}.",
             op.name, to_string(seed));
}

using DrawFn = void (*)(cpu::Elem, const cpu::RandomKey&, void*, int64_t, double, double);
struct Params {
  DrawFn draw;
  cpu::Elem type;
  int64_t n;
  uint64_t stream;
  double a, b;
};
cpu::RandomKey key_of(const int64_t* seed, uint64_t stream) {
  return {static_cast<uint64_t>(seed[0]), static_cast<uint64_t>(seed[1]), stream};
}

template <DrawFn draw>
std::optional<KernelPlan> make_draw(const KernelQuery& q, std::string&) {
  KernelPlan plan;
  plan.params = kernel_params(Params{draw, elem(q.out[0].dtype), q.out[0].elements(),
                                     static_cast<uint64_t>(q.attrs.i("stream")), q.attrs.f("a"), q.attrs.f("b")});
  plan.fn = [](const KernelArgs& k) {
    const auto& p = k.param<Params>();
    p.draw(p.type, key_of(k.input<int64_t>(0), p.stream), k.out[0], p.n, p.a, p.b);
  };
  return plan;
}

std::vector<TensorType> infer_draw(const InferContext& c) {
  check_seed(c.op, c.in[0]);
  const DType t = dtype_from_name(c.attrs.s("dtype"));
  const bool uniform = c.op.name == "random_uniform";
  GLIA_CHECK(is_float(t) || (uniform && (t == DType::i32 || t == DType::i64)), "{}: cannot draw {}.", c.op.name,
             dtype_name(t));
  for (int64_t d : c.attrs.ints("shape"))
    GLIA_CHECK(d >= 0, "{}: the shape {} is not fully known.", c.op.name, glia::to_string(c.attrs.ints("shape")));
  if (uniform) {
    GLIA_CHECK(c.attrs.f("a") <= c.attrs.f("b"), "random_uniform: low must not exceed high. Received {} and {}.",
               c.attrs.f("a"), c.attrs.f("b"));
    GLIA_CHECK(is_float(t) || c.attrs.f("b") - c.attrs.f("a") <= 0x1p32,
               "random_uniform: whole numbers span at most 2^32. Received {} to {}.", c.attrs.f("a"), c.attrs.f("b"));
  }
  return {{t, c.attrs.ints("shape")}};
}

template <DrawFn draw>
OpDef make_op(const char* name, const char* doc, const char* a, const char* b) {
  return {.name = name,
          .doc = doc,
          .attrs = {{"shape", Ints{}, "shape of the result", true},
                    {"stream", int64_t{0}, "which of the step's independent streams"},
                    {"a", 0.0, a},
                    {"b", 1.0, b},
                    {"dtype", std::string("float32"), "Keras name of the result dtype"}},
          .infer = infer_draw,
          .differentiable = false,
          .kernels = {{"philox", make_draw<draw>}},
          .traits = {.random = true}};
}
const OpDef& uniform_op() {
  static const OpDef def = make_op<cpu::random_uniform>(
      "random_uniform",
      "Uniform in [low, high) from a seed (2,) of seed and step; whole numbers for integer dtypes. Philox4x32-10.",
      "low", "high");
  return def;
}
const OpDef& normal_op() {
  static const OpDef def = make_op<cpu::random_normal>(
      "random_normal", "Normal from a seed (2,) of seed and step. Philox4x32-10, Box and Muller.", "mean",
      "standard deviation");
  return def;
}
const OpDef& truncated_op() {
  static const OpDef def = make_op<cpu::random_truncated_normal>(
      "random_truncated_normal", "Normal, redrawn beyond two standard deviations, from a seed (2,) of seed and step.",
      "mean", "standard deviation");
  return def;
}

// ---- dropout ----

uint32_t threshold_of(double rate) { return static_cast<uint32_t>(std::min(std::floor(rate * 0x1p32), 0x1p32 - 1)); }

struct DropoutParams {
  cpu::Elem type;
  int64_t n;
  uint64_t stream;
  uint32_t threshold;
  double scale;
  decltype(&cpu::scalar::dropout) fn;
};
std::optional<KernelPlan> make_dropout(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 && q.in[0].dtype != DType::f64) {
    refusal = "needs float32 or float64";
    return {};
  }
  const double rate = q.attrs.f("rate");
  KernelPlan plan;
  plan.params =
      kernel_params(DropoutParams{elem(q.in[0].dtype), q.in[0].elements(), static_cast<uint64_t>(q.attrs.i("stream")),
                                  threshold_of(rate), 1 / (1 - rate), GLIA_ISA_SELECT(dropout)});
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<DropoutParams>();
    p.fn(p.type, {a.in[0], a.out[0], p.n, key_of(a.input<int64_t>(1), p.stream), p.threshold, p.scale});
  };
  return plan;
}

void reference_dropout(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  const double rate = attrs.f("rate");
  const int64_t* seed = in[1].data<int64_t>();
  for (int64_t i = 0; i < in[0].size(); ++i) {
    const auto block = static_cast<uint64_t>(i / 4);
    const auto w = philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                               static_cast<uint32_t>(seed[1]), static_cast<uint32_t>(attrs.i("stream"))},
                              static_cast<uint64_t>(seed[0]));
    out[0].set_item(i, w[static_cast<size_t>(i % 4)] >= threshold_of(rate) ? in[0].item(i) * (1 / (1 - rate)) : 0);
  }
}

const OpDef& dropout_op();
const OpDef& dropout_op() {
  static const OpDef def{
      .name = "dropout",
      .doc =
          "Zeroes elements with probability `rate` and divides the rest by 1 - rate; the decisions come from the "
          "seed (2,), step and "
          "stream, and the gradient makes them again. Srivastava et al. 2014.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"rate", 0.5, "probability of a zero, below 1", true},
                {"stream", int64_t{0}, "which of the step's independent streams"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_seed(c.op, c.in[1]);
        GLIA_CHECK(is_float(c.in[0].dtype), "dropout: expected floating point. Received {}.", to_string(c.in[0]));
        GLIA_CHECK(c.attrs.f("rate") >= 0 && c.attrs.f("rate") < 1,
                   "dropout: the rate must lie in [0, 1). Received {}.", c.attrs.f("rate"));
        return {c.in[0]};
      },
      .vjp = [](const VjpContext& c) -> Values {
        return {apply1(dropout_op(), c.attrs, {c.grads[0], c.inputs[1]}), Value()};
      },
      .reference = reference_dropout,
      .kernels = {{"philox", make_dropout}},
      .traits = {.random = true, .in_place = {{0, 0}}},
  };
  return def;
}

Value draw(const OpDef& op, const Value& seed, int64_t stream, Shape shape, double a, double b, DType dtype) {
  return apply1(op,
                {{"shape", std::move(shape)},
                 {"stream", stream},
                 {"a", a},
                 {"b", b},
                 {"dtype", std::string(dtype_name(dtype))}},
                {seed});
}

}  // namespace

OpList random_ops() { return {&uniform_op(), &normal_op(), &truncated_op(), &dropout_op()}; }

Value random_uniform(const Value& seed, int64_t stream, Shape shape, double low, double high, DType dtype) {
  return draw(uniform_op(), seed, stream, std::move(shape), low, high, dtype);
}
Value random_normal(const Value& seed, int64_t stream, Shape shape, double mean, double stddev, DType dtype) {
  return draw(normal_op(), seed, stream, std::move(shape), mean, stddev, dtype);
}
Value random_truncated_normal(const Value& seed, int64_t stream, Shape shape, double mean, double stddev,
                              DType dtype) {
  return draw(truncated_op(), seed, stream, std::move(shape), mean, stddev, dtype);
}
Value random_integers(const Value& seed, int64_t stream, Shape shape, int64_t low, int64_t high, DType dtype) {
  const DType wide = dtype == DType::i64 ? DType::i64 : DType::i32;
  return cast(
      draw(uniform_op(), seed, stream, std::move(shape), static_cast<double>(low), static_cast<double>(high), wide),
      dtype);
}
Value random_bernoulli(const Value& seed, int64_t stream, Shape shape, double p, DType dtype) {
  GLIA_CHECK(p >= 0 && p <= 1, "random_bernoulli: p must lie in [0, 1]. Received {}.", p);
  return cast(less(random_uniform(seed, stream, std::move(shape)), Value(Tensor::scalar(p))), dtype);
}

namespace {
// log of a Gamma(alpha) number; the logarithm keeps tiny alphas apart from 0.
Value log_gamma_number(const Value& seed, int64_t stream, const Shape& shape, const Value& given) {
  constexpr int64_t kTries = 10;  // each is accepted with more than 95 %
  Value alpha = broadcast_to(cast(given, DType::f32), shape), small = less(alpha, scalar_like(alpha, 1));
  Value boosted = where(small, alpha + 1.0, alpha);
  Shape tries = shape;
  tries.push_back(kTries);
  Value d = expand_dims(boosted - 1.0 / 3.0, -1), c = rsqrt(d * 9.0);
  Value x = random_normal(seed, stream, tries), root = x * c + 1.0, positive = greater(root, scalar_like(root, 0));
  Value log_v = 3.0 * log(where(positive, root, scalar_like(root, 1)));
  Value u = maximum(random_uniform(seed, stream + 1, tries), Value(Tensor::scalar(1e-20)));
  Value accepted = logical_and(positive, less(log(u), x * x * 0.5 + d - d * exp(log_v) + d * log_v));
  Value first = argmax(cast(accepted, DType::i32), -1, true);
  Value y = squeeze(take_along_axis(log_v, first, -1), {-1}) + log(squeeze(d, {-1}));
  Value more = log(maximum(random_uniform(seed, stream + 2, shape), Value(Tensor::scalar(1e-30)))) / alpha;
  return where(small, y + more, y);
}
}  // namespace

Value random_gamma(const Value& seed, int64_t stream, Shape shape, const Value& alpha) { return exp(log_gamma_number(seed, stream, shape, alpha)); }
Value random_beta(const Value& seed, int64_t stream, Shape shape, const Value& alpha, const Value& beta) {
  return sigmoid(log_gamma_number(seed, stream, shape, alpha) - log_gamma_number(seed, stream + 3, shape, beta));
}
Value random_binomial(const Value& seed, int64_t stream, Shape shape, int64_t counts, double p, DType dtype) {
  GLIA_CHECK(counts >= 0 && p >= 0 && p <= 1, "random_binomial: expected counts >= 0 and p in [0, 1]. Received {} and {}.", counts, p);
  shape.push_back(counts);
  return cast(sum(random_bernoulli(seed, stream, std::move(shape), p), {-1}), dtype);
}
Value random_shuffle(const Value& seed, int64_t stream, const Value& x, int64_t axis) {
  axis = normalize_axis(axis, x.rank(), "random_shuffle");
  Value keys =
      random_uniform(seed, stream, {x.dim(static_cast<int>(axis))}, 0, 1, DType::f64);  // 53 bits: ties do not matter
  return take(x, argsort(keys), axis);
}
Value random_categorical(const Value& seed, int64_t stream, const Value& logits, int64_t num_samples) {
  GLIA_CHECK(logits.rank() == 2, "random_categorical: logits must be (batch, classes). Received {}.",
             to_string(logits.type()));
  // argmax(logits + Gumbel noise) draws from softmax(logits): Gumbel 1954.
  Value u = random_uniform(seed, stream, {logits.dim(0), num_samples, logits.dim(1)}, 0, 1, DType::f32);
  Value gumbel = -log(-log(clip(u, 1e-20, 1.0 - 0x1p-25)));
  return argmax(expand_dims(cast(logits, DType::f32), 1) + gumbel, -1);
}

Value dropout(const Value& x, double rate, const Value& seed, int64_t stream, Shape noise_shape) {
  GLIA_CHECK(rate >= 0 && rate <= 1, "dropout: the rate must lie in [0, 1]. Received {}.", rate);
  Value f = is_float(x.dtype()) ? x : cast(x, DType::f32);
  if (rate == 0) return f;
  if (rate == 1) return f * 0.0;
  if (noise_shape.empty() || noise_shape == f.shape())
    return apply1(dropout_op(), {{"rate", rate}, {"stream", stream}}, {f, seed});
  return f * (random_bernoulli(seed, stream, std::move(noise_shape), 1 - rate, f.dtype()) * (1 / (1 - rate)));
}

}  // namespace glia::ops
