// Softmax and log-softmax along one axis of x [outer, n, inner], and their gradients. f32 and f64.
//
//   GLIA_ISA_SELECT(softmax)(Elem::f32, {.x = x, .y = y, .outer = 128, .n = 10, .inner = 1, .log = false});
//
// The largest element is subtracted first; a row of -inf only gives NaN, as in Keras. y may be x, and dx may be dy.
#pragma once
#include <cstdint>

#include "kernels/cpu/elem.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct SoftmaxArgs {
  const void* x;
  void* y;
  int64_t outer, n, inner;
  bool log;
};
struct SoftmaxGradArgs {
  const void *y, *dy;  // y: the forward result
  void* dx;            // softmax: y (dy - sum(dy y));  log: dy - exp(y) sum(dy)
  int64_t outer, n, inner;
  bool log;
};
GLIA_ISA_DECLARE(void, softmax, (Elem, const SoftmaxArgs&))
GLIA_ISA_DECLARE(void, softmax_grad, (Elem, const SoftmaxGradArgs&))

// Softmax and cross-entropy with integer labels in one: logits [rows, n] -> loss[r] = lse[r] - logits[r, label[r]].
// Rows whose label is `ignore` have loss and gradient 0. Labels must lie in [0, n) or be `ignore`: see check_labels.
struct CrossEntropyArgs {
  const void* logits;
  const void* labels;  // i32 or i64
  Elem label_type;
  int64_t rows, n;
  bool has_ignore;
  int64_t ignore;
  void *loss, *lse;    // [rows]; lse is what the gradient needs
};
struct CrossEntropyGradArgs {
  const void* logits;
  const void* labels;
  Elem label_type;
  int64_t rows, n;
  bool has_ignore;
  int64_t ignore;
  const void *lse, *dloss;  // [rows]
  void* dlogits;            // (softmax - onehot) dloss; may be logits
};
GLIA_ISA_DECLARE(void, cross_entropy, (Elem, const CrossEntropyArgs&))
GLIA_ISA_DECLARE(void, cross_entropy_grad, (Elem, const CrossEntropyGradArgs&))
// First row whose label is neither in [0, n) nor ignored, or -1.
int64_t find_bad_label(Elem label_type, const void* labels, int64_t rows, int64_t n, bool has_ignore, int64_t ignore);

}  // namespace glia::cpu
