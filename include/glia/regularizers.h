// Regularizers: scalar terms added to the loss, for weights (kernel_regularizer) or outputs (activity_regularizer).
//
//   layers::Dense(64, {.kernel_regularizer = regularizers::L2(1e-4)});
#pragma once
#include <string>

#include <glia/variable.h>

namespace glia::regularizers {

Regularizer L1(double l1 = 0.01);                    // l1 * sum |x|
Regularizer L2(double l2 = 0.01);                    // l2 * sum x^2
Regularizer L1L2(double l1 = 0.0, double l2 = 0.0);
// factor times the sum of squared cosines between different rows (or columns) of a matrix, halved and averaged.
Regularizer OrthogonalRegularizer(double factor = 0.01, std::string mode = "rows");

}  // namespace glia::regularizers
