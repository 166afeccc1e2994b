// Normalisation kernels, f32 and f64.
//
// Rows (layer norm, RMS norm): each row of x [rows, n] is normalised, then scaled per column.
//   GLIA_ISA_SELECT(layer_norm)(Elem::f32, {.x = x, .gamma = g, .beta = b, .y = y, .mean = m, .rstd = r, .rows = 128, .n = 64, .eps = 1e-3});
// Channels (batch norm): statistics of the columns of x [rows, n]; normalising is pointwise and fuses with what follows.
#pragma once
#include <cstdint>

#include "kernels/cpu/elem.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct LayerNormArgs {
  const void *x, *gamma, *beta;  // gamma, beta: [n] or null
  void *y, *mean, *rstd;         // mean, rstd: [rows], or null; what the gradient needs (mean is 0 with rms)
  int64_t rows, n;
  double eps;
  bool rms = false;              // y = x / sqrt(mean(x^2) + eps) gamma
};
struct LayerNormGradArgs {
  const void *x, *gamma, *mean, *rstd, *dy;
  void *dx, *dgamma, *dbeta;     // dgamma, dbeta: [n] or null
  int64_t rows, n;
  bool rms = false;
  void* workspace;               // layer_norm_grad_workspace bytes
};
int64_t layer_norm_grad_workspace(Elem, int64_t rows, int64_t n);
GLIA_ISA_DECLARE(void, layer_norm, (Elem, const LayerNormArgs&))
GLIA_ISA_DECLARE(void, layer_norm_grad, (Elem, const LayerNormGradArgs&))

// mean[c] and biased variance[c] over the rows. Deviations are taken from the first row, so large means do not hurt.
struct ChannelMomentsArgs {
  const void* x;
  void *mean, *variance;
  int64_t rows, n;
  void* workspace;  // channel_workspace bytes
};
// sum_dy[c] = sum dy, sum_dy_xhat[c] = rstd[c] sum dy (x - mean[c]): all the sums that the gradient of batch norm needs.
struct ChannelGradArgs {
  const void *x, *dy, *mean, *rstd;
  void *sum_dy, *sum_dy_xhat;
  int64_t rows, n;
  void* workspace;
};
int64_t channel_workspace(Elem, int64_t rows, int64_t n);
GLIA_ISA_DECLARE(void, channel_moments, (Elem, const ChannelMomentsArgs&))
GLIA_ISA_DECLARE(void, channel_grad_sums, (Elem, const ChannelGradArgs&))

// How the work is split; fixed by shape.
struct NormSplit {
  int64_t rows_per_task, tasks;
};
inline constexpr int64_t kNormTask = 16384;  // elements
NormSplit norm_split(int64_t rows, int64_t n);

}  // namespace glia::cpu
