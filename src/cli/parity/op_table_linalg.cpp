// Bindings of products and linear algebra.
#include <glia/ops.h>

#include "cli/parity/op_tables.h"

namespace glia::parity {

void add_linalg_ops(std::vector<OpBinding>& list) {
  list.push_back({"matmul", "x1 x2", [](OpCall& c) { return Values{ops::matmul(c.value("x1"), c.value("x2"))}; }});
}

}  // namespace glia::parity
