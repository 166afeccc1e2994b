// Bindings of the activation functions.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {
template <Value (*F)(const Value&)>
Values unary(OpCall& c) {
  return {F(c.value("x"))};
}
}  // namespace

void add_activation_ops(std::vector<OpBinding>& list) {
  using namespace ops;
  const OpBinding rows[] = {
      {"relu6", "x", unary<relu6>},
      {"selu", "x", unary<selu>},
      {"softsign", "x", unary<softsign>},
      {"hard_sigmoid", "x", unary<hard_sigmoid>},
      {"hard_silu", "x", unary<hard_silu>},
      {"hard_swish", "x", unary<hard_swish>},
      {"hard_tanh", "x", unary<hard_tanh>},
      {"tanh_shrink", "x", unary<tanh_shrink>},
      {"sparse_plus", "x", unary<sparse_plus>},
      {"sparse_sigmoid", "x", unary<sparse_sigmoid>},
      {"leaky_relu", "x negative_slope", [](OpCall& c) { return Values{leaky_relu(c.value("x"), c.number("negative_slope", 0.2))}; }},
      {"elu", "x alpha", [](OpCall& c) { return Values{elu(c.value("x"), c.number("alpha", 1))}; }},
      {"celu", "x alpha", [](OpCall& c) { return Values{celu(c.value("x"), c.number("alpha", 1))}; }},
      {"hard_shrink", "x threshold", [](OpCall& c) { return Values{hard_shrink(c.value("x"), c.number("threshold", 0.5))}; }},
      {"soft_shrink", "x threshold", [](OpCall& c) { return Values{soft_shrink(c.value("x"), c.number("threshold", 0.5))}; }},
      {"threshold", "x threshold default_value",
       [](OpCall& c) { return Values{threshold(c.value("x"), c.number("threshold"), c.number("default_value"))}; }},
      {"squareplus", "x b", [](OpCall& c) { return Values{squareplus(c.value("x"), c.number("b", 4))}; }},
      {"glu", "x axis", [](OpCall& c) { return Values{glu(c.value("x"), c.integer("axis", -1))}; }},
      {"sparsemax", "x axis", [](OpCall& c) { return Values{sparsemax(c.value("x"), c.integer("axis", -1))}; }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::keras_ops
