#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/softmax.h"
#include "ops/op_list.h"
#include "ops/pointwise.h"

namespace glia::ops {
using namespace ir;

namespace {

void check_labels(const InferContext& c) {
  const TensorType &x = c.in[0], &labels = c.in[1];
  GLIA_CHECK(is_float(x.dtype) && x.rank() >= 1, "{}: expected floating point logits with a class axis. Received {}.",
             c.op.name, to_string(x));
  GLIA_CHECK(labels.dtype == DType::i32 || labels.dtype == DType::i64,
             "{}: labels must be int32 or int64. Received {}.", c.op.name, to_string(labels));
  GLIA_CHECK(labels.shape == Shape(x.shape.begin(), x.shape.end() - 1),
             "{}: labels must have the shape of the logits without the last axis. Received logits {} and labels {}.",
             c.op.name, to_string(x), to_string(labels));
  GLIA_CHECK(x.shape.back() > 0, "{}: there are no classes. Received logits {}.", c.op.name, to_string(x));
}

struct Params {
  int64_t rows, n;
  bool has_ignore;
  int64_t ignore;
  cpu::Elem type, label_type;
  decltype(&cpu::scalar::cross_entropy) forward;
  decltype(&cpu::scalar::cross_entropy_grad) backward;
};
std::optional<Params> make_params(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f32 && q.in[0].dtype != DType::f64) {
    refusal = "needs float32 or float64 logits";
    return {};
  }
  return Params{
      q.in[1].elements(),  q.in[0].shape.back(), q.attrs.b("has_ignore"),        q.attrs.i("ignore"),
      elem(q.in[0].dtype), elem(q.in[1].dtype),  GLIA_ISA_SELECT(cross_entropy), GLIA_ISA_SELECT(cross_entropy_grad)};
}

std::optional<KernelPlan> make_forward(const KernelQuery& q, std::string& refusal) {
  auto p = make_params(q, refusal);
  if (!p) return {};
  KernelPlan plan;
  const int64_t size = cpu::elem_size(p->type);
  plan.workspace = q.out_used[1] ? 0 : static_cast<size_t>(p->rows * size);
  plan.params = kernel_params(*p);
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<Params>();
    const int64_t bad = cpu::find_bad_label(p.label_type, a.in[1], p.rows, p.n, p.has_ignore, p.ignore);
    if (bad >= 0) {
      const int64_t v = p.label_type == cpu::Elem::i32 ? a.input<int32_t>(1)[bad] : a.input<int64_t>(1)[bad];
      throw_error("sparse_cross_entropy: label {} at position {} is not one of the {} classes (0 to {}).", v, bad,
                  p.n, p.n - 1);
    }
    p.forward(p.type, {a.in[0], a.in[1], p.label_type, p.rows, p.n, p.has_ignore, p.ignore, a.out[0],
                       a.out[1] ? a.out[1] : a.work});
  };
  // The loss may be unused while the gradient reads lse.
  if (!q.out_used[0]) plan.workspace = static_cast<size_t>(p->rows * size);
  if (!q.out_used[0])
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<Params>();
      const int64_t bad = cpu::find_bad_label(p.label_type, a.in[1], p.rows, p.n, p.has_ignore, p.ignore);
      GLIA_CHECK(bad < 0, "sparse_cross_entropy: the label at position {} is not one of the {} classes.", bad, p.n);
      p.forward(p.type, {a.in[0], a.in[1], p.label_type, p.rows, p.n, p.has_ignore, p.ignore, a.work, a.out[1]});
    };
  return plan;
}
std::optional<KernelPlan> make_backward(const KernelQuery& q, std::string& refusal) {
  auto p = make_params(q, refusal);
  if (!p) return {};
  KernelPlan plan;
  plan.params = kernel_params(*p);
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<Params>();
    p.backward(p.type,
               {a.in[0], a.in[1], p.label_type, p.rows, p.n, p.has_ignore, p.ignore, a.in[2], a.in[3], a.out[0]});
  };
  return plan;
}

// 1 where the label counts, in the dtype of `like`.
Value counted(const Attrs& attrs, const Value& labels, const Value& like) {
  return cast(not_equal(labels, scalar_like(labels, static_cast<double>(attrs.i("ignore")))), like.dtype());
}

const std::vector<AttrField>& fields() {
  static const std::vector<AttrField> f = {{"has_ignore", false, "rows labelled `ignore` count as 0"},
                                           {"ignore", int64_t{0}, "that label"}};
  return f;
}

const OpDef& grad_op() {
  static const OpDef def{
      .name = "sparse_cross_entropy_grad",
      .doc =
          "Gradient of sparse_cross_entropy for the logits, from logits, labels, lse and the gradient of the loss.",
      .min_inputs = 4,
      .max_inputs = 4,
      .attrs = fields(),
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_labels(c);
        return {c.in[0]};
      },
      .decompose = [](const Attrs& attrs, const Values& in) -> Values {
        Value dloss = attrs.b("has_ignore") ? in[3] * counted(attrs, in[1], in[3]) : in[3];
        Value p = exp(in[0] - expand_dims(in[2], -1)) - one_hot(in[1], in[0].dim(-1), -1, in[0].dtype());
        return {p * expand_dims(dloss, -1)};
      },
      .kernels = {{"rows", make_backward}},
      .traits = {.in_place = {{0, 0}}},
  };
  return def;
}

