// Views, broadcasts and matrix products.
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

GLIA_SAMPLES(views) {
  list.add("reshape", {{"shape", Ints{6, -1}}}, {numbers({3, 4, 5})});
  list.add("reshape", {{"shape", Ints{}}}, {numbers({1, 1})});
  list.add("broadcast_to", {{"shape", Ints{4, 3, 5}}}, {numbers({3, 1})});
  list.add("broadcast_to", {{"shape", Ints{2, 300}}}, {numbers({300})});
  list.add("broadcast_to", {{"shape", Ints{3}}}, {numbers({})});
  list.refuse("reshape", {{"shape", Ints{5, 5}}}, {{DType::f32, {2, 3}}}, "reshape: cannot reshape (2, 3) (6 elements) into (5, 5).");
  list.refuse("reshape", {{"shape", Ints{-1, -1}}}, {{DType::f32, {2, 3}}}, "reshape: only one extent may be -1. Received (None, None).");
  list.refuse("broadcast_to", {{"shape", Ints{4}}}, {{DType::f32, {3}}}, "broadcast_to: shapes (3,) and (4,) cannot be broadcast together.");
}

GLIA_SAMPLES(reductions) {
  for (const char* op : {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod"}) {
    list.add(op, {}, {numbers({3, 5}, 0.4, 1.6)});
    list.add(op, {{"axes", Ints{0}}}, {numbers({70, 33}, 0.4, 1.4)});
    list.add(op, {{"axes", Ints{-1}}, {"keepdims", true}}, {numbers({4, 3, 50}, 0.4, 1.4)});
    list.add(op, {{"axes", Ints{0, 2}}}, {numbers({4, 3, 6}, 0.4, 1.6)});
    list.add(op, {{"axes", Ints{1}}}, {numbers({2, 7, 3, 4}, 0.4, 1.6)});
  }
  for (const char* op : {"reduce_any", "reduce_all"}) list.add(op, {{"axes", Ints{1}}}, {bools({5, 3})});
  list.refuse("reduce_sum", {{"axes", Ints{2}}}, {{DType::f32, {2, 3}}}, "reduce_sum: axis 2 is out of range for rank 2.");
  list.refuse("reduce_sum", {{"axes", Ints{1, -1}}}, {{DType::f32, {2, 3}}}, "reduce_sum: an axis is named twice in [1, -1].");
}

GLIA_SAMPLES(products) {
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      auto shape = [](bool t, int64_t a, int64_t b) { return t ? Shape{b, a} : Shape{a, b}; };
      ir::Attrs attrs{{"transpose_a", ta}, {"transpose_b", tb}};
      list.add("matmul", attrs, {numbers(shape(ta, 5, 7)), numbers(shape(tb, 7, 3), -1, 1, 2)});
      list.add("matmul", attrs, {numbers(shape(ta, 33, 65)), numbers(shape(tb, 65, 40), -1, 1, 2)});
    }
  list.add("matmul", {}, {numbers({2, 3, 4, 5}), numbers({3, 5, 6}, -1, 1, 2)});
  list.refuse("matmul", {}, {{DType::f32, {2, 3}}, {DType::f32, {4, 5}}}, "matmul: the inner extents differ: 3 of (2, 3) and 4 of (4, 5).");
}
