#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

GLIA_SAMPLES(random_draws) {
  const Tensor seed = Tensor::from_vector<int64_t>({2}, {1337, 5});
  for (const char* op : {"random_uniform", "random_normal", "random_truncated_normal"}) {
    // f32 and f64 draws are different numbers of one distribution, except where f64 takes f32's draws.
    const double tolerance = std::string(op) == "random_uniform" ? 2 : 2e-5;
    list.add(op, {{"shape", Ints{3, 5}}, {"stream", int64_t{2}}}, {seed}).tolerance = tolerance;
    list.add(op, {{"shape", Ints{7001}}, {"a", -1.0}, {"b", 2.0}}, {seed}).tolerance = tolerance;
  }
  list.add("random_uniform", {{"shape", Ints{100}}, {"a", -3.0}, {"b", 9.0}, {"dtype", std::string("int32")}},
           {seed});
  list.add("dropout", {{"rate", 0.3}}, {numbers({40, 33}), seed});
  list.add("dropout", {{"rate", 0.5}, {"stream", int64_t{4}}}, {numbers({3}), seed});
  list.refuse("dropout", {{"rate", 1.5}}, {{DType::f32, {3}}, {DType::i64, {2}}},
              "dropout: the rate must lie in [0, 1). Received 1.5.");
  list.refuse("random_normal", {{"shape", Ints{3}}}, {{DType::i32, {2}}},
              "random_normal: the seed must be int64 (2,), {seed, step}. Received int32 (2,).");
}
