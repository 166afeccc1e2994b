#include "nn/losses/reduce.h"

#include "base/error.h"

namespace glia::nn {

void squeeze_or_expand(Value& a, Value& b) {
  auto meet = [](Value& longer, Value& shorter) {
    if (longer.dim(-1) != 1) return;
    if (shorter.rank() == 1) shorter = ops::expand_dims(shorter, -1);
    else longer = ops::squeeze(longer, {-1});
  };
  if (a.rank() == b.rank() + 1) meet(a, b);
  else if (b.rank() == a.rank() + 1) meet(b, a);
}

Value divide_no_nan(const Value& a, const Value& b) {
  Value zero = ops::equal(b, ops::scalar_like(b, 0));
  return ops::where(zero, ops::scalar_like(a, 0), a / ops::where(zero, ops::scalar_like(b, 1), b));
}

Value apply_mask(const Value& sample_weight, const Value& mask, DType dtype, const std::string& reduction) {
  if (!mask.defined()) return sample_weight;
  Value m = ops::cast(mask, dtype);
  if (reduction == "mean" || reduction == "sum_over_batch_size") {
    Value total = ops::scalar_like(m, static_cast<double>(num_elements(mask.shape())));
    m = m * divide_no_nan(total, ops::sum(m));
  }
  if (!sample_weight.defined()) return m;
  Value w = ops::cast(sample_weight, dtype);
  squeeze_or_expand(m, w);
  return w * m;
}

namespace {
bool broadcasts(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t a = from[from.size() - 1 - i], b = to[to.size() - 1 - i];
    if (a != b && a != 1) return false;
  }
  return true;
}
}  // namespace

Value reduce_weighted(const Value& given, Value weight, const Value& mask, const std::string& reduction) {
  Value values = given;
  weight = apply_mask(weight, mask, values.dtype(), reduction);
  if (weight.defined()) {
    weight = ops::cast(weight, values.dtype());
    squeeze_or_expand(values, weight);
    GLIA_CHECK(broadcasts(weight.shape(), values.shape()) || broadcasts(values.shape(), weight.shape()),
               "sample_weight of shape {} does not fit a loss of shape {} per sample. Give it one axis of 1 per missing axis, e.g. "
               "(batch, 1).",
               to_string(weight.shape()), to_string(values.shape()));
    values = values * weight;
  }
  if (reduction == "none" || values.shape().empty() || values.shape() == Shape{0}) return values;
  Value total = ops::sum(values);
  if (reduction == "sum") return total;
  if (reduction == "mean_with_sample_weight" && weight.defined()) return divide_no_nan(total, ops::sum(weight));
  int64_t n = num_elements(values.shape());
  return n ? total / static_cast<double>(n) : total;
}

}  // namespace glia::nn
