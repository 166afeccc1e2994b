#include "cli/parity/kinds.h"

#include "base/error.h"

namespace glia::parity {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"layer", run_layer},
      {"op", run_op},
      {"util", run_util},
      {"loss", run_loss},
      {"metric", run_metric},
      {"optimizer", run_optimizer},
      {"schedule", run_schedule},
      {"regularizer", run_regularizer},
      {"constraint", run_constraint},
      {"initializer", run_initializer},
      {"activation", run_activation},
      {"fit", run_fit},
      {"summary", run_summary},
  };
  return all;
}

void run_line(const json& line, Check& check) {
  const std::string name = line.at("kind").get<std::string>();
  for (const Kind& kind : kinds()) {
    if (kind.name != name) continue;
    kind.run(line, check);
    if (check.compared() == 0) check.fail("line", "nothing was compared");
    return;
  }
  throw Unsupported(fmt::format("kind {}", name));
}

}  // namespace glia::parity
