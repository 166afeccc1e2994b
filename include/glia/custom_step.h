// A training step of your own, for what compile's loss cannot say: several losses, several optimizers, adversaries.
//
//   struct Autoencoder : Layer, CustomSteps {
//     ...                                                     // build and call, as in every layer
//     void train_step(Step& s) override {
//       Values z = s.call(s.x);
//       Value loss = ops::mean(ops::square(z[0] - s.x[0]));
//       s.minimize(loss);
//       s.log("loss", loss);
//     }
//   };
//   Model m(LayerRef(std::make_shared<Autoencoder>()));
//   m.compile({.optimizer = "adam"});
//   m.fit(x, x, {.epochs = 3});                               // all of fit: callbacks, validation, History
//
// The step is traced once for each batch shape like every other: gradients, fusion and planning come for free.
#pragma once
#include <string>
#include <vector>

#include <glia/optimizers.h>
#include <glia/value.h>
#include <glia/variable.h>

namespace glia {

class Trainer;

// The mean over an epoch of a scalar, shown under this name beside loss and metrics (val_... on validation data). From
// inside a layer's call, or a step. A name may be given once per step.
void add_metric(const Value& scalar, const std::string& name);

// What a step sees: the batch, and the pieces of the usual step.
class Step {
 public:
  Values x, y, sample_weight;
  bool training = true;

  Values call(const Values& inputs);  // the model, in training mode in a training step
  // What compile() asked for: losses of all outputs with their weights, regularizers, add_loss. Also logs "loss".
  Value compute_loss(const Values& y_true, const Values& y_pred);
  void update_metrics(const Values& y_true, const Values& y_pred);  // compile's metrics
  // One update of the compiled optimizer on all trainable weights; or of an optimizer of your own on the weights given.
  void minimize(const Value& loss);
  void minimize(const Value& loss, const Optimizer& optimizer, const std::vector<Variable>& weights);
  // The two halves of minimize, for changing gradients on the way.
  Values gradients(const Value& loss, const std::vector<Variable>& weights);
  void apply_gradients(const Values& gradients, const std::vector<Variable>& weights);
  void log(const std::string& name, const Value& scalar) { add_metric(scalar, name); }

 private:
  friend class Trainer;
  Step(Trainer& trainer, int64_t batch) : trainer_(trainer), batch_(batch) {}
  Trainer& trainer_;
  int64_t batch_;
};

// A layer that also derives from this gives the model made of it its own steps; either may be left as it is.
class CustomSteps {
 public:
  virtual ~CustomSteps() = default;
  virtual void train_step(Step& step);  // call, compute_loss, minimize, update_metrics
  virtual void test_step(Step& step);   // call, compute_loss, update_metrics
};

}  // namespace glia
