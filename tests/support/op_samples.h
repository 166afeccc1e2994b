// Samples of ops for the conformance suite: inputs and attributes only, no expected values. Families of ops keep theirs
// in tests/conformance/*_samples_test.cpp; a meta-test fails for an op without one.
//
//   GLIA_SAMPLES(reduce) {
//     add("reduce_sum", {{"axes", Ints{1}}}, {numbers({3, 4})});
//   }
#pragma once
#include <glia/value.h>

#include <string>
#include <vector>

#include "ir/attrs.h"

namespace glia::testing {

struct OpSample {
  std::string op;
  ir::Attrs attrs;
  std::vector<Tensor> inputs;      // f32 for float inputs; the suite converts them for f64 runs
  double tolerance = 2e-5;         // f32 against f64, relative to the largest element
  bool gradient = true;            // false: not differentiable at this sample, or not meaningfully
};

struct BadSample {                 // must be refused with exactly this message
  std::string op;
  ir::Attrs attrs;
  std::vector<TensorType> inputs;
  std::string message;
};

class SampleList {
 public:
  std::vector<OpSample> good;
  std::vector<BadSample> bad;
  OpSample& add(std::string op, ir::Attrs attrs, std::vector<Tensor> inputs);
  void refuse(std::string op, ir::Attrs attrs, std::vector<TensorType> inputs, std::string message);
};
const SampleList& all_samples();
using SampleFn = void (*)(SampleList&);
bool register_samples(SampleFn fn);

// Values without ties, spread over [low, high], the same on every machine.
Tensor numbers(const Shape& shape, double low = -1.5, double high = 1.5, uint64_t seed = 1);
Tensor integers(const Shape& shape, int64_t low, int64_t high, DType dtype = DType::i32, uint64_t seed = 1);
Tensor bools(const Shape& shape, uint64_t seed = 1);

}  // namespace glia::testing

#define GLIA_SAMPLES(family)                                                                      \
  static void family##_samples(glia::testing::SampleList& list);                                  \
  [[maybe_unused]] static const bool family##_registered = glia::testing::register_samples(family##_samples); \
  static void family##_samples([[maybe_unused]] glia::testing::SampleList& list)
