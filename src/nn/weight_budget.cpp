#include "nn/weight_budget.h"

#include "base/error.h"

namespace glia {

static thread_local WeightBudget* current_budget = nullptr;

WeightBudget::WeightBudget(uint64_t bytes, std::string source) : left_(bytes), source_(std::move(source)), previous_(current_budget) {
  current_budget = this;
}
WeightBudget::~WeightBudget() { current_budget = previous_; }
WeightBudget* WeightBudget::current() { return current_budget; }

void WeightBudget::charge(const std::string& layer, const std::string& weight, const Shape& shape, DType dtype) {
  uint64_t bytes = dtype_size(dtype);
  bool fits = true;
  for (int64_t d : shape) fits = fits && !__builtin_mul_overflow(bytes, static_cast<uint64_t>(d), &bytes);
  GLIA_CHECK(fits && bytes <= left_, "{}: {}: the weight '{}' would have shape {}, but the file has no numbers for so many.", source_, layer,
             weight, to_string(shape));
  left_ -= bytes;
}

}  // namespace glia
