// A layer call recorded in a functional model's graph. Arguments are the inputs, then their masks, then the values
// among the keyword arguments; results are the outputs, then the masks that they carry.
#pragma once
#include <glia/layer.h>

#include "ir/graph.h"

namespace glia {

struct LayerCall : ir::Callable {
  std::shared_ptr<Layer> layer;
  CallOptions options;  // flags; values in it are placeholders filled from the arguments
  size_t num_inputs = 0, num_states = 0;
  std::vector<bool> input_has_mask, option_masks, output_has_mask;
  bool has_mask_option = false, has_attention_mask = false;

  std::string call_name() const override { return layer->name(); }
  Values call_traced(const Values& args) override;
  Values run(const Values& args);  // the outputs, masks attached
};

}  // namespace glia
