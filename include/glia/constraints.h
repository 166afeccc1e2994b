// Constraints: projections applied to a weight after each update.
//
//   layers::Dense(64, {.kernel_constraint = constraints::MaxNorm(2.0)});
#pragma once
#include <glia/config.h>
#include <glia/variable.h>

namespace glia::constraints {

Constraint MaxNorm(double max_value = 2.0, Ints axis = {0});  // norms over `axis` of at most max_value
Constraint MinMaxNorm(double min_value = 0.0, double max_value = 1.0, double rate = 1.0, Ints axis = {0});
Constraint NonNeg();
Constraint UnitNorm(Ints axis = {0});

}  // namespace glia::constraints
