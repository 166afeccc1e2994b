#include "kernels/cpu/norm.h"

#include <algorithm>

namespace glia::cpu {

NormSplit norm_split(int64_t rows, int64_t n) {
  if (rows * n == 0) return {1, 0};
  // At most 64 tasks: each keeps a partial sum per column.
  const int64_t per = std::max({int64_t{1}, kNormTask / n, (rows + 63) / 64});
  return {per, (rows + per - 1) / per};
}

int64_t layer_norm_grad_workspace(Elem t, int64_t rows, int64_t n) {
  return norm_split(rows, n).tasks * 2 * n * elem_size(t);
}
int64_t channel_workspace(Elem t, int64_t rows, int64_t n) { return layer_norm_grad_workspace(t, rows, n); }

}  // namespace glia::cpu
