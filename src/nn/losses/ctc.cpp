#include <glia/losses.h>
#include <glia/ops.h>

#include "base/error.h"

namespace glia {
namespace {

// Connectionist temporal classification, class 0 blank; labels of 0 end a target.
struct CTCLoss final : LossBase {
  explicit CTCLoss(losses::CTCOptions o) : LossBase(std::move(o.name), std::move(o.reduction)) {}
  std::string class_name() const override { return "CTC"; }

  Value call(const Value& y_true, const Value& p) override {
    GLIA_CHECK(y_true.rank() == 2, "CTC: expected y_true of shape (batch, max_length) with integer labels. Received {}.",
               to_string(y_true.shape()));
    GLIA_CHECK(p.rank() == 3, "CTC: expected logits y_pred of shape (batch, time, classes). Received {}.", to_string(p.shape()));
    Value y = ops::cast(y_true, DType::i32);
    Value labels = ops::sum(ops::cast(ops::not_equal(y, ops::scalar_like(y, 0)), DType::i32), {1});
    return ops::ctc_loss(y, p, labels, ops::full({p.dim(0)}, static_cast<double>(p.dim(1)), DType::i32));
  }
};

}  // namespace

Loss losses::CTC(CTCOptions o) { return std::make_shared<CTCLoss>(std::move(o)); }

}  // namespace glia
