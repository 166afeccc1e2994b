// The callbacks of one fit, evaluate or predict, called in order.
#pragma once
#include <optional>

#include <glia/model.h>

namespace glia {

class CallbackList {
 public:
  // Without params the callbacks keep those they have: validation inside of fit.
  CallbackList(std::vector<CallbackRef> callbacks, Model& model, const std::optional<FitParams>& params) : list_(std::move(callbacks)) {
    for (auto& c : list_) {
      c->set_model(&model);
      if (params) c->set_params(*params);
    }
  }
  bool empty() const { return list_.empty(); }
  template <class F, class... Args>
  void each(F hook, Args&&... args) {
    for (auto& c : list_) (c.get()->*hook)(args...);
  }

 private:
  std::vector<CallbackRef> list_;
};

// Keras's progress output. verbose 1: a bar redrawn on a terminal; 2: one line per epoch. The model's name for both loops.
CallbackRef make_progbar_logger(int verbose);
int resolve_verbose(int verbose);  // kVerboseAuto: 1 on a terminal, else 2

}  // namespace glia