const OpDef& cross_entropy_op() {
  static const OpDef def{
      .name = "sparse_cross_entropy",
      .doc =
          "logits (..., classes), labels (...) -> loss (...) = lse - logits[label], and lse = log(sum(exp(logits))).",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = fields(),
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        check_labels(c);
        const TensorType r{c.in[0].dtype, c.in[1].shape};
        return {r, r};
      },
      .vjp = [](const VjpContext& c) -> Values {
        Value d;
        if (c.grads[0].defined())
          d = apply1(grad_op(), c.attrs, {c.inputs[0], c.inputs[1], c.outputs[1], c.grads[0]});
        if (c.grads[1].defined()) {
          Value p = exp(c.inputs[0] - expand_dims(c.outputs[1], -1)) * expand_dims(c.grads[1], -1);
          d = d.defined() ? d + p : p;
        }
        return {d, Value()};
      },
      .decompose = [](const Attrs& attrs, const Values& in) -> Values {
        Value lse = logsumexp(in[0], {-1});
        Value loss = lse - sum(in[0] * one_hot(in[1], in[0].dim(-1), -1, in[0].dtype()), {-1});
        return {attrs.b("has_ignore") ? loss * counted(attrs, in[1], loss) : loss, lse};
      },
      .kernels = {{"rows", make_forward}},
  };
  return def;
}

constexpr double kEpsilon = 1e-7;  // keras.config.epsilon()

Value last_axis(const Value& x, int64_t axis) { return moveaxis(x, axis, -1); }

}  // namespace

OpList cross_entropy_ops() { return {&cross_entropy_op(), &grad_op()}; }

Value sparse_cross_entropy_with_logits(const Value& logits, const Value& labels, const int64_t* ignore_class) {
  Value l = labels.dtype() == DType::i32 || labels.dtype() == DType::i64 ? labels : cast(labels, DType::i32);
  return apply1(cross_entropy_op(),
                {{"has_ignore", ignore_class != nullptr}, {"ignore", ignore_class ? *ignore_class : int64_t{0}}},
                {logits, l});
}

// The slope for the logits is softmax - target, as in TensorFlow, also where a target does not sum to 1; the slope of
// -sum(target * log_softmax) would weigh the softmax by that sum.
static Value softmax_cross_entropy_with_logits(const Value& target, const Value& logits, int64_t axis) {
  Value x = logits - stop_gradient(max(logits, {axis}, true));
  Value lse = log(sum(exp(x), {axis}));
  return lse + (sum(target, {axis}) - 1.0) * stop_gradient(lse) - sum(target * x, {axis});
}

Value categorical_crossentropy(const Value& target, const Value& output, bool from_logits, int64_t axis) {
  GLIA_CHECK(target.shape() == output.shape(),
             "categorical_crossentropy: target and output must have one shape. Received {} and {}.",
             to_string(target.shape()), to_string(output.shape()));
  GLIA_CHECK(output.rank() >= 1, "categorical_crossentropy: expected a class axis. Received {}.",
             to_string(output.type()));
  Value t = cast(target, output.dtype());
  if (from_logits) return softmax_cross_entropy_with_logits(t, output, axis);
  Value p = clip(output / sum(output, {axis}, true), kEpsilon, 1 - kEpsilon);
  return -sum(t * log(p), {axis});
}

Value sparse_categorical_crossentropy(const Value& target, const Value& output, bool from_logits, int64_t axis,
                                      const int64_t* ignore_class) {
  GLIA_CHECK(output.rank() >= 1, "sparse_categorical_crossentropy: expected a class axis. Received {}.",
             to_string(output.type()));
  Value t = target;
  if (t.rank() == output.rank() && t.dim(-1) == 1) t = squeeze(t, {-1});  // as Keras: (batch, 1) is (batch,)
  Value x = last_axis(output, axis);
  // log of clipped probabilities, normalised: their log is a logit vector whose lse is 0 up to the clipping.
  if (!from_logits) x = log(clip(x, kEpsilon, 1 - kEpsilon));
  return sparse_cross_entropy_with_logits(x, t, ignore_class);
}

Value binary_crossentropy(const Value& target, const Value& output, bool from_logits) {
  GLIA_CHECK(target.shape() == output.shape(),
             "binary_crossentropy: target and output must have one shape. Received {} and {}.",
             to_string(target.shape()), to_string(output.shape()));
  Value t = cast(target, output.dtype());
  if (from_logits) return relu(output) - output * t + softplus(-abs(output));  // max(x, 0) - x t + log(1 + e^-|x|)
  Value p = clip(output, kEpsilon, 1 - kEpsilon);
  return -(t * log(p) + (1.0 - t) * log(1.0 - p));
}

}  // namespace glia::ops
