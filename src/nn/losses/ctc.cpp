#include <glia/losses.h>
#include <glia/ops.h>

#include <cmath>

#include "base/error.h"

namespace glia {
namespace {

constexpr double kNever = -1e30;  // log of zero that stays finite in differences

// Connectionist temporal classification (Graves et al. 2006), class 0 blank: the forward recursion in log space over the
// labels with blanks between them, unrolled over time; its gradient comes from the ops.
struct CTCLoss final : LossBase {
  explicit CTCLoss(losses::CTCOptions o) : LossBase(std::move(o.name), std::move(o.reduction)) {}
  std::string class_name() const override { return "CTC"; }

  // -1 shifts right by one: result[:, s] = a[:, s - by], kNever where s < by.
  static Value shifted(const Value& a, int64_t by) {
    int64_t rows = a.dim(0), n = a.dim(1);
    if (by >= n) return ops::broadcast_to(ops::scalar_like(a, kNever), a.shape());
    Value head = ops::broadcast_to(ops::scalar_like(a, kNever), {rows, by});
    return ops::concatenate({head, ops::slice(a, {0, 0}, {rows, n - by})}, 1);
  }

  Value call(const Value& y_true, const Value& p) override {
    GLIA_CHECK(y_true.rank() == 2, "CTC: expected y_true of shape (batch, max_length) with integer labels. Received {}.",
               to_string(y_true.shape()));
    GLIA_CHECK(p.rank() == 3, "CTC: expected logits y_pred of shape (batch, time, classes). Received {}.", to_string(p.shape()));
    int64_t batch = p.dim(0), time = p.dim(1), labels = y_true.dim(1), states = 2 * labels + 1;
    Value y = ops::cast(y_true, DType::i32);
    Value zero = ops::scalar_like(y, 0);
    Value length = ops::sum(ops::cast(ops::not_equal(y, zero), DType::i32), {1}, true);  // (batch, 1)
    Value blanks = ops::broadcast_to(zero, y.shape());
    Value pairs = ops::reshape(ops::stack({blanks, y}, 2), {batch, 2 * labels});
    Value extended = ops::concatenate({pairs, ops::slice(blanks, {0, 0}, {batch, 1})}, 1);  // blank, y1, blank, y2, ...
    // A label may be reached from the label before it unless both are the same.
    Value before = states > 2 ? ops::concatenate({ops::broadcast_to(zero, {batch, 2}), ops::slice(extended, {0, 0}, {batch, states - 2})}, 1)
                              : ops::broadcast_to(zero, extended.shape());
    Value may_skip = ops::logical_and(ops::not_equal(extended, zero), ops::not_equal(extended, before));
    Value log_p = ops::log_softmax(p, -1);
    Value index = ops::broadcast_to(ops::expand_dims(extended, 1), {batch, time, states});
    Value emission = ops::take_along_axis(log_p, index, 2);
    auto at = [&](int64_t t) { return ops::reshape(ops::slice(emission, {0, t, 0}, {batch, 1, states}), {batch, states}); };

    Value position = ops::constant(Tensor::zeros({1, states}, DType::i32));
    for (int64_t s = 0; s < states; ++s) position.tensor().set_item(s, static_cast<double>(s));
    Value never = ops::scalar_like(p, kNever);
    Value alpha = ops::where(ops::less(position, ops::scalar_like(position, 2)), at(0), never);
    for (int64_t t = 1; t < time; ++t) {
      Value jump = ops::where(may_skip, shifted(alpha, 2), never);
      alpha = ops::logaddexp(ops::logaddexp(alpha, shifted(alpha, 1)), jump) + at(t);
    }
    Value last = 2.0 * ops::cast(length, DType::f32);
    Value pos = ops::cast(position, DType::f32);
    Value final_states = ops::logical_or(ops::equal(pos, last), ops::equal(pos, last - 1.0));
    return -ops::logsumexp(ops::where(final_states, alpha, never), {1});
  }
};

}  // namespace

Loss losses::CTC(CTCOptions o) { return std::make_shared<CTCLoss>(std::move(o)); }

}  // namespace glia
