#include "kernels/cpu/gemm_f32.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {
template <class F>
void each(float* c, int64_t ldc, int64_t rows, int64_t cols, F f) {
  for (int64_t i = 0; i < rows; ++i, c += ldc)
    for (int64_t j = 0; j < cols; j += vf::W) {
      const int64_t n = min64(vf::W, cols - j);
      store(c + j, f(load(c + j, n)), n);
    }
}
}  // namespace

void act_rows(Act act, float alpha, float* c, int64_t ldc, int64_t rows, int64_t cols) {
  const vf zero = vf::zero(), six = vf::set1(6), slope = vf::set1(alpha);
  switch (act) {
    case Act::relu: return each(c, ldc, rows, cols, [=](vf x) { return vmax(zero, x); });
    case Act::relu6: return each(c, ldc, rows, cols, [=](vf x) { return vmin(six, vmax(zero, x)); });
    case Act::leaky_relu:
      return each(c, ldc, rows, cols, [=](vf x) { return select(x < zero, x * slope, x); });
    default: return;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
