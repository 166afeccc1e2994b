#include "train/explain_nan.h"

#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace glia {
namespace {

// where: "that batch" or "the data".
void check_finite(const std::vector<Tensor>& arrays, const char* what, const std::string& when, const char* where) {
  for (size_t k = 0; k < arrays.size(); ++k) {
    const Tensor& t = arrays[k];
    if (t.dtype() != DType::f32 && t.dtype() != DType::f64) continue;
    for (int64_t i = 0; i < t.size(); ++i)
      GLIA_CHECK(std::isfinite(t.item(i)), "fit: the loss became NaN in {}: {} {} holds {} at position {} of {}. Clean or replace such values before training.",
                 when, what, k, t.item(i), i, where);
  }
}

}  // namespace

void explain_nan(const FeedBatch& last, int64_t step, int epoch, const FeedBatch* all, bool& told) {
  const std::string batch = fmt::format("epoch {}, batch {}", epoch + 1, step), whole = fmt::format("epoch {}", epoch + 1);
  check_finite(last.x, "input", batch, "that batch");
  check_finite(last.y, "target", batch, "that batch");
  if (all) check_finite(all->x, "input", whole, "the data"), check_finite(all->y, "target", whole, "the data");
  if (std::exchange(told, true)) return;
  log_warning(fmt::format("fit: the loss became NaN in epoch {}. {} Lower the learning rate, clip gradients (.clipnorm = 1 of the optimizer) or scale the inputs; "
                          "callbacks::TerminateOnNaN ends such a training.", epoch + 1, all ? "The data holds no NaN and no infinity." : "The last batch holds no NaN and no infinity."));
}

}  // namespace glia
