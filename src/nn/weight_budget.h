// While one lives, layers may create weights of that many bytes in all, and leave them zero: a file is being loaded, whose
// numbers follow, and whose architecture may claim more than it has numbers for.
//
//   WeightBudget budget(file_bytes, "model.keras");
//   LayerRef model = model_from_config(spec);      // Error when its layers ask for more
#pragma once
#include <cstdint>
#include <string>

#include <glia/tensor.h>

namespace glia {

class WeightBudget {
 public:
  WeightBudget(uint64_t bytes, std::string source);
  ~WeightBudget();
  WeightBudget(const WeightBudget&) = delete;
  WeightBudget& operator=(const WeightBudget&) = delete;
  static WeightBudget* current();
  void charge(const std::string& layer, const std::string& weight, const Shape& shape, DType dtype);

 private:
  uint64_t left_;
  std::string source_;
  WeightBudget* previous_;
};

}  // namespace glia
