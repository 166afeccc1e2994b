// SwapEMAWeights.
#include <glia/callbacks.h>
#include <glia/model.h>
#include <glia/optimizers.h>

#include "base/error.h"

namespace glia::callbacks {
namespace {

class SwapEMAWeightsCallback : public Callback {
 public:
  explicit SwapEMAWeightsCallback(bool swap_on_epoch) : swap_on_epoch_(swap_on_epoch) {}

  void on_epoch_begin(int, Logs&) override {
    if (swap_on_epoch_ && averages_in_model_) swap();
  }
  void on_epoch_end(int epoch, Logs&) override {
    if (!swap_on_epoch_ || averages_in_model_) return;
    swap();
    // When fit() ends, the weights become what the optimizer holds as averages: let these be the averages again.
    if (epoch == params().epochs - 1)
      for_each([](const Tensor& weight, const Tensor& average) { average.copy_from(weight); });
  }
  void on_test_begin(Logs&) override { show(true); }
  void on_test_end(Logs&) override { show(false); }
  void on_predict_begin(Logs&) override { show(true); }
  void on_predict_end(Logs&) override { show(false); }

 private:
  void show(bool averages) {
    if (averages_in_model_ != averages) swap();
  }
  void swap() {
    for_each([](const Tensor& weight, const Tensor& average) {
      const Tensor kept = weight.clone();
      weight.copy_from(average);
      average.copy_from(kept);
    });
    averages_in_model_ = !averages_in_model_;
  }
  template <class F>
  void for_each(F f) const {
    const Optimizer& chosen = model().optimizer();
    GLIA_CHECK(chosen, "SwapEMAWeights: the model has no optimizer. Compile it first.");
    OptimizerBase* optimizer = chosen->wrapped_optimizer() ? chosen->wrapped_optimizer() : &*chosen;
    GLIA_CHECK(optimizer->common.use_ema, "SwapEMAWeights: the optimizer keeps no averages. Give it .use_ema = true.");
    const std::vector<Variable> weights = model()->trainable_weights();
    if (!optimizer->built()) optimizer->build(weights);
    std::vector<Variable> averages;
    const std::string suffix = "_average";
    for (const Variable& v : optimizer->variables())
      if (v.path().size() > suffix.size() && v.path().compare(v.path().size() - suffix.size(), suffix.size(), suffix) == 0) averages.push_back(v);
    GLIA_CHECK(averages.size() == weights.size(), "SwapEMAWeights: {} averages for {} weights. Were layers frozen after compile()?", averages.size(),
               weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) f(weights[i].tensor(), averages[i].tensor());
  }

  bool swap_on_epoch_, averages_in_model_ = false;
};

}  // namespace

CallbackRef SwapEMAWeights(bool swap_on_epoch) { return std::make_shared<SwapEMAWeightsCallback>(swap_on_epoch); }

}  // namespace glia::callbacks
