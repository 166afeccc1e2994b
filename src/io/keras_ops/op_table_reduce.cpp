// Bindings of the reductions.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

using Reduce = Value (*)(const Value&, std::vector<int64_t>, bool);

template <Reduce F>
Values reduce(OpCall& c) {
  return {c.reduced(F)};
}

template <Reduce F, Value (*Pair)(const Value&, const Value&)>
Values extreme(OpCall& c) {
  Value y = c.reduced(F);
  return {c.has("initial") ? Pair(y, ops::scalar_like(y, c.number("initial"))) : y};
}

}  // namespace

void add_reduce_ops(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"sum", "x axis keepdims", reduce<sum>},   {"mean", "x axis keepdims", reduce<mean>},
      {"max", "x axis keepdims initial", extreme<max, maximum>},
      {"min", "x axis keepdims initial", extreme<min, minimum>},
      {"prod", "x axis keepdims dtype",
       [](OpCall& c) {  // Keras on TensorFlow does not look at dtype
         c.has("dtype");
         return Values{c.reduced(prod)};
       }},
      {"any", "x axis keepdims", reduce<any>},
      {"all", "x axis keepdims", reduce<all>},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::keras_ops
