#include "kernels/cpu/softmax.h"

namespace glia::cpu {

int64_t find_bad_label(Elem type, const void* labels, int64_t rows, int64_t n, bool has_ignore, int64_t ignore) {
  auto search = [&](const auto* l) {
    for (int64_t r = 0; r < rows; ++r) {
      const auto v = static_cast<int64_t>(l[r]);
      if ((v < 0 || v >= n) && !(has_ignore && v == ignore)) return r;
    }
    return int64_t{-1};
  };
  return type == Elem::i32 ? search(static_cast<const int32_t*>(labels)) : search(static_cast<const int64_t*>(labels));
}

}  // namespace glia::cpu
