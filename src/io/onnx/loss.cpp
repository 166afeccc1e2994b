// Losses as graph operators.
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

// -weight[target] * log_prob[target] per element, and the weights: log_prob (N, C, ...), target (N, ...).
Operands nll(Node& n, const Value& log_prob, const Value& target0, const Value& weight) {
  const int64_t classes = log_prob.dim(1);
  const Value target = ops::cast(target0, DType::i64);
  n.check(log_prob.rank() >= 2 && target.rank() == log_prob.rank() - 1,
          "labels must have the scores' shape without the axis of classes.");
  const bool has_ignore = n.has_attr("ignore_index");
  const Value ignore = scalar(static_cast<double>(n.i("ignore_index", 0)), DType::i64);
  const Value safe =
      has_ignore ? ops::where(ops::equal(target, ignore), ops::scalar_like(target, 0), target) : target;
  Value loss = ops::negative(ops::squeeze(ops::take_along_axis(log_prob, ops::expand_dims(safe, 1), 1), {1}));
  Value share;
  if (weight.defined()) {
    n.check(weight.rank() == 1 && weight.dim(0) == classes, "one weight per class is needed.");
    share = ops::take(weight, safe, 0);
  }
  if (has_ignore) {
    const Value keep = ops::cast(ops::not_equal(target, ignore), log_prob.dtype());
    share = share.defined() ? share * keep : keep;
  }
  if (share.defined())
    loss = ops::where(ops::equal(share, ops::scalar_like(share, 0)), ops::scalar_like(loss, 0), loss * share);
  const std::string how = n.s("reduction", "mean");
  n.check(how == "none" || how == "sum" || how == "mean", fmt::format("unknown reduction '{}'.", how));
  if (how == "none") return {loss};
  if (how == "sum") return {ops::sum(loss)};
  return {share.defined() ? ops::sum(loss) / ops::sum(share) : ops::mean(loss)};
}
Operands import_nll(Node& n) { return nll(n, n.in(0), n.in(1), n.in_or(2, {})); }
Operands import_softmax_cross_entropy(Node& n) {
  const Value log_prob = ops::log_softmax(n.in(0), 1);
  Operands out = nll(n, log_prob, n.in(1), n.in_or(2, {}));
  out.push_back(log_prob);
  return out;
}

}  // namespace

OperatorList loss_operators() {
  return {{"NegativeLogLikelihoodLoss", 12, import_nll},
          {"SoftmaxCrossEntropyLoss", 12, import_softmax_cross_entropy}};
}

}  // namespace glia::onnx
