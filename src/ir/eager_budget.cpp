#include "ir/eager_budget.h"

#include "base/error.h"

namespace glia::ir {

thread_local EagerBudget* EagerBudget::current_ = nullptr;

void EagerBudget::charge(const std::vector<TensorType>& results) {
  for (const TensorType& t : results) {
    uint64_t bytes = dtype_size(t.dtype);
    bool fits = true;
    for (int64_t d : t.shape) fits = fits && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(d), &bytes);
    GLIA_CHECK(fits && bytes <= left_, "a constant of shape {} would be computed here, which is too large for a file of this size.",
               glia::to_string(t.shape));
    left_ -= bytes;
  }
}

}  // namespace glia::ir
