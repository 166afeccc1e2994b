#include <glia/layers/text.h>
#include <glia/predict_text.h>

#include "base/error.h"
#include "ir/graph.h"
#include "nn/layer_call.h"
#include "nn/layers/text.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia {
namespace {

// The layer whose call makes an output, also inside of models; null for an op.
std::shared_ptr<Layer> maker_of(std::shared_ptr<Layer> layer, std::size_t output) {
  if (auto* s = dynamic_cast<SequentialLayer*>(layer.get())) return s->layers().empty() ? nullptr : maker_of(s->layers().back().ptr(), output);
  auto* f = dynamic_cast<FunctionalLayer*>(layer.get());
  if (!f) return layer;
  GLIA_CHECK(output < f->output_refs().size(), "predict_text: {} has {} outputs. Received output {}.", layer->name(), f->output_refs().size(), output);
  const ir::Ref made = f->output_refs()[output];
  auto* call = dynamic_cast<LayerCall*>(f->graph().nodes[static_cast<std::size_t>(made.node)].callee.get());
  return call ? maker_of(call->layer, static_cast<std::size_t>(made.output)) : nullptr;
}

}  // namespace

StringTensor predict_text(Model& model, const Data& x, std::size_t output, const PredictOptions& options) {
  const auto lookup = std::dynamic_pointer_cast<nn::StringLookup>(maker_of(model.ptr(), output));
  GLIA_CHECK(lookup && lookup->o.invert, "predict_text: output {} of {} does not come from a StringLookup with invert = true. Use predict.", output,
             model.name());
  return decode(LayerRef(lookup), model.predict_all(x, options).at(output));
}

}  // namespace glia
