#include "kernels/cpu/act.h"

#include <cmath>

namespace glia::cpu {

double activate_f64(Act act, double alpha, double x) {
  switch (act) {
    case Act::relu: return x < 0 ? 0 : x;
    case Act::relu6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case Act::leaky_relu: return x < 0 ? alpha * x : x;
    case Act::elu: return x < 0 ? alpha * std::expm1(x) : x;
    case Act::sigmoid: return 1 / (1 + std::exp(-x));
    case Act::tanh: return std::tanh(x);
    case Act::gelu: return 0.5 * x * (1 + std::erf(x * 0.70710678118654752440));
    case Act::gelu_tanh: return 0.5 * x * (1 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case Act::silu: return x / (1 + std::exp(-x));
    case Act::none:
    case Act::count_: break;
  }
  return x;
}

}  // namespace glia::cpu
