#include <glia/custom_step.h>
#include <glia/layer.h>

#include "base/error.h"
#include "nn/trace.h"
#include "train/trainer.h"

namespace glia {

void add_metric(const Value& scalar, const std::string& name) {
  GLIA_CHECK(scalar.defined() && scalar.rank() == 0, "add_metric('{}'): expected a scalar. Received {}; reduce it first, e.g. with ops::mean.",
             name, scalar.defined() ? to_string(scalar.type()) : "nothing");
  if (Trace* t = Trace::current()) t->metrics.emplace_back(name, scalar);
}

Values Step::call(const Values& inputs) { return trainer_.root()->apply(inputs); }

Value Step::compute_loss(const Values& y_true, const Values& y_pred) {
  trainer_.resolve(y_true, y_pred);
  return trainer_.trace_loss(*Trace::current(), y_true, y_pred, sample_weight, batch_);
}

void Step::update_metrics(const Values& y_true, const Values& y_pred) {
  trainer_.resolve(y_true, y_pred);
  trainer_.trace_metrics(y_true, y_pred, sample_weight);
}

void Step::minimize(const Value& loss) { minimize(loss, trainer_.optimizer(), trainer_.root()->trainable_weights()); }

void Step::minimize(const Value& loss, const Optimizer& optimizer, const std::vector<Variable>& weights) {
  GLIA_CHECK(training, "minimize: called in a test step, which must not change weights. Do it in train_step.");
  trainer_.trace_update(*Trace::current(), loss, optimizer, weights);
}

Values Step::gradients(const Value& loss, const std::vector<Variable>& weights) {
  return trainer_.trace_gradients(*Trace::current(), loss, weights);
}

void Step::apply_gradients(const Values& gradients, const std::vector<Variable>& weights) {
  GLIA_CHECK(training, "apply_gradients: called in a test step, which must not change weights. Do it in train_step.");
  GLIA_CHECK(gradients.size() == weights.size(), "apply_gradients: {} gradients for {} weights.", gradients.size(), weights.size());
  trainer_.optimizer()->build(trainer_.root()->trainable_weights());
  trainer_.optimizer()->apply(gradients, weights);
}

void CustomSteps::train_step(Step& s) {
  Values pred = s.call(s.x);
  s.minimize(s.compute_loss(s.y, pred));
  s.update_metrics(s.y, pred);
}

void CustomSteps::test_step(Step& s) {
  Values pred = s.call(s.x);
  s.compute_loss(s.y, pred);
  s.update_metrics(s.y, pred);
}

}  // namespace glia
