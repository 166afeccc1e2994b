// Weights as the generated code reads them: panels of 16 columns, [panel][row][16], the last padded with zeros.
//
//   Tensor packed = pack_panels(w);   // w (rows, columns) float32
#pragma once
#include <glia/tensor.h>

namespace glia::io::cpp_export {

constexpr int64_t kPanel = 16;
inline int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }

Tensor pack_panels(const Tensor& w);  // (rows, columns)
// The columns of `w` are dealt to groups; each group is packed alone, one after another.
Tensor pack_groups(const Tensor& w, int64_t groups);              // (rows, groups * columns)
Tensor pad_to_panel(const Tensor& bias);                          // (n) with zeros up to whole panels
Tensor transposed_2d(const Tensor& w);                            // (n, k) -> (k, n)
Tensor columns_of(const Tensor& w, int64_t first, int64_t last);  // (rows, columns) -> (rows, last - first)

}  // namespace glia::io::cpp_export
