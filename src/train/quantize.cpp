#include <glia/model.h>

#include <regex>
#include <set>

#include "base/error.h"
#include "nn/layers/quantized.h"
#include "train/trainer.h"

namespace glia {
namespace {

std::vector<std::regex> compiled_filters(const Strings& filters) {
  std::vector<std::regex> r;
  for (const std::string& f : filters) {
    try {
      r.emplace_back(f);
    } catch (const std::regex_error& e) {
      throw_error("quantize: the filter '{}' is no regular expression ({}).", f, e.what());
    }
  }
  return r;
}

void collect(const LayerRef& layer, std::set<const Layer*>& seen, std::vector<nn::Quantizable*>& found) {
  if (!seen.insert(layer.ptr().get()).second) return;
  if (auto* q = dynamic_cast<nn::Quantizable*>(layer.ptr().get())) found.push_back(q);
  for (const LayerRef& inner : layer->sublayers()) collect(inner, seen, found);
}

}  // namespace

int64_t Model::quantize(const std::string& mode, const QuantizeOptions& options) {
  GLIA_CHECK(mode == "int8", "quantize: expected mode \"int8\". Received \"{}\".", mode);
  const std::vector<std::regex> filters = compiled_filters(options.filters);
  std::set<const Layer*> seen;
  std::vector<nn::Quantizable*> layers;
  collect(*this, seen, layers);
  auto config = std::make_shared<nn::Int8QuantizationConfig>();
  if (!options.activations) config->activations.reset();
  int64_t count = 0;
  for (nn::Quantizable* layer : layers) {
    const bool wanted = filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const std::regex& f) {
      return std::regex_search(layer->name(), f);
    });
    if (!wanted) continue;
    layer->quantize(config);
    ++count;
  }
  // Steps that were compiled hold the weights' old memory.
  if (trainer_ && trainer_->compiled()) trainer_->compile(CompileOptions(trainer_->options()));
  else if (trainer_) trainer_ = std::make_shared<Trainer>(*this);
  return count;
}

}  // namespace glia
