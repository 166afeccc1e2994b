// Bindings of the reductions.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

using Reduce = Value (*)(const Value&, std::vector<int64_t>, bool);

template <Reduce F>
Values reduce(OpCall& c) {
  return {F(c.value("x"), c.integers("axis"), c.flag("keepdims", false))};
}

}  // namespace

void add_reduce_ops(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"sum", "x axis keepdims", reduce<sum>},   {"mean", "x axis keepdims", reduce<mean>},
      {"max", "x axis keepdims", reduce<max>},
      {"min", "x axis keepdims", reduce<min>},
      {"prod", "x axis keepdims", reduce<prod>}, {"any", "x axis keepdims", reduce<any>},
      {"all", "x axis keepdims", reduce<all>},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::keras_ops
