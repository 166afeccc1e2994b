// Bindings of the functions that change shape or move elements.
#include <glia/ops.h>

#include "cli/parity/op_tables.h"

namespace glia::parity {

void add_shape_ops(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"reshape", "x newshape", [](OpCall& c) { return Values{ops::reshape(c.value("x"), c.integers("newshape"))}; }},
      {"ravel", "x", [](OpCall& c) { return Values{ops::reshape(c.value("x"), {-1})}; }},
      {"broadcast_to", "x shape", [](OpCall& c) { return Values{ops::broadcast_to(c.value("x"), c.integers("shape"))}; }},
      {"expand_dims", "x axis",
       [](OpCall& c) {
         Value x = c.value("x");
         for (int64_t axis : c.integers("axis")) x = ops::expand_dims(x, axis);
         return Values{x};
       }},
      {"squeeze", "x axis", [](OpCall& c) { return Values{ops::squeeze(c.value("x"), c.integers("axis"))}; }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::parity
