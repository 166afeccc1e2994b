// Reverse-mode differentiation, Graph -> Graph: gradients are nodes of the same graph, so they are optimised, planned,
// printed and differentiated again like any others.
//
//   Values g = gradients({loss}, {}, {w, b});   // d loss / d w, d loss / d b
#pragma once
#include "ir/graph.h"

namespace glia::autodiff {

// Gradient of sum_i <seeds[i], outputs[i]> with respect to each of `wrt` (values of the same graph). An empty `seeds`
// means ones. Where no path leads from wrt to the outputs the gradient is zeros.
Values gradients(const Values& outputs, const Values& seeds, const Values& wrt);

}  // namespace glia::autodiff
