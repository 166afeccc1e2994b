// Ops that move elements, gather and scatter, sort, and run along an axis.
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

GLIA_SAMPLES(moves) {
  list.add("transpose", {{"axes", Ints{1, 0}}}, {numbers({3, 5})});
  list.add("transpose", {{"axes", Ints{0, 2, 3, 1}}}, {numbers({2, 5, 7, 3})});
  list.add("transpose", {{"axes", Ints{2, 1, 0}}}, {numbers({40, 3, 70})});
  list.add("slice", {{"starts", Ints{1, 0}}, {"stops", Ints{3, INT64_MAX}}, {"steps", Ints{1, 2}}},
           {numbers({4, 7})});
  list.add("slice", {{"starts", Ints{-1, 5}}, {"stops", Ints{INT64_MAX, 0}}, {"steps", Ints{-1, -2}}},
           {numbers({4, 7})});
  list.add("slice", {{"starts", Ints{4}}, {"stops", Ints{2}}, {"steps", Ints{1}}}, {numbers({7})}).gradient =
      false;  // empty
  list.add("pad", {{"low", Ints{1, 0}}, {"high", Ints{0, 2}}, {"interior", Ints{0, 0}}, {"value", 3.0}},
           {numbers({2, 3})});
  list.add("pad", {{"low", Ints{0, 2}}, {"high", Ints{1, 0}}, {"interior", Ints{2, 1}}}, {numbers({3, 4})});
  list.add("concatenate", {}, {numbers({2, 3}), numbers({2, 1}, -1, 1, 2), numbers({2, 4}, -1, 1, 3)});
  list.add("concatenate", {{"axis", int64_t{0}}}, {numbers({2, 3}), numbers({0, 3}), numbers({1, 3}, -1, 1, 3)});
  list.refuse("transpose", {{"axes", Ints{0, 0}}}, {{DType::f32, {2, 3}}},
              "transpose: axes must be a permutation of 0 to 1. Received [0, 0] for float32 (2, 3).");
  list.refuse("slice", {{"starts", Ints{0}}, {"stops", Ints{1}}, {"steps", Ints{0}}}, {{DType::f32, {3}}},
              "slice: a step is 0.");
  list.refuse("concatenate", {}, {{DType::f32, {2, 3}}, {DType::f32, {3, 3}}},
              "concatenate: shapes must agree except along axis 1. Received float32 (2, 3) and float32 (3, 3).");
}

GLIA_SAMPLES(gathers) {
  list.add("take", {}, {numbers({6, 5}), integers({2, 3}, -6, 5)});
  list.add("take", {{"axis", int64_t{1}}}, {numbers({3, 4, 5}), integers({7}, 0, 3, DType::i64)});
  list.add("segment_sum", {{"num_segments", int64_t{5}}}, {numbers({8, 3}), integers({8}, 0, 4)});
  list.add("segment_sum", {{"num_segments", int64_t{9}}}, {numbers({40, 300}), integers({40}, 0, 8)});
  list.add("take_along_axis", {}, {numbers({4, 5}), integers({4, 3}, 0, 4)});
  list.add("take_along_axis", {{"axis", int64_t{0}}}, {numbers({4, 5}), integers({2, 5}, 0, 3)});
  list.add("add_along_axis", {{"n", int64_t{6}}}, {numbers({4, 3}), integers({4, 3}, 0, 5)});
  list.refuse("take", {}, {{DType::f32, {3}}, {DType::f32, {2}}},
              "take: indices must be int32 or int64. Received float32 (2,).");
}

GLIA_SAMPLES(orders) {
  list.add("argsort", {}, {numbers({4, 9})});
  list.add("argsort", {{"axis", int64_t{0}}, {"descending", true}}, {numbers({9, 4})});
  list.add("top_k", {{"k", int64_t{3}}}, {numbers({4, 9})});
  list.add("argmax", {}, {numbers({4, 30})});
  list.add("argmin", {{"axis", int64_t{0}}, {"keepdims", true}}, {numbers({30, 4})});
  list.add("reduce_mean", {}, {numbers({3, 5})});
  list.add("reduce_mean", {{"axes", Ints{0, 2}}, {"keepdims", true}}, {numbers({4, 3, 6})});
  for (const char* op : {"cumsum", "cumprod"})
    for (bool exclusive : {false, true})
      for (bool reverse : {false, true})
        list.add(op, {{"axis", int64_t{1}}, {"exclusive", exclusive}, {"reverse", reverse}},
                 {numbers({3, 4, 5}, 0.5, 1.5)});
  list.refuse("top_k", {{"k", int64_t{4}}}, {{DType::f32, {2, 3}}},
              "top_k: k must lie between 0 and the last axis of float32 (2, 3). Received 4.");
  list.refuse("argmax", {}, {{DType::f32, {2, 0}}}, "argmax: axis 1 of float32 (2, 0) is empty.");
}
