#include "io/cpp_export/pack.h"

#include <algorithm>

namespace glia::io::cpp_export {

Tensor columns_of(const Tensor& w, int64_t first, int64_t last) {
  const int64_t rows = w.dim(0), columns = w.dim(1);
  Tensor r({rows, last - first}, w.dtype());
  for (int64_t i = 0; i < rows; ++i)
    std::copy(w.data<float>() + i * columns + first, w.data<float>() + i * columns + last,
              r.data<float>() + i * (last - first));
  return r;
}

Tensor pack_panels(const Tensor& w) {
  const int64_t rows = w.dim(0), columns = w.dim(1), panels = panels_of(columns);
  Tensor r = Tensor::zeros({std::max<int64_t>(1, panels * rows * kPanel)});
  const float* from = w.data<float>();
  float* to = r.data<float>();
  for (int64_t p = 0; p < panels; ++p)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < std::min(kPanel, columns - p * kPanel); ++j)
        to[(p * rows + i) * kPanel + j] = from[i * columns + p * kPanel + j];
  return r;
}

Tensor pack_groups(const Tensor& w, int64_t groups) {
  const int64_t columns = w.dim(1) / groups, size = w.dim(0) * panels_of(columns) * kPanel;
  Tensor r({groups * size});
  for (int64_t g = 0; g < groups; ++g) {
    const Tensor part = pack_panels(columns_of(w, g * columns, (g + 1) * columns));
    std::copy(part.data<float>(), part.data<float>() + size, r.data<float>() + g * size);
  }
  return r;
}

Tensor pad_to_panel(const Tensor& bias) {
  Tensor r = Tensor::zeros({std::max<int64_t>(1, panels_of(bias.size())) * kPanel});
  std::copy(bias.data<float>(), bias.data<float>() + bias.size(), r.data<float>());
  return r;
}

Tensor transposed_2d(const Tensor& w) {
  const int64_t n = w.dim(0), k = w.dim(1);
  Tensor r({k, n});
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < k; ++j) r.data<float>()[j * n + i] = w.data<float>()[i * k + j];
  return r;
}

}  // namespace glia::io::cpp_export
