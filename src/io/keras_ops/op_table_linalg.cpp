// Bindings of products and linear algebra.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {

void add_linalg_ops(std::vector<OpBinding>& list) {
  list.push_back({"matmul", "x1 x2", [](OpCall& c) { return Values{ops::matmul(c.value("x1"), c.value("x2"))}; }});
}

}  // namespace glia::keras_ops
