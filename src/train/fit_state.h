// Where a running fit stands: what a checkpoint has to keep beside the variables, and how a fit is made to go on from
// one.
#pragma once
#include <glia/callback.h>

#include <functional>
#include <vector>

namespace glia {

// The next batch to train on. A pass over the data is longer than an epoch when steps_per_epoch cuts it.
struct FitPosition {
  int epoch = 0;
  int64_t batch = 0;       // of this epoch
  int pass_epoch = 0;      // the epoch in which the pass over the data began, which decides its shuffle order
  int64_t pass_batch = 0;  // batches of that pass done
  bool pass_open = false;  // the pass goes on in this epoch
  uint64_t shuffle_seed = 0;
  bool stop = false;  // a callback has asked to end the training
};

struct FitState {
  FitPosition at;
  std::vector<CallbackRef> callbacks;  // of this fit, in order
  // Set by a callback in on_train_begin, with `at`: puts everything else back. Called when all variables exist.
  std::function<void()> restore;
  // What callbacks ask for here is done when all of them have seen the batch or epoch; then it is forgotten.
  std::vector<std::function<void()>> later;
};

}  // namespace glia
