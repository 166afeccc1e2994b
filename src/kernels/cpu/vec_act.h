// The activations of Act on vectors; include only from *.isa.cpp files.
//
//   store(y, activate<Act::gelu>(load(x), alpha));
#pragma once
#include "kernels/cpu/act.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {

template <Act A>
GLIA_INLINE vf activate(vf x, [[maybe_unused]] vf alpha) {
  const vf zero = vf::zero(), half = vf::set1(0.5f);
  if constexpr (A == Act::relu) return vmax(zero, x);  // NaN stays NaN
  else if constexpr (A == Act::relu6) return vmin(vf::set1(6), vmax(zero, x));
  else if constexpr (A == Act::leaky_relu) return select(x < zero, x * alpha, x);
  else if constexpr (A == Act::elu) return select(x < zero, alpha * vexpm1(x), x);
  else if constexpr (A == Act::sigmoid) return vsigmoid(x);
  else if constexpr (A == Act::tanh) return vtanh(x);
  else if constexpr (A == Act::gelu) return vgelu(x);
  else if constexpr (A == Act::gelu_tanh) {
    vf inner = vf::set1(0.79788456f) * fma(vf::set1(0.044715f) * x * x, x, x);
    return half * x * (vf::set1(1) + vtanh(inner));
  } else if constexpr (A == Act::silu) return x * vsigmoid(x);
  else return x;
}

}  // namespace glia::cpu::GLIA_ISA_NS
