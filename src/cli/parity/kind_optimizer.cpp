// kind "optimizer": steps with given gradients; weights after each, the count, and the weights after finalisation.
#include <glia/optimizers.h>

#include "base/error.h"
#include "cli/parity/kinds.h"
#include "cli/parity/objects.h"

namespace glia::parity {

void run_optimizer(const json& line, Check& check) {
  auto optimizer = make_object<OptimizerBase>(line.at("optimizer"));
  std::vector<Variable> weights;
  for (const json& v : line.at("variables")) {
    VariableOptions o;
    o.name = fmt::format("v{}", weights.size());
    weights.emplace_back(to_tensor(v), std::move(o));
  }
  const json &grads = line.at("grads"), &after = line.at("after");
  for (size_t step = 0; step < grads.size(); ++step) {
    Values g;
    for (const json& v : grads[step]) g.push_back(v.is_null() ? Value() : Value(to_tensor(v)));
    optimizer->apply(g, weights);
    for (size_t i = 0; i < weights.size(); ++i)
      check.tensor(fmt::format("after[{}][{}]", step, i), weights[i].tensor(), after[step][i], tolerance(line));
  }
  check.number("iterations_after", static_cast<double>(optimizer->iterations()), to_number(line.at("iterations_after")), {0, 0});
  if (!line.contains("finalized") || line["finalized"].is_null()) return;
  optimizer->finalize_variable_values(weights);
  for (size_t i = 0; i < weights.size(); ++i)
    check.tensor(fmt::format("finalized[{}]", i), weights[i].tensor(), line["finalized"][i], tolerance(line));
}

}  // namespace glia::parity
