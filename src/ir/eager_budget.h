// While one lives, ops on concrete tensors may make results of that many bytes in all on this thread: a file is being read whose
// constants are computed as they are met, and whose numbers may ask for more memory than the file has any right to.
//
//   EagerBudget budget(64 << 20);
//   Value y = ops::matmul(column, row);     // Error when y would go beyond
#pragma once
#include <cstdint>
#include <vector>

#include <glia/value.h>

namespace glia::ir {

class EagerBudget {
 public:
  explicit EagerBudget(uint64_t bytes) : left_(bytes), previous_(current_) { current_ = this; }
  ~EagerBudget() { current_ = previous_; }
  EagerBudget(const EagerBudget&) = delete;
  EagerBudget& operator=(const EagerBudget&) = delete;
  static EagerBudget* current() { return current_; }
  void charge(const std::vector<TensorType>& results);

 private:
  uint64_t left_;
  EagerBudget* previous_;
  static thread_local EagerBudget* current_;
};

}  // namespace glia::ir
