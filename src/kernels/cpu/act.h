// Activations that a kernel can apply to its result while it is still in registers or L1 (epilogues).
#pragma once
#include <cstdint>

namespace glia::cpu {

enum class Act : uint8_t {
  none, relu, relu6, leaky_relu, elu, sigmoid, tanh, gelu, gelu_tanh, silu,  // leaky_relu and elu take alpha
  count_
};

double activate_f64(Act act, double alpha, double x);  // one value, with libm

}  // namespace glia::cpu
