// Functions over values: compile, differentiate, to any order.
//
//   auto f = [](const Values& v) { return ops::sum(ops::square(v[0])); };
//   Tensor g = grad(f)({Tensor::from({2}, {1, 2})})[0].tensor();   // 2 x
//   auto h = grad([&](const Values& v) { return ops::sum(grad(f)(v)[0]); });   // second order
#pragma once
#include <functional>

#include <glia/value.h>

namespace glia {

using Function = std::function<Values(const Values&)>;

// Compiled once per combination of argument types; called on symbolic values it is inlined.
Function compile_function(Function f);
// f must return a scalar. The result is f's value followed by its gradient for each argument (zeros for integers).
Function value_and_grad(std::function<Value(const Values&)> f);
Function grad(std::function<Value(const Values&)> f);
// Inside a traced function: gradients of sum(seeds * outputs) for each of wrt; ones where no seeds are given.
Values gradients(const Values& outputs, const Values& wrt, const Values& seeds = {});

}  // namespace glia
