// The functions of vec_math.h over arrays: y[i] = f(x[i]); x == y is allowed. Single-threaded.
//
//   GLIA_ISA_SELECT(tanh_array)(x, y, n);
#pragma once
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace glia::cpu {

GLIA_ISA_DECLARE(void, exp_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, expm1_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, log_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, log1p_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, tanh_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, sigmoid_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, sigmoid_fast_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, tanh_fast_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, erf_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, gelu_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, gelu_grad_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, sin_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, cos_array, (const float* x, float* y, int64_t n))
GLIA_ISA_DECLARE(void, pow_array, (const float* x, const float* exponent, float* y, int64_t n))

}  // namespace glia::cpu
