// The loss functions of keras.losses: per-sample values from targets and predictions. Loss and metric classes call them.
#pragma once
#include <optional>
#include <vector>

#include <glia/value.h>

namespace glia {
class LossBase;
}

namespace glia::nn {

// The label that a SparseCategoricalCrossentropy leaves out; empty for other losses.
std::optional<int64_t> ignored_class(const LossBase& loss);

Value mean_squared_error(Value t, Value p);
Value mean_absolute_error(Value t, Value p);
Value mean_absolute_percentage_error(Value t, Value p);
Value mean_squared_logarithmic_error(Value t, Value p);
Value cosine_similarity(Value t, Value p, int64_t axis = -1);  // the similarity itself; the loss is its negative
Value huber(Value t, Value p, double delta = 1);
Value log_cosh(Value t, Value p);
Value hinge(Value t, Value p);
Value squared_hinge(Value t, Value p);
Value categorical_hinge(Value t, Value p);
Value kl_divergence(Value t, Value p);
Value poisson(Value t, Value p);

// from_logits is implied where p was made by a softmax or a sigmoid of the same graph: its input is used then.
Value binary_crossentropy(Value t, Value p, bool from_logits = false, double label_smoothing = 0, int64_t axis = -1);
Value categorical_crossentropy(Value t, Value p, bool from_logits = false, double label_smoothing = 0, int64_t axis = -1);
Value sparse_categorical_crossentropy(Value t, Value p, bool from_logits = false, std::optional<int64_t> ignore_class = {},
                                      int64_t axis = -1);  // carries a mask where ignore_class is given
struct Focal {
  double alpha = 0.25, gamma = 2;
  bool from_logits = false;
  double label_smoothing = 0;
  int64_t axis = -1;
  bool class_balancing = false;
};
Value binary_focal_crossentropy(Value t, Value p, const Focal& o);
Value categorical_focal_crossentropy(Value t, Value p, const Focal& o);

// The function of that Keras name, with default arguments; null when there is none.
using LossFunction = Value (*)(const Value& t, const Value& p);
LossFunction find_loss_function(const std::string& name);

}  // namespace glia::nn
