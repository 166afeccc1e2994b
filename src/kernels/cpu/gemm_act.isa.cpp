// Activations over a block of C that was just written: for those too long to sit in every register tile.
#include "kernels/cpu/gemm_inner.h"
#include "kernels/cpu/vec_act.h"

namespace glia::cpu::GLIA_ISA_NS {

template <Act A>
static void act_block(float alpha, float* c, int64_t ldc, int64_t rows, int64_t cols) {
  const vf a = vf::set1(alpha);
  const int64_t whole = cols / vf::W * vf::W;
  for (int64_t i = 0; i < rows; ++i, c += ldc) {
    for (int64_t j = 0; j < whole; j += vf::W) store(c + j, activate<A>(load(c + j), a));
    if (whole < cols) store(c + whole, activate<A>(load(c + whole, cols - whole), a), cols - whole);
  }
}

void act_rows(Act act, float alpha, float* c, int64_t ldc, int64_t rows, int64_t cols) {
  switch (act) {
    case Act::relu: return act_block<Act::relu>(alpha, c, ldc, rows, cols);
    case Act::relu6: return act_block<Act::relu6>(alpha, c, ldc, rows, cols);
    case Act::leaky_relu: return act_block<Act::leaky_relu>(alpha, c, ldc, rows, cols);
    case Act::elu: return act_block<Act::elu>(alpha, c, ldc, rows, cols);
    case Act::sigmoid: return act_block<Act::sigmoid>(alpha, c, ldc, rows, cols);
    case Act::tanh: return act_block<Act::tanh>(alpha, c, ldc, rows, cols);
    case Act::gelu: return act_block<Act::gelu>(alpha, c, ldc, rows, cols);
    case Act::gelu_tanh: return act_block<Act::gelu_tanh>(alpha, c, ldc, rows, cols);
    case Act::silu: return act_block<Act::silu>(alpha, c, ldc, rows, cols);
    case Act::none:
    case Act::count_: return;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
